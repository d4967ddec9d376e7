"""Lessons packed into rows: token ids, places of the media, and what is to be learned where."""

from __future__ import annotations

import functools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model import inputs, prompts
from model.interface import Image, Sound
from training import lessons, renders

Ints = NDArray[np.int64]
FRAME = 640
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
NOTHING = -100


@dataclass(slots=True, eq=False)
class Example:
    """A run of tokens with everything that is known of them; all arrays have the same length.
    `labels` holds the token that each position should foretell, or NOTHING."""

    ids: Ints
    positions: Ints
    branches: Ints
    labels: Ints
    task: int = -1
    pictures: list[tuple[NDArray[np.uint8], int]] = field(default_factory=list)  # and columns
    samples: NDArray[np.float32] | None = None
    said: str = ""  # what the sound says, for hearing letter by letter
    gist_at: int = -1
    body: tuple[int, int] = (0, 0)
    key: int = -1  # items and queries with one key belong together
    query: bool = False
    kind: str = ""

    def __len__(self) -> int:
        return int(self.ids.size)


@dataclass(slots=True, eq=False)
class Batch:
    """Packed rows, all (b, n) unless said otherwise. `vectors` lists (row, gist place, body start,
    body end, key, is query) for each example that has a gist, (v, 6); `heard` lists (row, first
    frame place, frames, letters' start, letters' end) for each sound, (s, 5)."""

    ids: Ints
    positions: Ints
    owners: Ints
    branches: Ints
    blocks: Ints
    labels: Ints
    tasks: Ints
    patches: NDArray[np.uint8]  # (p, 6912)
    places: Ints  # (p, 2)
    frames: NDArray[np.float32]  # (f, 640)
    vectors: Ints
    heard: Ints
    letters: Ints


class Desk:
    """Makes examples with one tokenizer; `media` are the rendered items by kind."""

    def __init__(self, tokenizer: Any, cut: inputs.Media) -> None:
        self.tokenizer = tokenizer
        self.cut = cut
        self.stop = int(tokenizer.convert_tokens_to_ids("<turn|>"))

    def spell(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def lesson(self, lesson: lessons.Lesson) -> Example:
        """Prompt and target; the prompt may show pictures."""
        asked = inputs.render(lesson.prompt, self.tokenizer, self.cut)
        target = [*self.spell(lesson.target), self.stop]
        made = _line(asked.ids.tolist(), target)
        made.pictures = [
            (np.round(one.values * 255).astype(np.uint8), int(one.positions[-1, 0]) + 1)
            for one in asked.pictures
        ]
        made.task = lessons.TASKS.index(lesson.task)
        return made

    def text(self, text: str, key: int, query: bool) -> Example:
        """A text for its vectors."""
        prompt = lessons.gist(text)
        row = inputs.render(prompt, self.tokenizer, self.cut)
        made = _line(row.ids.tolist(), [])
        own = inputs.own_span(prompt, text, self.tokenizer)
        made.gist_at, made.body = len(made) - 1, (own.start, own.stop)
        made.key, made.query = key, query
        return made

    def medium(self, item: renders.Rendered, task: str, key: int, rng: random.Random) -> Example:
        """A picture or a sound, in two branches: its words, and its gist."""
        samples = None
        if item.columns:
            frame = self._frame("image", item.columns, len(item.data) // item.columns)
        else:
            samples = _heard(item.data, rng)
            frame = self._frame("audio", len(samples) // FRAME, 1)
        head, words, gist = frame
        target = [*self.spell(item.words), self.stop]
        if task == lessons.LISTEN and item.facts:
            words, target = self._listening(frame, item, rng)
        made = _line([*head, *words], target)
        start, made.task = len(made), lessons.TASKS.index(task)
        made.ids = np.concatenate([made.ids, gist])
        after = np.arange(len(head), len(head) + len(gist))
        made.positions = np.concatenate([made.positions, after])
        made.branches = np.repeat([0, 1, 2], [len(head), start - len(head), len(gist)])
        made.labels = np.concatenate([made.labels, np.full(len(gist), NOTHING)])
        made.gist_at, made.key = len(made) - 1, key
        if samples is None:
            made.pictures = [(item.data, item.columns)]
        else:
            made.samples, made.said = samples, item.words
        return made

    def _listening(
        self, frame: Any, item: renders.Rendered, rng: random.Random
    ) -> tuple[list[int], list[int]]:
        fact = rng.choice(item.facts)
        sentences = [part.strip(" .") for part in item.words.replace("?", ".").split(". ")]
        said = next((part for part in sentences if fact.quote in part), fact.quote)
        prompt = prompts.listen(fact.question, Sound(np.zeros(FRAME, np.float32), 16_000))
        row = inputs.render(prompt, self.tokenizer, self.cut).ids.tolist()
        return row[len(frame[0]) - len(_soft(frame[0])) + 1 :], [*self.spell(f"{said}."), self.stop]

    @functools.lru_cache(maxsize=512)  # noqa: B019 - one desk lives as long as its process
    def _frame(self, kind: str, across: int, down: int) -> tuple[Any, Any, Any]:
        """Ids of the shared prefix, the words' tail and the gist's tail for a medium so large."""
        content: Image | Sound
        if kind == "image":
            side = self.cut.patch_px
            content = Image(np.zeros((down * side, across * side, 3), np.uint8))
        else:
            content = Sound(np.zeros(across * FRAME, np.float32), 16_000)
        words = inputs.render(prompts.describe(content), self.tokenizer, self.cut).ids
        gist = inputs.render(prompts.gist(content), self.tokenizer, self.cut).ids
        shortest = min(len(words), len(gist))
        shared = int(np.argmax(words[:shortest] != gist[:shortest]))
        return words[:shared].tolist(), words[shared:].tolist(), gist[shared:].tolist()


def _soft(head: list[int]) -> list[int]:
    """The soft tokens of a shared prefix: its longest run of one id."""
    common = max(set(head), key=head.count)
    return [one for one in head if one == common]


def _line(asked: list[int], target: list[int]) -> Example:
    ids = np.array([*asked, *target], dtype=np.int64)
    labels = np.full(len(ids), NOTHING, dtype=np.int64)
    if target:
        labels[len(asked) - 1 : -1] = target
    return Example(ids, np.arange(len(ids)), np.zeros(len(ids), dtype=np.int64), labels)


def _heard(samples: NDArray[np.int16], rng: random.Random) -> NDArray[np.float32]:
    """Samples cut differently into frames each time, in another hiss."""
    noise = np.random.default_rng(rng.getrandbits(64))
    shift = rng.randrange(FRAME)
    count = -(-(len(samples) + shift) // FRAME)
    whole = np.zeros(count * FRAME, np.float32)
    whole[shift : shift + len(samples)] = samples / 32767
    level = 10 ** rng.uniform(-4.0, -2.4)
    return whole + (level * noise.standard_normal(whole.size)).astype(np.float32)


@dataclass(slots=True)
class _Row:
    examples: list[Example] = field(default_factory=list)
    used: int = 0


def pack(examples: Sequence[Example], rows: int, length: int, config: Any) -> Batch:
    """Put examples behind each other into `rows` rows, the longest first, each where it fits best;
    what fits nowhere is left out. `config` names the ids of the soft tokens."""
    shelf = [_Row() for _ in range(rows)]
    for example in sorted(examples, key=len, reverse=True):
        fitting = [row for row in shelf if row.used + len(example) <= length]
        if fitting:
            row = max(fitting, key=lambda one: one.used)
            row.examples.append(example)
            row.used += len(example)
    shape = (rows, length)
    made = {name: np.zeros(shape, np.int64) for name in ("ids", "positions", "branches")}
    made |= {name: np.full(shape, -1) for name in ("owners", "blocks", "tasks")}
    made["labels"] = np.full(shape, NOTHING)
    patches: list[Any] = []
    places: list[Any] = []
    frames: list[Any] = []
    vectors: list[tuple[int, ...]] = []
    heard: list[tuple[int, ...]] = []
    letters: list[int] = []
    for number, row in enumerate(shelf):
        start = 0
        for owner, one in enumerate(row.examples):
            here = slice(start, start + len(one))
            made["ids"][number, here] = one.ids
            made["positions"][number, here] = one.positions
            made["branches"][number, here] = one.branches
            made["labels"][number, here] = one.labels
            made["owners"][number, here] = owner
            made["tasks"][number, here] = one.task
            soft = start + np.flatnonzero(one.ids == config.image_token_id)
            for data, columns in one.pictures:
                patches.append(data)
                index = np.arange(len(data))
                places.append(np.stack([index % columns, index // columns], axis=1))
                made["blocks"][number, soft[: len(data)]] = int(soft[0])
                soft = soft[len(data) :]
            if one.samples is not None:
                frames.append(one.samples.reshape(-1, FRAME))
                first = start + int(np.argmax(one.ids == config.audio_token_id))
                spelled = [LETTERS.index(letter) + 1 for letter in _letters(one.said)]
                bounds = (len(letters), len(letters) + len(spelled))
                heard.append((number, first, len(frames[-1]), *bounds))
                letters += spelled
            if one.gist_at >= 0:
                body = (start + one.body[0], start + one.body[1])
                vectors.append((number, start + one.gist_at, *body, one.key, int(one.query)))
            start += len(one)
    return Batch(
        **made,
        patches=np.concatenate(patches) if patches else np.zeros((0, 6912), np.uint8),
        places=np.concatenate(places) if places else np.zeros((0, 2), np.int64),
        frames=np.concatenate(frames) if frames else np.zeros((0, FRAME), np.float32),
        vectors=np.array(vectors, np.int64).reshape(-1, 6),
        heard=np.array(heard, np.int64).reshape(-1, 5),
        letters=np.array(letters, np.int64),
    )


def _letters(text: str) -> Iterator[str]:
    return (letter for letter in text.lower() if letter in LETTERS)
