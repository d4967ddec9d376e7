"""The tree against the catalog: what was added, changed, moved, and what is gone.

This is what makes the index right; everything that watches only makes it quick. A walk fills a
temporary table, and a handful of set operations in one transaction bring the catalog level with
it, so fifty thousand renamed files cost a second and no file is read here. Nothing is ever
written to a watched folder.
"""

# Values are always bound; what is put into SQL by name are conditions of this file alone.
# ruff: noqa: S608

from __future__ import annotations

import os
import sqlite3
import stat
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from indexer.catalog.catalog import Catalog
from indexer.catalog.roots import is_reachable, relative
from indexer.files.excludes import excluded_file, excluded_way
from indexer.files.mounts import pseudo_devices
from indexer.files.walk import Bounds, Closed, Seen, Stat, Way, join, walk, way_into
from indexer.scan.missing import GRACE_S, Scope, come_back, find_missing, hold_back, keep_closed
from indexer.types.changes import Changes, Hint

# A file that is written without end (a log) is read after this long all the same.
PATIENCE_S = 30.0
BATCH = 2000


def reconcile(
    catalog: Catalog,
    hints: Collection[Hint] | None = None,
    *,
    settle_s: float = 0.0,
    grace_s: float = GRACE_S,
    apart: Collection[Path] = (),
    entering: Callable[[bytes], None] | None = None,
) -> Changes:
    """Brings the catalog level with the disk, everywhere or where the hints point.

    A root that is missing, emptied or replaced goes offline and keeps its rows; when many files
    vanish at once, they are hidden and kept for `grace_s`, or until a person accepts it. A file
    changed less than `settle_s` ago waits until it has been quiet that long. Files of kinds we
    are known not to read are not counted. Nothing in the folders `apart` is looked at, and what is
    known of them stays; `entering` is told each absolute folder before it is listed."""
    data = catalog.file.parent.stat()
    bounds = Bounds(
        own=(data.st_dev, data.st_ino),
        pseudo=pseudo_devices(),
        apart=frozenset(os.fsencode(folder) for folder in apart),
        entering=entering,
    )
    with catalog.database.reading() as db:
        roots = db.execute("SELECT * FROM roots").fetchall()
    wanted = [root for root in roots if not _is_apart(root["path"], bounds)]
    if hints is not None:
        wanted = [root for root in wanted if _is_hinted(root["path"], hints)]
    online = [root for root in wanted if is_reachable(catalog.database, root, grace_s)]
    scopes = list(_scopes(online, hints, bounds))
    if not scopes:
        return Changes()
    with catalog.database.reading() as db:
        db.executescript(SEEN)
        closed = _fill(db, scopes, bounds)
        with catalog.database.transaction(db):
            changes = _level(db, scopes, closed, settle_s, grace_s)
        db.executescript(EMPTY)
    return changes


def _is_apart(path: bytes, bounds: Bounds) -> bool:
    return any(relative(apart, path) is not None for apart in bounds.apart)


def _is_hinted(path: bytes, hints: Iterable[Hint]) -> bool:
    raw = (os.fsencode(hint.path) for hint in hints)
    return any(relative(path, one) is not None or relative(one, path) is not None for one in raw)


def _scopes(
    roots: Iterable[sqlite3.Row], hints: Collection[Hint] | None, bounds: Bounds
) -> Iterator[Scope]:
    for root in roots:
        everything = Scope(root["id"], root["path"], b"", True, root["device"], Way())
        if hints is None:
            yield everything
            continue
        for hint in hints:
            raw = os.fsencode(hint.path)
            start = relative(root["path"], raw)
            if start is None or not start:
                if hint.deep and (start is not None or relative(raw, root["path"]) is not None):
                    yield everything
                elif start is not None:
                    yield replace(everything, deep=False)
            elif not excluded_way(start) and not _is_apart(raw, bounds):
                way = way_into(root["path"], start, bounds)
                yield replace(everything, start=start, deep=hint.deep, way=way)


SEEN = """
CREATE TEMP TABLE IF NOT EXISTS seen(root INTEGER, path BLOB, size INTEGER, mtime_ns INTEGER,
    ctime_ns INTEGER, inode INTEGER, device INTEGER, PRIMARY KEY(root, path)) WITHOUT ROWID;
CREATE TEMP TABLE IF NOT EXISTS missing(id INTEGER PRIMARY KEY);
"""
EMPTY = "DELETE FROM seen; DELETE FROM missing;"


def _fill(
    db: sqlite3.Connection, scopes: Iterable[Scope], bounds: Bounds
) -> list[tuple[Scope, Closed]]:
    """Walks the scopes into `seen`; returns the folders that could not be listed."""
    db.executescript(EMPTY)
    closed: list[tuple[Scope, Closed]] = []

    def rows() -> Iterator[tuple[int | bytes, ...]]:
        for scope in scopes:
            if isinstance(scope.way, Closed):
                closed.append((scope, scope.way))
            elif scope.way is None:
                continue  # left alone: what is known below it is left out from now on
            elif (file := _file_at(scope)) is not None:
                yield (scope.root, scope.start, *_columns(file))
            else:
                for found in walk(scope.base, scope.start, scope.deep, bounds, scope.way):
                    if isinstance(found, Seen):
                        yield (scope.root, found.path, *_columns(found.stat))
                    else:
                        closed.append((scope, found))

    ahead = rows()
    while batch := list(islice(ahead, BATCH)):
        db.execute("BEGIN")  # only the temporary table is written: nobody else waits
        db.executemany("INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?, ?, ?, ?)", batch)
        db.execute("COMMIT")
    return closed


def _file_at(scope: Scope) -> Stat | None:
    """The file a scope names, when it names one that is read."""
    if not scope.start or excluded_file(scope.start.rpartition(b"/")[2]):
        return None
    path = join(scope.base, scope.start)
    try:
        found = os.lstat(path)
    except OSError:
        return None
    if not stat.S_ISREG(found.st_mode) or not _is_its_name(path, found):
        return None
    return Stat.of(found)


def _is_its_name(path: bytes, found: os.stat_result) -> bool:
    """Whether the file has this very name. Where upper and lower case are one, it is also found
    by a name it no longer has; only the listing tells."""
    folder, _, name = path.rpartition(b"/")
    other = os.fsencode(os.fsdecode(name).swapcase())
    if other == name:
        return True
    try:
        twin = os.lstat(folder + b"/" + other)
    except OSError:
        return True
    if (twin.st_dev, twin.st_ino) != (found.st_dev, found.st_ino):
        return True
    with os.scandir(folder or b"/") as entries:
        return any(entry.name == name for entry in entries)


def _columns(found: Stat) -> tuple[int, ...]:
    return (found.size, found.mtime_ns, found.ctime_ns, found.inode, found.device)


# A file is the same when these are; the device's number may change with every plugging in.
CHANGED = """s.size != f.size OR s.mtime_ns != f.mtime_ns OR s.ctime_ns != f.ctime_ns
    OR s.inode != f.inode"""
# Quiet since the later of its two times, but never waiting longer than from now on.
DUE = "min(max(s.mtime_ns, s.ctime_ns) / 1e9, :now) + :settle"


def _level(
    db: sqlite3.Connection,
    scopes: Collection[Scope],
    closed: Iterable[tuple[Scope, Closed]],
    settle_s: float,
    grace_s: float,
) -> Changes:
    clock: dict[str, float] = {
        "now": time.time(),
        "settle": settle_s,
        "patience": PATIENCE_S if settle_s else 0.0,
    }
    for scope in scopes:
        find_missing(db, scope)
    for scope, folder in closed:
        keep_closed(db, scope, folder)
    renamed = _renamed_roots(db)
    moved = _move(db)
    come_back(db)
    hold_back(db, scopes, clock["now"], grace_s)
    changed = db.execute(
        f"""SELECT count(*) FROM files f JOIN seen s ON s.root = f.root AND s.path = f.path
        WHERE f.state != 'skipped' AND ({CHANGED})"""
    ).fetchone()[0]
    db.execute(
        f"""UPDATE files AS f SET size = s.size, mtime_ns = s.mtime_ns, ctime_ns = s.ctime_ns,
            inode = s.inode, device = s.device, state = 'pending', attempts = 0,
            reason = NULL, sentence = NULL,
            pending_since = CASE WHEN f.state = 'pending' THEN f.pending_since ELSE :now END,
            due_at = min({DUE}, CASE WHEN f.state = 'pending' THEN f.pending_since ELSE :now END
                + :patience)
        FROM seen s WHERE s.root = f.root AND s.path = f.path AND ({CHANGED})""",
        clock,
    )
    db.execute(
        """UPDATE files AS f SET device = s.device
        FROM seen s WHERE s.root = f.root AND s.path = f.path AND s.device != f.device"""
    )
    _forgive(db)
    added = db.execute(
        f"""INSERT INTO files(root, path, size, mtime_ns, ctime_ns, inode, device, kind,
            pending_since, due_at)
        SELECT s.root, s.path, s.size, s.mtime_ns, s.ctime_ns, s.inode, s.device,
            guess_kind(s.path), :now, {DUE}
        FROM seen s WHERE NOT EXISTS (
            SELECT 1 FROM files f WHERE f.root = s.root AND f.path = s.path)
        ORDER BY s.root, s.path""",
        clock,
    ).rowcount
    db.execute(
        """INSERT INTO lost(content) SELECT f.content FROM files f JOIN missing USING (id)
        WHERE f.content IS NOT NULL"""
    )
    gone = db.execute(
        "SELECT count(*) FROM files JOIN missing USING (id) WHERE size >= 0 AND state != 'skipped'"
    ).fetchone()[0]
    db.execute("DELETE FROM files WHERE id IN (SELECT id FROM missing)")
    return Changes(added, changed, moved + renamed, gone)


def _renamed_roots(db: sqlite3.Connection) -> int:
    """How many files were found again in a root that has a new name."""
    count = db.execute(
        """SELECT count(*) FROM roots r JOIN seen s ON s.root = r.id
        JOIN files f ON f.root = s.root AND f.path = s.path
        WHERE r.renamed = 1 AND f.state != 'skipped'"""
    ).fetchone()[0]
    db.execute("UPDATE roots SET renamed = 0 WHERE id IN (SELECT root FROM seen)")
    return int(count)


def _move(db: sqlite3.Connection) -> int:
    """Gives rows whose path is gone the new path of the same inode, size and time."""
    found = db.execute(
        """SELECT f.id, f.root, f.path, f.state, r.path AS base, m.id IS NOT NULL AS missing,
            s.root AS to_root, s.path AS to_path, s.ctime_ns
        FROM seen s JOIN files f ON f.inode = s.inode AND f.device = s.device
            AND f.size = s.size AND f.mtime_ns = s.mtime_ns
        JOIN roots r ON r.id = f.root LEFT JOIN missing m ON m.id = f.id
        WHERE NOT EXISTS (SELECT 1 FROM files k WHERE k.root = s.root AND k.path = s.path)
            AND NOT EXISTS (SELECT 1 FROM seen t WHERE t.root = f.root AND t.path = f.path)
        ORDER BY s.root, s.path, f.id"""
    ).fetchall()
    used: set[int] = set()
    taken: set[tuple[int, bytes]] = set()
    moves: list[tuple[int, bytes, int, int]] = []
    for row in found:
        to = (row["to_root"], row["to_path"])
        if row["id"] in used or to in taken:
            continue
        if row["missing"] or not os.path.lexists(join(row["base"], row["path"])):
            used.add(row["id"])
            taken.add(to)
            moves.append((*to, row["ctime_ns"], row["id"]))
    db.executemany("UPDATE files SET root = ?, path = ?, ctime_ns = ? WHERE id = ?", moves)
    db.executemany("DELETE FROM missing WHERE id = ?", [(i,) for i in used])
    # a root that is not there and has nothing left to remember has moved elsewhere as a whole
    for root in {row["root"] for row in found if row["id"] in used}:
        db.execute(
            """DELETE FROM roots WHERE id = ? AND offline = 1
            AND NOT EXISTS (SELECT 1 FROM files WHERE files.root = roots.id)""",
            (root,),
        )
    return sum(
        row["state"] != "skipped"
        for row in {r["id"]: r for r in found}.values()
        if row["id"] in used
    )


def _forgive(db: sqlite3.Connection) -> None:
    """Takes up again what failed for a reason that has passed by itself."""
    rows = db.execute(
        """SELECT f.id, f.path, r.path AS base FROM seen s
        JOIN files f ON f.root = s.root AND f.path = s.path JOIN roots r ON r.id = f.root
        WHERE f.state = 'failed' AND f.reason = 'permission'"""
    ).fetchall()
    readable = [(r["id"],) for r in rows if os.access(join(r["base"], r["path"]), os.R_OK)]
    db.executemany(
        """UPDATE files SET state = 'pending', attempts = 0, due_at = 0, reason = NULL,
        sentence = NULL WHERE id = ?""",
        readable,
    )
