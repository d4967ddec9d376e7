"""Forgetting a file: found by its path or id, and kept from being read again."""

from __future__ import annotations

from pathlib import Path

from indexer.catalog.catalog import Catalog
from indexer.catalog.forget_list import ForgetList
from indexer.catalog.records import ITEM
from web.library.display import display_text
from web.library.errors import LibraryError
from web.library.paths import is_folder, named_path


def forget_file(catalog: Catalog, forgotten: ForgetList, file: str) -> list[str]:
    """Forgets a file, by its path or its id, with every copy of it, and keeps it from being read
    again; a mail, with what came in it alone. An attachment is forgotten by its id, and its mail
    stays. Returns what was forgotten, as paths, then as attachments with their mails. Raises
    LibraryError."""
    item = catalog.items.get(file) if ITEM.fullmatch(file) else None
    if item is None:
        paths = _forget_path(forgotten, named_path(file))
        return sorted(set(map(display_text, paths)))
    paths = forgotten.add_content(item.content)
    attachments = {
        display_text(f"{location.name}, attached to {location.path}")
        for location in item.locations
        if location.member is not None
    }
    return [*sorted(set(map(display_text, paths))), *sorted(attachments)]


def _forget_path(forgotten: ForgetList, path: Path) -> list[Path]:
    if is_folder(path) and not path.is_symlink():
        raise LibraryError(
            "file",
            f"{display_text(path)} is a folder; `recollect remove` forgets a watched folder, and "
            "a line in its .recollectignore leaves out a part of one.",
        )
    paths = forgotten.add_path(path)
    if not paths:
        raise LibraryError(
            "file", f"{display_text(path)} is not in the library; nothing of it is kept.", 404
        )
    return paths
