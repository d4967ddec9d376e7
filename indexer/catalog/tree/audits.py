"""Files whose bytes are to be compared again with what was read of them, and what came of that."""

# Values are always bound; what is put into SQL by name are states of our own.
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from sqlite3 import Row

from indexer.catalog.states import file_states
from indexer.catalog.storage.database import Database
from indexer.files.paths import join
from indexer.files.walk import Stat
from indexer.types.states import FileState

_KNOWN = f"""SELECT f.id, f.path, f.content, f.size, f.mtime_ns, f.ctime_ns, f.inode, f.device,
    r.path AS base FROM files f JOIN roots r ON r.id = f.root
    WHERE r.offline = 0 AND f.state = '{FileState.KNOWN}'"""


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file that has been read: its absolute path as raw bytes, and what it was then."""

    id: int
    path: bytes
    content: str
    stat: Stat


def known_files(database: Database) -> list[KnownFile]:
    """Every file that has been read and is there now."""
    with database.reading() as db:
        return [_known_file(row) for row in db.execute(_KNOWN)]


def due_files(database: Database, audited_before: float, limit: int) -> list[KnownFile]:
    """Files whose bytes were last compared before then (unix s), the longest ago first."""
    with database.reading() as db:
        rows = db.execute(
            f"{_KNOWN} AND f.audited_at <= ? ORDER BY f.audited_at LIMIT ?",
            (audited_before, limit),
        )
        return [_known_file(row) for row in rows]


def finish_audit(
    database: Database, same: Iterable[KnownFile], changed: Iterable[KnownFile], now: float
) -> None:
    """The same files were compared just now (unix s); the changed ones are read again, unless they
    were meanwhile."""
    with database.writing() as db:
        db.executemany(
            "UPDATE files SET audited_at = ? WHERE id = ?", [(now, file.id) for file in same]
        )
        unread = [
            file.id
            for file in changed
            if db.execute(
                "SELECT 1 FROM files WHERE id = ? AND content = ?", (file.id, file.content)
            ).fetchone()
        ]
        file_states.reread_files(db, unread)


def _known_file(row: Row) -> KnownFile:
    stat = Stat(*(row[name] for name in Stat.__slots__))
    return KnownFile(row["id"], join(row["base"], row["path"]), row["content"], stat)
