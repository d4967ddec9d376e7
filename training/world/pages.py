"""Pages with words in them, as a scanner or camera takes them: typed, bar charts, small tables."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from model.interface import Uint8
from training.world.lettering import (
    FONT_NAMES,
    Glyph,
    font_of,
    photographed,
    wrap,
    write,
)
from training.world.pen import CREAM, INK, mix
from training.world.statements import Fact, statement
from training.world.stems import content_words
from training.world.words import COLOURS, MONTHS, PEOPLE, WEEKDAYS, fill


@dataclass(frozen=True, slots=True, eq=False)
class WrittenPicture:
    """A picture, (height, width, 3) uint8, with words in it. `words` are the largest of them, a
    sign's text or a title, as they stand there; `find` is a short query that should find it;
    `facts` quote from the caption; `glyphs` are the letters of its large words where they stood
    before the camera turned a little."""

    image: Uint8
    caption: str
    words: str
    find: str
    facts: tuple[Fact, ...] = ()
    glyphs: tuple[Glyph, ...] = ()


def page(rng: random.Random, size_px: tuple[int, int] = (336, 432)) -> WrittenPicture:
    """A typed page: a title and one to three short lines."""
    title = rng.choice(_TITLES)
    stated = statement(rng)
    lines = [stated.text.rstrip(".")]
    return draw_page(title, lines, rng, size_px)


def draw_page(
    title: str, lines: Sequence[str], rng: random.Random, size_px: tuple[int, int],
    noise: bool = True,
) -> WrittenPicture:  # fmt: skip
    """White paper with a big title, a rule and a few wrapped lines, as a scanner sees it."""
    width_px, height_px = size_px
    picture = Image.new("RGB", size_px, (252, 251, 247))
    pen = ImageDraw.Draw(picture)
    face = rng.choice(FONT_NAMES[:8])
    plain = face.replace("-Bold", "") if face.startswith("DejaVu") else face
    margin = 0.08
    glyphs = write(picture, [title], face, INK, (margin, 0.06, 1 - margin, 0.2), centre=False)
    y = round(0.23 * height_px)
    pen.line([(margin * width_px, y), ((1 - margin) * width_px, y)], fill=(120, 120, 130), width=2)
    size = round(height_px * 0.058)
    wrapped = [part for line in lines for part in wrap(line, plain, size, width_px * 0.84)]
    for number, line in enumerate(wrapped[:9]):
        at = (margin * width_px, height_px * (0.28 + 0.078 * number))
        pen.text(at, line, fill=INK, font=font_of(plain, size))
    if noise:
        picture = photographed(picture, rng, mild=True)
    return WrittenPicture(
        image=np.asarray(picture).copy(),
        caption=f'a page titled "{title}" that says "{" ".join(lines)}"',
        words=title,
        find=title,
        facts=(
            picture_fact("What is the title of the page?", "Which heading is there?", title, title),
        ),
        glyphs=glyphs,
    )


def chart(rng: random.Random, size_px: tuple[int, int] = (384, 288)) -> WrittenPicture:
    """A bar chart of three or four labelled bars, the value on top of each."""
    topic = rng.choice(_CHARTED)
    count = rng.choice((3, 4))
    pool = rng.choice((PEOPLE, WEEKDAYS, MONTHS, [fill("food", rng).text for _ in range(12)]))
    labels = [label.lower() for label in rng.sample(sorted(set(pool)), count)]
    values = rng.sample(range(1, 10), count)
    rows = [(label, value * 10) for label, value in zip(labels, values, strict=True)]
    return draw_chart(topic, rows, rng, size_px)


def draw_chart(
    topic: str, rows: Sequence[tuple[str, int]], rng: random.Random, size_px: tuple[int, int],
    noise: bool = True,
) -> WrittenPicture:  # fmt: skip
    """The rows as bars, in one colour or in several."""
    width_px, height_px = size_px
    paper = (252, 251, 248)
    picture = Image.new("RGB", (width_px * 2, height_px * 2), paper)
    pen = ImageDraw.Draw(picture)
    w, h = picture.size
    face = rng.choice(FONT_NAMES[:6])
    glyphs = [*write(picture, [topic], face, INK, (0.05, 0.03, 0.95, 0.15))]
    colours = [COLOURS[name] for name in ("blue", "orange", "green", "red", "purple")]
    rng.shuffle(colours)
    several = rng.random() < 0.5
    top, bottom, slot = 0.26 * h, 0.84 * h, 0.9 * w / len(rows)
    most = max(value for _, value in rows)
    for number in range(5):
        y = bottom - (bottom - top) * number / 4
        pen.line([(0.05 * w, y), (0.95 * w, y)], fill=(228, 228, 230), width=2)
    for number, (label, value) in enumerate(rows):
        x0, x1 = 0.05 * w + slot * (number + 0.2), 0.05 * w + slot * (number + 0.8)
        y0 = bottom - (bottom - top) * value / most
        colour = mix(colours[number if several else 0], CREAM, 0.12)
        pen.rounded_rectangle((x0, y0, x1, bottom), h * 0.012, fill=colour)
        left = 0.05 + 0.9 * number / len(rows)
        right = left + 0.9 / len(rows)
        above = (left, y0 / h - 0.095, right, y0 / h - 0.012)
        glyphs += write(picture, [str(value)], face, INK, above)
        under = (left + 0.006, 0.86, right - 0.006, 0.945)
        glyphs += write(picture, [label], face, INK, under)
    pen.line([(0.05 * w, bottom), (0.95 * w, bottom)], fill=(90, 90, 100), width=4)
    picture = picture.reduce(2)
    if noise:
        picture = photographed(picture, rng, mild=True)
    listing = _listed(f"{label} {value}" for label, value in rows)
    highest = max(rows, key=lambda row: row[1])
    return WrittenPicture(
        image=np.asarray(picture).copy(),
        caption=f'a bar chart titled "{topic}" with {listing}',
        words=topic,
        find=f"chart of {topic}",
        facts=(
            picture_fact(
                f"What is the value of {highest[0]} in the chart of {topic}?",
                "How tall is the highest column?",
                str(highest[1]),
                f"{highest[0]} {highest[1]}",
            ),
        ),
        glyphs=tuple(glyphs),
    )


def table(rng: random.Random, size_px: tuple[int, int] = (384, 288)) -> WrittenPicture:
    """A table of three rows: a name and a number each."""
    topic = rng.choice(_TABLED)
    foods = rng.sample(sorted({word for word in _FOODS}), 3)
    names = foods if topic in ("prices", "shopping") else [n.lower() for n in rng.sample(PEOPLE, 3)]
    rows = [(name, rng.randrange(2, 60)) for name in names]
    picture = Image.new("RGB", size_px, (252, 251, 248))
    pen = ImageDraw.Draw(picture)
    w, h = size_px
    face = rng.choice(FONT_NAMES[:6])
    shade = mix(rng.choice(list(COLOURS.values())), (255, 255, 255), 0.75)
    pen.rectangle((0.08 * w, 0.08 * h, 0.92 * w, 0.28 * h), fill=shade)
    glyphs = [*write(picture, [topic], face, INK, (0.12, 0.1, 0.88, 0.26), centre=False)]
    for number, (name, value) in enumerate(rows):
        y = 0.28 + 0.21 * number
        pen.rectangle((0.08 * w, y * h, 0.92 * w, (y + 0.21) * h), outline=(150, 150, 160))
        cells = ((0.12, y + 0.04, 0.6, y + 0.17), (0.68, y + 0.04, 0.88, y + 0.17))
        glyphs += write(picture, [name], face, INK, cells[0], centre=False)
        glyphs += write(picture, [str(value)], face, INK, cells[1])
    picture = photographed(picture, rng, mild=True)
    listing = _listed(f"{name} {value}" for name, value in rows)
    name, value = rng.choice(rows)
    return WrittenPicture(
        image=np.asarray(picture).copy(),
        caption=f'a table titled "{topic}" with {listing}',
        words=topic,
        find=f"table of {topic}",
        facts=(
            picture_fact(
                f"What is the value of {name} in the table of {topic}?",
                "Which number stands in the right column?",
                str(value),
                f"{name} {value}",
            ),
        ),
        glyphs=tuple(glyphs),
    )


def picture_fact(question: str, otherwise: str, value: str, quote: str) -> Fact:
    """A fact of a picture with words; `otherwise` asks for it without words of the `quote`."""
    if content_words(otherwise) & content_words(quote):
        otherwise = "What is to be seen?"
    return Fact(question, otherwise, f"It is {value}.", value, quote, 0, quote, "sign", question)


def _listed(parts: Iterable[str]) -> str:
    items = list(parts)
    return f"{', '.join(items[:-1])} and {items[-1]}"


_TITLES = (
    "Invoice", "Receipt", "Lease", "Letter", "Minutes", "Recipe", "Manual", "Itinerary", "Notice",
    "Certificate", "Timetable", "Contract", "Shopping list", "Invitation", "Warranty", "Offer",
    "Reminder", "Programme", "Price list", "Delivery note",
)  # fmt: skip
_CHARTED = (
    "visitors", "rain", "sales", "books read", "rent", "hours", "steps", "guests", "letters",
    "cups sold", "power used", "water used",
)  # fmt: skip
_TABLED = ("prices", "points", "shopping", "hours", "rooms", "seats")
_FOODS = "milk bread eggs apples cheese coffee tea butter rice honey".split()
