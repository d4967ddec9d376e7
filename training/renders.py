"""Pictures and sounds of the world, drawn and spoken ahead of the training and kept in files.

Drawing and speaking cost as much as learning from the result, so separate processes do it once.
A shard holds some hundred items: the pixels or samples, and beside them what the world says of
each item, as JSON, which is put in place last: a reader never sees half a shard.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from model.interface import Image
from model.prompt.inputs import MediaFormat, cut_patches
from training import sight
from training.alignment import speak
from training.world import pages, seeds, signs
from training.world.speech import note, voice
from training.world.statements import Fact
from training.world.words import SLOTS, fill

SHARD = 200
PIXELS = np.uint8
SAMPLES = np.int16


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that an item answers; `quote` is a part of its words, letter for letter."""

    question: str
    answer: str
    quote: str


def asked(facts: Iterable[Fact]) -> tuple[Asked, ...]:
    """What the world asks of an item, as far as lessons need it."""
    return tuple(
        Asked(fact.question, fact.answer_sentence.rstrip("."), fact.quote) for fact in facts
    )


@dataclass(frozen=True, slots=True, eq=False)
class Rendered:
    """One item: `data` is (n, 6912) uint8 patches, `columns` of them in a row, or (n,) int16
    samples at 16 kHz with `columns` 0. `words` is its caption or transcript; `queries` find it."""

    data: Any
    columns: int
    words: str
    queries: tuple[str, ...]
    facts: tuple[Asked, ...]
    phones: tuple[tuple[int, str], ...] = ()  # what is heard from which millisecond on
    spoken: tuple[tuple[int, str], ...] = ()  # the words and when each is over
    shown: tuple[sight.Shown, ...] = ()  # what the patches show


def scene(number: int, media: MediaFormat, range_: range = seeds.TRAIN) -> Rendered:
    """The `number`-th picture of a range of seeds."""
    from training.world.scenes import scene as draw

    drawing = draw(seeds.dice(range_, number, "scene"))
    finds = tuple(fact.find for fact in drawing.facts)
    queries = (drawing.find, drawing.caption, *finds)
    drawn = picture(drawing.image, media, drawing.caption, queries, asked(drawing.facts))
    grid = sight.Grid(drawn.columns, len(drawn.data) // drawn.columns)
    return replace(drawn, shown=tuple(sight.things(drawing.boxes, grid)))


def picture(
    pixels: Any, media: MediaFormat, words: str, queries: tuple[str, ...], facts: tuple[Asked, ...]
) -> Rendered:
    """Pixels as the model takes them, in bytes."""
    cut = cut_patches(Image(pixels), media)
    data = np.round(cut.values * 255).astype(PIXELS)
    return Rendered(data, int(cut.positions[-1, 0]) + 1, words, queries, facts)


def spoken(number: int, media: MediaFormat, range_: range = seeds.TRAIN) -> Rendered:
    """The `number`-th spoken note of a range of seeds."""
    rng = seeds.dice(range_, number, "note")
    spoken_note = note(rng)
    heard = speak(spoken_note.text, voice(rng), rng)
    queries = (spoken_note.topic, spoken_note.text, *(fact.question for fact in spoken_note.facts))
    data = np.round(heard.samples * 32767).astype(SAMPLES)
    facts = asked(spoken_note.facts)
    return Rendered(data, 0, spoken_note.text, queries, facts, heard.phones, heard.words)


def clip(number: int, media: MediaFormat, range_: range = seeds.TRAIN) -> Rendered:
    """One to three words without a sentence, spoken: hearing starts with these."""
    rng = seeds.dice(range_, number, "clip")
    slots = [*SLOTS, "person", "day", "month", "number", "date", "time", "colour", "amount"]
    filled = [fill(rng.choice(slots), rng) for _ in range(rng.choice((1, 1, 2, 2, 3)))]
    words = " ".join(rng.choice((word.text, *word.otherwise)) for word in filled)
    heard = speak(words, voice(rng), rng)
    data = np.round(heard.samples * 32767).astype(SAMPLES)
    return Rendered(data, 0, words, (words,), (), heard.phones, heard.words)


def written(draw: Callable[..., Any], of: str) -> Callable[..., Rendered]:
    """A maker of pictures with words in them."""

    def make(number: int, media: MediaFormat, range_: range = seeds.TRAIN) -> Rendered:
        drawing = draw(seeds.dice(range_, number, of))
        finds = tuple(fact.find for fact in drawing.facts if fact.find)
        queries = (drawing.find, drawing.words, *finds)
        drawn = picture(drawing.image, media, drawing.caption, queries, asked(drawing.facts))
        grid = sight.Grid(drawn.columns, len(drawn.data) // drawn.columns)
        return replace(drawn, shown=tuple(sight.letters(drawing.glyphs, grid)))

    return make


MAKERS: dict[str, Callable[..., Rendered]] = {
    "scene": scene,
    "note": spoken,
    "clip": clip,
    "sign0": written(functools.partial(signs.sign, level=0), "sign0"),
    "sign1": written(functools.partial(signs.sign, level=1), "sign1"),
    "sign2": written(functools.partial(signs.sign, level=2), "sign2"),
    "page": written(pages.page, "page"),
    "chart": written(pages.chart, "chart"),
    "table": written(pages.table, "table"),
}


def render(
    kind: str, directory: Path, count: int, media: MediaFormat, range_: range = seeds.TRAIN
) -> None:
    """Write shards until `count` items of a kind are there; existing shards are kept."""
    directory.mkdir(parents=True, exist_ok=True)
    for shard in range(count // SHARD):
        file = directory / f"{kind}-{shard:05}.json"
        if not file.exists():
            numbers = range(shard * SHARD, (shard + 1) * SHARD)
            _write(file, [MAKERS[kind](number, media, range_) for number in numbers])


def read(file: Path) -> Iterator[Rendered]:
    """The items of a shard. Their pixels and samples stay on disk until they are looked at."""
    data = np.load(file.with_suffix(".npy"), mmap_mode="r")
    start = 0
    for entry in json.loads(file.read_text()):
        facts = tuple(_asked(fact) for fact in entry["facts"])
        queries = tuple(entry["queries"])
        kinds = ("phones", "spoken", "shown")
        rest = (tuple(map(tuple, entry[kind])) for kind in kinds)
        end = start + entry["length"]
        yield Rendered(data[start:end], entry["columns"], entry["words"], queries, facts, *rest)
        start = end


def _asked(entry: dict[str, Any]) -> Asked:
    return Asked(entry["question"], entry["answer"], entry["quote"])


def _write(file: Path, items: list[Rendered]) -> None:
    entries = [
        {
            "length": len(item.data),
            "columns": item.columns,
            "words": item.words,
            "queries": item.queries,
            "facts": [asdict(fact) for fact in item.facts],
            "phones": item.phones,
            "spoken": item.spoken,
            "shown": item.shown,
        }
        for item in items
    ]
    np.save(file.with_suffix(".npy"), np.concatenate([item.data for item in items]))
    waiting = file.with_suffix(".tmp")
    waiting.write_text(json.dumps(entries))
    waiting.replace(file)
