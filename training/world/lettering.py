"""Words in pictures: fonts, lines that fit a box, and the camera that looks at them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from training.world.pen import Rgb

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

FONT_FOLDERS = (Path("/usr/share/fonts/truetype"), Path("/usr/share/fonts/opentype"))
# Debian's fonts-dejavu-core and fonts-liberation; whichever of them are installed are used.
FONT_NAMES = (
    "DejaVuSans-Bold", "DejaVuSans", "DejaVuSerif-Bold", "DejaVuSerif", "LiberationSans-Bold",
    "LiberationSans-Regular", "LiberationSerif-Bold", "LiberationSansNarrow-Bold",
    "DejaVuSansMono-Bold", "LiberationMono-Bold",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Glyph:
    """A letter and where it stands, in parts of the picture's width and height."""

    letter: str
    left: float
    top: float
    right: float
    bottom: float


def break_lines(text: str) -> list[str]:
    """One line for short texts, two or three balanced ones for longer."""
    words = text.split()
    if len(text) <= 9 or len(words) == 1:
        return [text]
    best = min(
        range(1, len(words)),
        key=lambda cut: abs(len(" ".join(words[:cut])) - len(" ".join(words[cut:]))),
    )
    return [" ".join(words[:best]), " ".join(words[best:])]


def write(
    picture: Image.Image,
    lines: Sequence[str],
    face: str,
    ink: Rgb,
    box: tuple[float, float, float, float],
    centre: bool = True,
) -> tuple[Glyph, ...]:
    """The lines as large as the box (parts of width and height) allows; where each letter came to
    stand comes back."""
    width_px, height_px = picture.size
    x0, y0, x1, y1 = box
    wide, high = (x1 - x0) * width_px, (y1 - y0) * height_px
    size = max(8, int(high / len(lines) / 1.2))
    longest = max(font_of(face, size).getlength(line) for line in lines)
    if longest > wide:
        size = max(8, int(size * wide / longest))
    font = font_of(face, size)
    step = size * 1.2
    y = y0 * height_px + (high - step * len(lines)) / 2
    glyphs = []
    for line in lines:
        x = x0 * width_px + ((wide - font.getlength(line)) / 2 if centre else 0)
        ImageDraw.Draw(picture).text((x, y), line, fill=ink, font=font)
        for number, letter in enumerate(line):
            before, after = (font.getlength(line[: number + more]) for more in (0, 1))
            sides = ((x + before) / width_px, (x + after) / width_px)
            high_at = (y + 0.2 * size) / height_px, (y + size) / height_px
            glyphs.append(Glyph(letter, sides[0], high_at[0], sides[1], high_at[1]))
        y += step
    return tuple(glyphs)


def wrap(line: str, face: str, size: int, wide_px: float) -> list[str]:
    font = font_of(face, size)
    wrapped = [""]
    for word in line.split():
        longer = f"{wrapped[-1]} {word}".strip()
        if wrapped[-1] and font.getlength(longer) > wide_px:
            wrapped.append(word)
        else:
            wrapped[-1] = longer
    return wrapped


def photographed(picture: Image.Image, rng: random.Random, mild: bool = False) -> Image.Image:
    """A camera's or a scanner's view: a little tilted, dimmer or brighter, with grain."""
    tilt_deg = rng.gauss(0, 0.5 if mild else 1.8)
    ground = picture.getpixel((1, 1))
    picture = picture.rotate(tilt_deg, Image.Resampling.BILINEAR, fillcolor=ground)
    if rng.random() < 0.3:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0, 0.8)))
    noise = np.random.default_rng(rng.getrandbits(64))
    seen = noise.standard_normal((picture.height, picture.width, 3), dtype=np.float32)
    seen *= rng.uniform(0, 6)
    seen += np.asarray(picture) * np.float32(rng.uniform(0.84, 1.06))
    return Image.fromarray(seen.clip(0, 255).astype(np.uint8))


@cache
def font_of(face: str, size_px: int) -> Font:
    """A font by its file name; the first of FONT_NAMES that is installed where it is not, and
    Pillow's own where none is: that will do for a test, but not to learn reading from."""
    for name in (face, *FONT_NAMES):
        for folder in FONT_FOLDERS:
            for file in sorted(folder.rglob(f"{name}.ttf")):
                return ImageFont.truetype(file, size_px)
    return ImageFont.load_default(size_px)
