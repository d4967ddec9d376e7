"""Known files that a look at the tree did not see: which they are, and which of them are kept."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from sqlite3 import Connection

from indexer.catalog.conditions import below
from indexer.catalog.states import file_states
from indexer.types.states import AbsenceReason, FailureReason


@dataclass(frozen=True, slots=True)
class MissingFile:
    """A known file that was not seen; `path` is relative to its root, `since` when it has been
    missing (unix s) if it was before."""

    id: int
    path: bytes
    device: int
    since: float | None


@dataclass(frozen=True, slots=True)
class RootLosses:
    """What is remembered of a root: its device when it was last there, whether a person `accepted`
    that what is missing is gone, how many `files` it has, and that `gone` others left it since
    `gone_since` (unix s)."""

    device: int | None
    accepted: bool
    files: int
    gone: int
    gone_since: float


def find_missing(db: Connection, root: int, start: bytes, deep: bool) -> None:
    """Notes as missing the files at `start` (relative), below it, or when not `deep` directly in
    it, that were not seen."""
    low, high = below(start)
    db.execute(
        """INSERT OR IGNORE INTO missing SELECT f.id FROM files f
        WHERE f.root = ? AND f.path >= ? AND f.path < ?
            AND (? OR instr(substr(f.path, ?), x'2f') = 0)
            AND NOT EXISTS (SELECT 1 FROM seen s WHERE s.root = f.root AND s.path = f.path)""",
        (root, low, high, deep, len(low) + 1),
    )
    # `start` may be a file, or a folder that once was one
    db.execute(
        """INSERT OR IGNORE INTO missing SELECT f.id FROM files f WHERE f.root = ? AND f.path = ?
            AND NOT EXISTS (SELECT 1 FROM seen s WHERE s.root = f.root AND s.path = f.path)""",
        (root, start),
    )


def keep_below(db: Connection, root: int, folder: bytes) -> None:
    """What lies below a folder that could not be listed is not missing."""
    db.execute(
        "DELETE FROM missing WHERE id IN "
        "(SELECT id FROM files WHERE root = ? AND path >= ? AND path < ?)",
        (root, *below(folder)),
    )


def fail_folder(
    db: Connection, root: int, folder: bytes, reason: FailureReason, *, of_folder: str, of_file: str
) -> None:
    """Hides what lies below a folder that may not be listed, and lists the folder itself as failed,
    each with a sentence of its own."""
    file_states.fail_below(db, root, below(folder), reason, of_file)
    file_states.add_failed_folder(db, root, folder, reason, of_folder)
    db.execute(
        "DELETE FROM missing WHERE id IN "
        "(SELECT id FROM files WHERE root = ? AND path = ? AND size = -1)",
        (root, folder),
    )


def restore_seen(db: Connection) -> None:
    """Gives files that were missing and have been seen again the state they had."""
    rows = db.execute(
        """SELECT a.file FROM absent a JOIN files f ON f.id = a.file
        JOIN seen s ON s.root = f.root AND s.path = f.path"""
    ).fetchall()
    file_states.restore_files(db, [row["file"] for row in rows])


def missing_files(db: Connection, root: int) -> list[MissingFile]:
    """The missing files of a root, without folders."""
    rows = db.execute(
        """SELECT f.id, f.path, f.device, a.since FROM missing m
        JOIN files f ON f.id = m.id LEFT JOIN absent a ON a.file = f.id
        WHERE f.root = ? AND f.size >= 0""",
        (root,),
    )
    return [MissingFile(row["id"], row["path"], row["device"], row["since"]) for row in rows]


def root_losses(db: Connection, root: int) -> RootLosses | None:
    """What is remembered of a root; None when it was removed meanwhile."""
    row = db.execute(
        """SELECT device, accepted, gone, gone_since,
            (SELECT count(*) FROM files WHERE root = roots.id) AS files
        FROM roots WHERE id = ?""",
        (root,),
    ).fetchone()
    if row is None:
        return None
    return RootLosses(
        row["device"], bool(row["accepted"]), row["files"], row["gone"], row["gone_since"]
    )


def note_losses(db: Connection, root: int, gone: int, since: float) -> None:
    """Writes down that so many files have left a root since then (unix s)."""
    db.execute("UPDATE roots SET gone = ?, gone_since = ? WHERE id = ?", (gone, since, root))


def keep_missing(
    db: Connection, files: Collection[tuple[MissingFile, AbsenceReason]], now: float
) -> None:
    """Hides missing files and keeps them, instead of forgetting them."""
    file_states.hide_files(db, [(file.id, reason) for file, reason in files], now)
    db.executemany("DELETE FROM missing WHERE id = ?", [(file.id,) for file, _ in files])


def clear_accepted(db: Connection, roots: Iterable[int]) -> None:
    """A person's word that what is missing is gone has been followed in these roots."""
    db.executemany(
        "UPDATE roots SET accepted = 0 WHERE id = ? AND accepted = 1", [(root,) for root in roots]
    )
