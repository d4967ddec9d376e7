"""Both stages: what the first has read, the model understands, batch by batch.

The order is that of `intake`: rows, sync, flip, sweep.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Sequence

from indexer.catalog.catalog import Catalog
from indexer.catalog.drafts import Drafts
from indexer.files.disk_room import DiskRoom
from indexer.ingest.read import Reader
from indexer.ingest.read_ahead import BATCH_S
from indexer.ingest.reading_stage import Intake, fresh_generation
from indexer.ingest.understand import (
    SourceChangedError,
    StoppedError,
    Understander,
    UnfinishedError,
    joined,
    verdict,
)
from indexer.types.contents import FailedContent, PendingContent, UnderstoodContent
from indexer.vectors.store import Store
from model.interface import Model

UNDERSTOOD_AT_ONCE = 16


class Pipeline(Intake):
    """One thread may read while another understands; neither runs twice."""

    def __init__(
        self,
        catalog: Catalog,
        store: Store,
        reader: Reader,
        model: Model,
        room: DiskRoom | None = None,
    ) -> None:
        super().__init__(catalog, store, reader, model, room)
        drafts = Drafts(catalog.database)
        self._understanding = Understander(reader, model, self._stop.is_set, drafts)
        self._model_key: str | None = None

    @property
    def model_calls(self) -> int:
        """Items given to the model since the start."""
        return self._understanding.calls

    def understand_some(self, limit: int = UNDERSTOOD_AT_ONCE) -> int:
        """Stage 2 for the most wanted and newest contents; returns how many were looked at.

        Raises ModelError when the model cannot be used at all, LowDiskSpaceError while the disk is
        full."""
        with self._understanding_turn, self._roomy():
            return self._understand_some(limit)

    def _understand_some(self, limit: int) -> int:
        key = self._model.fingerprint.key
        if key != self._model_key:
            self._upkeep.requeue_models(key)
            self._model_key = key
        items = self._worklist.claim_contents(limit)
        done: list[UnderstoodContent | FailedContent] = []
        doubted: list[PendingContent] = []
        unfinished = 0
        started = time.monotonic()
        texts = [item for item in items if not item.parts]
        try:
            done += map(verdict, self._embedded(texts))
            for item in items:
                if not item.parts:
                    continue
                try:
                    seen = UnderstoodContent(item)
                    self._understanding.describe(seen)
                    [outcome] = self._embedded([item])
                    done.append(verdict(joined(outcome, seen)))
                except UnfinishedError:  # its next instalment comes when others have had a turn
                    unfinished += 1
                    started = time.monotonic()
                except SourceChangedError:
                    doubted.append(item)
                if time.monotonic() - started > BATCH_S:
                    break
        except StoppedError:
            pass
        finally:
            self._keep_understood(key, done)
            self._worklist.release_contents(doubted, doubted=True)
            self._worklist.release_contents(items)
        if done:
            kinds = [one.item.kind for one in done]
            self.pace.note("understand", kinds, time.monotonic() - started)
        return len(done) + len(doubted) + unfinished

    def next_due(self) -> float | None:
        """When the next pending file will have settled (unix s); None when none is pending."""
        return self._worklist.next_due()

    def eta_s(self) -> int | None:
        """Seconds until everything is understood; None while that cannot be told."""
        return self.pace.eta_s(self._upkeep.remaining())

    def stop(self) -> None:
        """Calls off the work under way; what was not finished is put back."""
        self._stop.set()

    def abort(self) -> None:
        """Ends the children that are reading, after `stop`; their files are put back."""
        for pid in self._reader.pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def resume(self) -> None:
        """Takes work up again after `stop`."""
        self._stop.clear()

    def close(self) -> None:
        """Ends the reader's children; after the last batch."""
        self._reader.close()

    def _embedded(self, items: Sequence[PendingContent]) -> list[UnderstoodContent]:
        if not items:
            return []
        read = self._store.generations.passages([item.read_generation for item in items])
        return self._understanding.embed([(item, read[item.read_generation]) for item in items])

    def _keep_understood(self, key: str, done: Sequence[UnderstoodContent | FailedContent]) -> None:
        if not done:
            return
        new = [one for one in done if isinstance(one, UnderstoodContent)]
        generations = {one.item.content: fresh_generation() for one in new}
        if new:
            self._store.add_words(
                (generations[one.item.content], one.item.content, one.item.kind, one.passages)
                for one in new
            )
            self._store.add_vectors(
                key,
                self._model.fingerprint.dim,
                (
                    (generations[one.item.content], one.item.content, one.item.kind, one.rows)
                    for one in new
                ),
            )
            self._store.sync()
            self._commits += 1
        self._worklist.finish_understanding(key, done, generations)
        self.empty_trash()
