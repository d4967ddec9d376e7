"""Words and vectors of the library in LanceDB.

Rows belong to a *generation*: everything one reading of one content left behind. A generation is
added, made durable by `sync`, made valid in the catalog, and removed when a newer one has taken its
place.

Tables: `words` (every passage, with a full-text index over its folded tokens) and, for each
fingerprint of the model, `gist_<key>` and `body_<key>`.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from indexer.durability import Durability
from indexer.lance import among, connect, full_text, own, probe
from indexer.lookup import FILTER_IDS, Found, Lookup, Space
from indexer.passages import Kind, Passage
from indexer.rows import VectorRow, vectors_schema, vectors_table, words_row, words_schema
from indexer.tables import StoreProblem, Tables
from model.interface import Float32

__all__ = ["Found", "Space", "Store", "StoreProblem", "VectorRow", "probe"]

# Rows the full-text index does not know yet are found by reading them all: 230 ms for 50,000.
UNINDEXED_ROWS = 5_000
KEEP_VERSIONS = timedelta(hours=1)
KEEP_ALL = timedelta(days=36_500)


class Store(Lookup):
    """The tables of one library in `folder`. Any thread may call; one process writes, others may
    read and see its commits at once."""

    def __init__(self, folder: Path) -> None:
        """Open the store, or create it where there is none. Raises StoreProblem."""
        super().__init__(Tables(folder, connect(folder)))
        self._durability = Durability(folder)
        self._lock = threading.RLock()
        self._unindexed = 0
        if not self._tables.exist("words"):
            self._create_words()
        else:
            self._unindexed = self._indexed_behind()

    def add_words(
        self, generation: str, content: str, kind: Kind, passages: Sequence[Passage]
    ) -> None:
        """Add the passages of one generation."""
        self.add_words_many([(generation, content, kind, passages)])

    def add_words_many(self, batch: Iterable[tuple[str, str, Kind, Sequence[Passage]]]) -> None:
        """Add (generation, content, kind, passages) in one commit; a commit costs 3 ms, a row less
        than a tenth of one."""
        rows = [
            words_row(own(generation), own(content), kind, passage)
            for generation, content, kind, passages in batch
            for passage in passages
        ]
        if not rows:
            return
        import pyarrow as pa

        with self._lock:
            self._tables["words"].add(pa.Table.from_pylist(rows, schema=words_schema()))
            self._unindexed += len(rows)
            if self._unindexed > UNINDEXED_ROWS:
                self._tables["words"].optimize(cleanup_older_than=KEEP_ALL)
                self._unindexed = 0

    def add_vectors(
        self,
        key: str,
        dim: int,
        generation: str,
        content: str,
        kind: Kind,
        rows: Sequence[VectorRow],
    ) -> None:
        """Add the vectors of one generation, as the model with the fingerprint `key` gave them."""
        self.add_vectors_many(key, dim, [(generation, content, kind, rows)])

    def add_vectors_many(
        self, key: str, dim: int, batch: Iterable[tuple[str, str, Kind, Sequence[VectorRow]]]
    ) -> None:
        """Add (generation, content, kind, rows) in one commit for each of gist and body."""
        lists: dict[Space, list[tuple[dict[str, Any], Float32]]] = {"gist": [], "body": []}
        for generation, content, kind, rows in batch:
            for row in rows:
                about = {
                    "content": own(content),
                    "generation": own(generation),
                    "ordinal": row.ordinal,
                    "kind": str(kind),
                }
                if row.gist is not None:
                    lists["gist"].append((about, _checked(row.gist, dim)))
                if row.body is not None:
                    lists["body"].append((about, _checked(row.body, dim)))
        with self._lock:
            for space, pairs in lists.items():
                if pairs:
                    self._add_vectors(f"{space}_{own(key)}", dim, pairs)

    def _add_vectors(
        self, name: str, dim: int, pairs: Sequence[tuple[dict[str, Any], Float32]]
    ) -> None:
        if not self._tables.exist(name):
            self._tables.make(name, vectors_schema(dim))
        self._tables[name].add(vectors_table(dim, pairs))

    def sync(self) -> None:
        """Return when everything written so far would survive a power cut."""
        with self._lock:
            self._durability.sync()

    def remove(self, generations: Collection[str]) -> None:
        """Remove all rows of these generations; those that are not there are no error."""
        names = sorted({own(generation) for generation in generations})
        if not names:
            return
        with self._lock:
            for table in self._tables.names():
                for start in range(0, len(names), FILTER_IDS):
                    self._tables[table].delete(among("generation", names[start:][:FILTER_IDS]))

    def optimize(self) -> None:
        """Compact, bring the full-text index up to date, and drop versions older than an hour. For
        the writer, when nothing else is to be done."""
        with self._lock:
            for name in self._tables.names():
                self._tables[name].optimize(cleanup_older_than=KEEP_ALL)
            self._unindexed = 0
            # What replaces the old files has to be on disk before they go.
            self._durability.sync()
            for name in self._tables.names():
                self._tables[name].optimize(cleanup_older_than=KEEP_VERSIONS)
            self._durability.sync()

    # The words table

    def _create_words(self) -> None:
        table = self._tables.make("words", words_schema())
        # Without it words are cut by LanceDB's usual rules, with stems and stop words; made on the
        # empty table, it lets rows be found by our rules from the moment they are added.
        table.create_index("folded", config=full_text())
        self._durability.sync()

    def _indexed_behind(self) -> int:
        statistics = self._tables.read("words", lambda table: table.index_stats("folded_idx"))
        if statistics is None:  # killed between making the table and its index
            self._tables["words"].create_index("folded", config=full_text())
            return 0
        return int(statistics.num_unindexed_rows)


def _checked(vector: Float32, dim: int) -> Float32:
    if vector.shape != (dim,) or not np.isfinite(vector).all():
        raise ValueError(f"not a finite vector of {dim} numbers: {vector.shape}")
    return vector.astype(np.float32, copy=False)
