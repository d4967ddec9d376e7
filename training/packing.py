"""Examples packed into rows: token ids, places of the media, and what is to be learned where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training import lessons, sight

Ints = NDArray[np.int64]
FRAME = 640  # samples
NOTHING = -100  # where nothing is to be learned


@dataclass(slots=True, eq=False)
class Example:
    """A run of tokens with everything that is known of them; all arrays have the same length.
    `labels` holds the token that each position should foretell, or NOTHING."""

    ids: Ints
    positions: Ints
    branches: Ints
    labels: Ints
    task: int | Ints = -1
    pictures: list[tuple[NDArray[np.uint8], int]] = field(default_factory=list)  # and columns
    shown: Ints | None = None  # (patches, sight.ASKED), what they show
    samples: NDArray[np.float32] | None = None
    phones: Ints | None = None  # (frames, 2), what is heard around the start of each frame
    gist_at: int = -1
    body: tuple[int, int] = (0, 0)
    key: int = -1  # items and queries with one key belong together
    query: bool = False
    stakes: NDArray[np.float32] | None = None  # how much each label weighs, 1 where it is None
    sources: Ints | None = None  # the source each token stands in or, of an answer, comes from

    def __len__(self) -> int:
        return int(self.ids.size)


@dataclass(slots=True, eq=False)
class Batch:
    """Packed rows, all (b, n) unless said otherwise. `vectors` lists (row, gist place, body start,
    body end, key, is query) for each example that has a gist, (v, 6)."""

    ids: Ints
    positions: Ints
    owners: Ints
    branches: Ints
    blocks: Ints
    labels: Ints
    tasks: Ints
    stakes: NDArray[np.float32]
    sources: Ints
    patches: NDArray[np.uint8]  # (p, 6912)
    places: Ints  # (p, 2)
    shown: Ints  # (p, sight.ASKED)
    frames: NDArray[np.float32]  # (f, 640)
    phones: Ints  # (f, 2)
    vectors: Ints


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
            row = max(fitting, key=lambda sequence: sequence.used)
            row.examples.append(example)
            row.used += len(example)
    shape = (rows, length)
    tables = {name: np.zeros(shape, np.int64) for name in ("ids", "positions", "branches")}
    tables |= {name: np.full(shape, -1) for name in ("owners", "blocks", "tasks")}
    tables |= {name: np.full(shape, NOTHING) for name in ("labels", "sources")}
    stakes = np.ones(shape, np.float32)
    patches: list[Any] = []
    places: list[Any] = []
    shown: list[Ints] = []
    frames: list[Any] = []
    vectors: list[tuple[int, ...]] = []
    phones: list[Ints] = []
    for number, row in enumerate(shelf):
        start = 0
        for owner, sequence in enumerate(row.examples):
            cells = slice(start, start + len(sequence))
            tables["ids"][number, cells] = sequence.ids
            tables["positions"][number, cells] = sequence.positions
            tables["branches"][number, cells] = sequence.branches
            tables["labels"][number, cells] = sequence.labels
            tables["owners"][number, cells] = owner
            tables["tasks"][number, cells] = sequence.task
            if sequence.stakes is not None:
                stakes[number, cells] = sequence.stakes
            if sequence.sources is not None:
                tables["sources"][number, cells] = sequence.sources
            seen = (sequence.ids == config.image_token_id) & (sequence.labels != NOTHING)
            tables["tasks"][number, cells][seen] = lessons.TASKS.index(lessons.SEE)
            soft = start + np.flatnonzero(sequence.ids == config.image_token_id)
            for data, columns in sequence.pictures:
                patches.append(data)
                index = np.arange(len(data))
                places.append(np.stack([index % columns, index // columns], axis=1))
                tables["blocks"][number, soft[: len(data)]] = int(soft[0])
                soft = soft[len(data) :]
                unknown = np.full((len(data), sight.ASKED), NOTHING)
                shown.append(unknown if sequence.shown is None else sequence.shown)
            if sequence.samples is not None:
                frames.append(sequence.samples.reshape(-1, FRAME))
                spoken = (sequence.ids == config.audio_token_id) & (sequence.labels != NOTHING)
                tables["tasks"][number, cells][spoken] = lessons.TASKS.index(lessons.HEAR)
                if sequence.phones is not None:
                    phones.append(sequence.phones)
            if sequence.gist_at >= 0:
                body = (start + sequence.body[0], start + sequence.body[1])
                vectors.append(
                    (number, start + sequence.gist_at, *body, sequence.key, int(sequence.query))
                )
            start += len(sequence)
    return Batch(
        **tables,
        stakes=stakes,
        patches=np.concatenate(patches) if patches else np.zeros((0, 6912), np.uint8),
        places=np.concatenate(places) if places else np.zeros((0, 2), np.int64),
        shown=np.concatenate(shown) if shown else np.zeros((0, sight.ASKED), np.int64),
        frames=np.concatenate(frames) if frames else np.zeros((0, FRAME), np.float32),
        phones=np.concatenate(phones) if phones else np.zeros((0, 2), np.int64),
        vectors=np.array(vectors, np.int64).reshape(-1, 6),
    )
