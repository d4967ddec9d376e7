"""Stage 2: what was read is put to the model, and its words and vectors are made searchable."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence

from indexer.catalog.contents.drafts import Drafts
from indexer.catalog.recordings.corrections import Corrections
from indexer.catalog.requeue import Requeue
from indexer.ingest.publish import VectorBatch, fresh_generation
from indexer.ingest.read_ahead import BATCH_S
from indexer.ingest.stage import StageDependencies
from indexer.ingest.understand import (
    INSTALMENT_S,
    SourceChangedError,
    StoppedError,
    Understander,
    UnfinishedError,
    is_long,
    joined,
    verdict,
)
from indexer.types.contents import FailedContent, PendingContent, UnderstoodContent
from indexer.types.passages import Passage
from indexer.vectors.rows import passages_sum
from indexer.vectors.store import Store
from indexer.vectors.tables import StoreError

BATCH_CONTENTS = 16
WAITS_FOR_MODEL = (
    "Understanding your own files waits for a model. Choose one: recollect model list names them."
)


class UnderstandingStage:
    """Everything that asks the model about files."""

    def __init__(
        self,
        shared: StageDependencies,
        drafts: Drafts,
        corrections: Corrections,
        requeue: Requeue,
        store: Store,
        domain: Collection[str] | None = None,
    ) -> None:
        self._queue = shared.queue
        self._model = shared.model
        self._publisher = shared.publisher
        self._housekeeping = shared.housekeeping
        self._requeue = requeue
        self._store = store
        self._domain = domain
        self._understander = Understander(
            shared.readers, shared.model, shared.stopped.is_set, drafts, corrections, shared.pace
        )
        self._model_key: str | None = None
        # Long contents that have had a turn; whose turn is longest ago first.
        self._unfinished: list[str] = []

    @property
    def model_calls(self) -> int:
        """Items given to the model since the start."""
        return self._understander.calls

    def unmet(self) -> str | None:
        """Why contents wait that this model is not for; None where there are none."""
        is_waiting = self._domain is not None and self._queue.has_outside(self._domain)
        return WAITS_FOR_MODEL if is_waiting else None

    def run(self, limit: int = BATCH_CONTENTS) -> int:
        """Understands the most wanted and newest contents, and of long ones an instalment: of one
        that has had none yet, and of the one that has waited longest for its next. Returns how
        many were tried.

        Raises ModelError when the model cannot be used at all, LowDiskSpaceError while the disk is
        full."""
        with self._housekeeping.understanding_lock, self._housekeeping.needing_room():
            return self._run(limit)

    def _run(self, limit: int) -> int:
        key = self._model.fingerprint.key
        if key != self._model_key:
            self._requeue.other_models(key, self._domain)
            if self._domain is not None:
                self._requeue.outside(key, self._domain)
            self._model_key = key
        unfinished = list(self._unfinished)
        items = self._queue.claim_contents(limit, unfinished, self._domain)
        long = [item for item in items if is_long(item)]
        begun = [item for item in long if item.content in unfinished]
        new = [item for item in long if item.content not in unfinished]
        tried = 0
        try:
            tried += self._understand_texts(
                key, [item for item in items if not item.parts and item not in long]
            )
            tried += self._understand_parts(
                key, [item for item in items if item.parts and item not in long]
            )
            for item in (*new[:1], *begun):
                self._advance(key, item)
                tried += 1
        except StoppedError:
            pass
        finally:
            self._queue.release_contents(items)
        if unfinished and not begun:
            self._unfinished.remove(unfinished[0])  # nothing is to be done of it any more
        return tried

    def _understand_texts(self, key: str, items: Sequence[PendingContent]) -> int:
        outcomes = list(map(verdict, self._embedded(items)))
        self._publish(key, outcomes)
        return len(outcomes)

    def _understand_parts(self, key: str, items: Sequence[PendingContent]) -> int:
        """As many as there is time for: as much as a long content is given, where one waits."""
        outcomes: list[UnderstoodContent | FailedContent] = []
        changed: list[PendingContent] = []
        until = time.monotonic() + (INSTALMENT_S if self._unfinished else BATCH_S)
        try:
            for item in items:
                try:
                    described = UnderstoodContent(item)
                    self._understander.describe(described)
                    [embedded] = self._embedded([item])
                    outcomes.append(verdict(joined(embedded, described)))
                except SourceChangedError:
                    changed.append(item)
                if time.monotonic() > until:
                    break
        finally:
            self._publish(key, outcomes)
            self._queue.release_contents(changed, doubted=True)
        return len(outcomes) + len(changed)

    def _advance(self, key: str, item: PendingContent) -> None:
        if item.content in self._unfinished:
            self._unfinished.remove(item.content)
        [(_, passages)] = self._with_passages([item])
        try:
            outcome = self._understander.advance(item, passages)
        except UnfinishedError:
            self._unfinished.append(item.content)
        except SourceChangedError:
            self._queue.release_contents([item], doubted=True)
        else:
            self._publish(key, [verdict(outcome)])

    def _embedded(self, items: Sequence[PendingContent]) -> list[UnderstoodContent]:
        if not items:
            return []
        return self._understander.embed(self._with_passages(items))

    def _with_passages(
        self, items: Sequence[PendingContent]
    ) -> list[tuple[PendingContent, list[Passage]]]:
        """Each content with what was read in it. Raises StoreError where that is not what was
        written: its vectors would be kept after the table is repaired."""
        passages = self._store.generations.passages([item.read_generation for item in items])
        pairs = [(item, passages[item.read_generation]) for item in items]
        for item, of_item in pairs:
            if item.words_sum in (None, passages_sum(item.kind, of_item)):
                continue
            known = self._queue.known_content(item.content)
            if known is not None and known.read_generation == item.read_generation:
                raise StoreError(
                    "The index does not hold what was read of a file; "
                    "`recollect verify --repair` mends what is damaged."
                )
        return pairs

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
