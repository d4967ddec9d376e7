"""Checks of the tables, and the replacement of a damaged one by its readable rows."""

from __future__ import annotations

import threading
from collections.abc import Collection
from pathlib import Path
from typing import Any

from indexer.types.tokens import tokens
from indexer.vectors.census import readable_rows
from indexer.vectors.durability import Durability
from indexer.vectors.full_text import FullTextIndex
from indexer.vectors.matrix import Matrices
from indexer.vectors.rows import vectors_schema, words_schema
from indexer.vectors.search import TableSearch
from indexer.vectors.tables import Tables

# The full-text index is checked with so many passages, each by so many of its first tokens.
SAMPLES = 64
SAMPLE_TOKENS = 8


class TableRepair:
    """For the writer of the library; `lock` is the one it writes under."""

    def __init__(
        self,
        tables: Tables,
        search: TableSearch,
        index: FullTextIndex,
        durability: Durability,
        matrices: Matrices,
        lock: threading.RLock,
    ) -> None:
        self._tables = tables
        self._search = search
        self._index = index
        self._durability = durability
        self._matrices = matrices
        self._lock = lock

    def damaged_files(self) -> list[tuple[str, Path, str]]:
        """Files that are not what was written: (table, file, what is wrong)."""
        with self._lock:
            wrong = self._durability.sums.wrong()
        return [(_table_of(path), path, problem) for path, problem in wrong]

    def index_gap(self) -> str | None:
        """What the full-text index misses; None when it covers every passage."""
        statistics = self._index.statistics()
        count = self._tables.read("words", lambda table: table.count_rows())
        if statistics is None:
            return "there is none"
        known = int(statistics.num_indexed_rows) + int(statistics.num_unindexed_rows)
        if known != count:
            return f"it knows {known:,} of {count:,} passages"
        step = max(1, count // SAMPLES)
        offsets = list(range(0, count, step))
        columns = ["content", "generation", "ordinal", "text"]
        rows = self._tables.read(
            "words", lambda table: table.take_offsets(offsets).select(columns).to_list()
        )
        for row in rows:
            query = " ".join(tokens(row["text"])[:SAMPLE_TOKENS])
            matches = self._search.words(query, 10_000, contents=[row["content"]], phrase=True)
            key = (row["generation"], row["ordinal"])
            if query and key not in {(match.generation, match.ordinal) for match in matches}:
                return "a passage is not found by its own words"
        return None

    def replace_table(self, name: str, valid: Collection[str]) -> Path:
        """Put a new table in the place of a damaged one, with those of its rows that can be read
        and belong to one of the `valid` generations. Returns where the damaged one was moved."""
        import pyarrow as pa

        wanted = frozenset(valid)

        def fill(fresh: Any) -> None:
            for rows in readable_rows(self._tables, name, lambda reason: None):
                if not rows.schema.equals(schema):  # the names of its columns are what is damaged
                    continue
                is_valid = [g in wanted for g in rows["generation"].to_pylist()]
                if (good := rows.filter(pa.array(is_valid, pa.bool_()))).num_rows:
                    fresh.add(good)
            if name == "words":
                self._index.create(fresh)
            self._durability.sync()

        with self._lock:
            schema = self._schema(name)
            aside = self._tables.replace(name, schema, fill if schema is not None else None)
            if name != "words" and self._tables.exist(name) and not self._tables[name].count_rows():
                # The length of its vectors is not certain: the next vectors make the table.
                self._tables.replace(name, schema, None)
            self._durability.forget(self._tables.path(name))
            self._matrices.forget(name)
            self._durability.sync()
            return aside

    def rebuild_index(self) -> None:
        """Make the full-text index from nothing."""
        with self._lock:
            self._index.rebuild()
            self._durability.sync()

    def _schema(self, name: str) -> Any | None:
        """None where the table does not tell."""
        if name == "words":
            return words_schema()
        try:
            return vectors_schema(self._tables[name].schema.field("vector").type.list_size)
        except Exception:  # whatever LanceDB makes of damaged bytes
            return None


def _table_of(file: Path) -> str:
    return next(part for part in file.parts if part.endswith(".lance")).removesuffix(".lance")
