"""Forgetting: files are kept from being read again, and their bytes are erased from the index."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from indexer.catalog.catalog import Catalog
from indexer.catalog.forget_list import ForgetList
from indexer.catalog.records import ITEM
from indexer.files.hashing import hash_path
from indexer.ingest.read import LARGEST_BYTES
from indexer.maintenance.housekeeping import Housekeeping
from indexer.vectors.tables import StoreError
from model.errors import RecollectError
from web.library.arguments.paths import is_folder, named_path
from web.library.display import display_text
from web.library.errors import LibraryError
from web.library.schemas.files import ForgottenJson

log = logging.getLogger("recollect.web")

# How long a file may take to be read, to tell whether its content is to stay forgotten.
REMEMBER_S = 120.0


class Forgetting:
    """Forgets files and watched folders of one library, by the process that writes to it."""

    def __init__(self, catalog: Catalog, housekeeping: Housekeeping) -> None:
        self._catalog = catalog
        self._housekeeping = housekeeping
        self._forget_list = ForgetList(catalog.database)

    def forget(self, file: str) -> ForgottenJson:
        """Forgets a file, by its path or its id, with every copy of it, and keeps it from being
        read again; a mail, with what came in it alone. An attachment is forgotten by its id, and
        its mail stays. Raises LibraryError."""
        names = self._housekeeping.with_reserve(lambda: self._add(file))
        return {"forgotten": names, "erased": self._erase()}

    def remember(self, file: str | None) -> int:
        """Takes a file, or all, from the list of what is never read; returns how many entries.
        Raises LibraryError."""
        path = named_path(file) if file is not None else None
        content = None
        if path is not None:
            raw = os.fsencode(path.resolve())
            content = hash_path(raw, max(LARGEST_BYTES.values()), REMEMBER_S)
        count = self._forget_list.remember(path, content)
        if path is not None and not count:
            raise LibraryError("file", f"{display_text(path)} was not forgotten.", 404)
        return count

    def remove_root(self, path: Path) -> int:
        """Removes a watched folder with all that is known of its files; returns how many files."""
        count = self._housekeeping.with_reserve(lambda: self._catalog.roots.remove(path))
        self._housekeeping.with_reserve(self._housekeeping.drop_orphans)
        self._erase()
        return count

    def _add(self, file: str) -> list[str]:
        """Adds a file to the list of what is never read. Returns what was forgotten, as paths, then
        as attachments with their mails."""
        item = self._catalog.items.get(file) if ITEM.fullmatch(file) else None
        if item is None:
            paths = self._add_path(named_path(file))
            return sorted(set(map(display_text, paths)))
        paths = self._forget_list.add_content(item.content)
        attachments = {
            display_text(f"{location.name}, attached to {location.path}")
            for location in item.locations
            if location.member is not None
        }
        return [*sorted(set(map(display_text, paths))), *sorted(attachments)]

    def _add_path(self, path: Path) -> list[Path]:
        if is_folder(path) and not path.is_symlink():
            raise LibraryError(
                "file",
                f"{display_text(path)} is a folder; `recollect remove` forgets a watched folder, "
                "and a line in its .recollectignore leaves out a part of one.",
            )
        paths = self._forget_list.add_path(path)
        if not paths:
            raise LibraryError(
                "file", f"{display_text(path)} is not in the library; nothing of it is kept.", 404
            )
        return paths

    def _erase(self) -> bool:
        """Takes what was forgotten out of every file; whether that could be done now. Else it is
        done by itself within the hour."""
        try:
            try:
                self._housekeeping.erase(everything=True)
            except StoreError:  # what is forgotten goes though a table is damaged
                self._housekeeping.repair()
                self._housekeeping.erase(everything=True)
        except (OSError, RuntimeError, RecollectError) as problem:
            log.warning("erasing was put off by %s", type(problem))
            return False
        return True
