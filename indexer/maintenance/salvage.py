"""Rows of a lost catalog, taken over: what the store still holds need not be understood again.

Rows carry their content's hash. When a file has been read again, what an earlier catalog's
generations hold for its content is compared with it: the same passages, and a vector for each
passage and part, are a whole understanding, and the model is not asked.
"""

from __future__ import annotations

from collections import defaultdict

from indexer.types.outcomes import Read, Salvaged
from indexer.types.passages import FIRST_UNDERSTOOD, Passage
from indexer.vectors.rows import passages_sum
from indexer.vectors.store import Store


class Salvage:
    """What the store holds that no catalog points at, by content."""

    def __init__(self, store: Store, key: str) -> None:
        self._store = store
        self._key = key
        self._generations: dict[str, set[str]] = defaultdict(set)
        for content, generation in store.generations.owners():
            self._generations[content].add(generation)

    def of(self, read: Read) -> Salvaged | None:
        """What can be taken over for a content that was just read; None when nothing."""
        names = sorted(self._generations.get(read.content, ()))
        if not names:
            return None
        passages = self._store.generations.passages(names)
        wanted = passages_sum(read.kind, read.passages)
        same = (name for name in names if read.passages and _sum(read, passages[name]) == wanted)
        read_generation = next(same, None)
        ordinals = {one.ordinal for one in read.passages}
        parts = {FIRST_UNDERSTOOD + number for number in range(len(read.parts))}
        for name in names:
            captions = passages[name]
            if {one.ordinal for one in captions} != parts:
                continue
            held, total = self._store.generations.vectors_held(self._key, name)
            if held and held == ordinals | parts:
                return Salvaged(read_generation, name, tuple(captions), len(held), total)
        return Salvaged(read_generation, None, (), 0, None) if read_generation else None


def _sum(read: Read, passages: list[Passage]) -> str:
    return passages_sum(read.kind, passages)
