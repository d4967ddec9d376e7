"""Linux, watched folder by folder: only folders that are walked cost a watch.

The walk calls `enter` before it lists a folder, so that nothing happens unseen between the listing
and the watch. With `recursive` the only importer of watchdog.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from watchdog.observers.inotify_c import (
    CallbackId,
    InotifyEvent,
    InotifyFD,
    Mask,
    WatchDescriptor,
)
from watchdog.observers.inotify_c import InotifyConstants as i

from indexer.scan.events import Events
from indexer.scan.observer import Observer
from indexer.scan.unwatched import unwatched

# Our own reading opens and closes files: those events are not asked for.
MASK = Mask(
    i.IN_CREATE | i.IN_MODIFY | i.IN_CLOSE_WRITE | i.IN_ATTRIB | i.IN_MOVE | i.IN_DELETE
    | i.IN_DELETE_SELF | i.IN_MOVE_SELF | i.IN_ONLYDIR | i.IN_DONT_FOLLOW | i.IN_EXCL_UNLINK
)  # fmt: skip
PROBE = "watching"  # the file in our own data directory whose touch has to arrive as an event
PROBE_MASK = Mask(i.IN_ATTRIB)


class InotifyObserver(Observer):
    """A watch for each folder the walk enters, all read by one thread."""

    def __init__(self, events: Events, data: Path) -> None:
        self._fd = InotifyFD()
        super().__init__(events, self._fd)
        self._id = CallbackId(id(self))
        self._roots: set[bytes] = set()
        self._by_path: dict[bytes, WatchDescriptor] = {}
        self._by_watch: dict[WatchDescriptor, bytes] = {}
        self._entered: set[bytes] = set()
        self._full: OSError | None = None
        self._lock = threading.RLock()
        self._probe_file = data / PROBE
        self._probe_watch: WatchDescriptor | None = None
        self._probed = False
        self._arrived = threading.Event()
        self._fd.start()
        self._watch_probe()

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
                watch = self._fd.add_callback(folder, MASK, self, self._id)
            except OSError as problem:
                if problem.errno in (errno.ENOSPC, errno.ENOMEM):
                    self._full = problem  # no more of them until the next walk through everything
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
        arrived = not self._probed or self._arrived.is_set()
        self._arrived.clear()
        self._probed = False
        if self._probe_watch is not None:
            with suppress(OSError):
                os.utime(self._probe_file)
                self._probed = True
        return arrived

    def stop(self) -> None:
        super().stop()
        self._fd.close()  # also of a thread that died

    def on_event(self, event: InotifyEvent) -> None:
        """From the thread that reads: something happened in a folder."""
        with self._lock:
            if event.wd == self._probe_watch:
                self._arrived.set()
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
            if event.mask & i.IN_UNMOUNT:
                self._drop(folder)
            matters = folder in self._roots or not (event.is_move_self or event.is_delete_self)
        if matters:
            self._events.add(path, deep)

    def on_watch_deleted(self, wd: WatchDescriptor) -> None:
        """From the thread that reads: a watched folder is no more."""
        with self._lock:
            self._drop(self._by_watch.get(wd))

    def on_queue_overflow(self) -> None:
        """From the thread that reads: events were lost."""
        self._events.lose()

    def _watch_probe(self) -> None:
        with suppress(OSError):  # without it only the thread's life is known
            self._probe_file.touch(mode=0o600)
            self._probe_watch = self._fd.add_callback(
                os.fsencode(self._probe_file), PROBE_MASK, self, self._id
            )

    def _refuse(self, folder: bytes, problem: OSError) -> None:
        above = folder
        while above and above not in self._roots:
            above = above.rpartition(b"/")[0]
            if above in self.unwatched:
                return  # it is polled with all that is below it
        self.unwatched[folder] = unwatched(Path(os.fsdecode(folder)), problem)

    def _below(self, path: bytes) -> list[bytes]:
        inside = path + b"/"
        return [other for other in self._by_path if other == path or other.startswith(inside)]

    def _remove(self, paths: Iterable[bytes]) -> None:
        gone = [(path, self._by_path[path]) for path in paths]
        for path, _ in gone:
            self._drop(path)
        with suppress(OSError):
            self._fd.remove_callbacks([(watch, self._id) for _, watch in gone])

    def _drop(self, path: bytes | None) -> None:
        if path is not None and (watch := self._by_path.pop(path, None)) is not None:
            self._by_watch.pop(watch, None)
