"""Files that were seen under a new path: their rows are given it, and nothing is read again."""

# Values are always bound; what is put into SQL by name are states of our own.
# ruff: noqa: S608

from __future__ import annotations

import os
from collections.abc import Iterable
from sqlite3 import Connection

from indexer.files.paths import join
from indexer.types.states import FileState


def count_in_renamed_roots(db: Connection) -> int:
    """How many files were found again in roots that have a new name; from now on they have had it
    always."""
    row = db.execute(
        f"""SELECT count(*) FROM roots r JOIN seen s ON s.root = r.id
        JOIN files f ON f.root = s.root AND f.path = s.path
        WHERE r.renamed = 1 AND f.state != '{FileState.SKIPPED}'"""
    ).fetchone()
    db.execute("UPDATE roots SET renamed = 0 WHERE id IN (SELECT root FROM seen)")
    return int(row[0])


def move_files(db: Connection) -> int:
    """Gives rows whose path is gone the new path of the same inode, size and time; returns how
    many files have moved, without skipped ones."""
    candidates = db.execute(
        """SELECT f.id, f.root, f.path, f.state, r.path AS base, m.id IS NOT NULL AS missing,
            s.root AS to_root, s.path AS to_path, s.ctime_ns
        FROM seen s JOIN files f ON f.inode = s.inode AND f.device = s.device
            AND f.size = s.size AND f.mtime_ns = s.mtime_ns
        JOIN roots r ON r.id = f.root LEFT JOIN missing m ON m.id = f.id
        WHERE NOT EXISTS (SELECT 1 FROM files k WHERE k.root = s.root AND k.path = s.path)
            AND NOT EXISTS (SELECT 1 FROM seen t WHERE t.root = f.root AND t.path = f.path)
        ORDER BY s.root, s.path, f.id"""
    ).fetchall()
    moved: set[int] = set()
    taken: set[tuple[int, bytes]] = set()
    moves: list[tuple[int, bytes, int, int]] = []
    for row in candidates:
        target = (row["to_root"], row["to_path"])
        if row["id"] in moved or target in taken:
            continue
        if row["missing"] or not os.path.lexists(join(row["base"], row["path"])):
            moved.add(row["id"])
            taken.add(target)
            moves.append((*target, row["ctime_ns"], row["id"]))
    db.executemany("UPDATE files SET root = ?, path = ?, ctime_ns = ? WHERE id = ?", moves)
    db.executemany("DELETE FROM missing WHERE id = ?", [(file,) for file in moved])
    by_file = {row["id"]: row for row in candidates if row["id"] in moved}
    _settle_left_roots(db, {row["root"] for row in by_file.values()})
    return sum(row["state"] != FileState.SKIPPED for row in by_file.values())


def _settle_left_roots(db: Connection, roots: Iterable[int]) -> None:
    """Roots whose files have all moved elsewhere, and that looked as if they had lost them: one
    that is not there has moved as a whole, one that is there is empty and still watched."""
    for root in roots:
        row = db.execute(
            """SELECT path FROM roots WHERE id = ? AND offline = 1
            AND NOT EXISTS (SELECT 1 FROM files WHERE files.root = roots.id)""",
            (root,),
        ).fetchone()
        if row is None:
            continue
        if os.path.lexists(row["path"]):
            db.execute(
                "UPDATE roots SET offline = 0, why = NULL, sentence = NULL, away_since = NULL "
                "WHERE id = ?",
                (root,),
            )
        else:
            db.execute("DELETE FROM roots WHERE id = ?", (root,))
