"""Salvage: rows that a lost catalog left in the store need not be understood again.

Rows carry their content's hash. When a file has been read again, what an earlier catalog's
generations hold for its content is compared with it: the same passages, and a vector for each
passage and part, are a whole understanding, and the model is not asked.
"""

from __future__ import annotations

from collections import defaultdict

from indexer.types.outcomes import Read, Salvaged
from indexer.types.passages import FIRST_UNDERSTOOD
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
        """What can be reused for a content that was just read; None when nothing."""
        names = sorted(self._generations.get(read.content, ()))
        if not names:
            return None
        passages = self._store.generations.passages(names)
        wanted = passages_sum(read.kind, read.passages)
        same = (name for name in names if passages_sum(read.kind, passages[name]) == wanted)
        read_generation = next(same, None) if read.passages else None
        ordinals = {passage.ordinal for passage in read.passages}
        parts = {FIRST_UNDERSTOOD + number for number in range(len(read.parts))}
        for name in names:
            captions = passages[name]
            if {passage.ordinal for passage in captions} != parts:
                continue
            with_vectors, vectors_sum = self._store.generations.vectors_held(self._key, name)
            if with_vectors and with_vectors == ordinals | parts:
                count = len(with_vectors)
                return Salvaged(read_generation, name, tuple(captions), count, vectors_sum)
        return Salvaged(read_generation, None, (), 0, None) if read_generation else None
