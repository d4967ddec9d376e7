"""When to look where: everywhere at times, and in between where the watcher hints.

Hints may be missing, so everything is looked at when the program starts, once in a while, when
hints were lost, when the watcher stops, and when the machine has slept. What cannot be watched is
looked at more often. Network file systems have a thread of their own: no events come from there,
and one that hangs must not hold up the rest.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.catalog.catalog import Catalog
from indexer.catalog.tree.reachability import hide_unanswering
from indexer.files.mounts import network_places
from indexer.scan.missing import GRACE_S
from indexer.scan.reconcile import reconcile
from indexer.types.changes import Changes, Hint

if TYPE_CHECKING:
    from indexer.scan.unwatched import Unwatched
    from indexer.scan.watcher import Watcher

POLL_S = 60.0  # how often a folder that cannot be watched, or is not there, is looked at
PROBE_S = 30.0  # how often the event of a touch of our own has to arrive
JUMP_S = 20.0  # a clock that went further than time did: the machine slept, or the clock was set
SILENT_S = 30.0  # a network file system that has not answered for so long goes offline


@dataclass(frozen=True, slots=True)
class RescanTimes:
    """How often is looked, in seconds: `settle_s` a file has to be quiet, `rescan_s` between looks
    everywhere, `network_poll_s` between looks at network folders, `grace_s` until many files that
    went missing at once are given up."""

    settle_s: float = 1.0
    rescan_s: float = 600.0
    network_poll_s: float = 120.0
    grace_s: float = GRACE_S


class Rescan:
    """Keeps the catalog level with the disk; `look` by one thread, `poll` by another."""

    def __init__(
        self,
        catalog: Catalog,
        wake: Callable[[], None],
        wake_poll: Callable[[], None],
        times: RescanTimes,
    ) -> None:
        self.network: dict[Path, str] = {}
        self.rescanned_at: float | None = None
        self.restarts = 0
        self._catalog = catalog
        self._wake = wake
        self._wake_poll = wake_poll
        self._times = times
        self._watcher: Watcher | None = None
        self._everywhere_due = threading.Event()
        self._noticed: set[Path] = set()
        self._polled_at: float | None = None
        self._probed_at = time.monotonic()
        self._clock = _WallClock()
        self._network_at: float | None = None
        # when the network poll under way last entered a folder
        self._progressed_at: float | None = None
        self._silent = False  # that is too long ago

    def start(self) -> None:
        from indexer.scan.watcher import Watcher

        self._watcher = Watcher(self._wake, ignored=self._catalog.file.parent.resolve())
        self._clock = _WallClock()
        self._everywhere_due.set()

    def stop(self) -> None:
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher = None

    @property
    def unwatched(self) -> list[Unwatched]:
        """The local folders that are looked at now and then only."""
        return [] if self._watcher is None else self._watcher.unwatched

    def everywhere(self) -> None:
        """Asks for a look at everything."""
        self._network_at = None
        self._everywhere_due.set()
        self._wake()
        self._wake_poll()

    def is_there(self, path: Path) -> bool:
        """Whether a path that is about to be shown leads to a file; one that does not is looked
        at. A network is not asked: it may not answer."""
        if any(place in path.parents for place in self.network) or os.path.lexists(path):
            return True
        self._noticed.add(path)
        self._wake()
        return False

    # -- this machine --------------------------------------------------------------------------

    def look(self) -> Changes | None:
        """Looks everywhere, or where there are hints; None when there is nothing to look at."""
        watcher = self._watcher
        assert watcher is not None  # noqa: S101  start() made it
        self._note_network()
        now = time.time()  # goes on while the machine sleeps
        hints = watcher.events.take()
        late = self.rescanned_at is None or abs(now - self.rescanned_at) > self._times.rescan_s
        stopped = self._has_stopped(watcher)
        if (
            stopped
            or self._clock.jumped()
            or late
            or hints is None
            or self._everywhere_due.is_set()
        ):
            self._everywhere_due.clear()
            folders = self._catalog.roots.paths()
            apart = self.network.keys()
            watcher.follow(path for path in folders if path not in apart and path.is_dir())
            changes = self._reconcile(None, watcher.enter)
            watcher.finish()
            self.rescanned_at = now
            return changes
        while self._noticed:
            hints.append(Hint(self._noticed.pop(), deep=False))
        if self._polled_at is None or abs(now - self._polled_at) > POLL_S:
            self._polled_at = now
            hints += [Hint(folder.path) for folder in watcher.unwatched]
            hints += [Hint(path) for path in self._catalog.roots.paths(offline=True)]
        return self._reconcile(hints, watcher.enter) if hints else None

    def _reconcile(
        self, hints: list[Hint] | None, entering: Callable[[bytes], None] | None
    ) -> Changes:
        return reconcile(
            self._catalog,
            hints,
            settle_s=self._times.settle_s,
            grace_s=self._times.grace_s,
            apart=tuple(self.network),
            entering=entering,
        )

    def _has_stopped(self, watcher: Watcher) -> bool:
        """Whether the watcher has died or its events do not arrive; if so it is stopped."""
        if not watcher.alive():
            dead = not watcher.unwatched and self.rescanned_at is not None
            self.restarts += int(dead)
            return dead
        if time.monotonic() - self._probed_at < PROBE_S:
            return False
        self._probed_at = time.monotonic()
        if watcher.probe():
            return False
        watcher.stop()
        self.restarts += 1
        return True

    # -- the network ---------------------------------------------------------------------------

    def poll(self) -> float:
        """Looks at the network folders when it is time; returns the seconds until it is again."""
        self._note_network()
        if not self.network:
            return POLL_S
        now = time.monotonic()
        if self._network_at is not None and now - self._network_at < self._times.network_poll_s:
            return self._times.network_poll_s - (now - self._network_at)
        self._network_at = now
        self._progressed_at = now
        try:
            reconcile(
                self._catalog,
                [Hint(place) for place in self.network],
                settle_s=self._times.settle_s,
                grace_s=self._times.grace_s,
                entering=self._note_progress,
            )
        finally:
            self._progressed_at = None
        self._wake()
        if self._silent:  # it has answered in the end: nothing is hidden any more
            self._silent, self._network_at = False, None
            return 0.0
        return self._times.network_poll_s

    def _note_progress(self, folder: bytes) -> None:
        self._progressed_at = time.monotonic()

    def _note_network(self) -> None:
        """Which folders lie on a network now, and whether that answers. Touches none of them."""
        network = network_places(self._catalog.roots.paths())
        if network.keys() - self.network.keys():
            self._wake_poll()
        self.network = network
        progressed_at = self._progressed_at
        if progressed_at is not None and time.monotonic() - progressed_at > SILENT_S:
            self._silent = True
            hide_unanswering(self._catalog.database, network)


class _WallClock:
    """Notices when the wall clock and the monotonic clock went apart."""

    def __init__(self) -> None:
        self._ahead_s = time.time() - time.monotonic()

    def jumped(self) -> bool:
        ahead_s, before_s = time.time() - time.monotonic(), self._ahead_s
        self._ahead_s = ahead_s
        return abs(ahead_s - before_s) > JUMP_S
