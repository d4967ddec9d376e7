"""Pictures of signs in three levels: from one dark word on light ground, with which a model begins
to read, to several words on any board, in any of the fonts of this machine, tilted and noisy.
"""

from __future__ import annotations

import random

import numpy as np
from PIL import Image, ImageDraw

from training.world.backdrops import backdrop
from training.world.lettering import FONT_NAMES, Glyph, break_lines, photographed, write
from training.world.pages import WrittenPicture, picture_fact
from training.world.pen import CREAM, INK, WOOD, Rgb, mix
from training.world.words import COLOURS, MONTHS, PEOPLE, WEEKDAYS, fill


def sign(
    rng: random.Random, level: int = 2, size_px: tuple[int, int] = (384, 288)
) -> WrittenPicture:
    """A sign. Level 0: one word, one font, black on white, in the middle; 1: one or two words in
    three fonts; 2: up to four words, any font, board, place and light."""
    text = sign_words(rng, level)
    return draw_sign(text, rng, size_px, level)


def sign_words(rng: random.Random, level: int = 2) -> str:
    """What signs say: "open on monday", "room 12", "fresh bread"."""
    if level == 0:
        return rng.choice(_ONE_WORD)
    if level == 1 and rng.random() < 0.5:
        return rng.choice(_ONE_WORD)
    colour, person = rng.choice(list(COLOURS)), rng.choice(PEOPLE).lower()
    day, month = rng.choice(WEEKDAYS).lower(), rng.choice(MONTHS).lower()
    food, number = fill("food", rng).text, rng.randrange(2, 60)
    spot, city = fill("spot", rng).text, fill("city", rng).text.lower()
    goods, dish = fill("goods", rng).text, fill("dish", rng).text
    short = (
        f"room {number}", f"fresh {food}", f"no {goods}", f"hello {person}", f"platform {number}",
        f"{spot} closed", f"to the {spot}", f"{colour} door", f"{food} {number} euros",
        f"gate {number}", f"welcome {person}", f"{city} {number} km",
    )  # fmt: skip
    if level == 1:
        return rng.choice([words for words in short if len(words.split()) < 3])
    long = (
        f"open on {day}", f"closed on {day}", f"closed in {month}", f"{dish} {number} euros",
        f"sale in {month}", f"{spot} opens at {number % 12 + 7}:00", f"train to {city}",
        f"please ring at {person}", f"no {goods} in the {spot}", f"{day} is {food} day",
        f"market on {day}", f"meet {person} here", f"free {goods} on {day}",
        f"mind the {fill('pet', rng).text}", f"the {spot} is full",
    )  # fmt: skip
    return rng.choice((*short, *long, *long))


def draw_sign(
    text: str, rng: random.Random, size_px: tuple[int, int], level: int = 2, noise: bool = True
) -> WrittenPicture:
    """The words on a board: a shop sign, a wooden post, a street sign, a note or a blackboard."""
    width_px, height_px = size_px
    if level < 2:
        picture = Image.new("RGB", size_px, (250, 250, 248))
        face = FONT_NAMES[0] if level == 0 else rng.choice(FONT_NAMES[:3])
        lines = [text] if level == 0 else break_lines(text)
        glyphs = write(picture, lines, face, INK, (0.06, 0.2, 0.94, 0.8))
    else:
        picture, glyphs = _board(text, rng, size_px)
    if level == 2 and noise:
        picture = photographed(picture, rng)
    return WrittenPicture(
        image=np.asarray(picture.resize((width_px, height_px))).copy(),
        caption=f'a sign that says "{text}"',
        words=text,
        find=f"sign {text}" if rng.random() < 0.4 else text,
        facts=(picture_fact("What does the sign say?", "Which words can I read?", text, text),),
        glyphs=glyphs,
    )


def _board(
    text: str, rng: random.Random, size_px: tuple[int, int]
) -> tuple[Image.Image, tuple[Glyph, ...]]:
    """The sign itself, standing somewhere, and its letters."""
    width_px, height_px = size_px
    place = rng.choice(("street", "street", "grass", "room", "beach", "snow"))
    picture = backdrop(place, width_px, height_px, rng)
    pen = ImageDraw.Draw(picture)
    form = rng.choice(("shop", "wood", "traffic", "note", "blackboard"))
    lines = break_lines(text)
    wide = rng.uniform(0.74, 0.9)
    high = min(0.68, max(0.3, 0.26 * len(lines) + 0.1))
    x0, y0 = rng.uniform(0.04, 0.96 - wide), rng.uniform(0.06, 0.8 - high)
    board = (x0 * width_px, y0 * height_px, (x0 + wide) * width_px, (y0 + high) * height_px)
    ink: Rgb
    if form == "shop":
        fill_of: Rgb = rng.choice([COLOURS[c] for c in ("red", "blue", "green", "purple")])
        ink = CREAM
    elif form == "wood":
        fill_of, ink = mix(WOOD, CREAM, 0.25), (58, 36, 22)
    elif form == "traffic":
        fill_of, ink = (252, 252, 250), INK
    elif form == "note":
        fill_of, ink = rng.choice(((255, 244, 170), (255, 224, 214), (224, 244, 226))), INK
    else:
        fill_of, ink = (44, 62, 56), (244, 246, 240)
    if form in ("wood", "traffic", "blackboard"):
        middle = (x0 + wide / 2) * width_px
        pen.rectangle((middle - 5, board[3], middle + 5, height_px), fill=mix(WOOD, INK, 0.3))
    corner = {"shop": 8, "traffic": 12}.get(form, 2)
    pen.rounded_rectangle(
        (board[0] + 3, board[1] + 4, board[2] + 3, board[3] + 4), corner, fill=(90, 90, 96)
    )
    edge = mix(fill_of, INK, 0.35) if form != "blackboard" else WOOD
    pen.rounded_rectangle(board, corner, fill=fill_of, outline=edge, width=4)
    inner = (x0 + 0.035, y0 + 0.05, x0 + wide - 0.035, y0 + high - 0.05)
    return picture, write(picture, lines, rng.choice(FONT_NAMES), ink, inner)


_ONE_WORD = (
    "open closed exit bakery station museum library market school hotel post taxi bus beach park"
    " harbour garden kitchen office sale free welcome stop danger toilets tickets coffee bread milk"
    " fish honey salad monday tuesday wednesday thursday friday saturday sunday"
).split()
