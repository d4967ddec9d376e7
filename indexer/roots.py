"""The watched folders: added, recognised under a new name, collapsed into one another, removed."""

from __future__ import annotations

import errno
import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from indexer.database import Database
from indexer.excludes import excluded_way
from indexer.tree import join


@dataclass(frozen=True, slots=True)
class Root:
    """A watched folder and how many files of it are remembered. When `offline`, they are hidden
    and kept, and `sentence` says what is wrong."""

    id: int
    path: Path
    offline: bool
    files: int
    sentence: str | None = None


class FolderProblem(Exception):
    """A folder cannot be watched; the message says why and what to do about it."""


def all_roots(db: sqlite3.Connection) -> list[Root]:
    """Every root, in the order they were added."""
    found = db.execute(
        """SELECT r.*, (SELECT count(*) FROM files f WHERE f.root = r.id) AS files
        FROM roots r ORDER BY r.id"""
    )
    return [
        Root(r["id"], _path(r["path"]), bool(r["offline"]), r["files"], r["sentence"])
        for r in found
    ]


def add_root(database: Database, path: Path) -> Root:
    """Watches a folder from now on.

    A folder inside a watched one is watched already: the outer root comes back. Roots inside the
    new folder become part of it. A root that was renamed is recognised by its inode and keeps its
    files. Raises FolderProblem when there is no such folder."""
    real = path.expanduser().resolve()
    try:
        with os.scandir(real):
            found = real.stat()
    except PermissionError as problem:
        raise FolderProblem(
            f"Recollect may not open the folder {path}; allow reading it and add it again."
        ) from problem
    except NotADirectoryError as problem:
        raise FolderProblem(f"{path} is a file; add the folder it is in.") from problem
    except OSError as problem:
        raise FolderProblem(
            f"There is no folder {path}; check the name and add it again."
        ) from problem
    raw = os.fsencode(real)
    with database.writing() as db:
        root = _covering(db, raw) or _renamed(db, raw, found)
        if root is None:
            root = db.execute(
                "INSERT INTO roots(path, device, inode) VALUES (?, ?, ?) RETURNING id",
                (raw, found.st_dev, found.st_ino),
            ).fetchone()["id"]
        _absorb(db, root, raw)
    with database.reading() as db:
        return next(r for r in all_roots(db) if r.id == root)


def remove_root(database: Database, path: Path) -> int:
    """Watches a folder no longer and forgets its files; returns how many.

    Raises FolderProblem when it is not one of the roots."""
    raw = os.fsencode(path.expanduser().absolute())
    real = os.fsencode(path.expanduser().resolve())
    with database.writing() as db:
        root = db.execute("SELECT id, path FROM roots WHERE path IN (?, ?)", (raw, real)).fetchone()
        if root is None:
            outer = _covering(db, real)
            inside = "; it lies inside one that is" if outer else ""
            raise FolderProblem(
                f"{path} is not a watched folder{inside}; `recollect roots` lists them."
            )
        count = db.execute("SELECT count(*) FROM files WHERE root = ?", (root["id"],)).fetchone()[0]
        db.execute("DELETE FROM files WHERE root = ?", (root["id"],))
        db.execute("DELETE FROM roots WHERE id = ?", (root["id"],))
    return int(count)


def is_reachable(database: Database, root: sqlite3.Row) -> bool:
    """Marks a root offline or back again; false when there is nothing to compare with."""
    name = os.fsdecode(root["path"])
    with database.reading() as db:
        files = db.execute("SELECT count(*) FROM files WHERE root = ?", (root["id"],)).fetchone()[0]
    kept = f"its {files} files are remembered" if files != 1 else "its one file is remembered"
    sentence: str | None = None
    device, inode = root["device"], root["inode"]
    try:
        with os.scandir(root["path"]) as entries:
            bare = next(entries, None) is None
        found = os.lstat(root["path"])
        if bare and files:
            sentence = f"The folder {name} is empty; {kept}."
        else:
            device, inode = found.st_dev, found.st_ino
    except PermissionError:
        sentence = f"Recollect may not open the folder {name}; {kept}. Allow reading it."
    except OSError as problem:
        missing = problem.errno in (errno.ENOENT, errno.ENOTDIR)
        what = "is not there" if missing else f"cannot be read ({problem.strerror})"
        sentence = f"The folder {name} {what}; {kept}."
    new = (int(sentence is not None), sentence, device, inode)
    if new != (root["offline"], root["sentence"], root["device"], root["inode"]):
        with database.writing() as db:
            db.execute(
                "UPDATE roots SET offline = ?, sentence = ?, device = ?, inode = ? WHERE id = ?",
                (*new, root["id"]),
            )
    return sentence is None


def locate(db: sqlite3.Connection, path: Path) -> list[tuple[int, bytes]]:
    """Where an absolute path lies: (root, path relative to it), [] outside of every root."""
    found = []
    for raw in dict.fromkeys((os.fsencode(path.absolute()), _resolved(path))):
        for row in db.execute("SELECT id, path FROM roots"):
            inside = relative(row["path"], raw)
            if inside is not None:
                found.append((int(row["id"]), inside))
    return found


def relative(root: bytes, path: bytes) -> bytes | None:
    """`path` relative to `root`, b"" for the root itself, None outside of it; both absolute."""
    if path == root:
        return b""
    prefix = root.rstrip(b"/") + b"/"
    return path[len(prefix) :] if path.startswith(prefix) else None


def below(path: bytes) -> tuple[bytes, bytes]:
    """Bounds of what lies below a relative folder: low <= path < high, as SQLite sorts blobs."""
    return (path + b"/", path + b"0") if path else (b"", b"\xff" * 300)


def _resolved(path: Path) -> bytes:
    # the last name is kept: a link is not the file it leads to
    return os.fsencode(path.absolute().parent.resolve() / path.name)


def _path(raw: bytes) -> Path:
    return Path(os.fsdecode(raw))


def _covering(db: sqlite3.Connection, raw: bytes) -> int | None:
    for row in db.execute("SELECT id, path FROM roots"):
        inside = relative(row["path"], raw)
        if inside is not None and not excluded_way(inside):
            return int(row["id"])
    return None


def _renamed(db: sqlite3.Connection, raw: bytes, found: os.stat_result) -> int | None:
    for row in db.execute(
        "SELECT id, path FROM roots WHERE device = ? AND inode = ?", (found.st_dev, found.st_ino)
    ):
        if not os.path.lexists(row["path"]):
            db.execute(
                "UPDATE roots SET path = ?, renamed = 1, offline = 0, sentence = NULL WHERE id = ?",
                (raw, row["id"]),
            )
            return int(row["id"])
    return None


def _absorb(db: sqlite3.Connection, root: int, raw: bytes) -> None:
    for row in db.execute("SELECT id, path FROM roots WHERE id != ?", (root,)).fetchall():
        inside = relative(raw, row["path"])
        if inside is None or excluded_way(inside):
            continue
        files = db.execute("SELECT id, path FROM files WHERE root = ?", (row["id"],)).fetchall()
        db.executemany(
            "UPDATE files SET root = ?, path = ? WHERE id = ?",
            [(root, join(inside, f["path"]), f["id"]) for f in files],
        )
        db.execute("DELETE FROM roots WHERE id = ?", (row["id"],))
