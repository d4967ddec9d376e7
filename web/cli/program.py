"""The program as its verbs see it: the settings, and the library wired by them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from web.library.library import Library
    from web.library.protocol import LibraryProtocol
    from web.machine.settings import Settings


@dataclass(frozen=True, slots=True)
class Program:
    """`build` wires the library; with True also sets aside what is too damaged to be opened."""

    settings: Settings
    build: Callable[[Settings, bool], Library]

    @contextmanager
    def open_library(self, *, write: bool = False, mend: bool = True) -> Iterator[LibraryProtocol]:
        """The library: through the server that holds it where there is one, else in this process.
        With `write` this process becomes its one writer for the while, and mends what it finds too
        damaged to be opened unless told not to."""
        from indexer.files.lock import LibraryLock
        from web.library.client import Client

        lock = LibraryLock(self.settings.data)
        held = lock.holder()
        if held is not None and held.url is not None:
            with Client(held.url, held.token) as client:
                yield client
            return
        if write:
            lock.acquire()
        library = self.build(self.settings, write and mend)
        try:
            yield library
        finally:
            library.close()
            lock.release()


def absolute_path(path: Path | None) -> str | None:
    """A path as the library wants it, which may run in a server that began elsewhere."""
    return str(path.absolute()) if path else None
