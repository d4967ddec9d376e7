"""The places of the world: what stands behind the things, and where things stand on it."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image, ImageDraw

from training.world.pen import CREAM, GLASS, INK, WOOD, Rgb, mix


class Canvas:
    """A picture to paint a place on; x and y run from 0 to 1."""

    def __init__(self, width_px: int, height_px: int) -> None:
        self.image = Image.new("RGB", (width_px, height_px))
        self._draw = ImageDraw.Draw(self.image)
        self.width_px, self.height_px = width_px, height_px

    def sweep(self, top: float, bottom: float, above: Rgb, below: Rgb) -> None:
        """A band that changes from one colour to another."""
        y0, y1 = round(top * self.height_px), round(bottom * self.height_px)
        for y in range(y0, y1):
            colour = mix(above, below, (y - y0) / max(1, y1 - y0))
            self._draw.line([(0, y), (self.width_px, y)], fill=colour)

    def box(self, x0: float, y0: float, x1: float, y1: float, colour: Rgb) -> None:
        w, h = self.width_px, self.height_px
        self._draw.rectangle((x0 * w, y0 * h, x1 * w, y1 * h), fill=colour)

    def disc(self, x: float, y: float, r: float, colour: Rgb, flat: float = 1.0) -> None:
        """A disc of radius r (in heights), flattened by `flat`."""
        w, h = self.width_px, self.height_px
        rx, ry = r * h, r * h * flat
        self._draw.ellipse((x * w - rx, y * h - ry, x * w + rx, y * h + ry), fill=colour)

    def shape(self, points: list[tuple[float, float]], colour: Rgb) -> None:
        w, h = self.width_px, self.height_px
        self._draw.polygon([(x * w, y * h) for x, y in points], fill=colour)

    def hills(self, y: float, swing: float, waves: float, shift: float, colour: Rgb) -> None:
        """Everything below a wavy line."""
        steps = [n / 40 for n in range(41)]
        line = [(x, y + swing * math.sin(waves * x * math.tau + shift)) for x in steps]
        self.shape([*line, (1, 1), (0, 1)], colour)

    def cloud(self, x: float, y: float, r: float, colour: Rgb) -> None:
        for dx, dy, part in ((-1.1, 0.2, 0.7), (0, -0.15, 1), (1.1, 0.15, 0.8), (0.4, 0.3, 0.8)):
            self.disc(x + dx * r * self.height_px / self.width_px, y + dy * r, r * part, colour)


def room(canvas: Canvas, rng: random.Random) -> None:
    wall = rng.choice(((238, 222, 200), (214, 226, 222), (236, 214, 208), (220, 218, 232)))
    floor = rng.choice(((196, 160, 120), (178, 150, 128), (206, 186, 160)))
    canvas.sweep(0, 0.7, wall, mix(wall, INK, 0.06))
    canvas.box(0, 0.7, 1, 1, floor)
    for n in range(1, 5):
        y = 0.7 + 0.3 * (n / 5) ** 1.3
        canvas.box(0, y, 1, y + 0.004, mix(floor, INK, 0.14))
    canvas.box(0, 0.675, 1, 0.705, mix(wall, (255, 255, 255), 0.6))
    if rng.random() < 0.6:
        x = rng.uniform(0.06, 0.74)
        canvas.box(x, 0.1, x + 0.2, 0.42, CREAM)
        canvas.box(x + 0.012, 0.12, x + 0.188, 0.4, GLASS)
        canvas.box(x + 0.094, 0.12, x + 0.106, 0.4, CREAM)
        canvas.box(x, 0.25, x + 0.2, 0.268, CREAM)
    else:
        x = rng.uniform(0.1, 0.75)
        canvas.box(x, 0.14, x + 0.16, 0.36, mix(WOOD, INK, 0.2))
        canvas.box(x + 0.012, 0.158, x + 0.148, 0.342, mix(wall, (120, 160, 190), 0.5))


def grass(canvas: Canvas, rng: random.Random) -> None:
    canvas.sweep(0, 0.7, (150, 208, 240), (222, 240, 248))
    _sun_and_clouds(canvas, rng)
    shift = rng.uniform(0, 6)
    canvas.hills(0.56, 0.05, rng.uniform(0.6, 1.2), shift, (158, 206, 136))
    canvas.hills(0.63, 0.025, 0.8, shift + 2, (128, 188, 102))
    for _ in range(12):
        x, y = rng.random(), rng.uniform(0.72, 0.98)
        canvas.shape([(x, y), (x + 0.006, y - 0.035), (x + 0.01, y)], (100, 164, 82))


def beach(canvas: Canvas, rng: random.Random) -> None:
    canvas.sweep(0, 0.45, (132, 202, 240), (214, 238, 248))
    _sun_and_clouds(canvas, rng)
    canvas.sweep(0.42, 0.6, (66, 150, 200), (104, 188, 214))
    for _ in range(6):
        x, y = rng.uniform(0, 0.9), rng.uniform(0.45, 0.55)
        canvas.box(x, y, x + 0.07, y + 0.006, (190, 226, 238))
    canvas.hills(0.585, 0.012, 1.5, rng.uniform(0, 6), (236, 246, 244))
    canvas.hills(0.605, 0.012, 1.5, rng.uniform(0, 6), (240, 218, 166))
    for _ in range(14):
        canvas.disc(rng.random(), rng.uniform(0.7, 0.98), 0.005, (222, 194, 138))


def street(canvas: Canvas, rng: random.Random) -> None:
    canvas.sweep(0, 0.62, (190, 216, 232), (232, 236, 236))
    x = -0.02
    while x < 1:
        wide = rng.uniform(0.12, 0.22)
        top = rng.uniform(0.1, 0.34)
        front = rng.choice(((206, 178, 164), (188, 190, 200), (214, 204, 178), (182, 196, 190)))
        canvas.box(x, top, x + wide - 0.006, 0.62, front)
        for row in range(int((0.58 - top) / 0.11)):
            for column in (0.22, 0.6):
                wx, wy = x + wide * column, top + 0.05 + row * 0.11
                canvas.box(wx, wy, wx + wide * 0.18, wy + 0.055, mix(front, (250, 250, 255), 0.6))
        x += wide
    canvas.box(0, 0.6, 1, 0.68, (204, 202, 198))
    canvas.box(0, 0.68, 1, 1, (124, 126, 134))
    for n in range(6):
        canvas.box(n * 0.2 + 0.02, 0.895, n * 0.2 + 0.12, 0.915, (232, 230, 222))


def snow(canvas: Canvas, rng: random.Random) -> None:
    canvas.sweep(0, 0.7, (170, 194, 218), (222, 232, 242))
    canvas.shape([(-0.1, 0.64), (rng.uniform(0.1, 0.3), 0.26), (0.55, 0.64)], (186, 204, 224))
    canvas.shape([(0.35, 0.64), (rng.uniform(0.6, 0.8), 0.2), (1.1, 0.64)], (176, 196, 218))
    canvas.hills(0.6, 0.03, 0.9, rng.uniform(0, 6), (232, 240, 248))
    canvas.hills(0.72, 0.02, 0.7, rng.uniform(0, 6), (220, 231, 243))
    for _ in range(50):
        canvas.disc(rng.random(), rng.random(), rng.uniform(0.004, 0.009), (255, 255, 255))


def night(canvas: Canvas, rng: random.Random) -> None:
    canvas.sweep(0, 0.75, (26, 32, 72), (72, 78, 128))
    for _ in range(45):
        canvas.disc(rng.random(), rng.uniform(0, 0.55), rng.uniform(0.002, 0.006), (250, 244, 214))
    x = rng.uniform(0.1, 0.9)
    canvas.disc(x, 0.16, 0.075, (250, 240, 200))
    canvas.disc(x + 0.03, 0.145, 0.066, mix((26, 32, 72), (72, 78, 128), 0.2))
    canvas.hills(0.62, 0.04, 0.8, rng.uniform(0, 6), (62, 84, 112))
    canvas.hills(0.7, 0.02, 0.6, rng.uniform(0, 6), (84, 112, 124))


def water(canvas: Canvas, rng: random.Random) -> None:
    canvas.sweep(0, 0.4, (146, 208, 240), (226, 242, 248))
    _sun_and_clouds(canvas, rng)
    canvas.sweep(0.36, 1, (70, 160, 206), (44, 116, 172))
    for _ in range(22):
        x, y = rng.uniform(-0.05, 0.95), rng.uniform(0.42, 0.97)
        canvas.box(x, y, x + rng.uniform(0.04, 0.1), y + 0.007, (130, 198, 226))


def sky(canvas: Canvas, rng: random.Random) -> None:
    canvas.sweep(0, 1, (112, 186, 238), (214, 238, 250))
    for _ in range(rng.randrange(3, 6)):
        canvas.cloud(rng.random(), rng.uniform(0.1, 0.95), rng.uniform(0.05, 0.1), (248, 251, 253))


def _sun_and_clouds(canvas: Canvas, rng: random.Random) -> None:
    if rng.random() < 0.6:
        canvas.disc(rng.uniform(0.06, 0.94), rng.uniform(0.08, 0.2), 0.065, (255, 236, 150))
    for _ in range(rng.randrange(0, 3)):
        canvas.cloud(rng.random(), rng.uniform(0.08, 0.26), rng.uniform(0.03, 0.05), CREAM)


@dataclass(frozen=True, slots=True)
class Place:
    """A place: how it is painted, how a caption says it, and the band where feet stand."""

    paint: Callable[[Canvas, random.Random], None]
    phrase: str
    near: float = 0.95
    far: float = 0.8


PLACES: dict[str, Place] = {
    "room": Place(room, "in a room"),
    "grass": Place(grass, "on the grass"),
    "beach": Place(beach, "on the beach"),
    "street": Place(street, "on the street", near=0.95, far=0.86),
    "snow": Place(snow, "in the snow"),
    "night": Place(night, "at night"),
    "water": Place(water, "in the water", near=0.94, far=0.74),
    "sky": Place(sky, "in the sky", near=0.92, far=0.62),
}


def backdrop(place: str, width_px: int, height_px: int, rng: random.Random) -> Image.Image:
    """A painted place without things. Raises KeyError for an unknown one."""
    canvas = Canvas(width_px, height_px)
    PLACES[place].paint(canvas, rng)
    return canvas.image
