"""The watcher: the operating system's word that something happened, as hints where to look.

Only a hint. Events get lost, come late and come twice; what is true is found by `reconcile`. On
Linux each folder is watched on its own, and only those that are looked into: the walk says so
before it lists a folder, so that nothing falls between the list and the watch. Elsewhere the
system watches a root with all that is below it. This is the only file that imports watchdog.
"""

from __future__ import annotations

import errno
import os
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

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
from indexer.ignore import NAME
from indexer.roots import relative

if TYPE_CHECKING:
    from watchdog.observers.inotify_c import InotifyEvent, InotifyFD, Mask, WatchDescriptor

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
PULSE = "watching"  # the file in our own data directory whose touch has to be heard


@dataclass(frozen=True, slots=True)
class Unwatched:
    """A folder that is looked at now and then only, and why."""

    path: Path
    sentence: str


class _Ear(Protocol):
    """How one operating system is listened to."""

    unwatched: dict[bytes, Unwatched]

    def follow(self, roots: Iterable[bytes]) -> None:
        """Begins a round: these are the roots from now on."""

    def enter(self, folder: bytes) -> None:
        """The walk is about to list this folder."""

    def finish(self) -> None:
        """Ends a round that has been everywhere."""

    def probe(self) -> bool:
        """Whether the last probe was heard; sends the next one."""

    def alive(self) -> bool: ...

    def stop(self) -> None: ...


class Watcher:
    """Watches folders and calls `wake` when there are new hints. What happens under `ignored`, our
    own data, is none. Not for several threads, but for `enter`."""

    def __init__(
        self,
        wake: Callable[[], None],
        ignored: Path,
        most_hints: int = MOST_HINTS,
        folder_by_folder: bool = sys.platform == "linux",
    ) -> None:
        self._hints = _Hints(wake, ignored, most_hints)
        self._ignored = ignored
        self._folder_by_folder = folder_by_folder
        self._ear: _Ear | None = None
        self._refused: list[Unwatched] = []

    @property
    def unwatched(self) -> list[Unwatched]:
        """The folders that are not watched, each with all that is below it."""
        return [*self._refused, *(self._ear.unwatched.values() if self._ear else ())]

    def follow(self, roots: Iterable[Path]) -> None:
        """Begins to watch exactly these folders: walk through them, and `finish`. What lies in a
        folder that is newly watched is not hinted at."""
        wanted = [os.fsencode(path) for path in roots]
        self._hints.roots = wanted
        self._refused = []
        if self._ear is None or not self._ear.alive():
            self.stop()
            make = _Folders if self._folder_by_folder else _Trees
            try:
                self._ear = make(self._hints, self._ignored)
            except OSError as problem:
                self._refused = [unwatched(Path(os.fsdecode(path)), problem) for path in wanted]
                return
        self._ear.follow(wanted)

    def enter(self, folder: bytes) -> None:
        """Watches a folder from now on; called with each before it is listed."""
        if self._ear is not None:
            self._ear.enter(folder)

    def finish(self) -> None:
        """The walk has been everywhere: what it did not enter is watched no longer."""
        if self._ear is not None:
            self._ear.finish()

    def take(self) -> list[Hint] | None:
        """The hints since the last call; None when events were lost: look everywhere."""
        return self._hints.take()

    def alive(self) -> bool:
        """Whether the operating system is still listened to."""
        return self._ear is not None and self._ear.alive()

    def probe(self) -> bool:
        """Whether the last probe was heard, a touch of a file of our own; makes the next one."""
        return self._ear is None or self._ear.probe()

    def stop(self) -> None:
        """Ends all watching; idempotent."""
        if self._ear is not None:
            self._ear.stop()
        self._ear = None


class _Folders:
    """Linux: a watch for each folder the walk enters, all read by one thread."""

    def __init__(self, hints: _Hints, data: Path) -> None:
        from watchdog.observers.inotify_c import CallbackId, InotifyConstants, InotifyFD, Mask

        i = InotifyConstants
        self._mask = Mask(
            i.IN_CREATE | i.IN_MODIFY | i.IN_CLOSE_WRITE | i.IN_ATTRIB | i.IN_MOVE | i.IN_DELETE
            | i.IN_DELETE_SELF | i.IN_MOVE_SELF | i.IN_ONLYDIR | i.IN_DONT_FOLLOW
            | i.IN_EXCL_UNLINK
        )  # fmt: skip
        self._touched, self._unmounted = i.IN_ATTRIB, i.IN_UNMOUNT
        self.unwatched: dict[bytes, Unwatched] = {}
        self._hints = hints
        self._id = CallbackId(id(self))
        self._roots: set[bytes] = set()
        self._by_path: dict[bytes, WatchDescriptor] = {}
        self._by_watch: dict[WatchDescriptor, bytes] = {}
        self._entered: set[bytes] = set()
        self._full: OSError | None = None
        self._lock = threading.RLock()
        self._pulse = data / PULSE
        self._pulse_watch: WatchDescriptor | None = None
        self._probed = False
        self._heard = threading.Event()
        self._fd: InotifyFD = InotifyFD()
        self._fd.start()
        self._watch_pulse(Mask(i.IN_ATTRIB))

    def follow(self, roots: Iterable[bytes]) -> None:
        with self._lock:
            self._roots = set(roots)
            self._entered = set()
            self._full = None
            self.unwatched = {}

    def enter(self, folder: bytes) -> None:
        with self._lock:
            self._entered.add(folder)
            if folder in self._by_path:
                return
            if self._full is not None:
                self._refuse(folder, self._full)
                return
            try:
                watch = self._fd.add_callback(folder, self._mask, self, self._id)
            except OSError as problem:
                if problem.errno in (errno.ENOSPC, errno.ENOMEM):
                    self._full = problem  # no more of them until the next round
                if problem.errno not in (errno.ENOENT, errno.ENOTDIR):
                    self._refuse(folder, problem)
                return
            if watch == -1:  # watchdog passes over a folder that may not be opened
                return
            self._drop(self._by_watch.get(watch))  # the same folder under the name it had
            self._by_path[folder] = watch
            self._by_watch[watch] = folder
            self.unwatched.pop(folder, None)

    def finish(self) -> None:
        with self._lock:
            self._remove([path for path in self._by_path if path not in self._entered])
            self._entered = set(self._by_path)

    def probe(self) -> bool:
        heard = not self._probed or self._heard.is_set()
        self._heard.clear()
        self._probed = False
        if self._pulse_watch is not None:
            with suppress(OSError):
                os.utime(self._pulse)
                self._probed = True
        return heard

    def alive(self) -> bool:
        return self._fd.is_alive()

    def stop(self) -> None:
        if self._fd.is_alive():
            self._fd.stop()
            self._fd.join()
        else:
            self._fd.close()

    def on_event(self, event: InotifyEvent) -> None:
        """From the thread that reads: something happened in a folder."""
        with self._lock:
            if event.wd == self._pulse_watch:
                self._heard.set()
                return
            folder = self._by_watch.get(event.wd)
            if folder is None:
                return
            itself = not event.name
            path = folder if itself else folder.rstrip(b"/") + b"/" + event.name
            deep = bool(event.is_directory or itself)
            if event.is_moved_from and deep:
                self._remove(self._below(path))
            if event.is_move_self and folder in self._roots:
                self._remove(self._below(folder))
            if event.mask & self._unmounted:
                self._drop(folder)
            told = folder in self._roots or not (event.is_move_self or event.is_delete_self)
        if told:
            self._hints.add(path, deep)

    def on_watch_deleted(self, wd: WatchDescriptor) -> None:
        """From the thread that reads: a watched folder is no more."""
        with self._lock:
            self._drop(self._by_watch.get(wd))

    def on_queue_overflow(self) -> None:
        """From the thread that reads: events were lost."""
        self._hints.lose()

    def _watch_pulse(self, mask: Mask) -> None:
        with suppress(OSError):  # without it only the thread's life is known
            self._pulse.touch(mode=0o600)
            self._pulse_watch = self._fd.add_callback(
                os.fsencode(self._pulse), mask, self, self._id
            )

    def _refuse(self, folder: bytes, problem: OSError) -> None:
        above = folder
        while above and above not in self._roots:
            above = above.rpartition(b"/")[0]
            if above in self.unwatched:
                return  # it is looked at with all that is below it
        self.unwatched[folder] = unwatched(Path(os.fsdecode(folder)), problem)

    def _below(self, path: bytes) -> list[bytes]:
        inside = path + b"/"
        return [one for one in self._by_path if one == path or one.startswith(inside)]

    def _remove(self, paths: Iterable[bytes]) -> None:
        gone = [(path, self._by_path[path]) for path in paths]
        for path, _ in gone:
            self._drop(path)
        with suppress(OSError):
            self._fd.remove_callbacks([(watch, self._id) for _, watch in gone])

    def _drop(self, path: bytes | None) -> None:
        if path is not None and (watch := self._by_path.pop(path, None)) is not None:
            self._by_watch.pop(watch, None)


class _Trees:
    """Elsewhere: one watch for a root with all that is below it."""

    def __init__(self, hints: _Hints, data: Path) -> None:
        self.unwatched: dict[bytes, Unwatched] = {}
        self._hints = hints
        self._handler = _Handler(hints)
        self._observer: BaseObserver = Observer()
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

    def alive(self) -> bool:
        return self._observer.is_alive()

    def stop(self) -> None:
        if self._observer.is_alive():
            self._observer.stop()
            self._observer.join()

    def _stale(self, watch: ObservedWatch) -> bool:
        """Whether the folder of a watch was deleted, which ends its thread and not the watch."""
        return not any(e.watch == watch and e.is_alive() for e in self._observer.emitters)


class _Handler(FileSystemEventHandler):
    def __init__(self, hints: _Hints) -> None:
        self._hints = hints

    def on_any_event(self, event: FileSystemEvent) -> None:
        for raw in (event.src_path, event.dest_path):
            if raw:
                self._hints.add(os.fsencode(raw), event.is_directory)


class _Hints:
    """Collects events as places to look at, from the system's thread to ours."""

    def __init__(self, wake: Callable[[], None], ignored: Path, most: int) -> None:
        self.roots: list[bytes] = []
        self._wake = wake
        self._most = most
        self._ignored = os.fsencode(ignored)
        self._found: dict[Hint, None] = {}
        self._lost = False
        self._lock = threading.Lock()

    def add(self, path: bytes, folder: bool) -> None:
        if path.rpartition(b"/")[2] == NAME:  # what is left out has changed
            path, folder = path.rpartition(b"/")[0] or b"/", True
        if not self._matters(path, folder):
            return
        hint = Hint(Path(os.fsdecode(path)), deep=folder)
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
