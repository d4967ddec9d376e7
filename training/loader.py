"""A process beside the trainer that always has the next batches ready.

The mixture of a batch, and how hard its lessons are, follow how far the training has come: one
source before five, single words before sentences.
"""

from __future__ import annotations

import multiprocessing
import queue as queues
import random
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any

from model.prompt.inputs import MediaFormat
from training import lessons
from training.desk import Desk
from training.packing import Batch, Example, pack
from training.renders import Rendered
from training.tokenizer import load as load_tokenizer
from training.world import questions, seeds
from training.world.stems import content_words

WAITING = 6  # batches kept ready
QUESTIONS = 5  # about the same sources, at most
QUERIES = 2  # by which a picture or a sound should be found, that of a search among them
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
    glimpses: int  # windows of scenes, for the patch labels alone
    media: dict[str, int]
    rivals: bool = False  # beside half of the media others like them, which a query must not find


def mix(progress: float) -> Mix:
    """The mixture at a point of the training, 0 to 1."""
    if progress < 0.12:
        media = {"scene": 5, "sign0": 2, "clip": 6, "note": 3}
        return Mix(16, 192, 7, 1, 5, 1, 90, 16, media)
    if progress < 0.28:
        media = {"scene": 5, "sign0": 2, "clip": 3, "note": 3}
        return Mix(8, 384, 5, 2, 4, 2, 160, 16, media)
    if progress < 0.5:
        media = {"scene": 5, "sign1": 2, "sign2": 1, "page": 1, "clip": 1, "note": 3}
        return Mix(8, 384, 4, 1, 3, 3, 230, 20, media)
    if progress < 0.7:  # to tell one source from its rivals
        media = {"scene": 4, "sign2": 3, "page": 1, "note": 3}
        return Mix(6, 512, 6, 1, 2, 5, 320, 16, media)
    # Sources are told apart by now and stay so with fewer questions: seeing and hearing again.
    if progress < 0.8:  # signs first, which are the last to be read
        media = {"scene": 7, "sign2": 9, "page": 1, "note": 4}
        return Mix(6, 512, 2, 1, 2, 5, 320, 16, media)
    # Then things and notes, which take longest to be told from their likes.
    media = {"scene": 20, "sign2": 3, "page": 1, "note": 5}
    return Mix(6, 512, 2, 1, 2, 5, 320, 8, media, rivals=True)


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
        self.desk = Desk(load_tokenizer(directory), MediaFormat.of(directory))
        self.config = config
        self.media = media
        self.range = range_
        self.salt = salt
        self.items: dict[str, list[Rendered]] = {}
        self.named: dict[tuple[str, str], list[Rendered]] = {}  # by kind and a word of its name
        self.files: set[Path] = set()

    def refresh(self) -> None:
        """Take in what was rendered since the last look."""
        from training.renders import read

        for file in sorted(self.media.glob("*-?????.json")):
            if file not in self.files:
                self.files.add(file)
                self.take_in(file.name.split("-")[0], read(file))

    def take_in(self, kind: str, items: Iterable[Rendered]) -> None:
        """From now on batches are made of these, too."""
        for item in items:
            self.items.setdefault(kind, []).append(item)
            for word in content_words(item.queries[0]):
                self.named.setdefault((kind, word), []).append(item)

    def batch(self, number: int, wanted: Mix) -> Batch:
        """The `number`-th batch of this range."""
        rng = seeds.dice(self.range, number % len(self.range), f"batch{self.salt}")
        groups: list[list[Example]] = []  # what belongs together is taken together
        long = 0.0 if wanted.sources < 3 else 0.1 if wanted.length < 512 else 0.3
        for number in range(wanted.answers):
            if number < 2 or wanted.sources == 1:  # now and then about a picture
                shown = 0.12 if wanted.sources > 2 and number == 0 else 0.0
                most = 1 if rng.random() < 0.2 else wanted.sources
                groups.append([self.desk.lesson(lessons.answer(rng, most, shown, long))])
                continue
            most = rng.randrange(2, wanted.sources + 1)
            if asked := lessons.examination(rng, most, QUESTIONS, long):
                groups.append([self.desk.examination(asked)])
        for _ in range(wanted.judges):
            groups.append([self.desk.lesson(lessons.judge(rng))])
        for kind, count in wanted.media.items():
            task = TASK_OF.get(kind, lessons.READ)
            for item in self._drawn(rng, kind, count, wanted.frames, wanted.rivals):
                key = zlib.crc32(item.words.encode())
                now = lessons.LISTEN if kind == "note" and rng.random() < 0.12 else task
                first, *others = item.queries
                sought = {first, *rng.sample(others, min(len(others), QUERIES - 1))}
                words = [self.desk.text(query, key, True) for query in sorted(sought)]
                groups.append([self.desk.medium(item, now, key, rng), *words])
                if wanted.rivals and (rival := self.rival(rng, kind, item)) is not item:
                    key = zlib.crc32(rival.words.encode())
                    both = (rival.words, False), (rival.queries[0], True)
                    groups.append([self.desk.text(text, key, query) for text, query in both])
        signs = wanted.glimpses // 2 if wanted.sources > 2 else 0
        glanced = self._drawn(rng, "scene", wanted.glimpses - signs)
        for item in [*glanced, *self._drawn(rng, "sign2", signs)]:
            seen = self.desk.glimpse(item, rng)
            if seen is not None:
                groups.append([seen])
        for _ in range(wanted.pairs):
            query, passage = questions.pair(rng)
            key = zlib.crc32(passage.encode())
            groups.append([self.desk.text(passage, key, False), self.desk.text(query, key, True)])
        rng.shuffle(groups)  # too much for the rows: chance decides what waits, not length
        examples, free = list[Example](), wanted.rows * wanted.length
        for group in groups:
            length = sum(map(len, group))
            if length <= free and max(map(len, group)) <= wanted.length:
                examples += group
                free -= length
        return pack(examples, wanted.rows, wanted.length, self.config)

    def _drawn(
        self, rng: random.Random, kind: str, count: int, frames: int = 10**6, rivals: bool = False
    ) -> list[Rendered]:
        held = self.items.get(kind, [])
        if not held or not count:
            return []
        drawn = rng.choices(held, k=count * 2)
        if rivals:
            drawn = [item for first in drawn for item in (first, self.rival(rng, kind, first))]
        fitting = [item for item in drawn if item.columns or len(item.data) < frames * 640]
        return fitting[:count]

    def rival(self, rng: random.Random, kind: str, item: Rendered) -> Rendered:
        """Another of its kind whose name has a word in common with its name, or the item itself."""
        word = rng.choice(sorted(content_words(item.queries[0])) or [""])
        other = rng.choice(self.named.get((kind, word), [item]))
        return other if other.queries[0] != item.queries[0] else item


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
    trainer = multiprocessing.parent_process()
    table = Table(directory, media, config, seeds.TRAIN, salt)
    number = 0
    while True:
        if number % FRESH == 0:
            table.refresh()
        batch = table.batch(number, mix(progress.value))
        number += 1
        while not _put(queue, batch):
            if trainer is None or not trainer.is_alive():  # killed, it could not end this process
                queue.cancel_join_thread()  # its contents are never read
                return


def _put(waiting: Any, batch: Batch) -> bool:
    try:
        waiting.put(batch, timeout=5)
    except queues.Full:
        return False
    return True
