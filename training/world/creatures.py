"""The animals of the world, each drawn by a few strokes of the pen."""

from __future__ import annotations

from training.world.pen import CREAM, INK, Paint, Pen, Rgb, mix

_BEAK: Rgb = (244, 160, 60)


def _eye(pen: Pen, x: float, y: float, r: float) -> None:
    pen.disc(x, y, r, CREAM)
    pen.disc(x + r * 0.2, y, r * 0.6, INK)


def cat(pen: Pen, paint: Paint) -> None:
    pen.curve([(62, 92), (84, 90), (84, 66), (76, 56)], 8, paint.main)
    pen.blob([(28, 50), (58, 50), (70, 78), (66, 98), (20, 98), (16, 78)], paint.main)
    pen.shape([(17, 30), (19, 3), (38, 18)], paint.main)
    pen.shape([(67, 30), (65, 3), (46, 18)], paint.main)
    pen.shape([(21, 22), (22, 9), (31, 17)], (240, 150, 160))
    pen.shape([(63, 22), (62, 9), (53, 17)], (240, 150, 160))
    pen.ellipse(42, 34, 27, 22, paint.main)
    for x in (31, 53):
        pen.ellipse(x, 31, 5, 6.4, (206, 226, 110))
        pen.ellipse(x, 31, 2, 5.4, INK)
    pen.shape([(38, 40), (46, 40), (42, 45)], (240, 130, 150))
    for side in (-1, 1):
        for y in (38, 43, 48):
            tip = 42 + side * 36
            pen.line([(42 + side * 14, 43), (tip, y)], 1, mix(paint.dark, CREAM, 0.4))
    for x in (32, 52):
        pen.ellipse(x, 96, 9, 4, paint.light)
    pen.line([(42, 70), (42, 96)], 2, paint.dark)


def dog(pen: Pen, paint: Paint) -> None:
    pen.curve([(90, 56), (104, 46), (106, 32)], 8, paint.main)
    for x in (34, 46, 78, 90):
        pen.box(x - 5.5, 66, x + 5.5, 98, paint.main if x in (34, 90) else paint.dark, 5)
    pen.blob([(26, 52), (60, 46), (96, 50), (98, 72), (60, 80), (28, 76)], paint.main)
    pen.box(24, 34, 46, 66, paint.main, 10)
    pen.ellipse(30, 27, 22, 19, paint.main)
    pen.ellipse(12, 34, 12, 9, paint.light)
    pen.ellipse(3.6, 30, 3.6, 3.4, INK)
    pen.blob([(38, 10), (50, 16), (52, 40), (44, 44), (38, 28)], paint.dark)
    _eye(pen, 24, 22, 4)
    pen.box(25, 48, 47, 54, (224, 70, 70) if paint.main[0] < 180 else (60, 110, 200), 3)


def fish(pen: Pen, paint: Paint) -> None:
    pen.shape([(104, 50), (146, 16), (136, 50), (146, 84)], paint.dark)
    pen.blob([(48, 24), (66, 4), (92, 10), (92, 30)], paint.dark)
    pen.blob([(50, 78), (62, 94), (80, 92), (80, 76)], paint.dark)
    pen.blob([(4, 52), (24, 28), (60, 18), (96, 34), (116, 50), (96, 68), (60, 84), (24, 74)],
             paint.main)  # fmt: skip
    pen.arc(28, 50, 22, -50, 50, 3, paint.dark)
    for x, y in ((66, 40), (66, 62), (82, 51)):
        pen.arc(x, y, 8, -70, 70, 2.4, paint.dark)
    _eye(pen, 26, 42, 6.5)
    pen.arc(8, 56, 9, 0, 60, 2.4, paint.dark)


def bird(pen: Pen, paint: Paint) -> None:
    pen.shape([(90, 56), (124, 40), (122, 60), (96, 72)], paint.dark)
    pen.blob([(30, 36), (60, 38), (98, 58), (88, 80), (56, 88), (26, 70)], paint.main)
    pen.disc(34, 34, 22, paint.main)
    pen.shape([(14, 28), (14, 42), (-1, 36)], _BEAK)
    pen.blob([(48, 52), (78, 50), (104, 34), (96, 64), (70, 76)], paint.dark)
    pen.ellipse(40, 72, 16, 11, paint.light)
    _eye(pen, 28, 28, 4.6)
    for x in (52, 64):
        pen.line([(x, 86), (x - 2, 98)], 2.6, _BEAK)
