"""The files that one look at the tree saw, compared with those that are known.

They stand in temporary tables of one connection: `seen` has a row for each file that was seen, and
`missing` the numbers of known files that were not.
"""

# Values are always bound; what is put into SQL by name are conditions of our own.
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from sqlite3 import Connection

from indexer.catalog.states.file_states import DUE_AT, IS_CHANGED
from indexer.catalog.storage.database import Database
from indexer.files.walk import Stat
from indexer.types.states import FailureReason, FileState

BATCH = 2000
TABLES = """
CREATE TEMP TABLE IF NOT EXISTS seen(root INTEGER, path BLOB, size INTEGER, mtime_ns INTEGER,
    ctime_ns INTEGER, inode INTEGER, device INTEGER, PRIMARY KEY(root, path)) WITHOUT ROWID;
CREATE TEMP TABLE IF NOT EXISTS missing(id INTEGER PRIMARY KEY);
"""
EMPTY = "DELETE FROM seen; DELETE FROM missing;"


@contextmanager
def sightings(database: Database) -> Iterator[Connection]:
    """A connection with both tables, empty; they are emptied again at the end."""
    with database.reading() as db:
        db.executescript(TABLES + EMPTY)
        yield db
        db.executescript(EMPTY)


def add_sightings(db: Connection, files: Iterable[tuple[int, bytes, Stat]]) -> None:
    """Adds files: their root, their path relative to it, and what was seen of them."""
    rows = (
        (root, path, stat.size, stat.mtime_ns, stat.ctime_ns, stat.inode, stat.device)
        for root, path, stat in files
    )
    while batch := list(islice(rows, BATCH)):
        db.execute("BEGIN")  # only the temporary table is written: nobody else waits
        db.executemany("INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?, ?, ?, ?)", batch)
        db.execute("COMMIT")


def count_changed(db: Connection) -> int:
    """How many known files differ from what was seen of them; skipped ones are not counted."""
    row = db.execute(
        f"""SELECT count(*) FROM files f JOIN seen s ON s.root = f.root AND s.path = f.path
        WHERE f.state != '{FileState.SKIPPED}' AND ({IS_CHANGED})"""
    ).fetchone()
    return int(row[0])


def note_devices(db: Connection) -> None:
    """Writes down the devices of files that are the same but for that."""
    db.execute(
        """UPDATE files AS f SET device = s.device
        FROM seen s WHERE s.root = f.root AND s.path = f.path AND s.device != f.device"""
    )


def unpermitted_files(db: Connection) -> list[tuple[int, bytes, bytes]]:
    """Files that were seen and failed because they may not be opened: their number, and their root
    and path as raw bytes."""
    rows = db.execute(
        f"""SELECT f.id, f.path, r.path AS base FROM seen s
        JOIN files f ON f.root = s.root AND f.path = s.path JOIN roots r ON r.id = f.root
        WHERE f.state = '{FileState.FAILED}' AND f.reason = '{FailureReason.PERMISSION}'"""
    )
    return [(row["id"], row["base"], row["path"]) for row in rows]


def add_new_files(db: Connection, now: float, settle_s: float) -> int:
    """Adds files that were seen and are not known, to be read once they have been quiet for
    `settle_s`; returns how many. One that is to stay forgotten is not added."""
    return db.execute(
        f"""INSERT INTO files(root, path, size, mtime_ns, ctime_ns, inode, device, kind,
            pending_since, due_at)
        SELECT s.root, s.path, s.size, s.mtime_ns, s.ctime_ns, s.inode, s.device,
            guess_kind(s.path), :now, {DUE_AT}
        FROM seen s WHERE NOT EXISTS (
            SELECT 1 FROM files f WHERE f.root = s.root AND f.path = s.path)
        ORDER BY s.root, s.path""",
        {"now": now, "settle": settle_s},
    ).rowcount


def delete_missing(db: Connection) -> int:
    """Deletes the missing files; returns how many, without skipped ones and folders. Their
    contents are `lost` until the same bytes turn up elsewhere."""
    db.execute(
        """INSERT INTO lost(content) SELECT f.content FROM files f JOIN missing USING (id)
        WHERE f.content IS NOT NULL"""
    )
    row = db.execute(
        f"""SELECT count(*) FROM files JOIN missing USING (id)
        WHERE size >= 0 AND state != '{FileState.SKIPPED}'"""
    ).fetchone()
    db.execute("DELETE FROM files WHERE id IN (SELECT id FROM missing)")
    return int(row[0])
