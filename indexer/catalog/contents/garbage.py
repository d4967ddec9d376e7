"""What nothing points at any more: contents without a path, and generations to be removed."""

# Values are always bound; what is put into SQL by name are columns of this file alone.
# ruff: noqa: S608

from __future__ import annotations

import time
from collections.abc import Iterable
from sqlite3 import Connection

from indexer.catalog.conditions import reached
from indexer.catalog.contents.content_rows import GENERATIONS
from indexer.catalog.storage.database import Database

ERASING = "erasing"  # the note that something forgotten waits to be erased for good


class Garbage:
    """Collects garbage in the catalog, and lists that of the store; by the library's writer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def drop_orphans(self) -> int:
        """Forgets contents that no path leads to; their generations go to the trash. Returns how
        many contents."""
        with self._database.writing() as db:
            db.execute("DELETE FROM lost")
            for column in GENERATIONS:
                db.execute(
                    f"""INSERT OR IGNORE INTO trash SELECT {column} FROM contents c
                    WHERE {column} IS NOT NULL AND NOT {reached("1")}"""
                )
            dropped = db.execute(f"DELETE FROM contents AS c WHERE NOT {reached('1')}").rowcount
            if dropped:
                note_erasing(db)
            return dropped

    def erasure(self) -> str | None:
        """A mark while something that was forgotten waits to be erased for good, which changes with
        each such thing; else None."""
        return self._database.note(ERASING)

    def finish_erasure(self, mark: str | None) -> None:
        """Nothing is left of what was forgotten, unless more was since `mark` was given."""
        with self._database.writing() as db:
            db.execute("DELETE FROM notes WHERE name = ? AND value = ?", (ERASING, mark))

    def trash(self) -> list[str]:
        """Generations to be removed from the store."""
        with self._database.reading() as db:
            return [row["generation"] for row in db.execute("SELECT generation FROM trash")]

    def empty_trash(self, generations: Iterable[str]) -> None:
        """Takes generations off the trash list that were removed from the store."""
        with self._database.writing() as db:
            db.executemany(
                "DELETE FROM trash WHERE generation = ?",
                [(generation,) for generation in generations],
            )

    def referenced(self) -> set[str]:
        """Every generation that a content points at."""
        with self._database.reading() as db:
            rows = db.execute(
                """SELECT read_generation AS generation FROM contents UNION
                SELECT understood_generation FROM contents"""
            )
            return {row["generation"] for row in rows if row["generation"]}


def note_erasing(db: Connection) -> None:
    """Something was forgotten: its bytes have to leave every file."""
    db.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", (ERASING, repr(time.time())))
