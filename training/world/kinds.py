"""The kinds of things in the world: how each is drawn, and what a scene has to know of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from training.world import creatures, objects
from training.world.pen import Paint, Pen


@dataclass(frozen=True, slots=True)
class Kind:
    """A thing: its drawing, its width for a height of 1, its usual height as a part of the
    picture's, and where it may be. `top` is where another thing would stand on it."""

    draw: Callable[[Pen, Paint], None]
    aspect: float
    height: float
    plural: str
    otherwise: str
    flies: bool = False
    floats: bool = False
    small: bool = False
    top: float | None = None


KINDS: dict[str, Kind] = {
    "bicycle": Kind(objects.bicycle, 1.6, 0.44, "bicycles", "bike"),
    "car": Kind(objects.car, 2.0, 0.36, "cars", "automobile", top=0.1),
    "bus": Kind(objects.bus, 2.0, 0.42, "buses", "coach"),
    "house": Kind(objects.house, 1.1, 0.58, "houses", "home"),
    "tree": Kind(objects.tree, 0.88, 0.62, "trees", "plant with a trunk"),
    "cup": Kind(objects.cup, 1.14, 0.3, "cups", "mug", small=True),
    "ball": Kind(objects.ball, 1.0, 0.3, "balls", "round toy", floats=True, small=True),
    "boat": Kind(objects.boat, 1.3, 0.5, "boats", "sailing ship", floats=True),
    "cat": Kind(creatures.cat, 0.9, 0.42, "cats", "kitten", small=True),
    "dog": Kind(creatures.dog, 1.15, 0.42, "dogs", "puppy"),
    "chair": Kind(objects.chair, 0.72, 0.5, "chairs", "seat", top=0.54),
    "lamp": Kind(objects.lamp, 0.66, 0.44, "lamps", "light", small=True),
    "book": Kind(objects.book, 0.94, 0.34, "books", "thing to read", small=True, top=0.06),
    "flower": Kind(objects.flower, 0.64, 0.44, "flowers", "blossom", small=True),
    "fish": Kind(creatures.fish, 1.5, 0.32, "fish", "swimming animal", floats=True),
    "clock": Kind(objects.clock, 1.0, 0.36, "clocks", "timepiece", small=True),
    "key": Kind(objects.key, 2.0, 0.22, "keys", "lock opener", small=True),
    "umbrella": Kind(objects.umbrella, 1.04, 0.46, "umbrellas", "rain protection"),
    "apple": Kind(objects.apple, 0.96, 0.3, "apples", "fruit", small=True),
    "guitar": Kind(objects.guitar, 0.5, 0.58, "guitars", "string instrument"),
    "table": Kind(objects.table, 1.5, 0.4, "tables", "desk", top=0.07),
    "bird": Kind(creatures.bird, 1.25, 0.3, "birds", "feathered animal", flies=True, small=True),
    "hat": Kind(objects.hat, 1.4, 0.28, "hats", "cap", small=True),
    "kite": Kind(objects.kite, 0.8, 0.46, "kites", "flying toy", flies=True),
    "balloon": Kind(objects.balloon, 0.6, 0.48, "balloons", "party decoration", flies=True),
    "bottle": Kind(objects.bottle, 0.44, 0.44, "bottles", "flask", floats=True, small=True),
    "suitcase": Kind(objects.suitcase, 1.24, 0.38, "suitcases", "travel bag", top=0.22),
    "teapot": Kind(objects.teapot, 1.36, 0.34, "teapots", "can for hot drinks", small=True),
}


def drawing(kind: str, colour: tuple[int, int, int], height_px: int) -> Pen:
    """One thing of the given kind, drawn on a transparent picture of its own. Raises KeyError for
    a kind the world does not know."""
    known = KINDS[kind]
    pen = Pen(height_px, known.aspect)
    known.draw(pen, Paint(colour))
    return pen
