"""The contents that are ranked: which passages each has, and how long it is."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from sqlite3 import Connection

import numpy as np
from numpy.typing import NDArray

USUAL_PASSAGES = 4.0  # the length of a content where a count is taken as it is

Ids = NDArray[np.int64]
Numbers = NDArray[np.float64]


class Candidates:
    """The contents of the passages with scores: `best` has the passages of each, as (id, content,
    generation, ordinal), best first."""

    def __init__(self, db: Connection, scores: Mapping[int, float]) -> None:
        rows: list[tuple[int, str, str, int]] = [
            tuple(row)
            for row in db.execute(
                """SELECT id, content, generation, ordinal FROM passages
                WHERE id IN (SELECT value FROM json_each(?))""",
                (json.dumps(list(scores)),),
            )
        ]
        self.best: dict[str, list[tuple[int, str, str, int]]] = defaultdict(list)
        for row in sorted(rows, key=lambda row: (-scores[row[0]], row[3])):
            self.best[row[1]].append(row)
        numbers = {content: number for number, content in enumerate(self.best)}
        ranges = _ranges(db, {row[2]: row[1] for row in rows})
        self._first = np.array([first for first, _, _ in ranges], np.int64)
        self._last = np.array([last for _, last, _ in ranges], np.int64)
        self._content = np.array([numbers[content] for _, _, content in ranges], np.int64)

    def lengths(self, b: float) -> Numbers:
        """(C,) of the contents, over the usual one, as BM25 has it."""
        counts = np.zeros(len(self.best))
        np.add.at(counts, self._content, self._last - self._first + 1)
        return 1 - b + b * counts / USUAL_PASSAGES

    def contents_of(self, passages: Ids) -> Ids:
        """(P,) the number of the candidate that each passage is of; -1 of any other content."""
        places = np.searchsorted(self._first, passages, "right") - 1
        is_within = (places >= 0) & (passages <= self._last[places])
        return np.where(is_within, self._content[places], -1)


def _ranges(db: Connection, generations: Mapping[str, str]) -> list[tuple[int, int, str]]:
    """The first and the last passage of each generation, in order, with its content: they are
    written at once, and so have numbers in a row."""
    rows = db.execute(
        """SELECT value AS generation,
            (SELECT min(id) FROM passages WHERE generation = value) AS first,
            (SELECT max(id) FROM passages WHERE generation = value) AS last FROM json_each(?)""",
        (json.dumps(sorted(generations)),),
    )
    return sorted((row["first"], row["last"], generations[row["generation"]]) for row in rows)
