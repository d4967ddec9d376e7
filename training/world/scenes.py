"""Pictures of things in places, with the caption a person would give them."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from model.interface import Uint8
from training.world.backdrops import PLACES, backdrop
from training.world.kinds import KINDS, drawing
from training.world.pen import Rgb, mix
from training.world.plans import Plan, Thing, facts_of, find, plan
from training.world.statements import Fact
from training.world.words import COLOURS

__all__ = ["Plan", "Scene", "Style", "Thing", "draw", "facts_of", "plan", "scene", "style"]

SIZES_PX = ((384, 288), (384, 288), (336, 336), (288, 384), (432, 288))


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A picture, (height, width, 3) uint8, and what is in it. `find` is a short query that should
    find it; `facts` quote from the caption; `boxes` say where each single thing is, back to front,
    a small turn of the camera apart."""

    image: Uint8
    caption: str
    objects: tuple[Thing, ...]
    place: str
    find: str
    facts: tuple[Fact, ...]
    boxes: tuple[tuple[Thing, Box], ...]


@dataclass(frozen=True, slots=True)
class Style:
    """How a scene is drawn and photographed. Things are `scale` times their usual size; `outline`
    is a part of the height; the camera turns by `tilt_deg`, comes nearer by `zoom`, and adds
    `noise` (standard deviation of 255)."""

    scale: float = 1.0
    outline: float = 0.0
    outline_colour: Rgb = (46, 44, 56)
    shadow: bool = True
    tilt_deg: float = 0.0
    zoom: float = 1.0
    brightness: float = 1.0
    contrast: float = 1.0
    blur_px: float = 0.0
    noise: float = 0.0
    jitter: float = 0.0


def scene(rng: random.Random, size_px: tuple[int, int] | None = None) -> Scene:
    """A scene with one to three (kinds of) things, in varied style; `size_px` is width, height."""
    planned = plan(rng)
    return draw(planned, rng, size_px or rng.choice(SIZES_PX), style(rng))


def style(rng: random.Random) -> Style:
    """A hand and a camera: flat, outlined or cut out of paper; a little tilted, near and noisy."""
    look = rng.random()
    outline = 0.0 if look < 0.45 else rng.uniform(0.008, 0.02)
    return Style(
        outline=outline,
        outline_colour=(46, 44, 56) if look < 0.75 else (255, 255, 255),
        shadow=rng.random() < 0.7,
        tilt_deg=rng.gauss(0, 2.0),
        zoom=rng.uniform(1.0, 1.08),
        brightness=rng.uniform(0.82, 1.14),
        contrast=rng.uniform(0.85, 1.1),
        blur_px=rng.uniform(0, 0.9) if rng.random() < 0.4 else 0.0,
        noise=rng.uniform(0, 7),
        jitter=14,
    )


def draw(
    planned: Plan, rng: random.Random, size_px: tuple[int, int], style: Style | None = None
) -> Scene:
    """The planned scene as a picture of the given width and height; twice as large first, so that
    edges come out smooth."""
    style = style or Style()
    width_px, height_px = size_px[0] * 2, size_px[1] * 2
    picture = backdrop(planned.place, width_px, height_px, rng)
    boxes = _places(planned, rng, width_px / height_px, style.scale)
    for thing, box in boxes:
        _put(picture, thing, box, style, rng)
    picture = picture.reduce(2)
    if style.tilt_deg or style.zoom != 1:
        # the camera's turn shows no corner: it comes as near as that needs
        near = style.zoom + abs(style.tilt_deg) * 0.03
        turned = picture.rotate(style.tilt_deg, Image.Resampling.BILINEAR)
        dx, dy = (side * (1 - 1 / near) / 2 for side in size_px)
        frame = (dx, dy, size_px[0] - dx, size_px[1] - dy)
        picture = turned.resize(size_px, Image.Resampling.BILINEAR, box=frame)
        boxes = [(thing, _nearer(box, near)) for thing, box in boxes]
    if style.blur_px:
        picture = picture.filter(ImageFilter.GaussianBlur(style.blur_px))
    return Scene(
        image=_exposed(picture, style, rng),
        caption=planned.caption,
        objects=planned.things,
        place=planned.place,
        find=find(planned, rng),
        facts=facts_of(planned),
        boxes=tuple(boxes),
    )


def _nearer(box: Box, near: float) -> Box:
    """Where a box stands when the camera has come nearer to the middle."""
    left, top, right, bottom = ((side - 0.5) * near + 0.5 for side in box)
    return left, top, right, bottom


def _exposed(picture: Image.Image, style: Style, rng: random.Random) -> Uint8:
    pixels = np.asarray(picture)
    if style.brightness == style.contrast == 1 and not style.noise:
        return pixels.copy()
    noise = np.random.default_rng(rng.getrandbits(64))
    seen = noise.standard_normal(pixels.shape, dtype=np.float32)
    seen *= style.noise
    seen += pixels * np.float32(style.contrast)
    seen += 128 * (style.brightness - style.contrast)
    return seen.clip(0, 255).astype(np.uint8)


Box = tuple[float, float, float, float]  # left, top, right, bottom; parts of width and height


def _places(
    planned: Plan, rng: random.Random, wide: float, scale: float
) -> list[tuple[Thing, Box]]:
    """Where each single thing goes, back to front. `wide` is the picture's width over its height;
    boxes are in heights until the end."""
    if planned.relation:
        boxes = _related(planned, rng)
    else:
        singles = [thing for thing in planned.things for _ in range(thing.count)]
        boxes = [(thing, _sized(thing, rng)) for thing in singles]
    if not planned.relation or planned.relation == "next to":
        boxes = _row(boxes, planned, rng, wide)
    left = min(box[0] for _, box in boxes)
    right = max(box[2] for _, box in boxes)
    top = min(box[1] for _, box in boxes)
    bottom = max(box[3] for _, box in boxes)
    shrink = min(scale, 0.9 * wide / (right - left), 0.9 / (bottom - top))
    width, height = (right - left) * shrink, (bottom - top) * shrink
    at_x = rng.uniform(0.05 * wide, max(0.05 * wide, 0.95 * wide - width))
    place = PLACES[planned.place]
    flying = all(KINDS[thing.kind].flies for thing in planned.things) or planned.place == "sky"
    feet = rng.uniform(0.55, 0.8) if flying else rng.uniform(place.far, place.near)
    at_y = max(0.03, feet - height)
    placed = []
    for thing, (x0, y0, x1, y1) in boxes:
        x0, x1 = ((x - left) * shrink + at_x for x in (x0, x1))
        y0, y1 = ((y - top) * shrink + at_y for y in (y0, y1))
        placed.append((thing, (x0 / wide, y0, x1 / wide, y1)))
    return placed


def _sized(thing: Thing, rng: random.Random) -> Box:
    """A box at the origin in the thing's usual height, somewhat varied."""
    usual = KINDS[thing.kind].height * rng.uniform(0.92, 1.12)
    height = usual * {"": 1.0, "big": 1.6, "small": 0.52}[thing.size]
    height = min(height, 0.86)
    return (0.0, -height, height * KINDS[thing.kind].aspect, 0.0)


def _row(
    boxes: list[tuple[Thing, Box]], planned: Plan, rng: random.Random, wide: float
) -> list[tuple[Thing, Box]]:
    """Side by side from left to right, each a little higher or lower."""
    x = 0.0
    row = []
    for thing, (_, top, right, bottom) in boxes:
        lift = rng.uniform(0, 0.06)
        if KINDS[thing.kind].flies and planned.place != "sky":
            lift += rng.uniform(0.12, 0.3) if len(boxes) > 1 else 0
        row.append((thing, (x, top - lift, x + right, bottom - lift)))
        x += right + rng.uniform(0.03, 0.12) * wide / 1.33
    return row


def _related(planned: Plan, rng: random.Random) -> list[tuple[Thing, Box]]:
    """The first thing on, under, above or next to the second."""
    first, second = planned.things[0], planned.things[1]
    _, t1, w1, _ = _sized(first, rng)
    _, t2, w2, _ = _sized(second, rng)
    h1, h2 = -t1, -t2
    if planned.relation == "next to":
        return [(first, (0, -h1, w1, 0)), (second, (0, -h2, w2, 0))]
    if planned.relation == "on":
        h1, w1 = h1 * 0.72, w1 * 0.72
        stand = -h2 * (1 - (KINDS[second.kind].top or 0))
        x = (w2 - w1) / 2 + rng.uniform(-0.1, 0.1) * max(0.0, w2 - w1)
        if second.kind == "chair":
            stand, h1, w1 = -h2 * 0.44, h1 * 0.8, w1 * 0.8
            x = (w2 - w1) / 2
        return [(second, (0, -h2, w2, 0)), (first, (x, stand - h1, x + w1, stand))]
    if planned.relation == "under" and second.kind == "umbrella":
        scale = max(1.0, 1.5 * w1 / w2)
        h2, w2 = h2 * scale, w2 * scale
        x = w2 / 2 - w1 * 1.02 if w1 < w2 / 2 else (w2 - w1) / 2
        bottom = 0.0
        return [
            (second, (0, -max(h2, h1 * 1.5), w2, -h1 * 0.1)),
            (first, (x, bottom - h1, x + w1, bottom)),
        ]
    if planned.relation == "under":
        part = min(0.62 * h2 / h1, 0.6 * w2 / w1)
        h1, w1 = h1 * part, w1 * part
        x = (w2 - w1) / 2 + rng.uniform(-0.1, 0.1) * w2
        return [(second, (0, -h2, w2, 0)), (first, (x, -h1, x + w1, 0))]
    gap = rng.uniform(0.03, 0.08)
    h1, w1 = h1 * 0.8, w1 * 0.8
    x = (w2 - w1) / 2 + rng.uniform(-0.2, 0.2) * w2
    return [(second, (0, -h2, w2, 0)), (first, (x, -h2 - gap - h1, x + w1, -h2 - gap))]


def _put(picture: Image.Image, thing: Thing, box: Box, style: Style, rng: random.Random) -> None:
    wide_px, high_px = picture.size
    x, y = round(box[0] * wide_px), round(box[1] * high_px)
    height_px = max(12, round((box[3] - box[1]) * high_px))
    colour = _jittered(COLOURS[thing.colour], style.jitter, rng)
    cut = drawing(thing.kind, colour, height_px).image
    if style.shadow and not KINDS[thing.kind].flies:
        shade = Image.new("L", (cut.width, max(2, cut.height // 9)), 0)
        ImageDraw.Draw(shade).ellipse((0, 0, shade.width - 1, shade.height - 1), fill=60)
        feet = (x, y + cut.height - shade.height * 6 // 10)
        picture.paste((20, 20, 40), feet, shade)
    if style.outline:
        edge = max(1, round(style.outline * high_px))
        alpha = cut.getchannel("A")
        for n in range(12):
            dx, dy = edge * math.cos(n * math.pi / 6), edge * math.sin(n * math.pi / 6)
            picture.paste(style.outline_colour, (x + round(dx), y + round(dy)), alpha)
    picture.paste(cut, (x, y), cut)


def _jittered(colour: Rgb, by: float, rng: random.Random) -> Rgb:
    if not by:
        return colour
    light = rng.uniform(-by, by)
    red, green, blue = (
        max(0, min(255, round(part + light + rng.uniform(-by / 2, by / 2)))) for part in colour
    )
    return mix((red, green, blue), colour, 0.3)
