"""Whether a watched folder is there and is the one that is remembered; else it goes offline."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from pathlib import Path

from indexer.catalog.storage.database import Database
from indexer.catalog.tree.identity import is_mount, is_recognised
from indexer.types.states import OfflineReason


@dataclass(frozen=True, slots=True)
class RootRow:
    """A watched folder as it is stored: the (device, inode) it had, since when it is offline (unix
    s), and whether a person `accepted` that what is missing in it is gone."""

    id: int
    path: bytes
    device: int | None
    inode: int | None
    accepted: bool
    why: OfflineReason | None
    away_since: float | None


@dataclass(frozen=True, slots=True)
class _Reachability:
    """The columns that say whether a root is there."""

    offline: bool
    why: OfflineReason | None
    sentence: str | None
    away_since: float | None
    device: int | None
    inode: int | None
    accepted: bool


def root_rows(database: Database) -> list[RootRow]:
    """Every watched folder."""
    with database.reading() as db:
        return [
            RootRow(
                id=row["id"],
                path=row["path"],
                device=row["device"],
                inode=row["inode"],
                accepted=bool(row["accepted"]),
                why=OfflineReason(row["why"]) if row["why"] else None,
                away_since=row["away_since"],
            )
            for row in db.execute("SELECT * FROM roots")
        ]


def update_reachability(database: Database, root: RootRow, grace_s: float) -> bool:
    """Marks a root offline or online; false when there is nothing to compare with.

    A root that was emptied and is otherwise the same is compared after `grace_s` all the same."""
    with database.reading() as db:
        files = db.execute("SELECT count(*) FROM files WHERE root = ?", (root.id,)).fetchone()[0]
    why: OfflineReason | None = None
    error: OSError | None = None
    device, inode, accepted = root.device, root.inode, root.accepted
    now = time.time()
    try:
        with os.scandir(root.path) as entries:
            is_empty = next(entries, None) is None
        status = os.lstat(root.path)
        same = (status.st_dev, status.st_ino) == (device, inode)
        if files and not accepted:
            if is_empty:
                is_over = (
                    root.why is OfflineReason.EMPTY and now - (root.away_since or now) > grace_s
                )
                accepted = same and is_over
                why = None if accepted else OfflineReason.EMPTY
            elif (not same or is_mount(root.path, status)) and not is_recognised(
                database, root.id, root.path
            ):
                why = OfflineReason.REPLACED
        if why is None:
            device, inode = status.st_dev, status.st_ino
    except OSError as problem:
        why = OfflineReason.SHUT if isinstance(problem, PermissionError) else OfflineReason.ABSENT
        error = problem
    update = _Reachability(
        offline=why is not None,
        why=why,
        sentence=None if why is None else _sentence(os.fsdecode(root.path), why, files, error),
        away_since=None if why is None else root.away_since or now,
        device=device,
        inode=inode,
        accepted=accepted,
    )
    _write_changed(database, root.id, update)
    return why is None


def _write_changed(database: Database, root: int, update: _Reachability) -> None:
    columns = ", ".join(_Reachability.__slots__)
    with database.reading() as db:  # another thread may have hidden it meanwhile
        stored = db.execute(
            f"SELECT {columns} FROM roots WHERE id = ?",  # noqa: S608  names of our own
            (root,),
        ).fetchone()
    if stored is not None and astuple(update) != tuple(stored):
        with database.writing() as db:
            db.execute(
                """UPDATE roots SET offline = ?, why = ?, sentence = ?, away_since = ?,
                device = ?, inode = ?, accepted = ? WHERE id = ?""",
                (*astuple(update), root),
            )


def _sentence(name: str, why: OfflineReason, files: int, error: OSError | None) -> str:
    kept = f"its {files} files are remembered" if files != 1 else "its one file is remembered"
    match why:
        case OfflineReason.EMPTY:
            return f"The folder {name} is empty; {kept}. If you emptied it, accept that."
        case OfflineReason.REPLACED:
            return (
                f"Another folder or drive is in the place of {name}: none of what is remembered "
                f"lies in it; {kept}. If that is right, accept it."
            )
        case OfflineReason.SHUT:
            return f"Recollect may not open the folder {name}; {kept}. Allow reading it."
    missing = error is None or error.errno in (errno.ENOENT, errno.ENOTDIR)
    what = "is not there" if missing else f"cannot be read ({error.strerror if error else ''})"
    return f"The folder {name} {what}; {kept}."


def hide_unanswering(database: Database, paths: Iterable[Path]) -> None:
    """Marks the online roots at these paths offline, whose file system does not answer; touches
    none of them."""
    silent = {os.fsencode(path) for path in paths}
    with database.reading() as db:
        rows = db.execute("SELECT id, path FROM roots WHERE offline = 0").fetchall()
    hidden = [
        (
            OfflineReason.ABSENT,
            f"The folder {os.fsdecode(row['path'])} does not answer; its files are remembered.",
            time.time(),
            row["id"],
        )
        for row in rows
        if row["path"] in silent
    ]
    if hidden:
        with database.writing() as db:
            db.executemany(
                "UPDATE roots SET offline = 1, why = ?, sentence = ?, away_since = ? WHERE id = ?",
                hidden,
            )
