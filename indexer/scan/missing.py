"""What a walk did not see: gone, or kept because it may be gone by nobody's wish.

A drive that is not plugged in, a share that is empty for an hour, a sync that went wrong: files
vanish by the hundred without a person having meant it, and everything learned of them would be
lost with them. So a large share of a folder that vanishes at once is held back: hidden from every
search (a path that is not there is never shown), and kept until a person accepts the loss, the
files come back, or the grace is over. What a pattern leaves out is not missing, and goes at once.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from indexer.catalog.roots import below
from indexer.files.mounts import mount_of
from indexer.files.walk import Closed, Way, join

# A loss is large when it is more files than this and more than this share of the folder's.
MANY_FILES = 50
MANY_SHARE = 0.3
# Losses this close to one another count as one: a deletion may come in many events.
AT_ONCE_S = 600.0
GRACE_S = 7 * 86400.0


_SHUT = (
    "permission",
    "Recollect may not open this folder; allow reading it.",
    "Recollect may not open the folder this is in; allow reading it.",
)
_DEEP = (
    "too_deep",
    "This lies deeper than the system lets a path be long; move it further up.",
    "The folder this is in lies deeper than the system lets a path be long; move it further up.",
)
# Why a folder could not be listed: a reason, and a sentence for it and for what is in it. Any
# other error is the moment's, and hides nothing.
CLOSED = {errno.EACCES: _SHUT, errno.EPERM: _SHUT, errno.ENAMETOOLONG: _DEEP}


@dataclass(frozen=True, slots=True)
class Scope:
    """What is looked at: a root and its folder, where in it, its device when it was looked at
    last, and the way there (None: it is left alone)."""

    root: int
    base: bytes
    start: bytes
    deep: bool
    device: int | None
    way: Way | Closed | None


def find_missing(db: sqlite3.Connection, scope: Scope) -> None:
    """Rows of the scope that the walk did not see."""
    low, high = below(scope.start)
    db.execute(
        """INSERT OR IGNORE INTO missing SELECT f.id FROM files f
        WHERE f.root = ? AND f.path >= ? AND f.path < ?
            AND (? OR instr(substr(f.path, ?), x'2f') = 0)
            AND NOT EXISTS (SELECT 1 FROM seen s WHERE s.root = f.root AND s.path = f.path)""",
        (scope.root, low, high, scope.deep, len(low) + 1),
    )
    # the scope may name a file, or a folder that once was one
    db.execute(
        """INSERT OR IGNORE INTO missing SELECT f.id FROM files f WHERE f.root = ? AND f.path = ?
            AND NOT EXISTS (SELECT 1 FROM seen s WHERE s.root = f.root AND s.path = f.path)""",
        (scope.root, scope.start),
    )


def keep_closed(db: sqlite3.Connection, scope: Scope, folder: Closed) -> None:
    """Keeps what lies below a folder that could not be listed, hidden while it may not be read."""
    low, high = below(folder.path)
    inside = (scope.root, low, high)
    db.execute(
        "DELETE FROM missing WHERE id IN "
        "(SELECT id FROM files WHERE root = ? AND path >= ? AND path < ?)",
        inside,
    )
    said = CLOSED.get(folder.error)
    if said is None:
        return
    reason, of_folder, of_file = said
    db.execute(
        """UPDATE files SET state = 'failed', reason = ?, sentence = ?
        WHERE root = ? AND path >= ? AND path < ?""",
        (reason, of_file, *inside),
    )
    db.execute(
        """INSERT INTO files(root, path, size, mtime_ns, ctime_ns, inode, device, state, reason,
            sentence, attempts)
        VALUES (?, ?, -1, 0, 0, 0, 0, 'failed', ?, ?, 1)
        ON CONFLICT(root, path) DO NOTHING""",
        (scope.root, folder.path, reason, of_folder),
    )
    db.execute(
        "DELETE FROM missing WHERE id IN "
        "(SELECT id FROM files WHERE root = ? AND path = ? AND size = -1)",
        (scope.root, folder.path),
    )


def come_back(db: sqlite3.Connection) -> None:
    """Gives files that were held back and are there again the state they had."""
    rows = db.execute(
        """SELECT a.file FROM absent a JOIN files f ON f.id = a.file
        JOIN seen s ON s.root = f.root AND s.path = f.path"""
    ).fetchall()
    back = [(row["file"],) for row in rows]
    db.executemany(
        """UPDATE files SET state = (SELECT CASE a.state WHEN 'reading' THEN 'pending'
            ELSE a.state END FROM absent a WHERE a.file = files.id)
        WHERE id = ? AND state = 'missing'""",
        back,
    )
    db.executemany("DELETE FROM absent WHERE file = ?", back)


def hold_back(db: sqlite3.Connection, scopes: Iterable[Scope], now: float, grace_s: float) -> None:
    """Takes out of `missing` what is not to go yet, and notes since when that is."""
    looked_at = {scope.root: scope for scope in scopes}
    for scope in looked_at.values():
        root = db.execute("SELECT * FROM roots WHERE id = ?", (scope.root,)).fetchone()
        if root is None:
            continue
        if not root["accepted"]:
            _hold_back(db, scope, root, now, grace_s)
    whole = [(scope.root,) for scope in scopes if scope.deep and not scope.start]
    db.executemany("UPDATE roots SET accepted = 0 WHERE id = ? AND accepted = 1", whole)


def _hold_back(
    db: sqlite3.Connection, scope: Scope, root: sqlite3.Row, now: float, grace_s: float
) -> None:
    rows = db.execute(
        """SELECT f.id, f.path, f.device, f.state, a.since FROM missing m
        JOIN files f ON f.id = m.id LEFT JOIN absent a ON a.file = f.id
        WHERE f.root = ? AND f.size >= 0""",
        (scope.root,),
    ).fetchall()
    if not rows:
        return
    unmounted = _unmounted(rows, scope, root["device"])
    rest = [row for row in rows if row["id"] not in unmounted]
    held = [(row, "unmounted") for row in rows if row["id"] in unmounted]
    recent = root["gone"] if abs(now - root["gone_since"]) < AT_ONCE_S else 0
    lost = rest
    if len(rest) + recent > MANY_FILES:
        # what is there and was not seen is left out by a pattern, as somebody wished
        lost = [row for row in rest if not os.path.lexists(join(scope.base, row["path"]))]
    known = db.execute("SELECT count(*) FROM files WHERE root = ?", (scope.root,)).fetchone()[0]
    together = len(lost) + recent
    if together > MANY_FILES and together > MANY_SHARE * (known + recent):
        held += [
            (row, "many") for row in lost if row["since"] is None or now - row["since"] < grace_s
        ]
    elif lost:
        since = root["gone_since"] if recent else now
        db.execute(
            "UPDATE roots SET gone = ?, gone_since = ? WHERE id = ?",
            (together, since, scope.root),
        )
    db.executemany(
        """INSERT INTO absent(file, since, state, why) VALUES (?, ?, ?, ?)
        ON CONFLICT(file) DO UPDATE SET why = excluded.why""",
        [(row["id"], now, row["state"], why) for row, why in held],
    )
    ids = [(row["id"],) for row, _ in held]
    db.executemany("UPDATE files SET state = 'missing' WHERE id = ?", ids)
    db.executemany("DELETE FROM missing WHERE id = ?", ids)


def _unmounted(rows: Collection[sqlite3.Row], scope: Scope, device: int | None) -> set[int]:
    """Those that lay on another drive than the folder itself, where that drive is not any more."""
    elsewhere = [row for row in rows if row["device"] != scope.device]
    if not elsewhere:
        return set()
    under = mount_of(Path(os.fsdecode(scope.base)))
    if under is not None and under.type == "overlay":
        return set()  # its files have devices of their own, whatever is mounted
    devices: dict[bytes, int | None] = {}

    def device_at(folder: bytes) -> int | None:
        if folder not in devices:
            try:
                devices[folder] = os.lstat(join(scope.base, folder)).st_dev
            except OSError:
                devices[folder] = device_at(folder.rpartition(b"/")[0]) if folder else None
        return devices[folder]

    return {row["id"] for row in elsewhere if device_at(row["path"].rpartition(b"/")[0]) == device}
