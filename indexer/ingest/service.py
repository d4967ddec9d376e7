"""The keeper: brings the index up to date, once or for as long as the program serves.

Threads, because the model is slow and people are not: one looks and reads (words of a saved file
are found within seconds), one lets the model understand what has been read, and one looks at what
lies on a network.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable

from indexer.catalog.catalog import Catalog, Coverage
from indexer.files.disk_room import LowDiskSpaceError, disk_error, is_full
from indexer.ingest.audit import Audit
from indexer.ingest.constraints import WorkConstraints
from indexer.ingest.pipeline import Pipeline
from indexer.scan.reconcile import reconcile
from indexer.scan.rescan import Rescan, RescanTimes
from indexer.types.changes import Changes
from model.interface import ModelError

log = logging.getLogger(__name__)

SETTLE_S = 1.0
READ_ON_S = 2.0  # without a look at what has changed meanwhile
READ_ON_ONCE_S = 600.0  # the same where nothing is looked at meanwhile
QUIET_S = 60.0  # how long nothing has happened before contents without a path are forgotten
PAUSE_S = 5.0  # after a fault of the disk or the model
LIMITED_S = 5.0  # how often it is asked whether the model may go on
AUDIT_S = 7 * 86400.0
ROUNDS = 5  # how often `run_once` comes back to files that change while they are read


class IndexService:
    """Keeps the index of one catalog; the holder of the library's lock may have one.

    `lookout` knows which folders are only looked at now and then, and when everything was looked
    at last; `waiting` is what the second stage waits for, as a sentence."""

    def __init__(
        self,
        catalog: Catalog,
        pipeline: Pipeline,
        *,
        settle_s: float = SETTLE_S,
        times: RescanTimes | None = None,
        quiet_s: float = QUIET_S,
        audit_s: float = AUDIT_S,
        limits: WorkConstraints | None = None,
        on_progress: Callable[[Coverage], None] | None = None,
    ) -> None:
        self.waiting: str | None = None
        self._catalog = catalog
        self._pipeline = pipeline
        self._times = times or RescanTimes(settle_s=settle_s)
        self._quiet_s = quiet_s
        self._audit = Audit(catalog.database, audit_s)
        self._limits = limits or WorkConstraints()
        self._on_progress = on_progress
        self._threads: list[threading.Thread] = []
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._work = threading.Event()
        self._poll = threading.Event()
        self.lookout = Rescan(catalog, self._wake.set, self._poll.set, self._times)
        self._wanted: dict[str, float] = {}
        self._wanted_lock = threading.Lock()
        self._problems: dict[str, str] = {}
        self._busy_at = 0.0

    # -- once ----------------------------------------------------------------------------------

    def run_once(self) -> Changes:
        """Brings the index up to date and returns what had changed, in files.

        Raises ModelError when the model cannot be used; what was read stays searchable."""
        self._pipeline.resume()
        self._pipeline.corrections = Changes()
        self._pipeline.recover()
        changes = reconcile(self._catalog, grace_s=self._times.grace_s)
        for _ in range(ROUNDS):
            while self._pipeline.read_some(for_s=READ_ON_ONCE_S, on_kept=self._tell):
                pass
            while self._pipeline.understand_some():
                self._tell()
            due = self._pipeline.next_due()
            if due is None or due > time.time() + 2 * SETTLE_S:
                break
            time.sleep(max(0.0, due - time.time()))
            changes += reconcile(self._catalog, grace_s=self._times.grace_s)
        self._pipeline.tidy(thoroughly=True)
        self._tell()
        return changes + self._pipeline.corrections

    # -- for as long as it serves --------------------------------------------------------------

    def start(self) -> None:
        """Watches and keeps the index up to date from now on, in the background."""
        self._stopping.clear()
        self._pipeline.resume()
        self._pipeline.recover()
        self.lookout.start()
        beats = (
            (self._read_beat, self._wake, "reading"),
            (self._model_beat, self._work, "understanding"),
            (self._poll_beat, self._poll, "polling"),
        )
        self._threads = [
            threading.Thread(target=self._keep, args=(beat, bell), name=name, daemon=True)
            for beat, bell, name in beats
        ]
        for thread in self._threads:
            thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Ends the background work; what was not finished is taken up at the next start."""
        self._stopping.set()
        self._pipeline.stop()
        for bell in (self._wake, self._work, self._poll):
            bell.set()
        for thread in self._threads:
            if thread.name == "polling":  # a network that hangs may keep it for ever
                thread.join(timeout_s / 10)
                continue
            thread.join(timeout_s / 2)
            if thread.is_alive():  # it waits for a file that takes long to open
                self._pipeline.abort()
                thread.join(timeout_s / 2)
        self._threads = []
        self.lookout.stop()

    @property
    def problem(self) -> str | None:
        """What holds the work up at the moment, for a person; None when nothing does."""
        return next(iter(list(self._problems.values())), None)

    def poke(self) -> None:
        """Looks everywhere now: the watched folders, or what is wanted, have changed."""
        self.lookout.everywhere()
        self._work.set()

    def want(self, items: Iterable[str]) -> None:
        """A person is looking at these items, the most wanted first: the model takes them next.
        Never waits; the catalog learns of it when the model's turn comes."""
        now = time.time()
        with self._wanted_lock:
            for place, item in enumerate(items):
                self._wanted[item] = now - place / 1e3
        self._work.set()

    def eta_s(self) -> int | None:
        """Seconds until everything is understood; None while that cannot be told."""
        return self._pipeline.eta_s()

    def _read_beat(self) -> float:
        """Look, read on, tidy up when there is nothing to read; returns the seconds until
        there may be something again."""
        changes = self.lookout.look()
        if changes is not None:
            if changes != Changes():
                self._busy_at = time.monotonic()
            self._tell()  # a folder may be away, or back, with nothing else changed
        if self._pipeline.read_some(for_s=READ_ON_S):
            self._busy_at = time.monotonic()
            self._work.set()
            self._tell()
            return 0.0
        if time.monotonic() - self._busy_at > self._quiet_s:
            self._pipeline.tidy()
            self._busy_at = float("inf")  # once, until there is work again
        elif self._audit.some():
            return 0.1  # a little at a time
        due = self._pipeline.next_due()
        return 1.0 if due is None else min(1.0, max(0.0, due - time.time()))

    def _model_beat(self) -> float:
        """Let the model understand a batch, when it may."""
        with self._wanted_lock:
            wanted, self._wanted = self._wanted, {}
        if wanted:
            self._catalog.want(wanted)
        before, self.waiting = self.waiting, self._limits.unmet()
        if self.waiting != before:
            self._tell()
        if self.waiting is not None:
            return LIMITED_S
        if self._pipeline.understand_some():
            self._tell()
            return 0.0
        return 1.0

    def _poll_beat(self) -> float:
        """Look at what lies on a network."""
        wait_s = self.lookout.poll()
        self._tell()
        return wait_s

    def _keep(self, beat: Callable[[], float], bell: threading.Event) -> None:
        """Beats until stopped. A fault of the disk or the model pauses the work, ends nothing."""
        while not self._stopping.is_set():
            bell.clear()
            try:
                wait_s = beat()
                self._problems.pop(beat.__name__, None)
            except Exception as fault:
                if self._stopping.is_set():
                    break
                # the kind of fault alone: names and texts of a person do not belong in a log
                log.warning("%s is paused by %s", threading.current_thread().name, type(fault))
                log.debug("the fault", exc_info=True)
                self._problems[beat.__name__] = _sentence(fault)
                wait_s = PAUSE_S
            if wait_s:
                bell.wait(wait_s)

    def _tell(self) -> None:
        if self._on_progress is not None:
            self._on_progress(self._catalog.coverage())


def _sentence(fault: Exception) -> str:
    if isinstance(fault, ModelError | LowDiskSpaceError):
        return str(fault)
    if is_full(fault):
        return "Indexing is paused: the disk is full. It goes on by itself when there is room."
    if disk_error(fault):
        return "Indexing is paused: the disk gives errors. It goes on by itself when they end."
    if isinstance(fault, OSError):
        return f"Indexing is paused: {fault.strerror or fault}. It goes on by itself."
    return f"Indexing is paused by a fault ({type(fault).__name__}). It goes on by itself."
