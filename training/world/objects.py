"""The things of the world without its animals, each drawn by a few strokes of the pen."""

from __future__ import annotations

import math

from training.world.pen import CREAM, GLASS, INK, STEEL, WOOD, Paint, Pen, mix


def bicycle(pen: Pen, paint: Paint) -> None:
    for x in (32, 128):
        pen.ring(x, 68, 29, 6, INK)
        for n in range(6):
            a = n * math.pi / 6
            dx, dy = 24 * math.cos(a), 24 * math.sin(a)
            pen.line([(x - dx, 68 - dy), (x + dx, 68 + dy)], 1.2, STEEL)
        pen.disc(x, 68, 4, INK)
    pen.line([(32, 68), (58, 28), (108, 28), (74, 68), (32, 68)], 7, paint.main)
    pen.line([(54, 20), (74, 68)], 7, paint.main)
    pen.line([(102, 12), (110, 32), (128, 68)], 7, paint.main)
    pen.line([(102, 12), (116, 8)], 6, INK)
    pen.line([(44, 17), (64, 17)], 8, INK)
    pen.disc(74, 68, 7, paint.dark)
    pen.line([(74, 68), (80, 80), (86, 80)], 4, INK)


def car(pen: Pen, paint: Paint) -> None:
    pen.blob([(40, 40), (58, 12), (122, 12), (148, 40), (120, 52), (60, 52)], paint.main)
    pen.box(8, 38, 192, 80, paint.main, 18)
    pen.shape([(56, 40), (66, 20), (92, 20), (92, 40)], GLASS)
    pen.shape([(99, 40), (99, 20), (120, 20), (136, 40)], GLASS)
    pen.box(8, 66, 192, 80, paint.dark, 7)
    pen.box(92, 48, 104, 52, paint.dark, 2)
    for x in (52, 148):
        pen.disc(x, 79, 19, INK)
        pen.disc(x, 79, 9, STEEL)
    pen.disc(184, 54, 6, (255, 236, 150))
    pen.box(8, 50, 14, 60, (232, 90, 80), 2)


def bus(pen: Pen, paint: Paint) -> None:
    pen.box(4, 8, 196, 86, paint.main, 12)
    pen.box(4, 66, 196, 86, paint.dark, 6)
    for x in range(14, 150, 34):
        pen.box(x, 20, x + 28, 48, GLASS, 4)
    pen.box(156, 20, 192, 54, GLASS, 5)
    pen.box(4, 54, 150, 58, paint.light)
    for x in (48, 152):
        pen.disc(x, 84, 16, INK)
        pen.disc(x, 84, 7, STEEL)
    pen.disc(190, 68, 5, (255, 236, 150))


def house(pen: Pen, paint: Paint) -> None:
    pen.box(72, 8, 84, 34, mix(paint.dark, INK, 0.3))
    pen.box(12, 44, 98, 100, paint.main)
    pen.shape([(2, 47), (55, 4), (108, 47)], mix(paint.dark, INK, 0.35))
    pen.box(45, 66, 65, 100, WOOD, 3)
    pen.disc(61, 84, 1.8, CREAM)
    for x in (20, 72):
        pen.box(x, 58, x + 18, 78, CREAM)
        pen.box(x + 2, 60, x + 16, 76, GLASS)
        pen.line([(x + 9, 60), (x + 9, 76)], 1.5, CREAM)
        pen.line([(x + 2, 68), (x + 16, 68)], 1.5, CREAM)


def tree(pen: Pen, paint: Paint) -> None:
    pen.shape([(36, 100), (40, 50), (48, 50), (54, 100)], WOOD)
    pen.line([(44, 66), (58, 52)], 5, WOOD)
    for x, y, r in ((24, 46, 20), (64, 44, 21), (44, 24, 24), (44, 48, 23)):
        pen.disc(x, y, r, paint.main)
    for x, y, r in ((30, 54, 8), (60, 54, 9), (48, 36, 9)):
        pen.disc(x, y, r, paint.dark)
    for x, y, r in ((36, 18, 7), (22, 40, 5), (66, 36, 5)):
        pen.disc(x, y, r, paint.light)


def cup(pen: Pen, paint: Paint) -> None:
    pen.ring(88, 50, 22, 9, paint.dark)
    pen.box(12, 16, 84, 96, paint.main, 16)
    pen.box(12, 16, 84, 46, paint.main)
    pen.ellipse(48, 17, 36, 10, paint.light)
    pen.ellipse(48, 18, 30, 7, (96, 62, 40))
    pen.box(22, 36, 29, 80, paint.light, 4)


def ball(pen: Pen, paint: Paint) -> None:
    pen.disc(50, 50, 48, paint.main)
    pen.arc(50, -10, 62, 44, 136, 5, paint.dark)
    pen.arc(50, 110, 62, 224, 316, 5, paint.dark)
    pen.line([(50, 3), (50, 97)], 5, paint.dark)
    pen.ellipse(32, 26, 9, 6, paint.light)


def boat(pen: Pen, paint: Paint) -> None:
    pen.line([(62, 4), (62, 74)], 4, WOOD)
    pen.shape([(66, 6), (66, 66), (112, 66)], CREAM)
    pen.shape([(58, 16), (58, 66), (22, 66)], mix(CREAM, paint.main, 0.25))
    pen.shape([(62, 2), (62, 12), (78, 7)], paint.main)
    pen.shape([(4, 72), (126, 72), (104, 98), (26, 98)], paint.main)
    pen.shape([(4, 72), (126, 72), (121, 78), (9, 78)], paint.dark)
    for x in (40, 62, 84):
        pen.disc(x, 87, 3.6, CREAM)


def chair(pen: Pen, paint: Paint) -> None:
    for x in (14, 58):
        pen.line([(x, 54), (x, 97)], 6, paint.dark)
    pen.box(10, 4, 18, 60, paint.main, 4)
    pen.box(54, 4, 62, 60, paint.main, 4)
    pen.box(10, 8, 62, 20, paint.main, 5)
    pen.box(10, 28, 62, 38, paint.main, 5)
    pen.box(5, 52, 67, 64, paint.main, 5)
    pen.box(5, 60, 67, 65, paint.dark, 3)


def lamp(pen: Pen, paint: Paint) -> None:
    pen.box(30, 44, 36, 90, mix(INK, STEEL, 0.4), 2)
    pen.box(14, 88, 52, 98, mix(INK, STEEL, 0.4), 5)
    pen.ellipse(33, 50, 20, 7, (255, 240, 170))
    pen.shape([(20, 4), (46, 4), (64, 50), (2, 50)], paint.main)
    pen.shape([(20, 4), (27, 4), (16, 50), (2, 50)], paint.light)
    pen.shape([(2, 50), (64, 50), (62, 44), (4, 44)], paint.dark)


def book(pen: Pen, paint: Paint) -> None:
    pen.box(8, 4, 86, 98, paint.dark, 5)
    pen.box(16, 86, 84, 95, CREAM)
    pen.box(8, 4, 84, 88, paint.main, 5)
    pen.box(8, 4, 18, 90, paint.dark, 4)
    pen.box(32, 22, 72, 44, CREAM, 3)
    pen.line([(39, 29), (65, 29)], 2.5, INK)
    pen.line([(44, 37), (60, 37)], 2.5, INK)
    pen.disc(52, 66, 8, paint.light)


def flower(pen: Pen, paint: Paint) -> None:
    leaf = (72, 150, 80)
    pen.line([(32, 38), (32, 97)], 4, leaf)
    pen.blob([(31, 82), (12, 66), (6, 70), (14, 82)], leaf)
    pen.blob([(32, 74), (48, 58), (58, 62), (48, 74)], leaf)
    for n in range(7):
        a = n * 2 * math.pi / 7 - math.pi / 2
        pen.disc(32 + 18 * math.cos(a), 28 + 18 * math.sin(a), 9.5, paint.main)
    pen.disc(32, 28, 15, paint.main)
    pen.disc(32, 28, 9, (250, 206, 70) if sum(paint.main[:2]) < 420 else (150, 92, 40))


def clock(pen: Pen, paint: Paint) -> None:
    pen.line([(26, 84), (18, 97)], 7, paint.dark)
    pen.line([(74, 84), (82, 97)], 7, paint.dark)
    pen.disc(22, 14, 12, paint.dark)
    pen.disc(78, 14, 12, paint.dark)
    pen.disc(50, 52, 44, paint.main)
    pen.disc(50, 52, 34, CREAM)
    for n in range(12):
        a = n * math.pi / 6
        r = 28 if n % 3 else 26
        x, y = math.cos(a), math.sin(a)
        pen.line([(50 + r * x, 52 + r * y), (50 + 30 * x, 52 + 30 * y)], 2.4, INK)
    pen.line([(50, 52), (50, 30)], 4, INK)
    pen.line([(50, 52), (65, 60)], 4, INK)
    pen.disc(50, 52, 4, paint.main)


def key(pen: Pen, paint: Paint) -> None:
    pen.ring(38, 50, 34, 15, paint.main)
    pen.box(68, 43, 194, 57, paint.main, 5)
    pen.box(152, 50, 164, 82, paint.main, 3)
    pen.box(176, 50, 188, 90, paint.main, 3)
    pen.box(70, 52, 150, 57, paint.dark, 2)


def umbrella(pen: Pen, paint: Paint) -> None:
    pen.line([(52, 8), (52, 86)], 4.5, WOOD)
    pen.arc(60, 86, 8, 180, 0, 4.5, WOOD)
    pen.slice(52, 54, 50, 180, 360, paint.main)
    pen.slice(52, 54, 18, 180, 360, paint.dark)
    pen.line([(52, 2), (52, 8)], 4, WOOD)
    for x in (10.5, 27, 44, 60, 77, 93.5):
        pen.disc(x, 55, 8.4, (0, 0, 0, 0))  # type: ignore[arg-type]
    pen.line([(52, 50), (52, 86)], 4.5, WOOD)


def apple(pen: Pen, paint: Paint) -> None:
    pen.curve([(48, 26), (48, 14), (56, 4)], 5, WOOD)
    pen.blob([(54, 18), (70, 4), (88, 8), (74, 22)], (86, 168, 74))
    left = [(48, 92), (28, 96), (6, 66), (4, 34), (26, 18), (48, 26)]
    right = [(70, 18), (92, 34), (90, 66), (68, 96)]
    pen.blob([*left, *right], paint.main)
    pen.ellipse(24, 44, 7, 12, paint.light)


def guitar(pen: Pen, paint: Paint) -> None:
    pen.box(22, 6, 28, 60, mix(WOOD, INK, 0.4))
    pen.box(18, 1, 32, 13, WOOD, 3)
    pen.ellipse(25, 58, 17, 13, paint.main)
    pen.ellipse(25, 80, 24, 18, paint.main)
    pen.box(12, 58, 38, 76, paint.main, 4)
    pen.ring(25, 66, 9.5, 2, paint.dark)
    pen.disc(25, 66, 7.5, mix(INK, paint.dark, 0.1))
    pen.box(17, 84, 33, 87.5, INK, 1)
    for x in (23, 25, 27):
        pen.line([(x, 8), (x, 85)], 0.7, CREAM)


def table(pen: Pen, paint: Paint) -> None:
    for x in (18, 132):
        pen.box(x - 6, 18, x + 6, 100, paint.dark, 3)
    pen.box(24, 18, 126, 34, mix(paint.dark, INK, 0.12))
    pen.box(2, 6, 148, 22, paint.main, 5)


def hat(pen: Pen, paint: Paint) -> None:
    pen.blob([(34, 72), (38, 22), (58, 12), (82, 12), (102, 22), (106, 72)], paint.main)
    pen.ellipse(70, 76, 68, 18, paint.main)
    pen.blob([(34, 56), (70, 66), (106, 56), (107, 70), (70, 80), (33, 70)], paint.dark)


def kite(pen: Pen, paint: Paint) -> None:
    pen.curve([(40, 66), (34, 76), (46, 84), (38, 98)], 2.2, INK)
    for x, y in ((37, 75), (44, 84)):
        pen.shape([(x - 7, y - 4), (x, y), (x - 7, y + 4)], paint.dark)
        pen.shape([(x + 7, y - 4), (x, y), (x + 7, y + 4)], paint.dark)
    pen.shape([(40, 2), (74, 28), (40, 68), (6, 28)], paint.main)
    pen.shape([(40, 2), (74, 28), (40, 28)], paint.light)
    pen.shape([(40, 68), (6, 28), (40, 28)], paint.dark)
    pen.line([(40, 2), (40, 68)], 1.6, INK)
    pen.line([(6, 28), (74, 28)], 1.6, INK)


def balloon(pen: Pen, paint: Paint) -> None:
    pen.curve([(30, 66), (34, 78), (26, 86), (30, 99)], 1.8, INK)
    pen.shape([(24, 68), (36, 68), (30, 60)], paint.dark)
    pen.blob([(30, 2), (52, 12), (56, 34), (42, 56), (30, 63), (18, 56), (4, 34), (8, 12)],
             paint.main)  # fmt: skip
    pen.ellipse(18, 22, 5, 9, paint.light)


def bottle(pen: Pen, paint: Paint) -> None:
    pen.box(15, 2, 29, 14, WOOD, 3)
    pen.box(16, 10, 28, 40, paint.main, 3)
    pen.blob([(16, 28), (28, 28), (40, 48), (40, 94), (22, 98), (4, 94), (4, 48)], paint.main)
    pen.box(4, 56, 40, 80, CREAM)
    pen.line([(12, 64), (32, 64)], 3, paint.dark)
    pen.line([(16, 72), (28, 72)], 3, paint.dark)


def suitcase(pen: Pen, paint: Paint) -> None:
    pen.box(42, 4, 82, 30, INK, 8)
    pen.box(49, 11, 75, 30, (0, 0, 0, 0), 4)  # type: ignore[arg-type]
    pen.box(4, 22, 120, 96, paint.main, 10)
    pen.box(4, 82, 120, 96, paint.dark, 7)
    for x in (24, 92):
        pen.box(x, 22, x + 9, 96, mix(WOOD, paint.dark, 0.2))
        pen.box(x - 1, 46, x + 10, 56, (236, 204, 120), 2)


def teapot(pen: Pen, paint: Paint) -> None:
    pen.ring(112, 56, 22, 8, paint.dark)
    pen.shape([(34, 76), (6, 34), (0, 40), (2, 26), (16, 26), (46, 52)], paint.main)
    pen.ellipse(70, 62, 44, 34, paint.main)
    pen.box(46, 90, 94, 98, paint.dark, 4)
    pen.ellipse(70, 32, 24, 8, paint.dark)
    pen.disc(70, 20, 7, paint.main)
    pen.ellipse(52, 54, 7, 11, paint.light)
