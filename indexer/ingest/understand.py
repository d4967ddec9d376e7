"""Stage 2 for a few contents: vectors for what was read, words and vectors for what was not.

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

from indexer.catalog.drafts import Draft, Drafts
from indexer.files.walk import Stat
from indexer.ingest.read import Reader
from indexer.types.contents import FailedContent, PendingContent, UnderstoodContent, VectorRow
from indexer.types.passages import FIRST_UNDERSTOOD, Passage, Source
from indexer.types.pieces import UnreadableError
from indexer.types.places import Place
from model.interface import Float32, Image, Model, ModelError, ModelMemoryError, Text, Vectors

EMBEDDED_AT_ONCE = 32
FEW_PARTS = 8  # a content with more is worked through in instalments
INSTALMENT_S = 20.0


class UnfinishedError(Exception):
    """A long content has had its turn and is not done; what was understood of it is kept."""


class StoppedError(Exception):
    """The work was called off between two calls of the model."""


class SourceChangedError(Exception):
    """The file is not the one that was read any more."""


class _Flaw(Exception):
    """Why one place of a content was not understood."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.sentence = sentence


class Understander:
    """Puts contents to the model and counts the items it was given in `calls`."""

    def __init__(
        self,
        reader: Reader,
        model: Model,
        stopped: Callable[[], bool],
        drafts: Drafts | None = None,
    ) -> None:
        self._reader = reader
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
            for outcome, (_, read) in zip(outcomes, items, strict=True)
            for passage in read
        ]
        for start in range(0, len(passages), EMBEDDED_AT_ONCE):
            batch = passages[start : start + EMBEDDED_AT_ONCE]
            found = self._vectors([Text(passage.text) for _, passage in batch])
            for (outcome, passage), vectors in zip(batch, found, strict=True):
                if isinstance(vectors, _Flaw):
                    outcome.fail(vectors.reason, vectors.sentence)
                else:
                    outcome.rows.append(
                        VectorRow(passage.ordinal, passage.place, vectors.gist, vectors.body)
                    )
        return outcomes

    def describe(self, outcome: UnderstoodContent) -> None:
        """Adds what the model sees or hears in the parts of a content. One of many parts is worked
        through in instalments, each part kept as it is done.

        Raises UnfinishedError, StoppedError, SourceChangedError when the file has changed, and
        ModelError."""
        item = outcome.item
        long = self._drafts is not None and len(item.parts) > FEW_PARTS
        for draft in self._long(item) if long else self._short(item):
            if draft.passage is None or draft.vectors is None:
                outcome.fail(draft.reason or "model", draft.sentence or "")
                continue
            outcome.passages.append(draft.passage)
            gist, body = draft.vectors.gist, draft.vectors.body
            outcome.rows.append(VectorRow(draft.ordinal, draft.place, gist, body))
        if item.parts and Stat.of(_lstat(item.path)) != item.stat:
            raise SourceChangedError

    def _short(self, item: PendingContent) -> Iterator[Draft]:
        for number, place in enumerate(item.parts):
            yield self._draft(item, FIRST_UNDERSTOOD + number, place)

    def _long(self, item: PendingContent) -> Iterator[Draft]:
        assert self._drafts is not None  # noqa: S101  else nothing is long
        key = self._model.fingerprint.key
        done = self._drafts.places(item.content, key)
        until = time.monotonic() + INSTALMENT_S
        some = False
        for number, place in enumerate(item.parts):
            ordinal = FIRST_UNDERSTOOD + number
            if ordinal in done and done[ordinal] == place:
                continue
            if some and time.monotonic() > until:
                raise UnfinishedError
            self._drafts.keep(item.content, key, self._draft(item, ordinal, place))
            some = True
        wanted = range(FIRST_UNDERSTOOD, FIRST_UNDERSTOOD + len(item.parts))
        yield from (one for one in self._drafts.of(item.content, key) if one.ordinal in wanted)

    def _draft(self, item: PendingContent, ordinal: int, place: Place) -> Draft:
        self._check_stopped()
        if Stat.of(_lstat(item.path)) != item.stat:
            raise SourceChangedError
        try:
            words, vectors, source = self._described(item, place)
        except _Flaw as flaw:
            return Draft(ordinal, place, None, None, flaw.reason, flaw.sentence)
        return Draft(ordinal, place, Passage(ordinal, words, place, source), vectors)

    def _described(self, item: PendingContent, place: Place) -> tuple[str, Vectors, Source]:
        try:
            original = self._reader.original(item.path, place, member=item.member)
        except UnreadableError as problem:
            raise _Flaw(problem.reason, problem.sentence) from problem
        self.calls += 1
        try:
            seen = self._model.describe(original)
        except ModelMemoryError as problem:
            raise _flaw(problem) from problem
        except ModelError:
            raise
        except Exception as problem:
            raise _flaw(problem) from problem
        source = Source.CAPTION if isinstance(original, Image) else Source.TRANSCRIPT
        return seen.words, self._checked(Vectors(seen.gist, seen.body)), source

    def _vectors(self, texts: Sequence[Text]) -> list[Vectors | _Flaw]:
        """One for each text; a batch that fails is halved until the text at fault stands alone."""
        self._check_stopped()
        self.calls += len(texts)
        try:
            found = self._model.embed(texts)
        except Exception as problem:
            if isinstance(problem, ModelError) and not isinstance(problem, ModelMemoryError):
                raise
            if len(texts) == 1:
                return [_flaw(problem)]
            half = len(texts) // 2
            return self._vectors(texts[:half]) + self._vectors(texts[half:])
        checked: list[Vectors | _Flaw] = []
        for vectors in found:
            try:
                checked.append(self._checked(vectors))
            except _Flaw as flaw:
                checked.append(flaw)
        return checked

    def _checked(self, vectors: Vectors) -> Vectors:
        dim = self._model.fingerprint.dim
        for vector in (vectors.gist, vectors.body):
            if vector is not None and not _usable(vector, dim):
                raise _Flaw(
                    "embedding",
                    "The model gave no usable vector for this; retry it, or report it as a fault.",
                )
        return vectors

    def _check_stopped(self) -> None:
        if self._stopped():
            raise StoppedError


def joined(read: UnderstoodContent, seen: UnderstoodContent) -> UnderstoodContent:
    """What was made of the words of a content, and of its parts, as one."""
    read.passages += seen.passages
    read.rows += seen.rows
    read.failed += seen.failed
    read.reason, read.sentence = seen.reason or read.reason, seen.sentence or read.sentence
    return read


def verdict(outcome: UnderstoodContent) -> UnderstoodContent | FailedContent:
    """Whether enough was understood to be kept: anything, or nothing because there was nothing."""
    if not outcome.failed:
        return outcome
    said = outcome.sentence or ""
    if not outcome.rows:
        return FailedContent(outcome.item, outcome.reason or "model", said)
    whole = outcome.failed + len(outcome.rows)
    outcome.sentence = f"{outcome.failed} of {whole} parts could not be understood. {said}"
    return outcome


def _usable(vector: Float32, dim: int) -> bool:
    return (
        vector.shape == (dim,)
        and bool(np.isfinite(vector).all())
        and float(np.linalg.norm(vector)) > 1e-6
    )


def _flaw(problem: Exception) -> _Flaw:
    if isinstance(problem, ModelMemoryError):
        return _Flaw("memory", str(problem))
    kind = type(problem).__name__
    return _Flaw("model", f"The model failed on this ({kind}); retry it, or report it as a fault.")


def _lstat(path: Path) -> os.stat_result:
    try:
        return path.lstat()
    except OSError as problem:
        raise SourceChangedError from problem
