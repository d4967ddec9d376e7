"""Which generation the words of a content get: a valid one, one that is taken over, or a new one.

Vectors belong to the passages they were made from. Where a content is read again and its passages
are the same, its generation stays and the model is not asked again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from indexer.catalog.queue import Queue
from indexer.ingest.publish import fresh_generation
from indexer.maintenance.housekeeping import Housekeeping
from indexer.types.outcomes import Read, Salvaged
from indexer.types.passages import GenerationRow
from indexer.vectors.rows import passages_sum
from indexer.vectors.store import Store
from model.interface import Model


@dataclass(slots=True)
class WordsPlan:
    """For a batch of readings: the `rows` that the store lacks, the new `generations` by content (a
    content that keeps its generation has none), and what of a lost catalog is `salvaged`."""

    rows: list[GenerationRow] = field(default_factory=list)
    generations: dict[str, str] = field(default_factory=dict)
    salvaged: list[tuple[Read, Salvaged]] = field(default_factory=list)


class Reuse:
    """Compares readings with what catalog and store hold of the same contents."""

    def __init__(
        self, queue: Queue, store: Store, housekeeping: Housekeeping, model: Model
    ) -> None:
        self._queue = queue
        self._store = store
        self._housekeeping = housekeeping
        self._model = model

    def plan(self, reads: Sequence[Read]) -> WordsPlan:
        """The plan for a batch. What is left in the store of a valid generation that lost rows is
        removed, so that it can be added again under its name."""
        plan = WordsPlan()
        for read in reads:
            if (valid := self._valid_generation(read)) is not None:
                if not self._holds(valid, read):
                    self._store.remove([valid])
                    plan.rows.append((valid, read.content, read.kind, read.passages))
                continue
            salvage = self._housekeeping.salvage(self._model.fingerprint.key)
            salvaged = None if salvage is None else salvage.of(read)
            if salvaged is not None and salvaged.read_generation is not None:
                plan.generations[read.content] = salvaged.read_generation
            else:
                generation = plan.generations[read.content] = fresh_generation()
                plan.rows.append((generation, read.content, read.kind, read.passages))
            if salvaged is not None and salvaged.understood_generation is not None:
                plan.salvaged.append((read, salvaged))
        if not any(passages for *_, passages in plan.rows):
            plan.rows.clear()
        return plan

    def _valid_generation(self, read: Read) -> str | None:
        """The generation of an earlier reading that gave the same passages and parts."""
        known = self._queue.known_content(read.content)
        if known is None or known.read_generation is None or known.parts != read.parts:
            return None
        if known.words_sum is not None:
            same = known.words_sum == passages_sum(read.kind, read.passages)
        else:
            same = self._holds(known.read_generation, read)
        return known.read_generation if same else None

    def _holds(self, generation: str, read: Read) -> bool:
        return self._store.generations.passages([generation])[generation] == list(read.passages)
