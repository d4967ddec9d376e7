"""The watched folders: added, recognised under a new name, collapsed into one another, removed."""

from __future__ import annotations

import errno
import os
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from indexer.catalog.database import Database
from indexer.catalog.identity import is_mount, is_recognised
from indexer.files.excludes import excluded_way
from indexer.files.walk import join
from model.errors import RecollectError


@dataclass(frozen=True, slots=True)
class Root:
    """A watched folder and how many files of it are remembered. When `offline`, they are hidden
    and kept; so are the `missing`, which vanished at once. `sentence` says what is wrong, and
    `why` (absent, shut, empty, replaced) of what sort that is."""

    id: int
    path: Path
    offline: bool
    files: int
    sentence: str | None = None
    why: str | None = None
    missing: int = 0

    @property
    def acceptable(self) -> bool:
        """Whether a person may say that what is missing is gone."""
        return self.missing > 0 or self.why in ("empty", "replaced")


class FolderError(RecollectError):
    """A folder cannot be watched; the sentence says why and what to do about it."""

    code, status = "folder", 422


def all_roots(db: sqlite3.Connection) -> list[Root]:
    """Every root, in the order they were added."""
    found = db.execute(
        """SELECT r.*, (SELECT count(*) FROM files f WHERE f.root = r.id) AS files,
            (SELECT count(*) FROM absent a JOIN files f ON f.id = a.file WHERE f.root = r.id)
                AS missing,
            (SELECT count(*) FROM absent a JOIN files f ON f.id = a.file WHERE f.root = r.id
                AND a.why = 'unmounted') AS unmounted
        FROM roots r ORDER BY r.id"""
    )
    return [
        Root(
            id=r["id"],
            path=_path(r["path"]),
            offline=bool(r["offline"]),
            files=r["files"],
            sentence=r["sentence"] or _missing_sentence(r["missing"], r["unmounted"]),
            why=r["why"],
            missing=r["missing"],
        )
        for r in found
    ]


def root_paths(database: Database, offline: bool | None = None) -> list[Path]:
    """Where the roots are (those that are offline, or are not); costs nothing, however many files
    they hold."""
    with database.reading() as db:
        rows = db.execute(
            "SELECT path FROM roots WHERE coalesce(?, offline) = offline ORDER BY id", (offline,)
        )
        return [_path(row["path"]) for row in rows]


def _missing_sentence(missing: int, unmounted: int) -> str | None:
    if not missing:
        return None
    if unmounted == missing:
        return f"A drive in this folder is not there; {missing:,} files are hidden and remembered."
    return (
        f"{missing:,} files went missing at once; they are hidden and remembered. If you deleted "
        "them, accept that; if not, they are found again when they are back."
    )


def add_root(database: Database, path: Path) -> Root:
    """Watches a folder from now on.

    A folder inside a watched one is watched already: the outer root comes back. Roots inside the
    new folder become part of it. A root that was renamed is recognised by its inode and keeps its
    files. Raises FolderError when there is no such folder."""
    real = path.expanduser().resolve()
    try:
        with os.scandir(real):
            found = real.stat()
    except PermissionError as problem:
        raise FolderError(
            f"Recollect may not open the folder {path}; allow reading it and add it again."
        ) from problem
    except NotADirectoryError as problem:
        raise FolderError(f"{path} is a file; add the folder it is in.") from problem
    except OSError as problem:
        raise FolderError(
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

    Raises FolderError when it is not one of the roots."""
    raw = os.fsencode(path.expanduser().absolute())
    real = os.fsencode(path.expanduser().resolve())
    with database.writing() as db:
        root = db.execute("SELECT id, path FROM roots WHERE path IN (?, ?)", (raw, real)).fetchone()
        if root is None:
            outer = _covering(db, real)
            inside = "; it lies inside one that is" if outer else ""
            raise FolderError(
                f"{path} is not a watched folder{inside}; `recollect roots` lists them."
            )
        count = db.execute("SELECT count(*) FROM files WHERE root = ?", (root["id"],)).fetchone()[0]
        db.execute("DELETE FROM files WHERE root = ?", (root["id"],))
        db.execute("DELETE FROM roots WHERE id = ?", (root["id"],))
    return int(count)


def is_reachable(database: Database, root: sqlite3.Row, grace_s: float) -> bool:
    """Marks a root offline or back again; false when there is nothing to compare with.

    A root that was emptied and is otherwise the same is taken at its word after `grace_s`."""
    with database.reading() as db:
        files = db.execute("SELECT count(*) FROM files WHERE root = ?", (root["id"],)).fetchone()[0]
    why: str | None = None
    error: OSError | None = None
    device, inode, accepted = root["device"], root["inode"], root["accepted"]
    now = time.time()
    try:
        with os.scandir(root["path"]) as entries:
            bare = next(entries, None) is None
        found = os.lstat(root["path"])
        same = (found.st_dev, found.st_ino) == (device, inode)
        if files and not accepted:
            if bare:
                over = root["why"] == "empty" and now - (root["away_since"] or now) > grace_s
                accepted = int(same and over)
                why = None if accepted else "empty"
            elif (not same or is_mount(root["path"], found)) and not is_recognised(
                database, root["id"], root["path"]
            ):
                why = "replaced"
        if why is None:
            device, inode = found.st_dev, found.st_ino
    except OSError as problem:
        why, error = "shut" if isinstance(problem, PermissionError) else "absent", problem
    said = None if why is None else _away_sentence(os.fsdecode(root["path"]), why, files, error)
    since = None if why is None else root["away_since"] or now
    new = (int(why is not None), why, said, since, device, inode, accepted)
    columns = ("offline", "why", "sentence", "away_since", "device", "inode", "accepted")
    with database.reading() as db:  # it may have been hidden while it did not answer
        said_before = db.execute("SELECT * FROM roots WHERE id = ?", (root["id"],)).fetchone()
    if said_before is not None and new != tuple(said_before[name] for name in columns):
        with database.writing() as db:
            db.execute(
                """UPDATE roots SET offline = ?, why = ?, sentence = ?, away_since = ?,
                device = ?, inode = ?, accepted = ? WHERE id = ?""",
                (*new, root["id"]),
            )
    return why is None


def _away_sentence(name: str, why: str, files: int, error: OSError | None) -> str:
    kept = f"its {files} files are remembered" if files != 1 else "its one file is remembered"
    match why:
        case "empty":
            return f"The folder {name} is empty; {kept}. If you emptied it, accept that."
        case "replaced":
            return (
                f"Another folder or drive is in the place of {name}: none of what is remembered "
                f"lies in it; {kept}. If that is right, accept it."
            )
        case "shut":
            return f"Recollect may not open the folder {name}; {kept}. Allow reading it."
    missing = error is None or error.errno in (errno.ENOENT, errno.ENOTDIR)
    what = "is not there" if missing else f"cannot be read ({error.strerror if error else ''})"
    return f"The folder {name} {what}; {kept}."


def accept(database: Database, path: Path | None) -> int:
    """Takes a person's word that what is missing in a root (None: in all of them) is gone: the
    next look forgets it. Returns how many files that is.

    Raises FolderError when it is not one of the roots, or is not there itself."""
    with database.reading() as db:
        known = all_roots(db)
    if path is not None:
        names = {path.expanduser().absolute(), path.expanduser().resolve()}
        known = [root for root in known if root.path in names]
        if not known:
            raise FolderError(f"{path} is not a watched folder; `recollect roots` lists them.")
        if known[0].offline and not known[0].acceptable:
            raise FolderError(
                f"{known[0].sentence} It may come back; `recollect remove` forgets it."
            )
    chosen = [root for root in known if root.acceptable]
    with database.writing() as db:
        db.executemany("UPDATE roots SET accepted = 1 WHERE id = ?", [(r.id,) for r in chosen])
    return sum(root.files if root.offline else root.missing for root in chosen)


def hide_silent(database: Database, places: Iterable[Path]) -> None:
    """Marks roots offline whose file system does not answer, without touching it."""
    with database.reading() as db:
        online = [root for root in all_roots(db) if not root.offline]
    known = set(places)
    silent = [
        (f"The folder {root.path} does not answer; its files are remembered.", time.time(), root.id)
        for root in online
        if root.path in known
    ]
    if silent:
        with database.writing() as db:
            db.executemany(
                """UPDATE roots SET offline = 1, why = 'absent', sentence = ?, away_since = ?
                WHERE id = ?""",
                silent,
            )


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
                "UPDATE roots SET path = ?, renamed = 1, offline = 0, why = NULL, sentence = NULL, "
                "away_since = NULL WHERE id = ?",
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
