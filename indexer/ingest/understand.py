"""The second stage for a few contents: the model embeds what was read and describes what was not.

Passages of a document are embedded, many at a time. A photo, a page with little text and each
stretch of a recording is looked at or listened to once, which gives its words and its vectors.
What fails at one place fails that place alone. A long content is worked through in instalments, and
what is done of it is kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import numpy as np

from indexer.catalog.contents.drafts import Draft, Drafts
from indexer.catalog.recordings.corrections import Corrections
from indexer.extract.media.sentence_times import clip_pieces, time_sentences
from indexer.files.walk import Stat
from indexer.ingest.pace import Pace
from indexer.ingest.read import Readers
from indexer.types.contents import FailedContent, PendingContent, UnderstoodContent, VectorRow
from indexer.types.passages import FIRST_UNDERSTOOD, Passage, Source
from indexer.types.pieces import UnreadableError
from indexer.types.places import Kind, Place, Span
from indexer.types.recordings.transcripts import Transcript
from model.interface import (
    Description,
    Float32,
    Image,
    Model,
    ModelError,
    ModelMemoryError,
    Sound,
    Text,
    Vectors,
)

EMBEDDED_AT_ONCE = 32
# A content with more of either is long: it is worked through in instalments.
FEW_PARTS, FEW_PASSAGES = 8, 64
INSTALMENT_S = 10.0


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
    """Gives contents to the model; `calls` counts the items it was given, `pace` is told how long
    they took."""

    def __init__(
        self,
        readers: Readers,
        model: Model,
        stopped: Callable[[], bool],
        drafts: Drafts,
        corrections: Corrections,
        pace: Pace,
    ) -> None:
        self._readers = readers
        self._model = model
        self._stopped = stopped
        self._drafts = drafts
        self._corrections = corrections
        self._pace = pace
        self._warm = False
        self.calls = 0

    def embed(
        self, items: Sequence[tuple[PendingContent, Sequence[Passage]]]
    ) -> list[UnderstoodContent]:
        """The vectors of what was read in each content, embedded in shared batches: of as many of
        the contents, the first at least, as an instalment has time for.

        Raises StoppedError, and ModelError when the model itself cannot be used."""
        outcomes = [UnderstoodContent(item) for item, _ in items]
        missing = [len(of_item) for _, of_item in items]
        passages = [
            (number, passage) for number, (_, of_item) in enumerate(items) for passage in of_item
        ]
        until = time.monotonic() + INSTALMENT_S
        for start in range(0, len(passages), EMBEDDED_AT_ONCE):
            if time.monotonic() > until and not missing[0]:
                break
            batch = passages[start : start + EMBEDDED_AT_ONCE]
            drafts = self._embedded([passage for _, passage in batch])
            for (number, _), draft in zip(batch, drafts, strict=True):
                _add(outcomes[number], draft)
                missing[number] -= 1
        return [outcome for outcome, left in zip(outcomes, missing, strict=True) if not left]

    def describe(self, outcome: UnderstoodContent) -> None:
        """Adds what the model sees or hears in the few parts of a content.

        Raises StoppedError, SourceChangedError when the file has changed, and ModelError."""
        item = outcome.item
        for number, place in enumerate(item.parts):
            for draft in self._described(item, FIRST_UNDERSTOOD + number, place):
                _add(outcome, draft)
        _check_source(item)

    def advance(self, item: PendingContent, passages: Sequence[Passage]) -> UnderstoodContent:
        """One more instalment of a long content, of which each step is written down as it is done:
        the whole, where it was the last.

        Raises UnfinishedError where it was not, StoppedError, SourceChangedError when the file has
        changed, and ModelError."""
        key = self._model.fingerprint.key
        done = self._drafts.places(item.content, key)
        until = time.monotonic() + INSTALMENT_S
        stepped = False
        for step in self._steps(item, passages, done):
            if stepped and time.monotonic() > until:
                raise UnfinishedError
            self._drafts.keep(item.content, item.read_generation, key, step())
            stepped = True
        _check_source(item)
        outcome = UnderstoodContent(item)
        ordinals = {passage.ordinal for passage in passages}
        ordinals.update(range(FIRST_UNDERSTOOD, FIRST_UNDERSTOOD + len(item.parts)))
        for draft in self._drafts.of(item.content, key):
            if draft.ordinal in ordinals:
                _add(outcome, draft)
        return outcome

    def _steps(
        self, item: PendingContent, passages: Sequence[Passage], done: Mapping[int, Place]
    ) -> Iterator[Callable[[], list[Draft]]]:
        """What is left to be done of a long content: parts one by one, passages some at once."""
        for number, place in enumerate(item.parts):
            ordinal = FIRST_UNDERSTOOD + number
            if ordinal not in done or done[ordinal] != place:
                yield partial(self._described, item, ordinal, place)
        left = [passage for passage in passages if passage.ordinal not in done]
        for start in range(0, len(left), EMBEDDED_AT_ONCE):
            yield partial(self._embedded, left[start : start + EMBEDDED_AT_ONCE])

    def _embedded(self, passages: Sequence[Passage]) -> list[Draft]:
        began = time.monotonic()
        results = self._vectors([Text(passage.text) for passage in passages])
        self._record("embed", None, len(passages), time.monotonic() - began)
        drafts = []
        for passage, vectors in zip(passages, results, strict=True):
            ordinal, place = passage.ordinal, passage.place
            if isinstance(vectors, _PlaceError):
                drafts.append(Draft(ordinal, place, None, None, vectors.reason, vectors.sentence))
            else:
                drafts.append(Draft(ordinal, place, None, vectors))
        return drafts

    def _described(self, item: PendingContent, ordinal: int, place: Place) -> list[Draft]:
        """The draft of one part."""
        self._check_stopped()
        _check_source(item)
        began = time.monotonic()
        try:
            with self._readers.lend() as reader:
                original = reader.original(item.path, place, member=item.member)
            if isinstance(original, Image):
                description = self._describe(original)
                passage = Passage(ordinal, description.words, place, Source.CAPTION)
                vectors = self._checked(Vectors(description.gist, description.body))
            else:
                passage, vectors = self._transcribed(item, ordinal, place, original)
        except UnreadableError as problem:
            return [Draft(ordinal, place, None, None, problem.reason, problem.sentence)]
        except _PlaceError as error:
            return [Draft(ordinal, place, None, None, error.reason, error.sentence)]
        finally:
            self._record("describe", item.kind, 1, time.monotonic() - began)
        return [Draft(ordinal, place, passage, vectors)]

    def _transcribed(
        self, item: PendingContent, ordinal: int, place: Place, clip: Sound
    ) -> tuple[Passage, Vectors]:
        """The transcript of a clip, heard in pieces where it is longer than the model hears well,
        with what a person has corrected in it."""
        pieces = [
            (start_s, clip.between(start_s, end_s))
            for start_s, end_s in clip_pieces(clip, self._model.card.clip_s)
        ]
        descriptions = [self._describe(piece) for _, piece in pieces]
        start_s = place.start_s if isinstance(place, Span) else 0.0
        heard = Transcript()
        for (piece_s, piece), description in zip(pieces, descriptions, strict=True):
            sentences = time_sentences(description.words, piece)
            heard = heard.extended(description.words, sentences, start_s + piece_s)
        words = heard.corrected(self._corrections.of(item.content), place)
        passage = Passage(ordinal, words.text, place, Source.TRANSCRIPT, words.sentences)
        gist, body = descriptions[0].gist, descriptions[0].body
        if len(pieces) > 1:
            gist = np.mean([each.gist for each in descriptions], axis=0, dtype=np.float32)
            gist /= max(float(np.linalg.norm(gist)), 1e-12)
        if words.text != descriptions[0].words:
            [vectors] = self._vectors([Text(words.text)]) if words.text else [Vectors(gist, None)]
            if isinstance(vectors, _PlaceError):
                raise vectors
            body = vectors.body
        return passage, self._checked(Vectors(gist, body))

    def _describe(self, medium: Image | Sound) -> Description:
        self.calls += 1
        try:
            return self._model.describe(medium)
        except ModelMemoryError as problem:
            raise _place_error(problem) from problem
        except ModelError:
            raise
        except Exception as problem:
            raise _place_error(problem) from problem

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

    def _record(self, step: str, kind: Kind | None, count: int, took_s: float) -> None:
        """The first call may have loaded the model, and tells nothing of the next."""
        if self._warm:
            self._pace.record(step, kind, count, took_s)
        self._warm = True

    def _check_stopped(self) -> None:
        if self._stopped():
            raise StoppedError


def is_long(item: PendingContent) -> bool:
    """Whether a content is understood in instalments."""
    return len(item.parts) > FEW_PARTS or item.passages > FEW_PASSAGES


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


def _add(outcome: UnderstoodContent, draft: Draft) -> None:
    vectors = draft.vectors
    if vectors is None:
        outcome.fail(draft.reason or "model", draft.sentence or "")
        return
    if draft.passage is not None:
        outcome.passages.append(draft.passage)
    outcome.rows.append(VectorRow(draft.ordinal, draft.place, vectors.gist, vectors.body))


def _check_source(item: PendingContent) -> None:
    """Raises SourceChangedError where parts would be looked for in another file than was read."""
    if not item.parts:
        return
    try:
        stat = Stat.of(item.path.lstat())
    except OSError as problem:
        raise SourceChangedError from problem
    if stat != item.stat:
        raise SourceChangedError
