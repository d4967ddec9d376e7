"""The watcher: the operating system's word that something happened, as hints where to look.

Only a hint. Events get lost, come late and come twice; what is true is found by `reconcile`. This
is the only file that imports watchdog.
"""

from __future__ import annotations

import errno
import logging
import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
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
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, ObservedWatch

from indexer.changes import Hint
from indexer.excludes import excluded_file, excluded_way
from indexer.roots import relative

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
MOST_HINTS = 2000  # beyond this a look at everything is cheaper
# watchdog tells of lost events in its log alone
OVERFLOW_LOGGER = "watchdog.observers.inotify_c"


@dataclass(frozen=True, slots=True)
class Unwatched:
    """A folder that is looked at now and then only, and why."""

    path: Path
    sentence: str


class Watcher:
    """Watches folders and calls `wake` when there are new hints. What happens under `ignored`, our
    own data, is none. Not for several threads."""

    def __init__(
        self, wake: Callable[[], None], ignored: Path, most_hints: int = MOST_HINTS
    ) -> None:
        self._hints = _Hints(wake, ignored, most_hints)
        self._observer: BaseObserver | None = None
        self._watches: dict[Path, ObservedWatch] = {}
        self._overflow = _Overflow(self._hints.lose)

    def follow(self, roots: Iterable[Path]) -> list[Unwatched]:
        """Watches exactly these folders, and returns those that cannot be. What lies in a folder
        that is newly watched is not hinted at: look at it afterwards."""
        wanted = list(roots)
        if self._observer is None or not self._observer.is_alive():
            self.stop()
            try:
                self._observer = Observer()
                self._observer.start()
            except OSError as problem:
                self._observer = None
                return [unwatched(path, problem) for path in wanted]
            logging.getLogger(OVERFLOW_LOGGER).addHandler(self._overflow)
        for path in [path for path in self._watches if path not in wanted]:
            self._observer.unschedule(self._watches.pop(path))
        refused = []
        self._hints.roots = [os.fsencode(path) for path in wanted]
        for path in wanted:
            if path in self._watches:
                if not self._stale(self._watches[path]):
                    continue
                self._observer.unschedule(self._watches.pop(path))
            try:
                self._watches[path] = self._observer.schedule(
                    self._hints, str(path), recursive=True, event_filter=EVENTS
                )
            except OSError as problem:
                refused.append(unwatched(path, problem))
        return refused

    def take(self) -> list[Hint] | None:
        """The hints since the last call; None when events were lost: look everywhere."""
        return self._hints.take()

    def alive(self) -> bool:
        """Whether the operating system is still listened to."""
        return self._observer is not None and self._observer.is_alive()

    def stop(self) -> None:
        """Ends all watching; idempotent."""
        logging.getLogger(OVERFLOW_LOGGER).removeHandler(self._overflow)
        if self._observer is not None and self._observer.is_alive():
            self._observer.stop()
            self._observer.join()
        self._observer = None
        self._watches = {}

    def _stale(self, watch: ObservedWatch) -> bool:
        """Whether the folder of a watch was deleted, which ends its thread and not the watch."""
        assert self._observer is not None  # noqa: S101  follow() made it
        return not any(e.watch == watch and e.is_alive() for e in self._observer.emitters)


class _Hints(FileSystemEventHandler):
    """Collects events as places to look at, from watchdog's thread to ours."""

    def __init__(self, wake: Callable[[], None], ignored: Path, most: int) -> None:
        self.roots: list[bytes] = []
        self._wake = wake
        self._most = most
        self._ignored = os.fsencode(ignored)
        self._found: dict[Hint, None] = {}
        self._lost = False
        self._lock = threading.Lock()

    def on_any_event(self, event: FileSystemEvent) -> None:
        for raw in (event.src_path, event.dest_path):
            path = os.fsencode(raw)
            if path and self._matters(path, event.is_directory):
                self.add(Hint(Path(os.fsdecode(path)), deep=event.is_directory))

    def add(self, hint: Hint) -> None:
        with self._lock:
            if len(self._found) >= self._most:
                self._lost = True
                self._found.clear()
            elif not self._lost:
                self._found[hint] = None
        self._wake()

    def lose(self) -> None:
        with self._lock:
            self._lost = True
            self._found.clear()
        self._wake()

    def take(self) -> list[Hint] | None:
        with self._lock:
            found = None if self._lost else list(self._found)
            self._lost = False
            self._found.clear()
        return found

    def _matters(self, path: bytes, folder: bool) -> bool:
        if relative(self._ignored, path) is not None:
            return False
        for root in self.roots:
            inside = relative(root, path)
            if inside is None:
                continue
            if folder:
                return not excluded_way(inside)
            above, _, name = inside.rpartition(b"/")
            return not (excluded_way(above) or excluded_file(name))
        return False


class _Overflow(logging.Handler):
    def __init__(self, lose: Callable[[], None]) -> None:
        super().__init__(logging.WARNING)
        self._lose = lose

    def emit(self, record: logging.LogRecord) -> None:
        if "overflow" in record.getMessage():
            self._lose()


def unwatched(path: Path, problem: OSError) -> Unwatched:
    """Why a folder cannot be watched, in a sentence that names the cure."""
    if problem.errno in (errno.ENOSPC, errno.EMFILE):
        name = "max_user_watches" if problem.errno == errno.ENOSPC else "max_user_instances"
        now = _sysctl(name)
        said = (
            f"The system does not let Recollect watch all of {path} (fs.inotify.{name} is "
            f"{now or 'unknown'}); it is looked at every minute instead. To be told at once: "
            f"sudo sysctl fs.inotify.{name}={now * 4 if now else 524288}"
        )
    else:
        why = problem.strerror or "no reason given"
        said = f"The folder {path} cannot be watched ({why}); it is looked at every minute."
    return Unwatched(path, said)


def _sysctl(name: str) -> int | None:
    try:
        return int((Path("/proc/sys/fs/inotify") / name).read_text())
    except (OSError, ValueError):
        return None
