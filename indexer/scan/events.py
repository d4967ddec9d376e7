"""The system's events, collected as hints where to look until they are taken."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

from indexer.files.excludes import is_excluded_file, is_excluded_path
from indexer.files.ignore_files import NAME
from indexer.files.paths import relative
from indexer.types.changes import Hint


class Events:
    """Added by the system's thread, taken by ours. Events below `ignored` are dropped; of more than
    `most` hints, all count as lost."""

    def __init__(self, wake: Callable[[], None], ignored: Path, most: int) -> None:
        self.roots: list[bytes] = []
        self._wake = wake
        self._most = most
        self._ignored = os.fsencode(ignored)
        self._hints: dict[Hint, None] = {}
        self._lost = False
        self._lock = threading.Lock()

    def add(self, path: bytes, folder: bool) -> None:
        """Something happened to a file, or somewhere below a folder."""
        if path.rpartition(b"/")[2] == NAME:  # what is left out has changed
            path, folder = path.rpartition(b"/")[0] or b"/", True
        if not self._matters(path, folder):
            return
        hint = Hint(Path(os.fsdecode(path)), deep=folder)
        with self._lock:
            if len(self._hints) >= self._most:
                self._lost = True
                self._hints.clear()
            elif not self._lost:
                self._hints[hint] = None
        self._wake()

    def lose(self) -> None:
        """Events were lost: everything has to be looked at."""
        with self._lock:
            self._lost = True
            self._hints.clear()
        self._wake()

    def take(self) -> list[Hint] | None:
        """The hints since the last call; None when events were lost."""
        with self._lock:
            hints = None if self._lost else list(self._hints)
            self._lost = False
            self._hints.clear()
        return hints

    def _matters(self, path: bytes, folder: bool) -> bool:
        if relative(self._ignored, path) is not None:
            return False
        for root in self.roots:
            inside = relative(root, path)
            if inside is None:
                continue
            if folder:
                return not is_excluded_path(inside)
            above, _, name = inside.rpartition(b"/")
            return not (is_excluded_path(above) or is_excluded_file(name))
        return False
