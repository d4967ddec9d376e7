"""What a picture shows, before it is drawn: the things, their place, and how a person says it."""

from __future__ import annotations

import random
from dataclasses import dataclass

from training.world.backdrops import PLACES
from training.world.kinds import KINDS
from training.world.statements import Fact
from training.world.stems import content_words
from training.world.words import COLOURS, COUNTS


@dataclass(frozen=True, slots=True)
class Thing:
    """Things of one kind and colour in a scene. `size` is "big", "small" or "" (as usual)."""

    kind: str
    colour: str
    count: int = 1
    size: str = ""

    @property
    def name(self) -> str:
        """`a big red ball`, `three red balls`."""
        noun = KINDS[self.kind].plural if self.count > 1 else self.kind
        words = " ".join(part for part in (self.size, self.colour, noun) if part)
        return f"{COUNTS[self.count]} {words}" if self.count > 1 else _with_article(words)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a scene shows before it is drawn. `relation` holds between the first two things:
    "next to", "on", "under", "above", or "" where things only stand in a row."""

    things: tuple[Thing, ...]
    place: str
    relation: str = ""

    @property
    def caption(self) -> str:
        names = [thing.name for thing in self.things]
        if self.relation:
            things = f"{names[0]} {self.relation} {names[1]}"
        elif len(names) > 1:
            things = f"{', '.join(names[:-1])} and {names[-1]}"
        else:
            things = names[0]
        return f"{things} {PLACES[self.place].phrase}"


def plan(rng: random.Random) -> Plan:
    """What the next scene shows."""
    form = rng.random()
    if form < 0.42:
        place = rng.choice(list(PLACES))
        thing = Thing(_kind(place, rng), _colour(rng), size=rng.choice(("", "", "big", "small")))
        return Plan((thing,), place)
    if form < 0.57:
        place = rng.choice(list(PLACES))
        return Plan((Thing(_kind(place, rng), _colour(rng), rng.randrange(2, 5)),), place)
    if form < 0.88:
        return _pair(rng)
    place = rng.choice(list(PLACES))
    kinds = rng.sample(_kinds(place), 3)
    colours = rng.sample(list(COLOURS), 3)
    things = (Thing(kind, colour) for kind, colour in zip(kinds, colours, strict=True))
    return Plan(tuple(things), place)


def _pair(rng: random.Random) -> Plan:
    """Two things that stand in a relation."""
    relation = rng.choice(("next to", "next to", "on", "under", "above"))
    grounds = [name for name in PLACES if name not in ("sky", "water")]
    place = rng.choice(grounds if relation != "next to" else list(PLACES))
    if relation == "on":
        second = rng.choice([kind for kind, known in KINDS.items() if known.top is not None])
        first = rng.choice([k for k, known in KINDS.items() if known.small and k != second])
    elif relation == "under":
        second = rng.choice(("table", "table", "umbrella"))
        first = rng.choice([k for k, known in KINDS.items() if known.small or k == "dog"])
        if first == "bird":
            first = "cat"
    elif relation == "above":
        first = rng.choice([kind for kind, known in KINDS.items() if known.flies])
        second = rng.choice([kind for kind, known in KINDS.items() if not known.flies])
    else:
        first, second = rng.sample(_kinds(place), 2)
    colour, other_colour = rng.sample(list(COLOURS), 2)
    return Plan((Thing(first, colour), Thing(second, other_colour)), place, relation)


def _kinds(place: str) -> list[str]:
    if place == "sky":
        return [kind for kind, known in KINDS.items() if known.flies]
    if place == "water":
        return [kind for kind, known in KINDS.items() if known.floats]
    return [kind for kind in KINDS if kind not in ("boat", "fish")] + (
        ["boat", "fish"] if place == "beach" else []
    )


def _kind(place: str, rng: random.Random) -> str:
    return rng.choice(_kinds(place))


def _colour(rng: random.Random) -> str:
    return rng.choice(list(COLOURS))


def find(plan: Plan, rng: random.Random) -> str:
    """What one would type to find it: "red bicycle", "red bicycle on the beach"."""
    thing = plan.things[0]
    short = thing.name.removeprefix("a ").removeprefix("an ")
    form = rng.random()
    if form < 0.5 and len(plan.things) == 1:
        return short if form < 0.3 else f"{short} {PLACES[plan.place].phrase}"
    if form < 0.6 and plan.relation:
        return f"{short} {plan.relation} {plan.things[1].name}"
    return plan.caption if form < 0.8 else f"{short} {PLACES[plan.place].phrase}"


def facts_of(plan: Plan) -> tuple[Fact, ...]:
    """What can be asked of the picture; every quote is a part of the caption."""
    caption = plan.caption
    facts = []

    def add(question: str, otherwise: str, answer: str, value: str, quote: str) -> None:
        if quote in caption and not content_words(otherwise) & content_words(caption):
            fact = Fact(question, otherwise, answer, value, quote, 0, quote, "scene", question)
            facts.append(fact)

    for thing in plan.things:
        known = KINDS[thing.kind]
        words = thing.name
        if thing.count > 1:
            add(
                f"How many {known.plural} are there?",
                f"What number of {known.otherwise}s do we see?",
                f"There are {words}.",
                COUNTS[thing.count],
                words,
            )
        else:
            add(
                f"What colour is the {thing.kind}?",
                f"Which shade does the {known.otherwise} have?",
                f"The {thing.kind} is {thing.colour}.",
                thing.colour,
                f"{thing.colour} {thing.kind}",
            )
    if plan.relation:
        first, second = plan.things[0], plan.things[1]
        add(
            f"What is {plan.relation} the {second.kind}?",
            f"Which object belongs to the {KINDS[second.kind].otherwise}?",
            f"{first.name.capitalize()} is {plan.relation} the {second.kind}.",
            f"{first.colour} {first.kind}",
            f"{first.name} {plan.relation}",
        )
    else:
        first = plan.things[0]
        verb = "are" if first.count > 1 else "is"
        noun = KINDS[first.kind].plural if first.count > 1 else first.kind
        place_words = PLACES[plan.place].phrase
        if plan.place != "night":
            add(
                f"Where {verb} the {noun}?",
                f"At which place do we see the {KINDS[first.kind].otherwise}?",
                f"The {noun} {verb} {place_words}.",
                place_words,
                place_words if len(plan.things) > 1 else f"{noun} {place_words}",
            )
    return tuple(facts)


def _with_article(noun: str) -> str:
    """`a red apple`, `an apple`."""
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"
