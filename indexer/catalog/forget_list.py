"""What a person wants forgotten: gone from the catalog at once, and not read again.

The catalog keeps keyed hashes of the paths and of the content, which tell neither; by them a later
look at the tree skips the file, whatever it is called by then. `Housekeeping.erase` takes the bytes
out of every file of the data directory.
"""

# Values are always bound; what is put into SQL by name are conditions of our own.
# ruff: noqa: S608

from __future__ import annotations

import os
import secrets
import sqlite3
from pathlib import Path

from indexer.catalog.conditions import locate, reached
from indexer.catalog.contents.content_rows import discard_generations
from indexer.catalog.contents.garbage import note_erasing
from indexer.catalog.requeue import reread_contents
from indexer.catalog.storage.database import Database
from indexer.catalog.storage.sql_functions import content_mark, path_mark
from indexer.files.paths import join


class ForgetList:
    """What is to stay forgotten in one library. Threads may share it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def holds(self, content: str) -> bool:
        """Whether a content is to stay forgotten."""
        key = self._database.note("key")
        if key is None:
            return False
        with self._database.reading() as db:
            return _is_marked(db, content_mark(key, content))

    def holds_path(self, path: Path) -> bool:
        """Whether a file at an absolute path is to stay forgotten."""
        key = self._database.note("key")
        if key is None:
            return False
        with self._database.reading() as db:
            marks = (path_mark(key, b"", raw.lstrip(b"/")) for raw in _spellings(path))
            return any(_is_marked(db, mark) for mark in marks)

    def add_content(self, content: str) -> list[Path]:
        """Forgets a content wherever it lies, with what lies in it and nowhere else; returns the
        paths it had. The mails it was attached to stay."""
        with self._database.writing() as db:
            rows = db.execute(f"{FILES} WHERE f.content = ?", (content,)).fetchall()
            mark = content_mark(_key(db), content)
            _mark(db, mark)
            for row in rows:
                _drop_file(db, row)
            members = _members(db, content)
            _drop_marked(db, content, mark)
            for member in members:
                if not _is_reached(db, member):
                    _drop_content(db, member)
            note_erasing(db)
        return [_path(row) for row in rows]

    def add_path(self, path: Path) -> list[Path]:
        """Forgets one file, and its content with every other path it has; returns these, [] for a
        file that is not in the library."""
        with self._database.reading() as db:
            rows = [
                row
                for root, inside in locate(db, path)
                for row in db.execute(
                    f"{FILES} WHERE f.root = ? AND f.path = ?", (root, inside)
                ).fetchall()
            ]
        forgotten: list[Path] = []
        for row in rows:
            if row["content"] is not None:
                forgotten += self.add_content(row["content"])
            else:
                with self._database.writing() as db:
                    _drop_file(db, row)
                    note_erasing(db)
                forgotten.append(_path(row))
        return forgotten

    def add_file(self, db: sqlite3.Connection, file: int) -> None:
        """Forgets the path of a file whose content is to stay forgotten."""
        for row in db.execute(f"{FILES} WHERE f.id = ?", (file,)).fetchall():
            _drop_file(db, row)
            note_erasing(db)

    def drop_reread(self) -> None:
        """Drops what was read of a content while it was being forgotten."""
        with self._database.writing() as db:
            key = db.execute("SELECT value FROM notes WHERE name = 'key'").fetchone()
            if key is None:
                return
            orphans = db.execute(
                """SELECT content FROM contents c WHERE NOT EXISTS
                    (SELECT 1 FROM files f WHERE f.content = c.content)"""
            ).fetchall()
            for row in orphans:
                mark = content_mark(key["value"], row["content"])
                if _is_marked(db, mark):
                    _drop_marked(db, row["content"], mark)

    def remember(self, path: Path | None, content: str | None) -> int:
        """Takes back that a file of this content, with what lies in it (or, for None, anything) is
        to stay forgotten; returns how many marks were deleted. The next look finds it."""
        with self._database.writing() as db:
            if path is None:
                count = db.execute("DELETE FROM forgotten").rowcount
            else:
                key = _key(db)
                marks = {path_mark(key, b"", raw.lstrip(b"/")) for raw in _spellings(path)}
                if content is not None:
                    marks.add(content_mark(key, content))
                    rows = db.execute("SELECT mark FROM members WHERE container = ?", (content,))
                    marks |= {row["mark"] for row in rows if row["mark"] is not None}
                count = sum(
                    db.execute("DELETE FROM forgotten WHERE mark = ?", (mark,)).rowcount
                    for mark in marks
                )
            rows = db.execute(
                """SELECT DISTINCT container FROM members WHERE mark IS NOT NULL
                AND mark NOT IN (SELECT mark FROM forgotten)"""
            )
            reread_contents(db, [row["container"] for row in rows.fetchall()])
            return count


FILES = """SELECT f.id, f.path, f.content, r.path AS root FROM files f
    JOIN roots r ON r.id = f.root"""


def _members(db: sqlite3.Connection, content: str) -> list[str]:
    rows = db.execute(
        "SELECT DISTINCT content FROM members WHERE container = ? AND content IS NOT NULL",
        (content,),
    )
    return [row["content"] for row in rows]


def _is_reached(db: sqlite3.Connection, content: str) -> bool:
    query = f"SELECT 1 FROM contents c WHERE content = ? AND {reached('1')}"
    return db.execute(query, (content,)).fetchone() is not None


def _drop_marked(db: sqlite3.Connection, content: str, mark: str) -> None:
    """Drops a content, and its name where it lies in others."""
    db.execute("UPDATE members SET name = '', mark = ? WHERE content = ?", (mark, content))
    _drop_content(db, content)


def _drop_content(db: sqlite3.Connection, content: str) -> None:
    discard_generations(db, content)
    db.execute("DELETE FROM lost WHERE content = ?", (content,))
    db.execute("DELETE FROM contents WHERE content = ?", (content,))


def _drop_file(db: sqlite3.Connection, row: sqlite3.Row) -> None:
    _mark(db, path_mark(_key(db), row["root"], row["path"]))
    db.execute("DELETE FROM files WHERE id = ?", (row["id"],))


def _mark(db: sqlite3.Connection, mark: str) -> None:
    db.execute("INSERT OR IGNORE INTO forgotten VALUES (?)", (mark,))


def _is_marked(db: sqlite3.Connection, mark: str) -> bool:
    return db.execute("SELECT 1 FROM forgotten WHERE mark = ?", (mark,)).fetchone() is not None


def _key(db: sqlite3.Connection) -> str:
    db.execute("INSERT OR IGNORE INTO notes VALUES ('key', ?)", (secrets.token_hex(32),))
    return str(db.execute("SELECT value FROM notes WHERE name = 'key'").fetchone()["value"])


def _spellings(path: Path) -> set[bytes]:
    """A path as it was given, and with the links of its folder resolved."""
    return {os.fsencode(path.absolute()), os.fsencode(path.absolute().parent.resolve() / path.name)}


def _path(row: sqlite3.Row) -> Path:
    return Path(os.fsdecode(join(row["root"], row["path"])))
