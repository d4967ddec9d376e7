"""Checks of the tables, and the replacement of a damaged one by its readable rows."""

from __future__ import annotations

import threading
from collections.abc import Collection
from pathlib import Path
from typing import Any

from indexer.vectors.census import readable_rows
from indexer.vectors.durability import Durability
from indexer.vectors.matrix import Matrices
from indexer.vectors.rows import OLD_COLUMN, vectors_schema, words_schema
from indexer.vectors.tables import StoreError, Tables, damage_sentence, is_of_vector_index


class TableRepair:
    """For the writer of the library; `lock` is the one it writes under."""

    def __init__(
        self,
        tables: Tables,
        durability: Durability,
        matrices: Matrices,
        lock: threading.RLock,
    ) -> None:
        self._tables = tables
        self._durability = durability
        self._matrices = matrices
        self._lock = lock

    def damaged_files(self) -> list[tuple[str, Path, str]]:
        """Files that are not what was written: (table, file, what is wrong). Their tables are not
        read in this process any more until they are replaced; an index of vectors is only not used
        any more, and is made anew."""
        with self._lock:
            damaged = []
            for path, fault in self._durability.sums.wrong():
                if is_of_vector_index(path):
                    self._tables.distrust_index(_table_of(path), f"{path.name} {fault}")
                else:
                    damaged.append((_table_of(path), path, fault))
            for table, path, fault in damaged:
                self._tables.refuse(table, damage_sentence(path, fault))
            tables = {table for table, _, _ in damaged}
            damaged += [  # its damaged version was set aside, or replacing it failed half-way
                (name, self._tables.path(name), "was damaged")
                for name in self._tables.names()
                if name not in tables and self._tables.is_refused(name)
            ]
        return damaged

    def check_files(self) -> None:
        """Compares every file of the index with its checksum: a second for each GB. Raises
        StoreError where one is damaged."""
        for _, file, fault in self.damaged_files():
            raise StoreError(f"The index file {file} {fault}.")

    def set_aside_unsynced(self) -> None:
        """Takes back what an ended process committed and had not made durable, tables and versions
        of them; before anything is written. Of such a file any part may be missing or wrong, and no
        checksum tells. Nothing is lost by it: the catalog names what was added only when that is
        durable, and old files go only when those that replace them are. Rows that were removed may
        be there again, which nothing names any more."""
        with self._lock:
            self.set_aside_unsynced_versions()
            self._durability.sync()

    def set_aside_unsynced_versions(self) -> None:
        """The same, before any table is opened; what replaces them is not yet durable."""
        sums = self._durability.sums
        with self._lock:
            for name in self._tables.names():
                if not sums.know(name):
                    self._begin_anew(name)
                elif self._tables.set_aside_unsynced(name, sums.matches):
                    self._matrices.forget(name)

    def _begin_anew(self, name: str) -> None:
        """Sets a table aside for an empty one, or for none: the next vectors make theirs."""
        is_words = name == "words"
        schema = words_schema() if is_words else None
        self._tables.replace(name, schema, (lambda fresh: None) if is_words else None)
        self._tables.admit(name)
        self._matrices.forget(name)

    def replace_table(self, name: str, valid: Collection[str] | None) -> Path:
        """Put a new table in the place of a damaged one, with those of its rows that can be read
        and belong to one of the `valid` generations (None: to any). Returns where the damaged
        one was moved."""
        import pyarrow as pa

        wanted = None if valid is None else frozenset(valid)

        def fill(fresh: Any) -> None:
            for rows in readable_rows(self._tables, name, lambda reason: None):
                if name == "words" and OLD_COLUMN in rows.column_names:
                    rows = rows.drop_columns([OLD_COLUMN])
                if not rows.schema.equals(schema):  # the names of its columns are what is damaged
                    continue
                is_valid = [wanted is None or g in wanted for g in rows["generation"].to_pylist()]
                if (good := rows.filter(pa.array(is_valid, pa.bool_()))).num_rows:
                    fresh.add(good)
            self._durability.sync()

        with self._lock:
            schema = self._schema(name)
            aside = self._tables.replace(name, schema, fill if schema is not None else None)
            self._durability.forget(self._tables.path(name))
            if name != "words" and self._tables.exist(name) and not self._tables[name].count_rows():
                # The length of its vectors is not certain: the next vectors make the table.
                self._tables.replace(name, schema, None)
            self._tables.admit(name)
            self._matrices.forget(name)
            self._durability.sync()
            return aside

    def _schema(self, name: str) -> Any | None:
        """None where the table does not tell."""
        if name == "words":
            return words_schema()
        try:
            if self._tables.is_refused(name):
                _, schema = self._tables.row_process.open(name)
            else:
                schema = self._tables.read(name, lambda table: table.schema)
            return vectors_schema(schema.field("vector").type.list_size)
        except Exception:  # whatever is made of damaged bytes
            return None


def _table_of(file: Path) -> str:
    return next(part for part in file.parts if part.endswith(".lance")).removesuffix(".lance")
