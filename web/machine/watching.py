"""How each watched folder can be watched on this machine, for `recollect doctor`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from indexer.catalog.roots import inspect_roots
from indexer.catalog.storage.errors import CatalogDamagedError
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
        roots, folders = inspect_roots(file)
    except CatalogDamagedError:
        return  # said of the catalog itself
    known = mounts()
    for root in roots:
        mount = mount_of(root.path, known)
        if root.sentence:
            yield "Folder", False, display_text(root.sentence)
        elif mount is not None and mount.network:
            text = (
                f"{display_text(root.path)} lies on a network ({mount.type}); "
                "it is polled, not watched."
            )
            yield "Folder", True, text
        else:
            yield "Folder", True, f"{display_text(root.path)} is on this machine ({_type(mount)})"
    if (most := _most_watches()) is not None and roots:
        text = f"{folders:,} folders to watch, {most:,} allowed"
        enough = folders < most
        if not enough:
            text += f"; allow more: sudo sysctl fs.inotify.max_user_watches={folders * 2}"
        yield "Watching", enough, text


def _type(mount: object) -> str:
    return str(getattr(mount, "type", "of an unknown file system"))


def _most_watches() -> int | None:
    try:
        return int(WATCHES.read_text())
    except (OSError, ValueError):
        return None
