"""Systems that watch a root with all that is below it: macOS and Windows.

With `inotify` the only importer of watchdog.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer as WatchdogObserver
from watchdog.observers.api import BaseObserver, ObservedWatch

from indexer.scan.events import Events
from indexer.scan.observer import Observer
from indexer.scan.unwatched import unwatched

# Our own reading opens and closes files: those events are not asked for.
EVENTS: list[type[FileSystemEvent]] = [
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
]


class RecursiveObserver(Observer):
    """One watch for a root with all that is below it, where the system offers that."""

    def __init__(self, events: Events) -> None:
        self._observer: BaseObserver = WatchdogObserver()
        super().__init__(events, self._observer)
        self._handler = _Handler(events)
        self._observer.start()
        self._watches: dict[bytes, ObservedWatch] = {}

    def follow(self, roots: Iterable[bytes]) -> None:
        wanted = list(roots)
        self.unwatched = {}
        for path in [path for path in self._watches if path not in wanted]:
            self._observer.unschedule(self._watches.pop(path))
        for path in wanted:
            if path in self._watches:
                if not self._stale(self._watches[path]):
                    continue
                self._observer.unschedule(self._watches.pop(path))
            name = os.fsdecode(path)
            try:
                self._watches[path] = self._observer.schedule(
                    self._handler, name, recursive=True, event_filter=EVENTS
                )
            except OSError as problem:
                self.unwatched[path] = unwatched(Path(name), problem)

    def enter(self, folder: bytes) -> None:
        pass  # it is watched with its root

    def finish(self) -> None:
        pass

    def probe(self) -> bool:
        return True

    def _stale(self, watch: ObservedWatch) -> bool:
        """Whether the folder of a watch was deleted, which ends its thread and not the watch."""
        return not any(e.watch == watch and e.is_alive() for e in self._observer.emitters)


class _Handler(FileSystemEventHandler):
    def __init__(self, events: Events) -> None:
        self._events = events

    def on_any_event(self, event: FileSystemEvent) -> None:
        for raw in (event.src_path, event.dest_path):
            if raw:
                self._events.add(os.fsencode(raw), event.is_directory)
