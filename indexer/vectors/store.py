"""Words and vectors of the library in LanceDB: what is written, made durable, removed and erased.

Rows belong to a *generation*: everything one reading of one content left behind. A generation is
added, made durable by `sync`, made valid in the catalog, and removed when a newer one has taken its
place.

Tables: `words` (every passage) and, for each fingerprint of the model, `gist_<key>` and
`body_<key>`. Words are searched for in the catalog (`catalog.words`).
"""

from __future__ import annotations

import contextlib
import math
import operator
import threading
import time
from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from indexer.types.contents import VectorRow
from indexer.types.passages import GenerationRow
from indexer.types.places import Kind
from indexer.vectors.durability import Durability
from indexer.vectors.erasure import rewrite_shared
from indexer.vectors.generations import Generations
from indexer.vectors.lance import connect, index_values, one_of
from indexer.vectors.matrix import Matrices
from indexer.vectors.names import checked_name
from indexer.vectors.repair import TableRepair
from indexer.vectors.row_process import RowProcess
from indexer.vectors.rows import (
    OLD_COLUMN,
    OLD_INDEX,
    vectors_schema,
    vectors_table,
    words_schema,
    words_table,
)
from indexer.vectors.search import FILTER_IDS, TableSearch, VectorSpace
from indexer.vectors.tables import StoreError, Tables
from indexer.vectors.vector_indexes import VectorIndexes
from model.interface import Float32

# Up to here the vectors of one table are searched in memory, beyond it by an index: of 3,840
# numbers that is 17,000 passages.
RESIDENT_BYTES = 256 << 20
# A table that only grew is compacted, which writes all of it again, when it has so many fragments;
# 159 of them slowed no search down that we could measure.
MOST_FRAGMENTS = 256
# On two cores, the passages of twenty generations among 10,000 rows take 5 ms of processor without
# an index and 8 ms with one; among 100,000 rows 23 ms and 13 ms.
INDEXED_ROWS = 50_000
GENERATION_INDEX = "generation_idx"  # as LanceDB names it
# So many old versions of a table are worth a compaction: each names every fragment of the table.
MOST_OLD_VERSIONS = 20
# A process that still reads an older version opens the newest one when that has gone.
KEEP_VERSIONS = timedelta(minutes=10)
KEEP_ALL = timedelta(days=36_500)
KEEP_NONE = timedelta(milliseconds=1)


class Store:
    """The tables of one library in `folder`. Any thread may call; one process writes, others may
    read and see its commits at once.

    `search` finds passages by vectors, `generations` reads them by name, `repair` checks and
    replaces tables, `indexes` makes searches of large ones fast.
    """

    def __init__(self, folder: Path, replace_damaged: bool = False) -> None:
        """Open the store, or create it where there is none. With `replace_damaged`, a table that
        cannot be opened is set aside for an empty one: the catalog sees what is missing; without,
        what needs that table raises StoreError. Raises StoreError where LanceDB cannot be used."""
        self._durability = Durability(folder)
        self._lock = threading.RLock()
        forget = self._durability.forget_file
        self.tables = Tables(folder, connect(folder), forget, RowProcess(folder))
        matrices = Matrices(RESIDENT_BYTES)
        self.generations = Generations(self.tables)
        self.search = TableSearch(self.tables, matrices)
        self.repair = TableRepair(self.tables, self._durability, matrices, self._lock)
        self.indexes = VectorIndexes(
            folder, self.tables, self._durability, self._lock, RESIDENT_BYTES
        )
        self._removed = False
        if replace_damaged:
            self.repair.set_aside_unsynced_versions()
            self._replace_unopenable()
        if not self.tables.exist("words"):
            self.tables.make("words", words_schema())
            self._durability.sync()
        else:
            with contextlib.suppress(StoreError):  # whoever needs it is told
                self.tables["words"]  # a torn newest version is set aside

    def add_words(self, batch: Iterable[GenerationRow]) -> None:
        """Add (generation, content, kind, passages) in one commit; a commit costs 3 ms, a row less
        than a tenth of one."""
        added = words_table(
            (checked_name(generation), checked_name(content), kind, passages)
            for generation, content, kind, passages in batch
        )
        if not added.num_rows:
            return
        with self._lock:
            self._drop_old_column()
            self.tables.write("words", lambda table: table.add(added))

    def add_vectors(
        self, key: str, dim: int, batch: Iterable[tuple[str, str, Kind, Sequence[VectorRow]]]
    ) -> None:
        """Add (generation, content, kind, rows), as the model with the fingerprint `key` gave them,
        in one commit for each of gist and body. Raises ValueError for a vector that is not (dim,)
        finite numbers."""
        by_space: dict[VectorSpace, list[tuple[dict[str, Any], Float32]]] = {"gist": [], "body": []}
        for generation, content, kind, rows in batch:
            for row in rows:
                columns = {
                    "content": checked_name(content),
                    "generation": checked_name(generation),
                    "ordinal": row.ordinal,
                    "kind": str(kind),
                }
                if row.gist is not None:
                    by_space["gist"].append((columns, _checked_vector(row.gist, dim)))
                if row.body is not None:
                    by_space["body"].append((columns, _checked_vector(row.body, dim)))
        with self._lock:
            for space, pairs in by_space.items():
                if not pairs:
                    continue
                name = f"{space}_{checked_name(key)}"
                if not self.tables.exist(name):
                    self.tables.make(name, vectors_schema(dim))
                self.tables.write(name, operator.methodcaller("add", vectors_table(dim, pairs)))

    def sync(self) -> None:
        """Return when everything written so far would survive a power cut."""
        with self._lock:
            self._durability.sync()

    def remove(self, generations: Collection[str]) -> None:
        """Remove all rows of these generations; those that are not there are no error."""
        names = sorted({checked_name(generation) for generation in generations})
        if not names:
            return
        with self._lock:
            self._removed = True
            for table in self.tables.names():
                for start in range(0, len(names), FILTER_IDS):
                    where = one_of("generation", names[start:][:FILTER_IDS])
                    self.tables.write(table, operator.methodcaller("delete", where))

    def optimize(self) -> bool:
        """Where rows were removed, or tables lie in many fragments or have many versions that need
        not be kept any more, compact them and drop old versions; where many rows were added, index
        them. For the writer, when nothing else is to be done. Returns whether it compacted; raises
        StoreError, with nothing changed, where a file is damaged."""
        with self._lock:
            before = time.time() - KEEP_VERSIONS.total_seconds()
            has_old = self.count_old_versions(before) >= MOST_OLD_VERSIONS
            is_due = self._removed or has_old or self._most_fragments() >= MOST_FRAGMENTS
            is_due = is_due or self.indexes.has_many_unindexed()
            # compaction renames the rows that an index is being built of
            is_due = is_due and not self.indexes.is_building
            if is_due:
                self._check_and_compact(KEEP_VERSIONS)
            self._index_generations()
        return is_due

    def count_old_versions(self, before: float = math.inf) -> int:
        """How many versions a table has besides its newest, of the table that has the most; with
        `before` (unix s), only those that were written until then."""
        most = 0
        for name in self.tables.names():
            written = []
            for manifest in (self.tables.path(name) / "_versions").glob("*.manifest"):
                with contextlib.suppress(FileNotFoundError):  # cleaned up meanwhile
                    written.append(manifest.stat().st_mtime)
            most = max(most, sum(at < before for at in sorted(written)[:-1]))
        return most

    def erase(self) -> None:
        """Return when no byte of a removed row is left in any file: not in the rows that share a
        file with it, not in an older version. Takes the time of writing all these files again. For
        the writer alone. Raises StoreError, with nothing changed, where a file is damaged."""
        with self._lock:
            self.indexes.stop()  # its files are named by no version yet
            self._check_and_compact(KEEP_NONE)
            for name in self.tables.names():
                if rewrite_shared(self.tables, name) and name != "words":
                    self.indexes.drop(name)  # it holds what vectors of removed rows come to
            self._compact(KEEP_NONE)

    def reclaim(self) -> None:
        """Drop every version but the newest, and the files that no version names, when room is
        short. Raises StoreError, with nothing changed, where a file is damaged."""
        with self._lock:
            self.indexes.stop()  # its files are named by no version yet
            self._check_and_compact(KEEP_NONE)

    def _drop_old_column(self) -> None:
        """What an earlier version needed to search for words; the catalog does that now."""
        if OLD_COLUMN not in self.tables.read("words", lambda table: table.schema.names):
            return
        indices = self.tables.read("words", lambda table: table.list_indices())
        if any(index.name == OLD_INDEX for index in indices):
            self.tables.write("words", lambda table: table.drop_index(OLD_INDEX))
        self.tables.write("words", lambda table: table.drop_columns([OLD_COLUMN]))
        self._removed = True  # to be compacted: the files still hold it

    def _check_and_compact(self, keep: timedelta) -> None:
        # Rows of a damaged file must not be copied into a new one, whose checksum would be right.
        self.repair.check_files()
        self.indexes.drop_distrusted()
        self._compact(keep)

    def _compact(self, keep: timedelta) -> None:
        self._drop_old_column()
        for name in self.tables.names():
            self._optimize(name, KEEP_ALL)
        self._removed = False
        # What replaces the old files has to be on disk before they go.
        self._durability.sync()
        for name in self.tables.names():
            self._optimize(name, keep)
        self._durability.sync()

    def _index_generations(self) -> None:
        """A search reads the passages of twenty generations: from an index, once a look through
        all rows takes longer than that."""
        statistics = self.tables.read("words", lambda table: table.index_stats(GENERATION_INDEX))
        if statistics is None:
            unindexed = self.generations.passage_count()
        else:
            unindexed = statistics.num_unindexed_rows
        if unindexed >= INDEXED_ROWS:
            self.tables.write("words", lambda table: index_values(table, "generation"))
            self._durability.sync()

    def _most_fragments(self) -> int:
        """The number of small fragments of the table that has the most."""
        statistics = (self.tables.read(name, lambda t: t.stats()) for name in self.tables.names())
        fragments = (table["fragment_stats"]["num_small_fragments"] for table in statistics)
        return max(map(int, fragments), default=0)

    def _optimize(self, name: str, keep: timedelta) -> None:
        # Only when nothing is to be left may files go that no version names: by the lock of the
        # library nobody else is writing, so they are what a killed process left.
        unnamed = keep == KEEP_NONE
        if unnamed:
            time.sleep(2 * KEEP_NONE.total_seconds())
        self.tables.write(
            name,
            lambda table: table.optimize(cleanup_older_than=keep, delete_unverified=unnamed),
        )

    def _replace_unopenable(self) -> None:
        for name in self.tables.names():
            try:
                self.tables[name]
            except StoreError:
                self.repair.replace_table(name, ())


def _checked_vector(vector: Float32, dim: int) -> Float32:
    if vector.shape != (dim,) or not np.isfinite(vector).all():
        raise ValueError(f"not a finite vector of {dim} numbers: {vector.shape}")
    return vector.astype(np.float32, copy=False)
