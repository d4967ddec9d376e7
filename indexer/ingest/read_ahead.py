"""Reading ahead: files are read by all children at once while those before are written down.

There is no pause between one batch and the next: whatever has been read by the time the writer is
free is his next batch.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from indexer.catalog.queue import Queue
from indexer.types.outcomes import Outcome, PendingFile, Read

BATCH_S = 1.0  # no batch waits for longer, so that results show up
# At first none waits half as long: who has just saved a file looks for it. What takes longer than
# this is a library being taken in, and larger batches cost less.
SOON_S, SOON_FOR_S = 0.5, 10.0
# What may wait for the writer: no more files, nor more characters, than these.
MOST_FILES = 4096
MOST_CHARS = 32 << 20
# A child that has read a small file waits for a thread to take that off it, and threads wait for
# each other as long as this (Python's own is ten times as long).
TURN_S = 0.0005


@dataclass(slots=True)
class Batch:
    """Files that were taken, what came of those that were read, and how long that took."""

    files: list[PendingFile] = field(default_factory=list)
    done: list[Outcome] = field(default_factory=list)
    took_s: float = 0.0


class ReadAhead:
    """The batches of one stretch of reading: `limit` files, and for as long as `for_s` more of
    them, `limit` at a time. `read` may return None for a file that has to wait until the batch it
    would have been in is written down. Used by one thread, as a context: what was taken and is in
    no batch is put back at its end."""

    def __init__(
        self,
        worklist: Queue,
        read: Callable[[PendingFile], Outcome | None],
        children: int,
        limit: int,
        for_s: float,
        stopped: threading.Event,
    ) -> None:
        self._worklist = worklist
        self._read = read
        self._limit = limit
        self._goes_on = for_s > 0
        self._end = time.monotonic() + max(for_s, BATCH_S)
        self._stopped = stopped
        self._changed = threading.Condition()
        self._claiming = threading.Lock()
        self._claimed: deque[PendingFile] = deque()
        self._begun = 0
        self._batch = Batch()
        self._chars = 0
        self._fault: BaseException | None = None
        self._closed = False
        # While one hand looks after what a child has found, another gives the child its next file.
        self._hands = [
            threading.Thread(target=self._work, daemon=True) for _ in range(2 * children)
        ]
        self._running = len(self._hands)

    def __enter__(self) -> Self:
        self._turn_s = sys.getswitchinterval()
        sys.setswitchinterval(min(TURN_S, self._turn_s))
        for hand in self._hands:
            hand.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for hand in self._hands:
            hand.join()
        sys.setswitchinterval(self._turn_s)
        self._worklist.release_files([*self._claimed, *self._batch.files])

    def __iter__(self) -> Iterator[Batch]:
        """Every batch, until there is nothing to be read, the time is up, or it was `stopped`.
        Raises what went wrong while files were taken."""
        first = began = time.monotonic()
        while True:
            wait_s = SOON_S if began - first < SOON_FOR_S else BATCH_S
            with self._changed:
                self._changed.wait_for(self._is_due, timeout=wait_s)
                while not self._batch.files and self._running:
                    self._changed.wait()
                if self._fault is not None:
                    raise self._fault
                batch, self._batch, self._chars = self._batch, Batch(), 0
                self._changed.notify_all()
            if not batch.files:
                return
            batch.took_s = time.monotonic() - began
            began = time.monotonic()
            yield batch

    def _is_due(self) -> bool:
        return not self._running or self._is_full()

    def _is_full(self) -> bool:
        return len(self._batch.files) >= MOST_FILES or self._chars >= MOST_CHARS

    def _work(self) -> None:
        """One hand: file after file."""
        try:
            while (file := self._next()) is not None:
                try:
                    outcome = self._read(file)
                except BaseException:
                    self._keep(file, None)
                    raise
                self._keep(file, outcome)
        except BaseException as fault:  # it is the writer's thread that raises it
            with self._changed:
                self._fault = self._fault or fault
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def _next(self) -> PendingFile | None:
        """The next file, when there is one and room for what will be found in it."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or not self._is_full())
        with self._claiming:  # on its own: the catalog may be busy, and the writer is not to wait
            late = time.monotonic() > self._end and self._begun > 0
            if self._closed or self._fault is not None or self._stopped.is_set() or late:
                return None
            if not self._claimed and (self._begun == 0 or self._goes_on):
                self._claimed.extend(self._worklist.claim_files(self._limit))
            if not self._claimed:
                return None
            self._begun += 1
            return self._claimed.popleft()

    def _keep(self, file: PendingFile, outcome: Outcome | None) -> None:
        with self._changed:
            waited_for = not self._batch.files
            self._batch.files.append(file)
            if outcome is not None:
                self._batch.done.append(outcome)
            if isinstance(outcome, Read):
                self._chars += sum(len(one.text) for read in outcome.whole for one in read.passages)
            if waited_for or self._is_full():
                self._changed.notify_all()
