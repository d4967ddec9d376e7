"""What every command is given: the settings, and the library that they describe."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from web.library.library import Library
    from web.library.protocol import LibraryProtocol
    from web.library.schemas.search import SearchJson
    from web.machine.settings import Settings


@dataclass(frozen=True, slots=True)
class Program:
    """`build` makes the library of the settings; with True it also replaces what is too damaged to
    be opened."""

    settings: Settings
    build: Callable[[Settings, bool], Library]

    @contextmanager
    def open_word_search(self) -> Iterator[Callable[..., SearchJson]]:
        """`LibraryProtocol.search` by words: of the server where there is one, else of the catalog
        alone, where that is there and its words are current."""
        from indexer.files.lock import LibraryLock

        holder = LibraryLock(self.settings.data).holder()
        file = self.settings.data / "catalog.sqlite"
        if (holder is None or holder.url is None) and file.exists():
            from indexer.catalog.catalog import Catalog
            from web.library.word_search import WordSearch

            with contextlib.closing(Catalog(file)) as catalog:
                if catalog.passages.is_complete():
                    yield WordSearch(catalog).search
                    return
        with self.open_library() as library:
            yield functools.partial(library.search, by="words")

    @contextmanager
    def open_library(
        self, *, write: bool = False, repair: bool = True
    ) -> Iterator[LibraryProtocol]:
        """The library: through the server that holds it where there is one, else in this process.
        With `write` this process is its one writer until the end; with `repair` it then replaces
        what is too damaged to be opened."""
        from indexer.files.lock import LibraryLock
        from model.errors import RecollectError
        from web.library.client import Client

        lock = LibraryLock(self.settings.data)
        holder = lock.holder()
        if holder is not None and holder.url is not None:
            with Client(holder.url, holder.token) as client:
                client.check_alive()
                yield client
            return
        if write:
            lock.acquire()
        library = self.build(self.settings, write and repair)
        if not write and not library.are_words_current():
            with contextlib.suppress(RecollectError), lock:  # another writes them, or nobody may
                library.update_words()
        try:
            yield library
        finally:
            library.close()
            lock.release()


def absolute_path(path: Path | None) -> str | None:
    """A path for the library, which may be in a server that was started in another folder."""
    return str(path.absolute()) if path else None
