"""Reading ahead: files are read by several threads while those before are published.

There is no pause between one batch and the next: whatever has been read by the time the publishing
thread is free is its next batch.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from indexer.types.outcomes import Outcome, PendingFile, Read

BATCH_S = 1.0  # no batch waits for longer, so that results show up
# In the first seconds no batch waits for half as long: a person who has just saved a file looks for
# it. What takes longer than these seconds is a whole library, and larger batches cost less.
FIRST_BATCH_S, FIRST_BATCHES_S = 0.5, 10.0
# What may wait to be published: no more files, nor more characters, than these.
MOST_FILES = 4096
MOST_CHARS = 32 << 20
# A child that has read a small file waits until a thread takes the result, and threads wait for
# each other as long as this (Python's own switch interval is ten times as long).
SWITCH_S = 0.0005


@dataclass(slots=True)
class Batch:
    """Files that were claimed, what came of those that were read, and how long that took."""

    files: list[PendingFile] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    took_s: float = 0.0


class ReadAhead:
    """The batches of one run: `limit` files, and for as long as `for_s` more of them, `limit` at a
    time, and before a batch is published as many as are read meanwhile. `claim` gives at most so
    many files, `read` may return None for a file that has to wait until the batch it would have
    been in is published. Used by one thread, as a context; at its end `unpublished` files were
    claimed and are in no batch."""

    def __init__(
        self,
        claim: Callable[[int], Sequence[PendingFile]],
        read: Callable[[PendingFile], Outcome | None],
        threads: int,
        limit: int,
        for_s: float,
        stopped: threading.Event,
    ) -> None:
        self._claim = claim
        self._read = read
        self._limit = limit
        self._claims_again = for_s > 0
        self._end = time.monotonic() + max(for_s, BATCH_S)
        self._stopped = stopped
        self._changed = threading.Condition()
        self._claiming = threading.Lock()
        self._claimed: deque[PendingFile] = deque()
        self._started = 0
        self._batch = Batch()
        self._chars = 0
        self._fault: BaseException | None = None
        self._closed = False
        # More threads than children: while one handles what a child has read, another gives the
        # child its next file.
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(threads)]
        self._running = threads

    def __enter__(self) -> Self:
        self._switch_s = sys.getswitchinterval()
        sys.setswitchinterval(min(SWITCH_S, self._switch_s))
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        sys.setswitchinterval(self._switch_s)

    def unpublished(self) -> list[PendingFile]:
        """The files that were claimed and are in no batch that was handed out."""
        return [*self._claimed, *self._batch.files]

    def __iter__(self) -> Iterator[Batch]:
        """Every batch, until there is nothing to be read, the time is up, or it was `stopped`.
        Raises what went wrong while files were claimed or read."""
        first = began = time.monotonic()
        while True:
            wait_s = FIRST_BATCH_S if began - first < FIRST_BATCHES_S else BATCH_S
            with self._changed:
                self._changed.wait_for(self._is_due, timeout=wait_s)
                while not self._batch.files and self._running:
                    self._changed.wait()
            self._claim_for_publication()
            with self._changed:
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
        """What each thread does: file after file."""
        try:
            while (file := self._next()) is not None:
                try:
                    outcome = self._read(file)
                except BaseException:
                    self._add(file, None)
                    raise
                self._add(file, outcome)
        except BaseException as fault:  # the publishing thread raises it
            with self._changed:
                self._fault = self._fault or fault
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def _next(self) -> PendingFile | None:
        """The next file, when there is one and room for what will be read from it."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or not self._is_full())
        with self._claiming:  # a lock of its own: the catalog may be slow, and publishing goes on
            if self._is_over():
                return None
            if not self._claimed and (self._started == 0 or self._claims_again):
                self._claimed.extend(self._claim(self._limit))
            if not self._claimed:
                return None
            self._started += 1
            return self._claimed.popleft()

    def _claim_for_publication(self) -> None:
        """Claims what is read until a batch is published, half as many files as it has: nobody can
        claim any while it is written."""
        with self._claiming:
            missing = len(self._batch.files) // 2 - len(self._claimed)
            if missing > 0 and self._claims_again and not self._is_over():
                self._claimed.extend(self._claim(missing))

    def _is_over(self) -> bool:
        is_late = time.monotonic() > self._end and self._started > 0
        return self._closed or self._fault is not None or self._stopped.is_set() or is_late

    def _add(self, file: PendingFile, outcome: Outcome | None) -> None:
        with self._changed:
            is_first = not self._batch.files
            self._batch.files.append(file)
            if outcome is not None:
                self._batch.outcomes.append(outcome)
            if isinstance(outcome, Read):
                self._chars += sum(
                    len(passage.text) for read in outcome.whole for passage in read.passages
                )
            if is_first or self._is_full():
                self._changed.notify_all()
