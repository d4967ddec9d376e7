"""The watched folders: added, recognised under a new name, merged into one another, removed."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from indexer.catalog.storage.database import Database
from indexer.catalog.storage.inspection import inspecting
from indexer.files.excludes import is_excluded_path
from indexer.files.paths import join, relative
from indexer.files.walk import WalkLimits, ancestry_of
from indexer.types.states import AbsenceReason, OfflineReason
from model.errors import RecollectError


@dataclass(frozen=True, slots=True)
class Root:
    """A watched folder and how many files of it are remembered. When `offline`, they are hidden
    and kept; so are the `missing`, which vanished at once. `sentence` says what is wrong."""

    id: int
    path: Path
    offline: bool
    files: int
    sentence: str | None = None
    why: OfflineReason | None = None
    missing: int = 0

    @property
    def acceptable(self) -> bool:
        """Whether a person may say that what is missing is gone."""
        return self.missing > 0 or self.why in (OfflineReason.EMPTY, OfflineReason.REPLACED)


class FolderError(RecollectError):
    """A folder cannot be watched; the sentence says why and what to do about it."""

    code, status = "folder", 422


def all_roots(db: sqlite3.Connection) -> list[Root]:
    """Every root, in the order they were added."""
    rows = db.execute(
        """SELECT r.*, (SELECT count(*) FROM files f WHERE f.root = r.id) AS files,
            (SELECT count(*) FROM absent a JOIN files f ON f.id = a.file
                WHERE f.root = r.id) AS missing,
            (SELECT count(*) FROM absent a JOIN files f ON f.id = a.file
                WHERE f.root = r.id AND a.why = ?) AS unmounted
        FROM roots r ORDER BY r.id""",
        (AbsenceReason.UNMOUNTED,),
    )
    return [
        Root(
            id=row["id"],
            path=_path(row["path"]),
            offline=bool(row["offline"]),
            files=row["files"],
            sentence=row["sentence"] or _missing_sentence(row["missing"], row["unmounted"]),
            why=OfflineReason(row["why"]) if row["why"] else None,
            missing=row["missing"],
        )
        for row in rows
    ]


def inspect_roots(file: Path) -> tuple[list[Root], int]:
    """The roots in a catalog's file that is not opened as a catalog, and how many folders hold
    files. Raises CatalogDamagedError."""
    with inspecting(file) as db:
        rows = db.execute("SELECT root, path FROM files")
        folders = {(root, path.rpartition(b"/")[0]) for root, path in rows}
        return all_roots(db), len(folders)


class Roots:
    """The roots of one library. Threads may share it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Root]:
        """Every root, in the order they were added."""
        with self._database.reading() as db:
            return all_roots(db)

    def paths(self, offline: bool | None = None) -> list[Path]:
        """Where the roots are (those that are offline, or are not); costs nothing, however many
        files they hold."""
        with self._database.reading() as db:
            rows = db.execute(
                "SELECT path FROM roots WHERE coalesce(?, offline) = offline ORDER BY id",
                (offline,),
            )
            return [_path(row["path"]) for row in rows]

    def inside(self, path: Path) -> list[Path]:
        """The roots that would become part of a folder if it were added."""
        raw = os.fsencode(path.expanduser().resolve())
        with self._database.reading() as db:
            if _covering(db, raw) is not None:
                return []
            rows = db.execute("SELECT path FROM roots ORDER BY path").fetchall()
        return [_path(row["path"]) for row in rows if _takes_in(raw, row["path"])]

    def add(self, path: Path) -> Root:
        """Watches a folder from now on.

        A folder inside a watched one is watched already: the outer root comes back. Roots inside
        the new folder become part of it, but for those that its patterns leave out. A root that was
        renamed is recognised by its inode and keeps its files. Raises FolderError when there is no
        such folder, or it is that of the index."""
        real = path.expanduser().resolve()
        own = self._database.file.absolute().parent.resolve()
        if real == own or own in real.parents:
            raise FolderError(
                f"{path} is where Recollect keeps its index; add a folder with files of yours."
            )
        try:
            with os.scandir(real):
                status = real.stat()
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
        with self._database.writing() as db:
            root = _covering(db, raw) or _renamed(db, raw, status)
            if root is None:
                root = db.execute(
                    "INSERT INTO roots(path, device, inode) VALUES (?, ?, ?) RETURNING id",
                    (raw, status.st_dev, status.st_ino),
                ).fetchone()["id"]
            _absorb(db, root, raw)
        return next(other for other in self.all() if other.id == root)

    def remove(self, path: Path) -> int:
        """Watches a folder no longer and forgets its files; returns how many.

        Raises FolderError when it is not one of the roots."""
        raw = os.fsencode(path.expanduser().absolute())
        real = os.fsencode(path.expanduser().resolve())
        with self._database.writing() as db:
            root = db.execute("SELECT id FROM roots WHERE path IN (?, ?)", (raw, real)).fetchone()
            if root is None:
                inside = "; it lies inside one that is" if _covering(db, real) else ""
                raise FolderError(
                    f"{path} is not a watched folder{inside}; `recollect roots` lists them."
                )
            count = db.execute("DELETE FROM files WHERE root = ?", (root["id"],)).rowcount
            db.execute("DELETE FROM roots WHERE id = ?", (root["id"],))
        return count

    def accept(self, path: Path | None) -> int:
        """Records that a person says what is missing in a root (None: in all of them) is gone; the
        next look forgets it. Returns how many files that is.

        Raises FolderError when it is not one of the roots, or is not there itself."""
        roots = self.all()
        if path is not None:
            names = {path.expanduser().absolute(), path.expanduser().resolve()}
            roots = [root for root in roots if root.path in names]
            if not roots:
                raise FolderError(f"{path} is not a watched folder; `recollect roots` lists them.")
            if roots[0].offline and not roots[0].acceptable:
                raise FolderError(
                    f"{roots[0].sentence} It may come back; `recollect remove` forgets it."
                )
        accepted = [root for root in roots if root.acceptable]
        with self._database.writing() as db:
            db.executemany(
                "UPDATE roots SET accepted = 1 WHERE id = ?", [(root.id,) for root in accepted]
            )
        return sum(root.files if root.offline else root.missing for root in accepted)


def _missing_sentence(missing: int, unmounted: int) -> str | None:
    if not missing:
        return None
    if unmounted == missing:
        return f"A drive in this folder is not there; {missing:,} files are hidden and remembered."
    return (
        f"{missing:,} files went missing at once; they are hidden and remembered. If you deleted "
        "them, accept that; if not, they are found again when they are back."
    )


def _path(raw: bytes) -> Path:
    return Path(os.fsdecode(raw))


def _takes_in(outer: bytes, inner: bytes) -> bool:
    """Whether a folder is another one or lies in it, and is read with it."""
    inside = relative(outer, inner)
    if inside is None or is_excluded_path(inside):
        return False
    return ancestry_of(outer, inside, WalkLimits()) is not None


def _covering(db: sqlite3.Connection, raw: bytes) -> int | None:
    """The root that a folder is or lies in."""
    for row in db.execute("SELECT id, path FROM roots"):
        if _takes_in(row["path"], raw):
            return int(row["id"])
    return None


def _renamed(db: sqlite3.Connection, raw: bytes, status: os.stat_result) -> int | None:
    """The root that this folder was under another name, which it has from now on."""
    for row in db.execute(
        "SELECT id, path FROM roots WHERE device = ? AND inode = ?", (status.st_dev, status.st_ino)
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
    """Gives the files of the roots below a new root to it."""
    for row in db.execute("SELECT id, path FROM roots WHERE id != ?", (root,)).fetchall():
        inside = relative(raw, row["path"])
        if inside is None or not _takes_in(raw, row["path"]):
            continue
        files = db.execute("SELECT id, path FROM files WHERE root = ?", (row["id"],)).fetchall()
        db.executemany(
            "UPDATE files SET root = ?, path = ? WHERE id = ?",
            [(root, join(inside, file["path"]), file["id"]) for file in files],
        )
        db.execute("DELETE FROM roots WHERE id = ?", (row["id"],))
