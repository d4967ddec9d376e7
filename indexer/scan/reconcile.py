"""The tree against the catalog: what was added, changed, moved, and what is gone.

This is what makes the index right; everything that watches only makes it quick. A walk fills a
temporary table, and a few set operations in one transaction bring the catalog level with it, so
fifty thousand renamed files cost a second and no file is read here. Nothing is ever written to a
watched folder.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from indexer.catalog.catalog import Catalog
from indexer.catalog.states import file_states
from indexer.catalog.storage.database import Connection
from indexer.catalog.tree import absences, moves
from indexer.catalog.tree import sightings as seen
from indexer.catalog.tree.reachability import RootRow, root_rows, update_reachability
from indexer.files.excludes import is_excluded_file, is_excluded_path
from indexer.files.mounts import pseudo_devices
from indexer.files.paths import join, relative
from indexer.files.walk import (
    Ancestry,
    FileEntry,
    Stat,
    UnlistedFolder,
    WalkLimits,
    ancestry_of,
    walk,
)
from indexer.scan.missing import GRACE_S, UNLISTED, ScanScope, judge_losses
from indexer.types.changes import Changes, Hint

# A file that is written without end (a log) is read after this long all the same.
PATIENCE_S = 30.0

Unlisted = list[tuple[ScanScope, UnlistedFolder]]


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
    changed less than `settle_s` ago waits until it has been quiet that long. Files of kinds that
    are not read are not counted. The folders `apart` are not walked, and what is known of them
    stays; `entering` is called with each absolute folder before it is listed."""
    data = catalog.file.parent.stat()
    limits = WalkLimits(
        own=(data.st_dev, data.st_ino),
        pseudo=pseudo_devices(),
        apart=frozenset(os.fsencode(folder) for folder in apart),
        entering=entering,
    )
    roots = [root for root in root_rows(catalog.database) if not _is_apart(root.path, limits)]
    if hints is not None:
        roots = [root for root in roots if _is_hinted(root.path, hints)]
    online = [root for root in roots if update_reachability(catalog.database, root, grace_s)]
    scopes = list(_scopes(online, hints, limits))
    if not scopes:
        return Changes()
    with seen.sightings(catalog.database) as db:
        unlisted: Unlisted = []
        seen.add_sightings(db, _walk_scopes(scopes, limits, unlisted))
        with catalog.database.transaction(db):
            return _level(db, scopes, unlisted, settle_s, grace_s)


# -- where to look ---------------------------------------------------------------------------------


def _is_apart(path: bytes, limits: WalkLimits) -> bool:
    return any(relative(apart, path) is not None for apart in limits.apart)


def _is_hinted(path: bytes, hints: Iterable[Hint]) -> bool:
    hinted = (os.fsencode(hint.path) for hint in hints)
    return any(
        relative(path, other) is not None or relative(other, path) is not None for other in hinted
    )


def _scopes(
    roots: Iterable[RootRow], hints: Collection[Hint] | None, limits: WalkLimits
) -> Iterator[ScanScope]:
    for root in roots:
        everything = ScanScope(root.id, root.path, b"", True, root.device, Ancestry())
        if hints is None:
            yield everything
            continue
        for hint in hints:
            raw = os.fsencode(hint.path)
            start = relative(root.path, raw)
            if start is None or not start:
                if hint.deep and (start is not None or relative(raw, root.path) is not None):
                    yield everything
                elif start is not None:
                    yield replace(everything, deep=False)
            elif not is_excluded_path(start) and not _is_apart(raw, limits):
                ancestry = ancestry_of(root.path, start, limits)
                yield replace(everything, start=start, deep=hint.deep, ancestry=ancestry)


# -- what is there ---------------------------------------------------------------------------------


def _walk_scopes(
    scopes: Iterable[ScanScope], limits: WalkLimits, unlisted: Unlisted
) -> Iterator[tuple[int, bytes, Stat]]:
    """The files in the scopes: root, path relative to it, stat. Adds the folders that could not be
    listed to `unlisted`."""
    for scope in scopes:
        if isinstance(scope.ancestry, UnlistedFolder):
            unlisted.append((scope, scope.ancestry))
        elif scope.ancestry is None:
            continue  # excluded: what is known below it is left out from now on
        elif (file := _file_at(scope)) is not None:
            yield scope.root, scope.start, file
        else:
            for entry in walk(scope.base, scope.start, scope.deep, limits, scope.ancestry):
                if isinstance(entry, FileEntry):
                    yield scope.root, entry.path, entry.stat
                else:
                    unlisted.append((scope, entry))


def _file_at(scope: ScanScope) -> Stat | None:
    """The file a scope names, when it names one that is not excluded."""
    if not scope.start or is_excluded_file(scope.start.rpartition(b"/")[2]):
        return None
    path = join(scope.base, scope.start)
    try:
        status = os.lstat(path)
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode) or not _is_its_name(path, status):
        return None
    return Stat.of(status)


def _is_its_name(path: bytes, status: os.stat_result) -> bool:
    """Whether the file has this very name. Where upper and lower case are one, it is also found
    by a name it no longer has; only the listing tells."""
    folder, _, name = path.rpartition(b"/")
    swapped = os.fsencode(os.fsdecode(name).swapcase())
    if swapped == name:
        return True
    try:
        twin = os.lstat(folder + b"/" + swapped)
    except OSError:
        return True
    if (twin.st_dev, twin.st_ino) != (status.st_dev, status.st_ino):
        return True
    with os.scandir(folder or b"/") as entries:
        return any(entry.name == name for entry in entries)


# -- bringing the catalog level --------------------------------------------------------------------


def _level(
    db: Connection,
    scopes: Collection[ScanScope],
    unlisted: Unlisted,
    settle_s: float,
    grace_s: float,
) -> Changes:
    now = time.time()
    for scope in scopes:
        absences.find_missing(db, scope.root, scope.start, scope.deep)
    for scope, folder in unlisted:
        absences.keep_below(db, scope.root, folder.path)
        if folder.error in UNLISTED:
            reason, of_folder, of_file = UNLISTED[folder.error]
            absences.fail_folder(
                db, scope.root, folder.path, reason, of_folder=of_folder, of_file=of_file
            )
    moved = moves.count_in_renamed_roots(db) + moves.move_files(db)
    absences.restore_seen(db)
    _keep_large_losses(db, scopes, now, grace_s)
    changed = seen.count_changed(db)
    patience_s = PATIENCE_S if settle_s else 0.0
    file_states.reread_changed_files(db, now, settle_s, patience_s)
    seen.note_devices(db)
    readable = [
        file
        for file, base, path in seen.unpermitted_files(db)
        if os.access(join(base, path), os.R_OK)
    ]
    file_states.retry_failed_files(db, readable)
    added = seen.add_new_files(db, now, settle_s)
    gone = seen.delete_missing(db)
    return Changes(added, changed, moved, gone)


def _keep_large_losses(
    db: Connection, scopes: Collection[ScanScope], now: float, grace_s: float
) -> None:
    """Keeps missing files that nobody may have wished gone, and notes how many others went."""
    for scope in {scope.root: scope for scope in scopes}.values():
        known = absences.root_losses(db, scope.root)
        if known is None or known.accepted:
            continue
        missing = absences.missing_files(db, scope.root)
        if not missing:
            continue
        losses = judge_losses(scope, missing, known, now, grace_s)
        absences.keep_missing(db, losses.kept, now)
        if losses.gone is not None:
            absences.note_losses(db, scope.root, *losses.gone)
    walked_whole = [scope.root for scope in scopes if scope.deep and not scope.start]
    absences.clear_accepted(db, walked_whole)
