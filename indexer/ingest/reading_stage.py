"""Stage 1: files are read, and what is in them is made searchable by its words.

    add rows under a fresh generation -> sync the store -> flip the catalog -> remove the old

A kill at any point leaves the old or the new: rows of a generation that the catalog does not know
are invisible, and swept at the next start.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from indexer.catalog.catalog import Catalog
from indexer.catalog.queue import Queue
from indexer.files.disk_room import DiskRoom
from indexer.ingest.pace import Pace
from indexer.ingest.read import Reader, read_file
from indexer.ingest.read_ahead import Batch, ReadAhead
from indexer.maintenance.housekeeping import Housekeeping
from indexer.types.changes import Changes
from indexer.types.outcomes import (
    ATTEMPTS,
    Known,
    MemberRead,
    Outcome,
    PendingFile,
    Read,
    Refused,
    Salvaged,
    Skipped,
    Unsettled,
)
from indexer.vectors.rows import passages_sum
from indexer.vectors.store import Store
from model.interface import Model

READ_AT_ONCE = 64
FORGOTTEN = "This file was forgotten; `recollect remember` takes that back."


class Intake(Housekeeping):
    """The first stage. It asks nothing of the model but who it is."""

    def __init__(
        self,
        catalog: Catalog,
        store: Store,
        reader: Reader,
        model: Model,
        room: DiskRoom | None = None,
    ) -> None:
        super().__init__(catalog, store, room)
        self.pace = Pace()
        self.corrections = Changes()
        self._reader = reader
        self._model = model
        self._worklist = Queue(catalog.database)
        self._stop = threading.Event()
        self._taking = threading.Lock()
        self._taken: set[str] = set()  # contents that are being read, or wait to be written down

    def read_some(
        self,
        limit: int = READ_AT_ONCE,
        for_s: float = 0.0,
        on_kept: Callable[[], None] = lambda: None,
    ) -> int:
        """Stage 1 for the newest files that have settled: `limit` of them, and more for as long as
        `for_s`, each read while those before are written down; `on_kept` is called after every
        batch. Returns how many were looked at.

        Raises LowDiskSpaceError while the disk is full."""
        looked_at = 0
        with self._reading_turn, self._roomy():
            self.tidy_if_late()
            self._taken.clear()
            hands = self._reader.children
            with ReadAhead(self._worklist, self._read, hands, limit, for_s, self._stop) as ahead:
                for batch in ahead:
                    self._keep_batch(batch)
                    looked_at += len(batch.done)
                    on_kept()
        return looked_at

    def _keep_batch(self, batch: Batch) -> None:
        started = time.monotonic()
        try:
            self._keep_read(batch.done)
        finally:
            self._worklist.release_files(batch.files)
            for one in batch.done:
                if isinstance(one, Read):
                    self._taken.discard(one.content)
        if kinds := [one.kind for one in batch.done if isinstance(one, Read)]:
            took_s = max(batch.took_s, time.monotonic() - started)
            self.pace.note("read", kinds, took_s)

    def _read(self, file: PendingFile) -> Outcome | None:
        """What comes of a file; None when another that is under way has the same bytes: they are
        known once that is written down."""
        mine: list[str] = []

        def is_known(content: str) -> bool:
            before = self._worklist.before(content)
            if (before is not None and before.current) or self._forgotten.holds(content):
                return True
            with self._taking:
                if content in self._taken:
                    raise _Taken
                self._taken.add(content)
                mine.append(content)
            return False

        try:
            outcome = read_file(file, self._reader, is_known)
        except _Taken:
            return None
        if not isinstance(outcome, Read):
            self._taken.difference_update(mine)
        if self._stop.is_set() and isinstance(outcome, Refused) and not outcome.final:
            return Unsettled(file)  # the child was ended, not the file's fault
        if self._stop.is_set() and isinstance(outcome, Read) and file.attempts + 1 >= ATTEMPTS:
            return Unsettled(file)  # nor that of an attachment it was reading
        if isinstance(outcome, Known) and self._forgotten.holds(outcome.content):
            return Skipped(file, "forgotten", FORGOTTEN)
        return outcome

    def _keep_read(self, done: Sequence[Outcome]) -> None:
        taken = {one.content for one in done if isinstance(one, Read)}
        done = [self._once(one, taken) if isinstance(one, Read) else one for one in done]
        reads = [read for one in done if isinstance(one, Read) for read in one.whole]
        rows = []
        generations: dict[str, str] = {}
        adopted: list[tuple[Read, Salvaged]] = []
        for one in reads:
            if (standing := self._standing(one)) is not None:
                if not self._holds(standing, one):
                    self._store.remove([standing])
                    rows.append((standing, one.content, one.kind, one.passages))
                continue
            found = self._adopted(one)
            if found is not None and found.read_generation is not None:
                generations[one.content] = found.read_generation
            else:
                generations[one.content] = fresh_generation()
                rows.append((generations[one.content], one.content, one.kind, one.passages))
            if found is not None and found.understood_generation is not None:
                adopted.append((one, found))
        if any(passages for *_, passages in rows):
            self._store.add_words(rows)
            self._store.sync()
            self._commits += 1
        if any(not isinstance(one, Unsettled) for one in done):
            self.corrections += self._worklist.finish_reading(done, generations)
            for one, found in adopted:
                key = self._model.fingerprint.key
                self._worklist.adopt(one, generations[one.content], key, found)
            self.empty_trash()
        elif done:
            self._worklist.finish_reading(done, {})

    def _once(self, read: Read, taken: set[str]) -> Read:
        """Without what was read of members that are known, are to stay forgotten, or are `taken` by
        another of the batch."""

        def kept(one: MemberRead) -> MemberRead:
            content = one.member.content
            before = self._worklist.before(content)
            known = content in taken or (before is not None and before.current)
            if known or self._forgotten.holds(content):
                return replace(one, read=None)
            if one.read is not None:
                taken.add(content)
            return one

        return replace(read, members=tuple(map(kept, read.members)))

    def _standing(self, read: Read) -> str | None:
        """The generation of an earlier reading that found the same: its vectors stay good."""
        before = self._worklist.before(read.content)
        if before is None or before.read_generation is None or before.parts != read.parts:
            return None
        if before.words_sum is not None:
            same = before.words_sum == passages_sum(read.kind, read.passages)
        else:
            same = self._holds(before.read_generation, read)
        return before.read_generation if same else None

    def _holds(self, generation: str, read: Read) -> bool:
        return self._store.generations.passages([generation])[generation] == list(read.passages)

    def _adopted(self, read: Read) -> Salvaged | None:
        adoption = self._adopting(self._model.fingerprint.key)
        return None if adoption is None else adoption.of(read)


class _Taken(Exception):
    """Another file of the batch has the same bytes."""


def fresh_generation() -> str:
    return secrets.token_hex(16)
