"""A pen for flat illustrations: shapes in units of a hundredth of the object's height."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

Rgb = tuple[int, int, int]
Point = tuple[float, float]

INK: Rgb = (46, 44, 56)
STEEL: Rgb = (176, 184, 194)
WOOD: Rgb = (150, 104, 66)
CREAM: Rgb = (252, 246, 228)
GLASS: Rgb = (196, 226, 240)


def mix(first: Rgb, second: Rgb, part: float) -> Rgb:
    """`part` 0 gives one, 1 the other."""
    red, green, blue = (round(a + (b - a) * part) for a, b in zip(first, second, strict=True))
    return red, green, blue


@dataclass(frozen=True, slots=True)
class Paint:
    """A colour with the shades a drawing needs."""

    main: Rgb

    @property
    def bright(self) -> bool:
        return sum(self.main) > 700

    @property
    def dark(self) -> Rgb:
        """In the shade; of black, what catches a little light instead."""
        if sum(self.main) < 160:
            return mix(self.main, (150, 156, 172), 0.35)
        return mix(self.main, (36, 30, 60), 0.16 if self.bright else 0.28)

    @property
    def light(self) -> Rgb:
        return mix(self.main, (255, 255, 255), 0.35 if sum(self.main) > 160 else 0.2)


class Pen:
    """Draws on a transparent picture of its own; x runs to 100 * aspect, y down to 100."""

    def __init__(self, height_px: int, aspect: float) -> None:
        self.scale = height_px / 100
        size = (max(1, round(height_px * aspect)), max(1, height_px))
        self.image = Image.new("RGBA", size, (0, 0, 0, 0))
        self._draw = ImageDraw.Draw(self.image)

    def _at(self, points: Sequence[Point]) -> list[Point]:
        return [(x * self.scale, y * self.scale) for x, y in points]

    def ellipse(self, x: float, y: float, rx: float, ry: float, colour: Rgb) -> None:
        (x0, y0), (x1, y1) = self._at([(x - rx, y - ry), (x + rx, y + ry)])
        self._draw.ellipse((x0, y0, x1, y1), fill=colour)

    def disc(self, x: float, y: float, r: float, colour: Rgb) -> None:
        self.ellipse(x, y, r, r, colour)

    def ring(self, x: float, y: float, r: float, width: float, colour: Rgb) -> None:
        (x0, y0), (x1, y1) = self._at([(x - r, y - r), (x + r, y + r)])
        self._draw.ellipse((x0, y0, x1, y1), outline=colour, width=self._width(width))

    def box(
        self, x0: float, y0: float, x1: float, y1: float, colour: Rgb, corner: float = 0
    ) -> None:
        (a, b), (c, d) = self._at([(x0, y0), (x1, y1)])
        radius = min(corner * self.scale, (c - a) / 2, (d - b) / 2)
        self._draw.rounded_rectangle((a, b, c, d), radius, fill=colour)

    def shape(self, points: Sequence[Point], colour: Rgb) -> None:
        self._draw.polygon(self._at(points), fill=colour)

    def blob(self, points: Sequence[Point], colour: Rgb) -> None:
        """A closed shape, smooth through its points."""
        self.shape(_smooth(points, closed=True), colour)

    def line(self, points: Sequence[Point], width: float, colour: Rgb) -> None:
        """A stroke with round ends and joints."""
        thick = self._width(width)
        self._draw.line(self._at(points), fill=colour, width=thick, joint="curve")
        for x, y in (points[0], points[-1]):
            self.disc(x, y, thick / self.scale / 2, colour)

    def curve(self, points: Sequence[Point], width: float, colour: Rgb) -> None:
        """A smooth stroke through its points."""
        self.line(_smooth(points, closed=False), width, colour)

    def arc(
        self, x: float, y: float, r: float, start: float, end: float, width: float, colour: Rgb
    ) -> None:
        """A part of a ring, degrees clockwise from three o'clock."""
        steps = max(4, int(abs(end - start) / 8))
        angles = [math.radians(start + (end - start) * n / steps) for n in range(steps + 1)]
        self.line([(x + r * math.cos(a), y + r * math.sin(a)) for a in angles], width, colour)

    def slice(self, x: float, y: float, r: float, start: float, end: float, colour: Rgb) -> None:
        (x0, y0), (x1, y1) = self._at([(x - r, y - r), (x + r, y + r)])
        self._draw.pieslice((x0, y0, x1, y1), start, end, fill=colour)

    def _width(self, width: float) -> int:
        return max(1, round(width * self.scale))


def _smooth(points: Sequence[Point], closed: bool, steps: int = 8) -> list[Point]:
    """Catmull-Rom through the points."""
    count = len(points)
    around = range(count if closed else count - 1)
    path: list[Point] = []
    for n in around:
        if closed:
            p0, p1, p2, p3 = (points[(n + k) % count] for k in (-1, 0, 1, 2))
        else:
            p0, p1, p2, p3 = (points[min(max(n + k, 0), count - 1)] for k in (-1, 0, 1, 2))
        for step in range(steps):
            t = step / steps
            x, y = (
                0.5
                * (
                    2 * b
                    + (c - a) * t
                    + (2 * a - 5 * b + 4 * c - d) * t * t
                    + (3 * b - a - 3 * c + d) * t**3
                )
                for a, b, c, d in zip(p0, p1, p2, p3, strict=True)
            )
            path.append((x, y))
    if not closed:
        path.append(points[-1])
    return path
