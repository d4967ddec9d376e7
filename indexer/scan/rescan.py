"""When to look where: everywhere at times, and in between where something is said to have happened.

The watcher hints, and is not believed: everything is looked at when the program starts, once in a
while, when hints were lost, when the watcher falls silent, and when the machine has slept. What
cannot be watched is looked at more often. Network file systems have a thread of their own, since
no events come from there, and one that hangs must not hold up the rest.
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
PROBE_S = 30.0  # how often the watcher has to hear a touch of our own
JUMP_S = 20.0  # a clock that went further than time did: the machine slept, or the clock was set
SILENT_S = 30.0  # a network file system that has not answered for so long is taken for gone


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
        self._rescan = threading.Event()
        self._noticed: set[Path] = set()
        self._polled_at: float | None = None
        self._probed_at = time.monotonic()
        self._clock = _Clock()
        self._network_at: float | None = None
        self._heard_of: float | None = None  # when the network poll under way came forward last
        self._silent = False  # it has not for too long

    def start(self) -> None:
        from indexer.scan.watcher import Watcher

        self._watcher = Watcher(self._wake, ignored=self._catalog.file.parent.resolve())
        self._clock = _Clock()
        self._rescan.set()

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
        self._rescan.set()
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
        """Everywhere, or where something is said to have happened; None when there is nothing to
        look at."""
        watcher = self._watcher
        assert watcher is not None  # noqa: S101  start() made it
        self._note_network()
        now = time.time()  # goes on while the machine sleeps
        hints = watcher.take()
        late = self.rescanned_at is None or abs(now - self.rescanned_at) > self._times.rescan_s
        deaf = self._is_deaf(watcher)
        if deaf or self._clock.jumped() or late or hints is None or self._rescan.is_set():
            self._rescan.clear()
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
            hints += [Hint(one.path) for one in watcher.unwatched]
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

    def _is_deaf(self, watcher: Watcher) -> bool:
        """Whether the watcher has died or fallen silent; one that has is begun anew."""
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
        self._heard_of = now
        try:
            reconcile(
                self._catalog,
                [Hint(place) for place in self.network],
                settle_s=self._times.settle_s,
                grace_s=self._times.grace_s,
                entering=self._came_forward,
            )
        finally:
            self._heard_of = None
        self._wake()
        if self._silent:  # it has answered in the end: nothing is hidden any more
            self._silent, self._network_at = False, None
            return 0.0
        return self._times.network_poll_s

    def _came_forward(self, folder: bytes) -> None:
        self._heard_of = time.monotonic()

    def _note_network(self) -> None:
        """Which folders lie on a network now, and whether that answers. Touches none of them."""
        found = network_places(self._catalog.roots.paths())
        if found.keys() - self.network.keys():
            self._wake_poll()
        self.network = found
        heard = self._heard_of
        if heard is not None and time.monotonic() - heard > SILENT_S:
            self._silent = True
            hide_unanswering(self._catalog.database, found)


class _Clock:
    """Notices when the clock on the wall went otherwise than time did."""

    def __init__(self) -> None:
        self._ahead_s = time.time() - time.monotonic()

    def jumped(self) -> bool:
        ahead_s, before_s = time.time() - time.monotonic(), self._ahead_s
        self._ahead_s = ahead_s
        return abs(ahead_s - before_s) > JUMP_S
