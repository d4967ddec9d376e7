"""The second stage for a few contents: the model embeds what was read and describes what was not.

Passages of a document are embedded, many at a time. A photo, a page with little text and each
stretch of a recording is looked at or listened to once, which gives its words and its vectors.
What fails at one place fails that place alone, and what takes hours is not lost in the last one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from indexer.catalog.contents.drafts import Draft, Drafts
from indexer.files.walk import Stat
from indexer.ingest.read import Readers
from indexer.types.contents import FailedContent, PendingContent, UnderstoodContent, VectorRow
from indexer.types.passages import FIRST_UNDERSTOOD, Passage, Source
from indexer.types.pieces import UnreadableError
from indexer.types.places import Place
from model.interface import Float32, Image, Model, ModelError, ModelMemoryError, Text, Vectors

EMBEDDED_AT_ONCE = 32
FEW_PARTS = 8  # a content with more is worked through in instalments
INSTALMENT_S = 20.0


class UnfinishedError(Exception):
    """A long content is not done at the end of its instalment; what is done of it is kept."""


class StoppedError(Exception):
    """The work was stopped between two calls of the model."""


class SourceChangedError(Exception):
    """The file has changed since it was read."""


class _PlaceError(Exception):
    """Why one place of a content was not understood."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.sentence = sentence


class Understander:
    """Gives contents to the model; `calls` counts the items it was given."""

    def __init__(
        self,
        readers: Readers,
        model: Model,
        stopped: Callable[[], bool],
        drafts: Drafts | None = None,
    ) -> None:
        self._readers = readers
        self._model = model
        self._stopped = stopped
        self._drafts = drafts
        self.calls = 0

    def embed(
        self, items: Sequence[tuple[PendingContent, Sequence[Passage]]]
    ) -> list[UnderstoodContent]:
        """The vectors of what was read in each content, embedded in shared batches.

        Raises StoppedError, and ModelError when the model itself cannot be used."""
        outcomes = [UnderstoodContent(item) for item, _ in items]
        passages = [
            (outcome, passage)
            for outcome, (_, of_item) in zip(outcomes, items, strict=True)
            for passage in of_item
        ]
        for start in range(0, len(passages), EMBEDDED_AT_ONCE):
            batch = passages[start : start + EMBEDDED_AT_ONCE]
            results = self._vectors([Text(passage.text) for _, passage in batch])
            for (outcome, passage), vectors in zip(batch, results, strict=True):
                if isinstance(vectors, _PlaceError):
                    outcome.fail(vectors.reason, vectors.sentence)
                else:
                    outcome.rows.append(
                        VectorRow(passage.ordinal, passage.place, vectors.gist, vectors.body)
                    )
        return outcomes

    def describe(self, outcome: UnderstoodContent) -> None:
        """Adds what the model sees or hears in the parts of a content. A content of many parts is
        described in instalments, and each part is written down as it is done.

        Raises UnfinishedError, StoppedError, SourceChangedError when the file has changed, and
        ModelError."""
        item = outcome.item
        long = self._drafts is not None and len(item.parts) > FEW_PARTS
        for draft in self._long_drafts(item) if long else self._short_drafts(item):
            if draft.passage is None or draft.vectors is None:
                outcome.fail(draft.reason or "model", draft.sentence or "")
                continue
            outcome.passages.append(draft.passage)
            gist, body = draft.vectors.gist, draft.vectors.body
            outcome.rows.append(VectorRow(draft.ordinal, draft.place, gist, body))
        if item.parts and Stat.of(_lstat(item.path)) != item.stat:
            raise SourceChangedError

    def _short_drafts(self, item: PendingContent) -> Iterator[Draft]:
        for number, place in enumerate(item.parts):
            yield self._draft(item, FIRST_UNDERSTOOD + number, place)

    def _long_drafts(self, item: PendingContent) -> Iterator[Draft]:
        assert self._drafts is not None  # noqa: S101  without drafts nothing is long
        key = self._model.fingerprint.key
        done = self._drafts.places(item.content, key)
        until = time.monotonic() + INSTALMENT_S
        drafted = False
        for number, place in enumerate(item.parts):
            ordinal = FIRST_UNDERSTOOD + number
            if ordinal in done and done[ordinal] == place:
                continue
            if drafted and time.monotonic() > until:
                raise UnfinishedError
            self._drafts.keep(item.content, key, self._draft(item, ordinal, place))
            drafted = True
        wanted = range(FIRST_UNDERSTOOD, FIRST_UNDERSTOOD + len(item.parts))
        drafts = self._drafts.of(item.content, key)
        yield from (draft for draft in drafts if draft.ordinal in wanted)

    def _draft(self, item: PendingContent, ordinal: int, place: Place) -> Draft:
        self._check_stopped()
        if Stat.of(_lstat(item.path)) != item.stat:
            raise SourceChangedError
        try:
            words, vectors, source = self._described(item, place)
        except _PlaceError as error:
            return Draft(ordinal, place, None, None, error.reason, error.sentence)
        return Draft(ordinal, place, Passage(ordinal, words, place, source), vectors)

    def _described(self, item: PendingContent, place: Place) -> tuple[str, Vectors, Source]:
        try:
            with self._readers.lend() as reader:
                original = reader.original(item.path, place, member=item.member)
        except UnreadableError as problem:
            raise _PlaceError(problem.reason, problem.sentence) from problem
        self.calls += 1
        try:
            description = self._model.describe(original)
        except ModelMemoryError as problem:
            raise _place_error(problem) from problem
        except ModelError:
            raise
        except Exception as problem:
            raise _place_error(problem) from problem
        source = Source.CAPTION if isinstance(original, Image) else Source.TRANSCRIPT
        vectors = self._checked(Vectors(description.gist, description.body))
        return description.words, vectors, source

    def _vectors(self, texts: Sequence[Text]) -> list[Vectors | _PlaceError]:
        """The vectors of each text; a batch that fails is halved down to the text that fails."""
        self._check_stopped()
        self.calls += len(texts)
        try:
            embedded = self._model.embed(texts)
        except Exception as problem:
            if isinstance(problem, ModelError) and not isinstance(problem, ModelMemoryError):
                raise
            if len(texts) == 1:
                return [_place_error(problem)]
            half = len(texts) // 2
            return self._vectors(texts[:half]) + self._vectors(texts[half:])
        checked: list[Vectors | _PlaceError] = []
        for vectors in embedded:
            try:
                checked.append(self._checked(vectors))
            except _PlaceError as error:
                checked.append(error)
        return checked

    def _checked(self, vectors: Vectors) -> Vectors:
        dim = self._model.fingerprint.dim
        for vector in (vectors.gist, vectors.body):
            if vector is not None and not _usable(vector, dim):
                raise _PlaceError(
                    "embedding",
                    "The model gave no usable vector for this; retry it, or report it as a fault.",
                )
        return vectors

    def _check_stopped(self) -> None:
        if self._stopped():
            raise StoppedError


def joined(embedded: UnderstoodContent, described: UnderstoodContent) -> UnderstoodContent:
    """What was made of the words of a content, and of its parts, in one."""
    embedded.passages += described.passages
    embedded.rows += described.rows
    embedded.failed += described.failed
    embedded.reason = described.reason or embedded.reason
    embedded.sentence = described.sentence or embedded.sentence
    return embedded


def verdict(outcome: UnderstoodContent) -> UnderstoodContent | FailedContent:
    """The content as failed where nothing of it was understood though there was something."""
    if not outcome.failed:
        return outcome
    sentence = outcome.sentence or ""
    if not outcome.rows:
        return FailedContent(outcome.item, outcome.reason or "model", sentence)
    parts = outcome.failed + len(outcome.rows)
    outcome.sentence = f"{outcome.failed} of {parts} parts could not be understood. {sentence}"
    return outcome


def _usable(vector: Float32, dim: int) -> bool:
    return (
        vector.shape == (dim,)
        and bool(np.isfinite(vector).all())
        and float(np.linalg.norm(vector)) > 1e-6
    )


def _place_error(problem: Exception) -> _PlaceError:
    if isinstance(problem, ModelMemoryError):
        return _PlaceError("memory", str(problem))
    kind = type(problem).__name__
    return _PlaceError(
        "model", f"The model failed on this ({kind}); retry it, or report it as a fault."
    )


def _lstat(path: Path) -> os.stat_result:
    try:
        return path.lstat()
    except OSError as problem:
        raise SourceChangedError from problem
