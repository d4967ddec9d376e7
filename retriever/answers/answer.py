"""A question, the evidence for it, and an answer whose citations open the right place.

Evidence is the best passages as text and, for the top few, the picture or the clip itself. The
model writes; this file numbers the sources, checks every quote against the words that are live in
the index now, and drops and counts what it cannot confirm.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from indexer.catalog.records import Item
from indexer.types.passages import Passage
from indexer.types.places import Place
from indexer.types.scope import Scope
from model.answer_format import without_marks
from model.interface import (
    DEFAULT_WRITING,
    AnswerCitation,
    AnswerEnd,
    AnswerEvent,
    AnswerText,
    ConversationTurn,
    Evidence,
    Image,
    Model,
    ModelError,
    Sound,
    WritingOptions,
)
from retriever.answers.claims import Claim, judged, last_claim
from retriever.answers.copied_text import CopiedText
from retriever.answers.extracts import MAX_EXTRACTS, extract_answer
from retriever.answers.sources import (
    NumberedSource,
    SourcePlace,
    is_likely,
    needs_media,
    numbered,
    passages_of,
    source_label,
)
from retriever.answers.values import figures
from retriever.hits import Hit
from retriever.marks.places import quoted_place
from retriever.queries.query import MAX_QUERY_CHARS, Query
from retriever.search import Searcher

MAX_ORIGINALS = 2
# So many sources are tried, one after the other, by a model that finds its way in one only.
MAX_ATTEMPTS = 4

EVERYTHING = Scope()
MediaLoader = Callable[[Item, Place], Image | Sound]


@dataclass(frozen=True, slots=True)
class Citation:
    """A quote and where it stands. `verified`: the quote was found, letter for letter apart from
    white space, in the live words of its source. `supports`: it can prove what it is cited for;
    one that cannot only mentions it."""

    source: NumberedSource
    quote: str
    verified: bool
    supports: bool

    @property
    def place(self) -> Place:
        """Where the quote stands: in a transcript the span of its sentence."""
        passage = self.source.passage
        return None if passage is None else quoted_place(passage, self.quote)


@dataclass(frozen=True, slots=True)
class AnswerSummary:
    """The end of an answer. `unfounded` are the figures in it that stand in none of its sources
    nor in the question: what a model most easily makes up, and a reader most easily believes."""

    text: str
    citations: tuple[Citation, ...]
    left_out: int
    unfounded: tuple[str, ...]
    finished: AnswerEnd


AnswerPart = NumberedSource | AnswerText | Citation | AnswerSummary


class Answerer:
    """Answers questions about one library. `load_media` decodes a picture or a clip; it is given,
    because this layer opens no files. `may_write` says of the sources' contents whether the model
    is one that answers from them; else their sentences are the answer."""

    def __init__(
        self,
        searcher: Searcher,
        model: Model,
        load_media: MediaLoader,
        may_write: Callable[[Sequence[str]], bool] = lambda _: True,
    ) -> None:
        self._searcher = searcher
        self._model = model
        self._load_media = load_media
        self._may_write = may_write

    def answer(
        self,
        question: str,
        *,
        about: Sequence[str] = (),
        scope: Scope = EVERYTHING,
        history: Sequence[ConversationTurn] = (),
        cancelled: Callable[[], bool] = lambda: False,
        options: WritingOptions = DEFAULT_WRITING,
    ) -> Iterator[AnswerPart]:
        """The sources first, then the text as it is written, each citation when its quote is
        complete, and one `AnswerSummary` at the end. Sources are taken from the items `about`
        (empty for all) within the scope.

        A model that finds its way in one source only is asked about one after the other, until a
        quote proves what it says; where none does, the sources speak for themselves."""
        places = self._places(question, about, scope, history)
        most = self._model.card.sources
        if not self._writes(places[:most]):
            yield from self._extracts(question, history, places)
            return
        likely = [place for place in places if is_likely(place, places[0])]
        first: list[AnswerPart] = []
        for start in range(0, max(1, min(len(likely), MAX_ATTEMPTS)), most):
            if not self._writes(likely[start : start + most]):
                continue
            sources = numbered(likely[start : start + most])
            evidence = self._evidence(sources)
            events = self._model.answer(question, evidence, history, cancelled, options)
            parts = self._checked(question, history, sources, events, self._model)
            if most > 1:
                yield from parts
                return
            attempt = list(parts)
            first = first or attempt
            if cancelled() or any(citation.supports for citation in _citations(attempt)):
                yield from attempt
                return
        if _citations(first):
            yield from self._extracts(question, history, places)
        else:
            yield from first

    def _writes(self, places: Sequence[SourcePlace]) -> bool:
        """Whether the model is one that answers from these places."""
        contents = [hit.item.content for hit, _ in places]
        return self._model.card.writes and self._may_write(contents)

    def _extracts(
        self, question: str, history: Sequence[ConversationTurn], places: Sequence[SourcePlace]
    ) -> Iterator[AnswerPart]:
        """What the best sources say themselves."""
        sources = numbered(places[:MAX_EXTRACTS])
        events = extract_answer(question, self._evidence(sources))
        return self._checked(question, history, sources, events)

    def _checked(
        self,
        question: str,
        history: Sequence[ConversationTurn],
        sources: Sequence[NumberedSource],
        events: Iterator[AnswerEvent],
        judge: Model | None = None,
    ) -> Iterator[AnswerPart]:
        """The events of one answer with its quotes checked, and what they prove judged."""
        yield from sources
        by_number = {source.n: source for source in sources}
        known = [question, *(f"{source_label(source)} {source.words}" for source in sources)]
        known += [f"{turn.question} {turn.answer}" for turn in history]
        draft = CopiedText(known)
        citations: list[Citation] = []
        claims: list[Claim] = []
        left_out = 0
        for event in events:
            match event:
                case AnswerText(text):
                    if written := draft.add(text):
                        yield AnswerText(written)
                case AnswerCitation(n, quote):
                    source = by_number.get(n)
                    passage = source.passage if source else None
                    if source is None or passage is None or not is_quote_of(quote, passage):
                        left_out += 1
                        continue
                    if written := draft.release(quote):
                        yield AnswerText(written)
                    claim = last_claim(draft.text)
                    title = f"{source.item.name} {source.item.title}"
                    claims.append(Claim(question, claim, quote, passage, title))
                    citations.append(Citation(source, quote, True, claims[-1].is_supported()))
                    yield citations[-1]
                case AnswerEnd():
                    if written := draft.release():
                        yield AnswerText(written)
                    text = draft.text.strip()
                    unfounded = unsupported_figures(text, known)
                    # nobody waits for the judgement of an answer that was cancelled
                    if judge is not None and event.reason != "cancelled":
                        supported = judged(judge, claims)
                        citations = [
                            replace(citation, supports=supports)
                            for citation, supports in zip(citations, supported, strict=True)
                        ]
                    yield AnswerSummary(text, tuple(citations), left_out, unfounded, event)

    def _places(
        self,
        question: str,
        about: Sequence[str],
        scope: Scope,
        history: Sequence[ConversationTurn],
    ) -> list[SourcePlace]:
        """Where an answer may stand, best first: hits with their passages, None for a picture that
        is known by its name only."""
        # A follow-up ("and when does it end?") often names its subject only in the turn before.
        words = f"{history[-1].question} {question}" if history else question
        # A few good sources give better answers than many, and each one more takes time.
        limit = max(self._model.card.sources, MAX_ATTEMPTS)
        words = words[:MAX_QUERY_CHARS]
        query = Query(words=words, about=tuple(about), scope=scope, limit=limit)
        hits = self._hits(query)
        places = [(hit, passage) for hit in hits for passage in passages_of(hit)]
        # Best passages of different files first, second places of the same file after them.
        places.sort(key=lambda place: place[1] is not None and place[1] is not place[0].passage)
        return places

    def _hits(self, query: Query) -> list[Hit]:
        """By words alone where the model gives no vectors, or not now."""
        try:
            return self._searcher.search(query)
        except ModelError:
            return self._searcher.search(replace(query, by="words"))

    def _evidence(self, sources: Sequence[NumberedSource]) -> list[Evidence]:
        evidence: list[Evidence] = []
        originals = 0
        for source in sources:
            original: Image | Sound | None = None
            if originals < MAX_ORIGINALS and needs_media(source):
                original = self._load(source)
                originals += original is not None
            evidence.append(Evidence(source.n, source_label(source), source.words, original))
        return evidence

    def _load(self, source: NumberedSource) -> Image | Sound | None:
        """The picture or clip itself, or None where the file cannot be read just now: the words
        that were read from it before still serve."""
        try:
            return self._load_media(source.item, source.place)
        except Exception:
            return None


def _citations(attempt: Sequence[AnswerPart]) -> Sequence[Citation]:
    """The citations of a whole answer, as they were judged at its end."""
    summary = attempt[-1] if attempt else None
    return summary.citations if isinstance(summary, AnswerSummary) else ()


def is_quote_of(quote: str, passage: Passage | None) -> bool:
    """Whether the quote is a run of the passage's words, white space apart."""
    if passage is None or not quote.strip():
        return False
    return _collapse_spaces(quote) in _collapse_spaces(passage.text)


def unsupported_figures(answer: str, known: Sequence[str]) -> tuple[str, ...]:
    """The figures of an answer, citation marks aside, that stand nowhere in the known texts."""
    supported = {figure for text in known for figure in figures(text)}
    stated = figures(without_marks(answer))
    return tuple(dict.fromkeys(figure for figure in stated if figure not in supported))


def _collapse_spaces(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
