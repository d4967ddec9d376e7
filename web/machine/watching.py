"""How each watched folder can be watched on this machine, for `recollect doctor`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from indexer.catalog.roots import all_roots
from indexer.files.mounts import mount_of, mounts
from web.library.display import display_text

WATCHES = Path("/proc/sys/fs/inotify/max_user_watches")


def watched_folders(data: Path) -> Iterator[tuple[str, bool, str]]:
    """(what, whether it is well, what is said of it) for each folder of the library; nothing in
    the folders themselves is touched."""
    file = data / "catalog.sqlite"
    if not file.exists():
        return
    try:
        roots, folders = _known(file)
    except sqlite3.DatabaseError:
        return  # said of the catalog itself
    known = mounts()
    for path, sentence in roots:
        mount = mount_of(path, known)
        if sentence:
            yield "Folder", False, display_text(sentence)
        elif mount is not None and mount.network:
            text = (
                f"{display_text(path)} lies on a network ({mount.type}); it is polled, not watched."
            )
            yield "Folder", True, text
        else:
            yield "Folder", True, f"{display_text(path)} is on this machine ({_type(mount)})"
    if (most := _most_watches()) is not None and roots:
        text = f"{folders:,} folders to watch, {most:,} allowed"
        enough = folders < most
        if not enough:
            text += f"; allow more: sudo sysctl fs.inotify.max_user_watches={folders * 2}"
        yield "Watching", enough, text


def _type(mount: object) -> str:
    return str(getattr(mount, "type", "of an unknown file system"))


def _known(file: Path) -> tuple[list[tuple[Path, str | None]], int]:
    db = sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)
    try:
        db.row_factory = sqlite3.Row
        roots = [(root.path, root.sentence) for root in all_roots(db)]
        rows = db.execute("SELECT root, path FROM files")
        return roots, len({(root, path.rpartition(b"/")[0]) for root, path in rows})
    finally:
        db.close()


def _most_watches() -> int | None:
    try:
        return int(WATCHES.read_text())
    except (OSError, ValueError):
        return None
