"""What has to be done besides reading and understanding: making good, tidying up, erasing.

Who reads and who understands take turns with it here, and with what needs the index at rest.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from indexer.catalog.catalog import Catalog
from indexer.catalog.forget import Forgotten
from indexer.catalog.upkeep import Upkeep
from indexer.files.disk_room import DiskRoom, LowDiskSpaceError, is_full
from indexer.files.quarantine import clear
from indexer.maintenance.rebuild import keep_chosen
from indexer.maintenance.salvage import Salvage
from indexer.vectors.store import Store

OPTIMISE_AFTER = 20  # commits, as LanceDB advises
# However busy it is: what is gone is dropped and erased this often, well within the hour that is
# promised, and this many commits are compacted.
TIDY_S = 2_400.0
MOST_COMMITS = 40
# A table is compacted by being written anew, which a large one can wait for: the files of so many
# commits more slow nothing down there.
PASSAGES_A_COMMIT = 250


class Housekeeping:
    """Of one library; by its writer alone."""

    def __init__(self, catalog: Catalog, store: Store, room: DiskRoom | None) -> None:
        self.catalog = catalog
        self._store = store
        self._room = room
        self._upkeep = Upkeep(catalog.database)
        self._forgotten = Forgotten(catalog.database)
        self._adoption: Salvage | None = None
        # Whoever holds both has the index to himself; taken in this order.
        self._reading_turn = threading.RLock()
        self._understanding_turn = threading.RLock()
        self._commits = 0
        self._tidied_at = time.monotonic()
        self._erased_at = -TIDY_S

    def recover(self) -> None:
        """Makes good what an ended process left behind; before the first batch, by the writer."""
        with self.quiet():
            self._upkeep.recover()
            present = self._store.generations.all()
            if present and not self._upkeep.has_contents():
                self.catalog.database.keep_note("adopting", "1")
            self._upkeep.requeue_short(self._store.generations.counts(), present)
            self._sweep(present)
            self.empty_trash()
            keep_chosen(self.catalog.database)

    def drop_orphans(self) -> None:
        """Drops what no path leads to any more."""
        with self._reading_turn:
            self._upkeep.drop_orphans()
            self.empty_trash()

    def tidy(self, thoroughly: bool = False) -> None:
        """For quiet moments: forgets contents without a path, erases what is forgotten, and
        compacts the store when enough has been written (or `thoroughly`, anything)."""
        with self._reading_turn:
            self._tidied_at = time.monotonic()
            keep_chosen(self.catalog.database)
            self.drop_orphans()
            if self.catalog.database.note("adopting") and not self._upkeep.waits():
                self.catalog.database.keep_note("adopting", None)
                self._adoption = None
                self._sweep(self._store.generations.all())
            due = thoroughly or time.monotonic() - self._erased_at > TIDY_S
            if due and self._upkeep.erasing() is not None:
                self.erase()
            elif self._commits >= (1 if thoroughly else OPTIMISE_AFTER):
                self._store.optimize()
                self._commits = 0

    def tidy_if_late(self) -> None:
        """Tidies up though there is work: only when that has not been done for long."""
        late = time.monotonic() - self._tidied_at > TIDY_S
        if late or self._crowded():
            self.tidy()

    def _crowded(self) -> bool:
        if self._commits < MOST_COMMITS:
            return False
        return self._commits >= self._store.generations.passage_count() // PASSAGES_A_COMMIT

    def erase(self, everything: bool = False) -> None:
        """Takes every byte of what was forgotten out of the data directory: from the tables, the
        full-text index, their older versions, the catalog and its journal, and from what was set
        aside as damaged more than a week ago (`everything`: whenever)."""
        with self.quiet():
            erasing = self._upkeep.erasing()
            self._forgotten.sweep()
            self.empty_trash()
            self._store.erase()
            self.catalog.database.rewrite()
            keep_chosen(self.catalog.database)
            clear(self.catalog.file.parent, everything)
            self._upkeep.erased(erasing)
            self._commits = 0
            self._erased_at = time.monotonic()

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Nothing is written to the index by others meanwhile; waits for the batches under way."""
        with self._reading_turn, self._understanding_turn:
            yield

    def _sweep(self, present: set[str]) -> None:
        """Removes what no content points at, unless it may yet be adopted."""
        if not self.catalog.database.note("adopting"):
            self._store.remove(present - self._upkeep.generations())

    @contextmanager
    def _roomy(self) -> Iterator[None]:
        """Work that needs room on the disk. Raises LowDiskSpaceError, with nothing lost, when
        there is none."""
        if self._room is None:
            yield
            return
        self._room.check()
        try:
            yield
        except Exception as problem:
            if not is_full(problem):
                raise
            self._make_room(self._room)
            self._room.check()
            raise LowDiskSpaceError(
                "There was no room on the disk for a moment; indexing goes on by itself."
            ) from problem

    def _make_room(self, room: DiskRoom) -> None:
        """Gives up the reserve, and with it what takes no part in the index any more."""
        room.give_up()
        self._upkeep.release()
        try:
            self.empty_trash()
            self._store.reclaim()
        except Exception as problem:
            if not is_full(problem):
                raise

    def empty_trash(self) -> None:
        """Removes from the store what nothing points at any more."""
        if trash := self._upkeep.trash():
            self._store.remove(trash)
            self._upkeep.emptied(trash)
            self._commits += 1

    def _adopting(self, key: str) -> Salvage | None:
        """What a lost catalog left in the store, while that is being taken over."""
        if not self.catalog.database.note("adopting"):
            return None
        if self._adoption is None:
            self._adoption = Salvage(self._store, key)
        return self._adoption
