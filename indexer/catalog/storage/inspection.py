"""A catalog's file looked at without opening it as a catalog: whether it is whole, and its rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from indexer.catalog.storage.errors import CatalogDamagedError


@contextmanager
def inspecting(file: Path) -> Iterator[sqlite3.Connection]:
    """A connection that cannot write and does not look at the version of the tables. Raises
    CatalogDamagedError for whatever SQLite says of the file."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as db:
            db.row_factory = sqlite3.Row
            yield db
    except sqlite3.DatabaseError as problem:
        raise CatalogDamagedError(file, problem) from problem


def check_pages(file: Path) -> None:
    """Raises CatalogDamagedError when the pages of the file are not whole."""
    with inspecting(file) as db:
        result = str(db.execute("PRAGMA quick_check").fetchone()[0])
    if result != "ok":
        raise CatalogDamagedError(file, result)


def is_damaged(file: Path) -> bool:
    """Whether the pages of the file are not whole, after its journal was played back; false of one
    that cannot be opened."""
    try:
        with closing(sqlite3.connect(file)) as db:
            row = db.execute("PRAGMA quick_check(1)").fetchone()
            return row is None or row[0] != "ok"
    except sqlite3.OperationalError:
        return False
    except sqlite3.DatabaseError:
        return True
