"""Erasure: deleted rows are removed from the files that still hold their bytes.

LanceDB deletes by a list of rows to skip; the bytes stay where they are until a file is written
again, which compaction does only where a tenth of it is deleted. The rows that share a file with a
deleted one are therefore written again, in one commit, and the old file goes with its version.
"""

from __future__ import annotations

import functools
from typing import Any

from indexer.vectors.tables import StoreError, Tables

# A row's id is the number of its file (Lance: fragment) and its place in it.
FILE_BITS = 32


def rewrite_shared(tables: Tables, name: str) -> int:
    """Writes the rows again that share a file with a deleted row; returns the number of files. Only
    the newest version may be left, so that all lists of deleted rows on disk are in use."""
    shared = set()
    for file in (tables.path(name) / "_deletions").glob("*-*"):
        fragment = file.name.partition("-")[0]
        if not fragment.isdecimal():
            raise StoreError(f"{file} was not written by a LanceDB that Recollect knows.")
        shared.add(int(fragment))
    for number in sorted(shared):
        tables.write(name, functools.partial(_rewrite, number=number))
    return len(shared)


def _rewrite(table: Any, number: int) -> None:
    before, version = table.count_rows(), table.version
    first, end = number << FILE_BITS, (number + 1) << FILE_BITS
    # numbers only: no text of a person is part of this filter
    table.update(where=f"_rowid >= {first} AND _rowid < {end}", values_sql={"ordinal": "ordinal"})
    if table.count_rows() != before:
        table.restore(version)
        raise StoreError(f"Rewriting the table {table.name} lost rows; it was left as it was.")
