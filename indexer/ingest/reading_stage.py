"""Stage 1: files are read, and what is in them is made searchable by its words.

Several threads read at the same time, each with a child process of its own; one thread, the one
that calls, publishes what they have read.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from indexer.catalog.forget_list import ForgetList
from indexer.ingest.read import read_file
from indexer.ingest.read_ahead import Batch, ReadAhead
from indexer.ingest.reuse import Reuse
from indexer.ingest.stage import StageDependencies
from indexer.ingest.whole_copy import read_copy
from indexer.types.changes import Changes
from indexer.types.outcomes import (
    ATTEMPTS,
    Known,
    MemberRead,
    Outcome,
    PendingFile,
    Read,
    Refused,
    Skipped,
    Unsettled,
)
from indexer.types.states import FailureReason

BATCH_FILES = 64
FORGOTTEN = "This file was forgotten; `recollect remember` takes that back."


class ReadingStage:
    """Asks nothing of the model but its fingerprint. `corrections` are how what was read corrects
    the counts of the last look at the tree."""

    def __init__(self, shared: StageDependencies, reuse: Reuse, forget_list: ForgetList) -> None:
        self.corrections = Changes()
        self._reuse = reuse
        self._forget_list = forget_list
        self._queue = shared.queue
        self._readers = shared.readers
        self._model = shared.model
        self._publisher = shared.publisher
        self._housekeeping = shared.housekeeping
        self._pace = shared.pace
        self._stopped = shared.stopped
        self._claims = threading.Lock()
        self._restless: set[int] = set()  # files that changed while they were read
        self._claimed: set[str] = set()  # contents that are being read, or wait to be published

    def run(
        self,
        limit: int = BATCH_FILES,
        for_s: float = 0.0,
        on_published: Callable[[], None] = lambda: None,
    ) -> int:
        """Reads the newest files that have settled: `limit` of them, and more for as long as
        `for_s`, each while those before are published; `on_published` is called after every batch.
        Returns how many files were tried.

        Raises LowDiskSpaceError while the disk is full."""
        tried = 0
        with self._housekeeping.reading_lock, self._housekeeping.needing_room():
            self._housekeeping.tidy_if_late()
            self._claimed.clear()
            threads = 2 * self._readers.children
            ahead = ReadAhead(
                self._queue.claim_files, self._read, threads, limit, for_s, self._stopped
            )
            try:
                with ahead:
                    for batch in ahead:
                        self._publish_batch(batch)
                        tried += len(batch.outcomes)
                        on_published()
            finally:
                self._queue.release_files(ahead.unpublished())
        return tried

    def _read(self, file: PendingFile) -> Outcome | None:
        """What comes of a file; None when another that is under way has the same bytes: they are
        known once that is published."""
        claimed: list[str] = []

        def is_known(content: str) -> bool:
            known = self._queue.known_content(content)
            if (known is not None and known.current) or self._forget_list.holds(content):
                return True
            with self._claims:
                if content in self._claimed:
                    raise _ClaimedError
                self._claimed.add(content)
                claimed.append(content)
            return False

        def read(file: PendingFile) -> Outcome:
            return read_file(file, self._readers, is_known)

        try:
            outcome = read(file)
            if isinstance(outcome, Unsettled) and file.id in self._restless:
                self._claimed.difference_update(claimed)
                outcome = read_copy(file, read)
        except _ClaimedError:
            return None
        if isinstance(outcome, Unsettled):
            self._restless.add(file.id)
        else:
            self._restless.discard(file.id)
        if not isinstance(outcome, Read):
            self._claimed.difference_update(claimed)
        if self._stopped.is_set() and isinstance(outcome, Refused) and not outcome.final:
            return Unsettled(file)  # the child was ended, not the file's fault
        if self._stopped.is_set() and isinstance(outcome, Read) and file.attempts + 1 >= ATTEMPTS:
            return Unsettled(file)  # nor that of an attachment it was reading
        if isinstance(outcome, Known) and self._forget_list.holds(outcome.content):
            return Skipped(file, FailureReason.FORGOTTEN, FORGOTTEN)
        return outcome

    def _publish_batch(self, batch: Batch) -> None:
        started = time.monotonic()
        reads = [outcome for outcome in batch.outcomes if isinstance(outcome, Read)]
        try:
            if batch.outcomes:
                self._publish(batch.outcomes)
        finally:
            self._queue.release_files(batch.files)
            self._claimed.difference_update(read.content for read in reads)
        if reads:
            took_s = max(batch.took_s, time.monotonic() - started)
            for kind, count in Counter(read.kind for read in reads).items():
                self._pace.record("read", kind, count, took_s * count / len(reads))

    def _publish(self, outcomes: Sequence[Outcome]) -> None:
        outcomes = self._without_known_members(outcomes)
        reads = [
            read for outcome in outcomes if isinstance(outcome, Read) for read in outcome.whole
        ]
        plan = self._reuse.plan(reads)

        def flip() -> None:
            self.corrections += self._queue.finish_reading(outcomes, plan.generations)
            for read, salvaged in plan.salvaged:
                key = self._model.fingerprint.key
                self._queue.reuse_understanding(read, plan.generations[read.content], key, salvaged)

        self._publisher.publish(flip, plan.rows)

    def _without_known_members(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """The outcomes without what was read of members that are known, are to stay forgotten, or
        stand in the batch already."""
        contents = {outcome.content for outcome in outcomes if isinstance(outcome, Read)}

        def checked(member_read: MemberRead) -> MemberRead:
            content = member_read.member.content
            known = self._queue.known_content(content)
            repeated = content in contents or (known is not None and known.current)
            if repeated or self._forget_list.holds(content):
                return replace(member_read, read=None)
            if member_read.read is not None:
                contents.add(content)
            return member_read

        return [
            replace(outcome, members=tuple(map(checked, outcome.members)))
            if isinstance(outcome, Read)
            else outcome
            for outcome in outcomes
        ]


class _ClaimedError(Exception):
    """Another file that is under way has the same bytes."""
