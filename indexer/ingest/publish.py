"""The one order in which results become part of the index: rows, sync, flip, sweep.

A kill at any point leaves the old results or the new ones: rows of a generation that the catalog
does not name are invisible to searches, and are removed at the next start.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from indexer.maintenance.housekeeping import Housekeeping
from indexer.types.contents import VectorRow
from indexer.types.passages import GenerationRow
from indexer.types.places import Kind
from indexer.vectors.store import Store


@dataclass(frozen=True, slots=True)
class VectorBatch:
    """Vectors of `dim` numbers, as the model with the fingerprint `key` gave them, each entry
    (generation, content, kind, rows)."""

    key: str
    dim: int
    rows: Sequence[tuple[str, str, Kind, Sequence[VectorRow]]]


class Publisher:
    """Publishes for both stages; each thread may, one stage at a time by its lock."""

    def __init__(self, store: Store, housekeeping: Housekeeping) -> None:
        self._store = store
        self._housekeeping = housekeeping

    def publish(
        self,
        flip: Callable[[], None],
        words: Sequence[GenerationRow] = (),
        vectors: VectorBatch | None = None,
    ) -> None:
        """Adds rows under generations that nothing names yet, and makes them the valid ones by
        `flip`, which writes to the catalog. What that leaves without a name is removed."""
        if words or vectors is not None:
            self._store.add_words(words)
            if vectors is not None:
                self._store.add_vectors(vectors.key, vectors.dim, vectors.rows)
            self._store.sync()
            self._housekeeping.count_commit()
        flip()
        self._housekeeping.empty_trash()


def fresh_generation() -> str:
    """A name that no generation has had: 32 hex digits."""
    return secrets.token_hex(16)
