"""Stage 2: what was read is put to the model, and its words and vectors are made searchable."""

from __future__ import annotations

import time
from collections.abc import Sequence

from indexer.catalog.contents.drafts import Drafts
from indexer.catalog.requeue import Requeue
from indexer.ingest.publish import VectorBatch, fresh_generation
from indexer.ingest.read_ahead import BATCH_S
from indexer.ingest.stage import StageDependencies
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

BATCH_CONTENTS = 16


class UnderstandingStage:
    """Everything that asks the model about files."""

    def __init__(
        self, shared: StageDependencies, drafts: Drafts, requeue: Requeue, store: Store
    ) -> None:
        self._queue = shared.queue
        self._model = shared.model
        self._publisher = shared.publisher
        self._housekeeping = shared.housekeeping
        self._pace = shared.pace
        self._requeue = requeue
        self._store = store
        self._understander = Understander(
            shared.readers, shared.model, shared.stopped.is_set, drafts
        )
        self._model_key: str | None = None

    @property
    def model_calls(self) -> int:
        """Items given to the model since the start."""
        return self._understander.calls

    def run(self, limit: int = BATCH_CONTENTS) -> int:
        """Understands the most wanted and newest contents; returns how many were tried.

        Raises ModelError when the model cannot be used at all, LowDiskSpaceError while the disk is
        full."""
        with self._housekeeping.understanding_lock, self._housekeeping.needing_room():
            return self._run(limit)

    def _run(self, limit: int) -> int:
        key = self._model.fingerprint.key
        if key != self._model_key:
            self._requeue.other_models(key)
            self._model_key = key
        items = self._queue.claim_contents(limit)
        outcomes: list[UnderstoodContent | FailedContent] = []
        changed: list[PendingContent] = []
        unfinished = 0
        started = time.monotonic()
        try:
            outcomes += map(verdict, self._embedded([item for item in items if not item.parts]))
            for item in items:
                if not item.parts:
                    continue
                try:
                    described = UnderstoodContent(item)
                    self._understander.describe(described)
                    [embedded] = self._embedded([item])
                    outcomes.append(verdict(joined(embedded, described)))
                except UnfinishedError:  # its next instalment comes when others have had a turn
                    unfinished += 1
                    started = time.monotonic()
                except SourceChangedError:
                    changed.append(item)
                if time.monotonic() - started > BATCH_S:
                    break
        except StoppedError:
            pass
        finally:
            self._publish(key, outcomes)
            self._queue.release_contents(changed, doubted=True)
            self._queue.release_contents(items)
        if outcomes:
            kinds = [outcome.item.kind for outcome in outcomes]
            self._pace.record("understand", kinds, time.monotonic() - started)
        return len(outcomes) + len(changed) + unfinished

    def _embedded(self, items: Sequence[PendingContent]) -> list[UnderstoodContent]:
        if not items:
            return []
        passages = self._store.generations.passages([item.read_generation for item in items])
        return self._understander.embed([(item, passages[item.read_generation]) for item in items])

    def _publish(self, key: str, outcomes: Sequence[UnderstoodContent | FailedContent]) -> None:
        if not outcomes:
            return
        understood = [
            (fresh_generation(), outcome)
            for outcome in outcomes
            if isinstance(outcome, UnderstoodContent)
        ]
        words = [(g, each.item.content, each.item.kind, each.passages) for g, each in understood]
        rows = [(g, each.item.content, each.item.kind, each.rows) for g, each in understood]
        generations = {outcome.item.content: generation for generation, outcome in understood}
        self._publisher.publish(
            lambda: self._queue.finish_understanding(key, outcomes, generations),
            words,
            VectorBatch(key, self._model.fingerprint.dim, rows) if rows else None,
        )
