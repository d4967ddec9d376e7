"""The keeper: brings the index up to date, once or for as long as the program serves.

Two threads, because the model is slow and people are not: one looks and reads (words of a saved
file are found within seconds), the other lets the model understand what has been read.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from indexer.catalog import Catalog, Coverage
from indexer.changes import Changes
from indexer.pipeline import Pipeline
from indexer.reconcile import reconcile
from model.interface import ModelProblem

if TYPE_CHECKING:
    from indexer.watcher import Unwatched, Watcher

log = logging.getLogger(__name__)

SETTLE_S = 1.0
RESCAN_S = 600.0
POLL_S = 60.0  # how often a folder that cannot be watched, or is not there, is looked at
QUIET_S = 60.0  # how long nothing has happened before contents without a path are forgotten
PAUSE_S = 5.0  # after a fault of the disk or the model
ROUNDS = 5  # how often `run_once` comes back to files that change while they are read


class Keeper:
    """Keeps the index of one catalog; the holder of the library's lock may have one.

    `unwatched` are the folders that are only looked at now and then, `rescanned_at` (unix s) is
    when everything was looked at last."""

    def __init__(
        self,
        catalog: Catalog,
        pipeline: Pipeline,
        *,
        settle_s: float = SETTLE_S,
        rescan_s: float = RESCAN_S,
        quiet_s: float = QUIET_S,
        on_progress: Callable[[Coverage], None] | None = None,
    ) -> None:
        self.unwatched: list[Unwatched] = []
        self.rescanned_at: float | None = None
        self._catalog = catalog
        self._pipeline = pipeline
        self._settle_s = settle_s
        self._rescan_s = rescan_s
        self._quiet_s = quiet_s
        self._on_progress = on_progress
        self._watcher: Watcher | None = None
        self._threads: list[threading.Thread] = []
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._work = threading.Event()
        self._rescan = threading.Event()
        self._problems: dict[str, str] = {}
        self._busy_at = 0.0

    # -- once ----------------------------------------------------------------------------------

    def run_once(self) -> Changes:
        """Brings the index up to date and returns what had changed, in files.

        Raises ModelProblem when the model cannot be used; what was read stays searchable."""
        self._pipeline.resume()
        self._pipeline.corrections = Changes()
        self._pipeline.recover()
        changes = reconcile(self._catalog)
        for _ in range(ROUNDS):
            while self._pipeline.read_some():
                self._tell()
            while self._pipeline.understand_some():
                self._tell()
            due = self._pipeline.next_due()
            if due is None or due > time.time() + 2 * SETTLE_S:
                break
            time.sleep(max(0.0, due - time.time()))
            changes += reconcile(self._catalog)
        self._pipeline.tidy(thoroughly=True)
        self._tell()
        return changes + self._pipeline.corrections

    # -- for as long as it serves --------------------------------------------------------------

    def start(self) -> None:
        """Watches and keeps the index up to date from now on, in the background."""
        from indexer.watcher import Watcher

        self._stopping.clear()
        self._pipeline.resume()
        self._pipeline.recover()
        self._watcher = Watcher(self._wake.set, ignored=self._catalog.file.parent.resolve())
        self._rescan.set()
        self._threads = [
            threading.Thread(target=self._keep, args=(beat,), name=name, daemon=True)
            for beat, name in ((self._read_beat, "reading"), (self._model_beat, "understanding"))
        ]
        for thread in self._threads:
            thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Ends the background work; what was not finished is taken up at the next start."""
        self._stopping.set()
        self._pipeline.stop()
        self._wake.set()
        self._work.set()
        for thread in self._threads:
            thread.join(timeout_s / 2)
            if thread.is_alive():  # it waits for a file that takes long to open
                self._pipeline.abort()
                thread.join(timeout_s / 2)
        self._threads = []
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher = None

    @property
    def problem(self) -> str | None:
        """What holds the work up at the moment, for a person; None when nothing does."""
        return next(iter(list(self._problems.values())), None)

    def poke(self) -> None:
        """Looks everywhere now: the watched folders, or what is wanted, have changed."""
        self._rescan.set()
        self._wake.set()
        self._work.set()

    def eta_s(self) -> int | None:
        """Seconds until everything is understood; None while that cannot be told."""
        return self._pipeline.eta_s()

    def _read_beat(self) -> float:
        """Look, read a batch, tidy up when there is nothing to read; returns the seconds until
        there may be something again."""
        self._look()
        if self._pipeline.read_some():
            self._busy_at = time.monotonic()
            self._work.set()
            self._tell()
            return 0.0
        if time.monotonic() - self._busy_at > self._quiet_s:
            self._pipeline.tidy()
            self._busy_at = float("inf")  # once, until there is work again
        due = self._pipeline.next_due()
        return 1.0 if due is None else min(1.0, max(0.0, due - time.time()))

    def _model_beat(self) -> float:
        """Let the model understand a batch."""
        if self._pipeline.understand_some():
            self._tell()
            return 0.0
        return 1.0

    def _look(self) -> None:
        """Everywhere at the start, now and then, and when events were lost; else where the
        watcher saw something."""
        assert self._watcher is not None  # noqa: S101  start() made it
        now = time.time()  # goes on while the machine sleeps
        every = self._rescan_s
        if self.unwatched or any(root.offline for root in self._catalog.roots()):
            every = min(every, POLL_S)
        hints = self._watcher.take()
        deaf = not self._watcher.alive() and not self.unwatched
        late = self.rescanned_at is None or abs(now - self.rescanned_at) > every
        if hints is None or deaf or late or self._rescan.is_set():
            self._rescan.clear()
            roots = [root.path for root in self._catalog.roots() if root.path.is_dir()]
            self.unwatched = self._watcher.follow(roots)
            changes = reconcile(self._catalog, settle_s=self._settle_s)
            self.rescanned_at = now
        elif hints:
            changes = reconcile(self._catalog, hints, settle_s=self._settle_s)
        else:
            return
        if changes != Changes():
            self._busy_at = time.monotonic()
            self._tell()

    def _keep(self, beat: Callable[[], float]) -> None:
        """Beats until stopped. A fault of the disk or the model pauses the work, ends nothing."""
        bell = self._wake if beat == self._read_beat else self._work
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
    if isinstance(fault, ModelProblem):
        return str(fault)
    if isinstance(fault, OSError):
        return f"Indexing is paused: {fault.strerror or fault}. It goes on by itself."
    return f"Indexing is paused by a fault ({type(fault).__name__}). It goes on by itself."
