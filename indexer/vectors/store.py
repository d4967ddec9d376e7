"""Words and vectors of the library in LanceDB.

Rows belong to a *generation*: everything one reading of one content left behind. A generation is
added, made durable by `sync`, made valid in the catalog, and removed when a newer one has taken its
place.

Tables: `words` (every passage, with a full-text index over its folded tokens) and, for each
fingerprint of the model, `gist_<key>` and `body_<key>`.
"""

from __future__ import annotations

import operator
import threading
import time
from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from indexer.types.contents import VectorRow
from indexer.types.passages import Kind, Passage
from indexer.types.tokens import tokens
from indexer.vectors.census import Census, readable, tally
from indexer.vectors.durability import Durability
from indexer.vectors.erasure import rewrite_shared
from indexer.vectors.full_text import FullTextIndex
from indexer.vectors.lance import among, connect, own, probe
from indexer.vectors.rows import vectors_schema, vectors_table, words_schema, words_table
from indexer.vectors.search import FILTER_IDS, Found, Lookup, Space
from indexer.vectors.tables import StoreError, Tables
from model.interface import Float32

__all__ = ["Found", "Space", "Store", "StoreError", "VectorRow", "probe"]

# A table that only grew is compacted, which writes all of it anew, when it lies in so many pieces;
# 159 of them slowed no search down that we could measure.
MOST_PIECES = 256
# Whoever still reads an older version opens the newest one when that has gone.
KEEP_VERSIONS = timedelta(minutes=10)
KEEP_ALL = timedelta(days=36_500)
KEEP_NONE = timedelta(milliseconds=1)
# How many passages are looked for by how many of their words to see that the index finds them.
PROBES = 64
PROBE_TOKENS = 8


class Store(Lookup):
    """The tables of one library in `folder`. Any thread may call; one process writes, others may
    read and see its commits at once."""

    def __init__(self, folder: Path, mend: bool = False) -> None:
        """Open the store, or create it where there is none. A table that cannot be opened is, with
        `mend`, begun anew: the catalog sees what is missing. Raises StoreError."""
        self._durability = Durability(folder)
        super().__init__(Tables(folder, connect(folder), self._durability.forget_file))
        self._lock = threading.RLock()
        self._index = FullTextIndex(self._tables)
        self._removed = False
        if mend:
            self._replace_dead()
        if not self._tables.exist("words"):
            self._create_words()
        else:
            self._index.take_up()

    def add_words(
        self, generation: str, content: str, kind: Kind, passages: Sequence[Passage]
    ) -> None:
        """Add the passages of one generation."""
        self.add_words_many([(generation, content, kind, passages)])

    def add_words_many(self, batch: Iterable[tuple[str, str, Kind, Sequence[Passage]]]) -> None:
        """Add (generation, content, kind, passages) in one commit; a commit costs 3 ms, a row less
        than a tenth of one."""
        added = words_table(
            (own(generation), own(content), kind, passages)
            for generation, content, kind, passages in batch
        )
        if not added.num_rows:
            return
        with self._lock:
            self._tables.write("words", lambda table: table.add(added))
            self._index.added(added.num_rows)
            if self._index.is_late:
                self._index.anew()

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
        added = vectors_table(dim, pairs)
        self._tables.write(name, lambda table: table.add(added))

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
            self._removed = True
            for name in self._tables.names():
                for start in range(0, len(names), FILTER_IDS):
                    where = among("generation", names[start:][:FILTER_IDS])
                    self._tables.write(name, operator.methodcaller("delete", where))

    def optimize(self) -> None:
        """Bring the full-text index up to date; where rows were removed or tables lie in many
        pieces, compact them and drop old versions. For the writer, when nothing else is to be
        done."""
        with self._lock:
            if self._removed or self._index.is_littered or self._pieces() >= MOST_PIECES:
                self._settle(KEEP_VERSIONS)
            elif self._index.is_behind:
                self._index.anew()
                self._durability.sync()

    def erase(self) -> None:
        """Return when no byte of a removed row is left in any file: not in the rows that share a
        file with it, not in the full-text index, not in an older version. Takes the time of
        writing what is affected anew. For the writer alone."""
        with self._lock:
            self._settle(KEEP_NONE)
            for name in self._tables.names():
                rewrite_shared(self._tables, name)
            self._index.anew()
            self._settle(KEEP_NONE)

    def reclaim(self) -> None:
        """Drop every version but the newest and what no version names, when room is short."""
        with self._lock:
            self._settle(KEEP_NONE)

    def _settle(self, keep: timedelta) -> None:
        for name in self._tables.names():
            self._optimize(name, KEEP_ALL)
        self._index.settled()
        self._removed = False
        # What replaces the old files has to be on disk before they go.
        self._durability.sync()
        for name in self._tables.names():
            self._optimize(name, keep)
        self._durability.sync()

    def _pieces(self) -> int:
        """Of the table that lies in the most."""
        statistics = (self._tables.read(name, lambda t: t.stats()) for name in self._tables.names())
        return max((one["fragment_stats"]["num_small_fragments"] for one in statistics), default=0)

    def _optimize(self, name: str, keep: timedelta) -> None:
        # Only when nothing is to be left may files go that no version names: by the lock of the
        # library nobody else is writing, so they are what a killed process left.
        unnamed = keep == KEEP_NONE
        if unnamed:
            time.sleep(2 * KEEP_NONE.total_seconds())
        self._tables.write(
            name,
            lambda table: table.optimize(cleanup_older_than=keep, delete_unverified=unnamed),
        )

    # Checking

    def tally(self) -> Census:
        """What is in every table, read in full."""
        return tally(self._tables)

    def damaged(self) -> list[tuple[str, Path, str]]:
        """Files that are not what was written: (table, file, what is wrong)."""
        with self._lock:
            wrong = self._durability.sums.wrong()
        return [(_table_of(path), path, said) for path, said in wrong]

    def unfound(self) -> str | None:
        """What the full-text index misses; None when it covers every passage."""
        statistics = self._index.statistics()
        count = self._tables.read("words", lambda table: table.count_rows())
        if statistics is None:
            return "there is none"
        known = int(statistics.num_indexed_rows) + int(statistics.num_unindexed_rows)
        if known != count:
            return f"it knows {known:,} of {count:,} passages"
        step = max(1, count // PROBES)
        offsets = list(range(0, count, step))
        fields = ["content", "generation", "ordinal", "text"]
        read = self._tables.read(
            "words", lambda table: table.take_offsets(offsets).select(fields).to_list()
        )
        for row in read:
            asked = " ".join(tokens(row["text"])[:PROBE_TOKENS])
            found = self.search_words(asked, 10_000, contents=[row["content"]], phrase=True)
            here = (row["generation"], row["ordinal"])
            if asked and here not in {(one.generation, one.ordinal) for one in found}:
                return "a passage is not found by its own words"
        return None

    def mend(self, name: str, whole: Collection[str]) -> Path:
        """Make a table anew from those of its rows that can be read and belong to one of these
        generations; the damaged one is set aside. Where it lies then."""
        import pyarrow as pa

        kept = frozenset(whole)

        def fill(fresh: Any) -> None:
            for rows in readable(self._tables, name, lambda why: None):
                if not rows.schema.equals(schema):  # the names of its columns are what is damaged
                    continue
                here = pa.array([g in kept for g in rows["generation"].to_pylist()], pa.bool_())
                if (good := rows.filter(here)).num_rows:
                    fresh.add(good)
            if name == "words":
                self._index.begin(fresh)
            self._durability.sync()

        with self._lock:
            schema = self._schema(name)
            aside = self._tables.replace(name, schema, fill if schema is not None else None)
            if name != "words" and self._tables.exist(name) and not self._tables[name].count_rows():
                self._tables.replace(name, schema, None)  # what its vectors' length was is doubtful
            self._durability.forget(self._tables.path(name))
            self._matrices.forget(name)
            self._durability.sync()
            return aside

    def index_anew(self) -> None:
        """Make the full-text index anew."""
        with self._lock:
            self._index.anew()
            self._durability.sync()

    def _replace_dead(self) -> None:
        for name in self._tables.names():
            try:
                self._tables[name]
            except StoreError:
                self.mend(name, ())

    def _schema(self, name: str) -> Any | None:
        """None where the table does not tell: the next vectors make a new one."""
        if name == "words":
            return words_schema()
        try:
            return vectors_schema(self._tables[name].schema.field("vector").type.list_size)
        except Exception:  # whatever LanceDB makes of damaged bytes
            return None

    def _create_words(self) -> None:
        self._index.begin(self._tables.make("words", words_schema()))
        self._durability.sync()


def _checked(vector: Float32, dim: int) -> Float32:
    if vector.shape != (dim,) or not np.isfinite(vector).all():
        raise ValueError(f"not a finite vector of {dim} numbers: {vector.shape}")
    return vector.astype(np.float32, copy=False)


def _table_of(file: Path) -> str:
    return next(part for part in file.parts if part.endswith(".lance")).removesuffix(".lance")
