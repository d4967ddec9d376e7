"""What has to be done besides reading and understanding: recovery, tidying, compacting, erasing.

Each stage works under a lock of its own; housekeeping takes them where it needs the index at rest.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from indexer.catalog.catalog import Catalog
from indexer.catalog.contents.garbage import Garbage
from indexer.catalog.forget_list import ForgetList
from indexer.catalog.requeue import Requeue
from indexer.files.disk_room import DiskRoom, LowDiskSpaceError, is_full
from indexer.files.quarantine import clear_quarantine
from indexer.maintenance.rebuild import ADOPTING, save_choices
from indexer.maintenance.salvage import Salvage
from indexer.maintenance.verify import Verifier
from indexer.maintenance.word_index import write_missing_words
from indexer.vectors.store import KEEP_VERSIONS, MOST_OLD_VERSIONS, Store

T = TypeVar("T")
OPTIMISE_AFTER = 20  # commits, as LanceDB advises
# While there is always work: what is gone is dropped and erased this often, well within the hour
# that is promised, and the store is compacted after this many commits.
TIDY_S = 2_400.0
MOST_COMMITS = 40
# Compacting writes a table again, which takes longer for a large one: it may have one commit for
# each so many of its passages, which slows nothing down there.
PASSAGES_A_COMMIT = 250


class Housekeeping:
    """Of one library; by its writer alone. A thread that holds `reading_lock` and then
    `understanding_lock` is the only one that writes to the index."""

    def __init__(self, catalog: Catalog, store: Store, room: DiskRoom | None) -> None:
        self.reading_lock = threading.RLock()
        self.understanding_lock = threading.RLock()
        self._catalog = catalog
        self._store = store
        self._room = room
        self._requeue = Requeue(catalog.database)
        self._garbage = Garbage(catalog.database)
        self._forget_list = ForgetList(catalog.database)
        self._salvage: Salvage | None = None
        self._may_lack_words = True
        self._checked = False  # whether the files of the index were once compared
        self._commits = 0  # to the store, since it was compacted
        self._has_old_versions = False
        self._tidied_at = time.monotonic()
        self._erased_at = -TIDY_S

    def recover(self) -> None:
        """Repairs what an ended process left behind; before the first batch."""
        with self.quiet():
            self._requeue.recover()
            self._store.repair.set_aside_unsynced()
            present = self._store.generations.all()
            if present and not self._catalog.counts.has_contents():
                self._catalog.database.keep_note(ADOPTING, "1")
            self._requeue.lost_rows(self._store.generations.counts(), present)
            self._sweep(present)
            self.empty_trash()
            self._store.sync()
            self._may_lack_words = True
            save_choices(self._catalog.database)

    def write_missing_words(self) -> None:
        """Brings the index of words up to date, once after `recover`; takes half a minute for
        100,000 passages of an earlier version, and no time else."""
        if self._may_lack_words:
            with self.quiet():
                write_missing_words(self._catalog, self._store)
                self._may_lack_words = False

    def with_reserve(self, work: Callable[[], T]) -> T:
        """What `work` returns, which makes room; once more without the reserve where the disk is
        full."""
        try:
            return work()
        except Exception as problem:
            if self._room is None or not is_full(problem):
                raise
            self._room.give_up()
        return work()

    def repair(self) -> None:
        """Repairs damaged tables from what can be read of them; what is lost is read or understood
        again."""
        with self.quiet():
            Verifier(self._catalog, self._store).repair()

    def drop_orphans(self) -> None:
        """Drops contents without a path."""
        with self.reading_lock:
            self._garbage.drop_orphans()
            self.empty_trash()

    def tidy(self, thoroughly: bool = False) -> None:
        """For quiet moments: forgets contents without a path, erases what is forgotten, and
        compacts the store when enough has been written (or `thoroughly`, anything). The first time
        (or `thoroughly`, each time) the files of the index are compared with their checksums.
        Raises StoreError where one is damaged."""
        with self.reading_lock:
            self._tidied_at = time.monotonic()
            save_choices(self._catalog.database)
            self.drop_orphans()
            if self._catalog.database.note(ADOPTING) and not self._catalog.counts.has_unread():
                self._catalog.database.keep_note(ADOPTING, None)
                self._salvage = None
                self._sweep(self._store.generations.all())
            due = thoroughly or time.monotonic() - self._erased_at > TIDY_S
            compacted = False  # which checks the files
            if due and self._garbage.erasure() is not None:
                self.erase()
                compacted = True
            elif self._has_old_versions or self._commits >= (1 if thoroughly else OPTIMISE_AFTER):
                if thoroughly and self._store.count_old_versions() >= MOST_OLD_VERSIONS:
                    self._store.reclaim()  # the process ends before they are old enough
                    compacted = True
                compacted = self._store.optimize() or compacted
                self._commits = 0
            self._store.sync()  # or the next start removes the same rows again
            is_unchecked, self._checked = not self._checked, True
            if not compacted and (thoroughly or is_unchecked):
                self._store.repair.check_files()
            self._store.indexes.maintain(wait=thoroughly)
            self._has_old_versions = self._store.count_old_versions() >= MOST_OLD_VERSIONS

    @property
    def tidy_again_s(self) -> float | None:
        """When old versions, which are kept for a while, can be dropped from the store; None where
        it has few."""
        return KEEP_VERSIONS.total_seconds() if self._has_old_versions else None

    def tidy_if_late(self) -> None:
        """Tidies up though there is work, when that has not been done for long."""
        if time.monotonic() - self._tidied_at > TIDY_S or self._has_many_commits():
            self.tidy()

    def _has_many_commits(self) -> bool:
        if self._commits < MOST_COMMITS:
            return False
        return self._commits >= self._store.generations.passage_count() // PASSAGES_A_COMMIT

    def count_commit(self) -> None:
        """The store was written to once more."""
        self._commits += 1

    def erase(self, everything: bool = False) -> None:
        """Removes every byte of what was forgotten from the data directory: from the tables,
        their older versions, the catalog and its journal, and from what was set
        aside as damaged more than a week ago (with `everything`: at any time). Raises StoreError
        where a table is damaged."""
        with self.quiet():
            erasure = self._garbage.erasure()
            self._forget_list.drop_reread()
            self.empty_trash()
            self._store.erase()
            self._catalog.passages.drop_unused_terms()
            self._catalog.database.rewrite()
            save_choices(self._catalog.database)
            clear_quarantine(self._catalog.file.parent, everything)
            self._garbage.finish_erasure(erasure)
            self._commits = 0
            self._erased_at = time.monotonic()

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Nobody else writes to the index meanwhile; waits for the batches under way."""
        with self.reading_lock, self.understanding_lock:
            yield

    def _sweep(self, present: set[str]) -> None:
        """Removes what no content points at, unless it may yet be salvaged."""
        if not self._catalog.database.note(ADOPTING):
            self._store.remove(present - self._garbage.referenced())

    @contextmanager
    def needing_room(self) -> Iterator[None]:
        """Around work that needs room on the disk. Raises LowDiskSpaceError, with nothing lost,
        when there is none."""
        if self._room is None:
            yield
            return
        self._room.check()
        try:
            yield
        except LowDiskSpaceError:
            raise
        except Exception as problem:
            if not is_full(problem):
                raise
            self._make_room(self._room)
            self._room.check()
            raise LowDiskSpaceError(
                "There was no room on the disk for a moment; indexing goes on by itself."
            ) from problem

    def _make_room(self, room: DiskRoom) -> None:
        """Deletes the reserve, and what the index does not need any more."""
        room.give_up()
        self._requeue.release_files()
        try:
            self.empty_trash()
            self._store.reclaim()
        except Exception as problem:
            if not is_full(problem):
                raise

    def empty_trash(self) -> None:
        """Removes from the store the generations that the catalog has put on its trash list."""
        if trash := self._garbage.trash():
            self._store.remove(trash)
            self._garbage.empty_trash(trash)
            self.count_commit()

    def salvage(self, key: str) -> Salvage | None:
        """What a lost catalog left in the store, while its files are read again; else None."""
        if not self._catalog.database.note(ADOPTING):
            return None
        if self._salvage is None:
            self._salvage = Salvage(self._store, key)
        return self._salvage
