"""What a person chose and no file tells: the watched folders, and what is to stay forgotten."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from indexer.catalog.storage.database import Database


@dataclass(frozen=True, slots=True)
class UserChoices:
    """`roots` as raw paths; `forgotten` are marks, made with the `key`."""

    roots: list[bytes] = field(default_factory=list)
    key: str | None = None
    forgotten: list[str] = field(default_factory=list)


def read_choices(database: Database) -> UserChoices:
    """The choices in a catalog."""
    with database.reading() as db:
        return _choices(db)


def salvage_choices(file: Path) -> UserChoices | None:
    """The choices in a damaged catalog's file; None where they cannot be read."""
    try:
        with closing(sqlite3.connect(file)) as db:
            db.row_factory = sqlite3.Row
            return _choices(db)
    except sqlite3.Error:
        return None


def write_choices(database: Database, choices: UserChoices) -> None:
    """Adds choices to a catalog."""
    with database.writing() as db:
        db.executemany(
            "INSERT OR IGNORE INTO roots(path) VALUES (?)", [(root,) for root in choices.roots]
        )
        if choices.key is not None:
            db.execute("INSERT OR IGNORE INTO notes VALUES ('key', ?)", (choices.key,))
        db.executemany(
            "INSERT OR IGNORE INTO forgotten VALUES (?)", [(mark,) for mark in choices.forgotten]
        )


def _choices(db: sqlite3.Connection) -> UserChoices:
    key = db.execute("SELECT value FROM notes WHERE name = 'key'").fetchone()
    return UserChoices(
        [bytes(row["path"]) for row in db.execute("SELECT path FROM roots ORDER BY id")],
        key["value"] if key else None,
        [row["mark"] for row in db.execute("SELECT mark FROM forgotten ORDER BY mark")],
    )
