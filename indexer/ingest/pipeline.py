"""The pipeline: two stages over one queue, one way of publishing, and the housekeeping between.

Files are read by the first stage; what it has read is understood by the second. Both publish in
one order (`publish`), and both wait while the housekeeping needs the index at rest.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Collection

from indexer.catalog.catalog import Catalog
from indexer.catalog.contents.drafts import Drafts
from indexer.catalog.forget_list import ForgetList
from indexer.catalog.queue import Queue
from indexer.catalog.requeue import Requeue
from indexer.files.disk_room import DiskRoom
from indexer.ingest.pace import Pace
from indexer.ingest.publish import Publisher
from indexer.ingest.read import Readers
from indexer.ingest.reading_stage import ReadingStage
from indexer.ingest.reuse import Reuse
from indexer.ingest.stage import StageDependencies
from indexer.ingest.understanding_stage import UnderstandingStage
from indexer.maintenance.housekeeping import Housekeeping
from indexer.vectors.store import Store
from model.interface import Model


class Pipeline:
    """One thread may run `reading` while another runs `understanding`; neither runs twice. With a
    `domain`, the model is asked about these contents, and what lies in them, alone."""

    def __init__(
        self,
        catalog: Catalog,
        store: Store,
        readers: Readers,
        model: Model,
        room: DiskRoom | None = None,
        domain: Collection[str] | None = None,
    ) -> None:
        database = catalog.database
        self._readers = readers
        self._counts = catalog.counts
        self._pace = Pace()
        self._stopped = threading.Event()
        self.queue = Queue(database)
        self._store = store
        self.housekeeping = Housekeeping(catalog, store, room)
        shared = StageDependencies(
            queue=self.queue,
            readers=readers,
            model=model,
            publisher=Publisher(store, self.housekeeping),
            housekeeping=self.housekeeping,
            pace=self._pace,
            stopped=self._stopped,
        )
        reuse = Reuse(self.queue, store, self.housekeeping, model)
        self.reading = ReadingStage(shared, reuse, ForgetList(database))
        self.understanding = UnderstandingStage(
            shared, Drafts(database), catalog.corrections, Requeue(database), store, domain
        )

    def remaining_s(self) -> int | None:
        """Seconds until everything is understood that can be; None while that cannot be
        estimated."""
        work = self._counts.waiting_work()
        if self.understanding.unmet() is not None:
            work = {key: count for key, count in work.items() if key[0] == "read"}
        return self._pace.remaining_s(work)

    def stop(self) -> None:
        """Ends the work under way early; what was not finished is put back."""
        self._stopped.set()

    def abort(self) -> None:
        """Ends the children that are reading, after `stop`; their files are put back."""
        for pid in self._readers.pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def resume(self) -> None:
        """Allows work again after `stop`."""
        self._stopped.clear()

    def close(self) -> None:
        """Ends all children; after the last batch."""
        self._readers.close()
        self._store.indexes.stop()
