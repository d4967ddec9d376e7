"""A process beside the trainer that always has the next batches ready.

The mixture of a batch, and how hard its lessons are, follow how far the training has come: one
source before five, single words before sentences.
"""

from __future__ import annotations

import multiprocessing
import random
from dataclasses import dataclass
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any

from model.inputs import Media
from training import batches, lessons
from training.renders import Rendered
from training.tokenizer import load as load_tokenizer
from training.world import questions, seeds

WAITING = 6  # batches kept ready
FRESH = 50  # batches between two looks for newly rendered media


@dataclass(frozen=True, slots=True)
class Mix:
    """How many of what go into a batch of `rows` rows of `length` tokens; of `media`, so many of
    each kind."""

    rows: int
    length: int
    answers: int
    judges: int
    pairs: int
    sources: int  # of a question, at most
    frames: int  # of a sound, at most
    media: dict[str, int]


def mix(progress: float) -> Mix:
    """The mixture at a point of the training, 0 to 1."""
    if progress < 0.12:
        media = {"scene": 7, "sign0": 2, "clip": 6, "note": 3}
        return Mix(16, 192, 9, 1, 6, 1, 90, media)
    if progress < 0.28:
        media = {"scene": 7, "sign0": 2, "clip": 3, "note": 4}
        return Mix(8, 384, 7, 2, 5, 2, 160, media)
    if progress < 0.5:
        media = {"scene": 9, "sign0": 1, "sign1": 2, "page": 1, "clip": 1, "note": 4}
        return Mix(8, 384, 6, 1, 5, 3, 230, media)
    if progress < 0.75:
        media = {"scene": 8, "sign1": 1, "sign2": 3, "page": 1, "note": 4}
        return Mix(8, 384, 7, 1, 4, 4, 280, media)
    media = {"scene": 7, "sign2": 3, "page": 1, "chart": 1, "note": 4}
    return Mix(4, 768, 6, 1, 4, 5, 375, media)


# What the words of each kind of rendered item are.
TASK_OF = {"scene": lessons.CAPTION, "clip": lessons.TRANSCRIPT, "note": lessons.TRANSCRIPT}


@dataclass(frozen=True, slots=True)
class Ids:
    """The ids of the soft tokens, in a shape that travels to another process."""

    image_token_id: int
    audio_token_id: int

    def __init__(self, config: Any) -> None:
        object.__setattr__(self, "image_token_id", config.image_token_id)
        object.__setattr__(self, "audio_token_id", config.audio_token_id)


class Table:
    """Builds batches from the world with dice of its own."""

    def __init__(self, directory: Path, media: Path, config: Any, range_: range, salt: int) -> None:
        self.desk = batches.Desk(load_tokenizer(directory), Media.of(directory))
        self.config = config
        self.media = media
        self.range = range_
        self.salt = salt
        self.items: dict[str, list[Rendered]] = {}
        self.files: set[Path] = set()

    def refresh(self) -> None:
        """Take in what was rendered since the last look."""
        from training.renders import read

        for file in sorted(self.media.glob("*-?????.json")):
            if file not in self.files:
                self.files.add(file)
                self.items.setdefault(file.name.split("-")[0], []).extend(read(file))

    def batch(self, number: int, wanted: Mix) -> batches.Batch:
        """The `number`-th batch of this range."""
        rng = seeds.dice(self.range, number % len(self.range), f"batch{self.salt}")
        made: list[batches.Example] = []
        keys: dict[str, int] = {}
        for _ in range(wanted.answers):
            shown = 0.06 if wanted.sources > 2 else 0.0
            long = 0.0 if wanted.sources < 3 else 0.1 if wanted.length < 512 else 0.4
            most = 1 if rng.random() < 0.08 else wanted.sources
            lesson = lessons.answer(rng, most, shown, long)
            made.append(self.desk.lesson(lesson))
        for _ in range(wanted.judges):
            made.append(self.desk.lesson(lessons.judge(rng)))
        for kind, count in wanted.media.items():
            task = TASK_OF.get(kind, lessons.READ)
            for item in self._some(rng, kind, count, wanted.frames):
                key = keys.setdefault(item.words, len(keys))
                now = lessons.LISTEN if kind == "note" and rng.random() < 0.12 else task
                made.append(self.desk.medium(item, now, key, rng))
                made.append(self.desk.text(rng.choice(item.queries), key, True))
        for _ in range(wanted.pairs):
            query, passage = questions.pair(rng)
            key = keys.setdefault(passage, len(keys))
            made.append(self.desk.text(passage, key, False))
            made.append(self.desk.text(query, key, True))
        made = [one for one in made if len(one) <= wanted.length]
        return batches.pack(made, wanted.rows, wanted.length, self.config)

    def _some(
        self, rng: random.Random, kind: str, count: int, frames: int = 10**6
    ) -> list[Rendered]:
        held = self.items.get(kind, [])
        if not held or not count:
            return []
        drawn = rng.choices(held, k=count * 2)
        fitting = [item for item in drawn if item.columns or len(item.data) < frames * 640]
        return fitting[:count]


def start(
    directory: Path, media: Path, config: Any, salt: int
) -> tuple[Any, Synchronized[float], Any]:
    """A process that fills a queue with batches; returns the queue, where to write how far the
    training is, and the process."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue(WAITING)
    progress = context.Value("d", 0.0)
    process = context.Process(
        target=_work, args=(directory, media, config, salt, queue, progress), daemon=True
    )
    process.start()
    return queue, progress, process


def _work(directory: Path, media: Path, config: Any, salt: int, queue: Any, progress: Any) -> None:
    table = Table(directory, media, config, seeds.TRAIN, salt)
    number = 0
    while True:
        if number % FRESH == 0:
            table.refresh()
        queue.put(table.batch(number, mix(progress.value)))
        number += 1
