"""The tables of one LanceDB folder: opened when needed, and never made anew over a damaged one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from indexer.durability import set_aside_newest

T = TypeVar("T")


class StoreProblem(Exception):
    """The index cannot be used; the message says why and what to do about it."""


class Tables:
    """The open tables of `database`, which keeps them in `folder`. Any thread may call."""

    def __init__(self, folder: Path, database: Any) -> None:
        self._folder = folder
        self._database = database
        self._lock = threading.RLock()
        self._open: dict[str, Any] = {}

    def names(self) -> list[str]:
        """Every table, in alphabetical order."""
        return sorted(path.stem for path in self._folder.glob("*.lance") if self.exist(path.stem))

    def exist(self, name: str) -> bool:
        """A table exists from its first manifest on, whether or not it can be opened."""
        return any((self._folder / f"{name}.lance" / "_versions").glob("*.manifest"))

    def make(self, name: str, schema: Any) -> Any:
        """A new, empty table."""
        with self._lock:
            self._open[name] = self._database.create_table(name, schema=schema)
            return self._open[name]

    def __getitem__(self, name: str) -> Any:
        """The open table. A newest version that does not open is set aside for the one before it;
        the catalog sees by the rows that are missing what that lost. Raises StoreProblem."""
        with self._lock:
            while name not in self._open:
                try:
                    self._open[name] = self._database.open_table(name)
                except Exception as problem:
                    path = self._folder / f"{name}.lance"
                    if set_aside_newest(path, self._folder / "aside") is None:
                        raise StoreProblem(
                            f"The index table {path} is damaged and no earlier version of it "
                            "is left; move the index folder away and run `recollect index`."
                        ) from problem
            return self._open[name]

    def read(self, name: str, read: Callable[[Any], T]) -> T:
        """`read` of a table, and once more should its version have been cleaned up meanwhile."""
        try:
            return read(self[name])
        except (OSError, RuntimeError, ValueError):
            with self._lock:
                self._open.pop(name, None)
            return read(self[name])

    def columns(self, name: str, fields: list[str]) -> Any:
        """All rows of a table, as an arrow table of these columns."""
        return self.read(name, lambda table: table.search().select(fields).to_arrow())
