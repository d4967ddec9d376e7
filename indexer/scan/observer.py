"""What the watcher needs of an operating system; `inotify` and `recursive` implement it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Protocol

from indexer.scan.events import Events
from indexer.scan.unwatched import Unwatched


class ObserverThread(Protocol):
    """The thread that reads the system's events."""

    def is_alive(self) -> bool: ...

    def stop(self) -> None: ...

    def join(self) -> None: ...


class Observer(ABC):
    """`unwatched` has the folders that are not watched, each with all that is below it."""

    def __init__(self, events: Events, thread: ObserverThread) -> None:
        self.unwatched: dict[bytes, Unwatched] = {}
        self._events = events
        self._thread = thread

    @abstractmethod
    def follow(self, roots: Iterable[bytes]) -> None:
        """Begins a walk through everything: these are the roots from now on."""

    @abstractmethod
    def enter(self, folder: bytes) -> None:
        """The walk is about to list this folder."""

    @abstractmethod
    def finish(self) -> None:
        """Ends such a walk."""

    @abstractmethod
    def probe(self) -> bool:
        """Whether the event of the last probe arrived; makes the next one."""

    def alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._thread.stop()
            self._thread.join()
