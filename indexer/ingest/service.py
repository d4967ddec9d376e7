"""The index service: brings the index up to date, once or for as long as the program serves.

Three threads, because the model is slow and people are not: one looks at the tree and reads (words
of a saved file are found within seconds), one lets the model understand what has been read, and one
looks at network file systems.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Iterable

from indexer.catalog.catalog import Catalog
from indexer.catalog.storage.errors import CatalogError
from indexer.files.disk_room import LowDiskSpaceError, disk_error, is_full
from indexer.ingest.audit import Audit
from indexer.ingest.constraints import WorkConstraints
from indexer.ingest.pipeline import Pipeline
from indexer.scan.reconcile import reconcile
from indexer.scan.rescan import Rescan, RescanTimes
from indexer.types.changes import Changes
from indexer.types.coverage import Coverage
from indexer.vectors.tables import StoreError
from model.interface import ModelError

log = logging.getLogger(__name__)

SETTLE_S = 1.0
READ_FOR_S = 2.0  # without a look at what has changed meanwhile
READ_ONCE_FOR_S = 600.0  # the same in `run_once`, which looks at the tree once a round
QUIET_S = 60.0  # how long nothing has happened before contents without a path are forgotten
DAMAGED = "A part of the index is damaged; it is repaired now, by itself."
REPAIR_AGAIN_S = 600.0  # a repair that did not help is not tried again sooner
PAUSE_S = 5.0  # after a fault of the disk or the model
CONSTRAINTS_S = 5.0  # how often the constraints of the model's work are checked while they hold
AUDIT_S = 7 * 86400.0
ROUNDS = 5  # how often `run_once` returns to files that change while they are read


class IndexService:
    """Keeps the index of one catalog up to date; the holder of the library's lock may have one.

    `rescan` knows which folders are only looked at now and then, and when everything was looked
    at last; `waiting` is what the second stage waits for, as a sentence. `afterwards` is called
    when everything is understood, until it returns false."""

    def __init__(
        self,
        catalog: Catalog,
        pipeline: Pipeline,
        *,
        settle_s: float = SETTLE_S,
        times: RescanTimes | None = None,
        quiet_s: float = QUIET_S,
        audit_s: float = AUDIT_S,
        constraints: WorkConstraints | None = None,
        on_progress: Callable[[Coverage], None] | None = None,
        afterwards: Callable[[], bool] = lambda: False,
    ) -> None:
        self._waiting: str | None = None
        self._has_passed = False  # whether the second stage has had a pass
        self._catalog = catalog
        self.pipeline = pipeline
        self._times = times or RescanTimes(settle_s=settle_s)
        self._quiet_s = quiet_s
        self._audit = Audit(catalog.database, audit_s)
        self._constraints = constraints or WorkConstraints()
        self._on_progress = on_progress
        self._afterwards = afterwards
        self._threads: list[threading.Thread] = []
        self._stopping = threading.Event()
        self._read_soon = threading.Event()
        self._understand_soon = threading.Event()
        self._poll_soon = threading.Event()
        self.rescan = Rescan(catalog, self._read_soon.set, self._poll_soon.set, self._times)
        self._wanted_at: dict[str, float] = {}  # unix s, by item
        self._wanted_lock = threading.Lock()
        self._problems: dict[str, str] = {}
        self._busy_at = 0.0
        self._unrecovered = False  # what an ended process left is still to be put back
        self._damaged = threading.Event()  # the index is to be repaired
        self._repaired_at = -REPAIR_AGAIN_S

    # -- once ----------------------------------------------------------------------------------

    def run_once(self) -> Changes:
        """Brings the index up to date and returns what had changed, in files.

        Raises ModelError when the model cannot be used; what was read stays searchable."""
        housekeeping = self.pipeline.housekeeping
        self.pipeline.resume()
        changes = Changes()
        for may_repair in (True, False):
            try:
                housekeeping.recover()
                changes += self._read_and_understand()
                break
            except StoreError as problem:
                if not may_repair:
                    raise
                log.warning("the index is damaged and is repaired: %s", problem.sentence)
                housekeeping.repair()
        return changes

    def _read_and_understand(self) -> Changes:
        """Looks everywhere, and ends when everything is read and understood."""
        pipeline = self.pipeline
        pipeline.reading.corrections = Changes()
        pipeline.housekeeping.write_missing_words()
        changes = reconcile(self._catalog, grace_s=self._times.grace_s)
        for _ in range(ROUNDS):
            while pipeline.reading.run(for_s=READ_ONCE_FOR_S, on_published=self._report_progress):
                pass
            while pipeline.understanding.run():
                self._report_progress()
            while self._afterwards():
                pass
            self._wait_for(pipeline.understanding.unmet())
            due = pipeline.queue.next_due()
            if due is None or due > time.time() + 2 * SETTLE_S:
                break
            time.sleep(max(0.0, due - time.time()))
            changes += reconcile(self._catalog, grace_s=self._times.grace_s)
        pipeline.housekeeping.tidy(thoroughly=True)
        self._report_progress()
        return changes + pipeline.reading.corrections

    # -- in the background ---------------------------------------------------------------------

    def start(self) -> None:
        """Watches and keeps the index up to date from now on, in the background. Returns at once:
        what an ended process left is put back by the first pass."""
        self._stopping.clear()
        self.pipeline.resume()
        self._unrecovered = True
        self.rescan.start()
        passes = (
            (self._look_and_read, self._read_soon, "reading"),
            (self._understand, self._understand_soon, "understanding"),
            (self._poll_network, self._poll_soon, "polling"),
        )
        self._threads = [
            threading.Thread(target=self._loop, args=(run, soon), name=name, daemon=True)
            for run, soon, name in passes
        ]
        for thread in self._threads:
            thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Ends the background work; what was not finished is continued at the next start."""
        self._stopping.set()
        self.pipeline.stop()
        for soon in (self._read_soon, self._understand_soon, self._poll_soon):
            soon.set()
        for thread in self._threads:
            if thread.name == "polling":  # a network that hangs may block it for ever
                thread.join(timeout_s / 10)
                continue
            thread.join(timeout_s / 2)
            if thread.is_alive():  # it waits for a file that takes long to open
                self.pipeline.abort()
                thread.join(timeout_s / 2)
        self._threads = []
        self.rescan.stop()

    @property
    def waiting(self) -> str | None:
        """What the second stage waits for, or would before its first pass; None while it does
        not."""
        return self._waiting if self._has_passed else self.pipeline.understanding.unmet()

    @property
    def problem(self) -> str | None:
        """Why the work is paused at the moment, for a person; None when it is not."""
        return next(iter(list(self._problems.values())), None)

    def poke(self) -> None:
        """Looks everywhere now: the watched folders, or what is wanted, have changed."""
        self.rescan.everywhere()
        self._understand_soon.set()

    def want(self, items: Iterable[str]) -> None:
        """A person is looking at these items, the most wanted first: the model takes them next.
        Never waits; they are written to the catalog before the model's next batch."""
        now = time.time()
        with self._wanted_lock:
            for rank, item in enumerate(items):
                self._wanted_at[item] = now - rank / 1e3
        self._understand_soon.set()

    def report_damage(self, problem: StoreError, where: str = "reading") -> None:
        """Has the index repaired by the next pass that reads, unless that was tried just now;
        `where` is the pass that met it. Any thread may call."""
        log.warning("the index is damaged: %s", problem.sentence)
        if time.monotonic() - self._repaired_at > REPAIR_AGAIN_S:
            self._problems[where] = DAMAGED
            self._damaged.set()
            self._read_soon.set()

    def _look_and_read(self) -> float:
        """One pass: repair the index where it is damaged, look at the tree, read on, tidy up when
        there is nothing to read. Returns the seconds until there may be something again."""
        if self._damaged.is_set():
            self._repaired_at = time.monotonic()
            self.pipeline.housekeeping.repair()
            self._unrecovered = True
            self._damaged.clear()
        if self._unrecovered:
            self.pipeline.housekeeping.recover()
            self._unrecovered = False
            self._understand_soon.set()
        self.pipeline.housekeeping.write_missing_words()
        changes = self.rescan.look()
        if changes is not None:
            if changes != Changes():
                self._busy_at = time.monotonic()
            self._report_progress()  # a folder may be offline, or back, with nothing else changed
        if self.pipeline.reading.run(for_s=READ_FOR_S):
            self._busy_at = time.monotonic()
            self._understand_soon.set()
            self._report_progress()
            return 0.0
        if time.monotonic() - self._busy_at > self._quiet_s:
            self.pipeline.housekeeping.tidy()
            again_s = self.pipeline.housekeeping.tidy_again_s
            # once, until there is work again or old versions have had their time
            self._busy_at = math.inf if again_s is None else time.monotonic() + again_s
        elif self._audit.run():
            return 0.1  # a little at a time
        due = self.pipeline.queue.next_due()
        return 1.0 if due is None else min(1.0, max(0.0, due - time.time()))

    def _understand(self) -> float:
        """One pass: let the model understand a batch, when its constraints allow that."""
        if self._damaged.is_set() or self._unrecovered:
            return 1.0
        with self._wanted_lock:
            wanted_at, self._wanted_at = self._wanted_at, {}
        if wanted_at:
            self._catalog.items.want(wanted_at)
        if (constraint := self._constraints.unmet()) is not None:
            self._wait_for(constraint)
            return CONSTRAINTS_S
        if self.waiting != self.pipeline.understanding.unmet():
            self._wait_for(None)
        if self.pipeline.understanding.run():
            self._wait_for(None)
            self._report_progress()
            return 0.0
        self._wait_for(self.pipeline.understanding.unmet())
        return 1.0

    def _wait_for(self, sentence: str | None) -> None:
        """Says what the second stage waits for, None while it does not."""
        before, self._waiting, self._has_passed = self.waiting, sentence, True
        if sentence != before:
            self._report_progress()

    def _poll_network(self) -> float:
        """One pass: look at network file systems."""
        wait_s = self.rescan.poll()
        self._report_progress()
        return wait_s

    def _loop(self, run: Callable[[], float], soon: threading.Event) -> None:
        """Passes until stopped, with the pauses they ask for, shortened by `soon`. A fault of the
        disk or the model is a longer pause, and no end."""
        name = threading.current_thread().name
        while not self._stopping.is_set():
            soon.clear()
            try:
                wait_s = run()
                self._problems.pop(name, None)
            except Exception as fault:
                if self._stopping.is_set():
                    break
                # the kind of fault alone: names and texts of a person do not belong in a log
                log.warning("%s is paused by %s", name, type(fault))
                log.debug("the fault", exc_info=True)
                self._problems[name] = _sentence(fault)
                if isinstance(fault, StoreError):
                    self.report_damage(fault, name)
                wait_s = PAUSE_S
            if wait_s:
                soon.wait(wait_s)

    def _report_progress(self) -> None:
        if self._on_progress is not None:
            self._on_progress(self._catalog.counts.coverage())


def _sentence(fault: Exception) -> str:
    if isinstance(fault, ModelError | LowDiskSpaceError | CatalogError | StoreError):
        return fault.sentence
    if is_full(fault):
        return "Indexing is paused: the disk is full. It goes on by itself when there is room."
    if disk_error(fault):
        return "Indexing is paused: the disk gives errors. It goes on by itself when they end."
    if isinstance(fault, OSError):
        return f"Indexing is paused: {fault.strerror or fault}. It goes on by itself."
    return f"Indexing is paused by a fault ({type(fault).__name__}). It goes on by itself."
