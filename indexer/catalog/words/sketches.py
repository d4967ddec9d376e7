"""Sketches of documents: how much of their words two have in common, told from 512 bytes of each.

A minhash by one permutation (Li, Owen and Zhang, "One Permutation Hashing", NIPS 2012) over all
runs of four tokens: each falls into one of 128 bins, of which the least value is kept. The share of
equal bins is the share of runs that two documents have in common, of all that either has, to within
about 0.03. `datasketch` has it too, and brings SciPy.
"""

from __future__ import annotations

import functools
import json
import zlib
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from indexer.catalog.storage.database import Database

RUN_TOKENS = 4
BINS = 128
EMPTY = 0xFFFFFFFF
ITEM_BYTES = 4

Sketch = NDArray[np.uint32]  # (BINS,), EMPTY where no run fell into a bin

_FACTORS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x27D4EB2F165667C5)


@functools.lru_cache(maxsize=1 << 16)  # most words of a text stand in others, too
def _number_of(word: str) -> int:
    return zlib.crc32(word.encode())


def sketch_of(words: Sequence[str]) -> bytes | None:
    """The sketch of a document with these tokens; None where it has none."""
    if not words:
        return None
    words = words if len(words) >= RUN_TOKENS else [*words, *[""] * (RUN_TOKENS - len(words))]
    numbers = {word: _number_of(word) for word in set(words)}
    tokens = np.array([numbers[word] for word in words], np.uint64)
    count = len(tokens) - RUN_TOKENS + 1
    runs = np.zeros(count, np.uint64)
    for place, factor in enumerate(_FACTORS):  # products and sums modulo 2**64
        runs = (runs ^ tokens[place : place + count]) * np.uint64(factor)
        runs ^= runs >> np.uint64(29)
    bins = (runs % np.uint64(BINS)).astype(np.intp)
    sketch = np.full(BINS, EMPTY, np.uint32)
    np.minimum.at(sketch, bins, (runs >> np.uint64(32)).astype(np.uint32))
    return sketch.astype("<u4").tobytes()


def as_sketch(kept: bytes) -> Sketch:
    return np.frombuffer(kept, "<u4")


def shared(sketch: Sketch, others: NDArray[np.uint32]) -> NDArray[np.float64]:
    """(N,) the share of runs that a document has in common with each of `others` (N, BINS)."""
    used = (sketch != EMPTY) | (others != EMPTY)
    equal: NDArray[np.float64] = ((sketch == others) & used).sum(axis=1) / used.sum(axis=1)
    return equal


class Sketches:
    """The sketches of one library. Threads may share it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, contents: Collection[str]) -> dict[str, bytes]:
        """Of those contents that have one, as they are kept."""
        with self._database.reading() as db:
            rows = db.execute(
                """SELECT content, sketch FROM sketches
                WHERE content IN (SELECT value FROM json_each(?))""",
                (json.dumps(list(contents)),),
            )
            return {row["content"]: row["sketch"] for row in rows}
