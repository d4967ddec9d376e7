"""The watcher: the operating system's events, as hints where to look.

Events get lost, come late and come twice; what is true is found by `reconcile`. On Linux each
folder is watched on its own, and only those that are walked; elsewhere the system watches a root
with all that is below it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from indexer.scan.events import Events
from indexer.scan.observer import Observer
from indexer.scan.unwatched import Unwatched, unwatched

MOST_HINTS = 2000  # beyond this a look at everything is cheaper


class Watcher:
    """Watches folders and calls `wake` when there are new hints in `events`. Events below
    `ignored`, our own data, are dropped. Not for several threads, but for `enter`."""

    def __init__(
        self,
        wake: Callable[[], None],
        ignored: Path,
        most_hints: int = MOST_HINTS,
        folder_by_folder: bool = sys.platform == "linux",
    ) -> None:
        self.events = Events(wake, ignored, most_hints)
        self._ignored = ignored
        self._folder_by_folder = folder_by_folder
        self._observer: Observer | None = None
        self._refused: list[Unwatched] = []

    @property
    def unwatched(self) -> list[Unwatched]:
        """The folders that are not watched, each with all that is below it."""
        return [*self._refused, *(self._observer.unwatched.values() if self._observer else ())]

    def follow(self, roots: Iterable[Path]) -> None:
        """Begins to watch exactly these folders: walk through them, and `finish`. What lies in a
        folder that is newly watched is not hinted at."""
        wanted = [os.fsencode(path) for path in roots]
        self.events.roots = wanted
        self._refused = []
        if self._observer is None or not self._observer.alive():
            self.stop()
            try:
                self._observer = self._start_observer()
            except OSError as problem:
                self._refused = [unwatched(Path(os.fsdecode(path)), problem) for path in wanted]
                return
        self._observer.follow(wanted)

    def enter(self, folder: bytes) -> None:
        """Watches a folder from now on; called with each before it is listed."""
        if self._observer is not None:
            self._observer.enter(folder)

    def finish(self) -> None:
        """The walk has been everywhere: what it did not enter is watched no longer."""
        if self._observer is not None:
            self._observer.finish()

    def alive(self) -> bool:
        """Whether events are still read."""
        return self._observer is not None and self._observer.alive()

    def probe(self) -> bool:
        """Whether the event of the last probe, a touch of a file of our own, arrived; makes the
        next."""
        return self._observer is None or self._observer.probe()

    def stop(self) -> None:
        """Ends all watching; idempotent."""
        if self._observer is not None:
            self._observer.stop()
        self._observer = None

    def _start_observer(self) -> Observer:
        if self._folder_by_folder:
            from indexer.scan.inotify import InotifyObserver

            return InotifyObserver(self.events, self._ignored)
        from indexer.scan.recursive import RecursiveObserver

        return RecursiveObserver(self.events)
