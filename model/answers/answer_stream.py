"""From a read prompt to a stream of answer events: text, citations, and how it ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from model.answers.quote_constraint import MOST_WORDS, QuoteConstraint
from model.decoding.context import Context
from model.decoding.decoder import Decoder
from model.decoding.generation import Generation, GenerationLimits
from model.decoding.token_bytes import TokenBytes
from model.interface import (
    AnswerCitation,
    AnswerEnd,
    AnswerEvent,
    AnswerText,
    Evidence,
    FinishReason,
)
from model.prompt.prompts import NOT_IN_LIBRARY

# A quote of the longest kind, in tokens of a small vocabulary, with its brackets.
CITATION_TOKENS = MOST_WORDS * 5


class AnswerStream:
    """Writes one answer.

    An answer must be checkable, so one that makes a statement and cites nothing is not left so: the
    opening bracket is put into the model's mouth, and the model itself picks the source and the
    quote by its own probabilities, under the same constraint as any quote. A model that has nothing
    to say at all thereby gives its best quote. Only the refusal stands alone.
    """

    def __init__(
        self,
        decoder: Decoder,
        spelling: TokenBytes,
        evidence: Sequence[Evidence],
        limits: GenerationLimits,
        cancelled: Callable[[], bool],
    ) -> None:
        self._decoder = decoder
        self._spelling = spelling
        self._quotes = QuoteConstraint(spelling, {source.n: source.words for source in evidence})
        self._limits = limits
        self._cancelled = cancelled
        self._said = ""
        self._begun = self._first = 0.0

    def write(self, context: Context, begun: float) -> Iterator[AnswerEvent]:
        """All events, the last one `Finished`; `begun` is when the question was asked
        (perf_counter)."""
        self._begun = begun
        writing = Generation(self._decoder, context, self._limits, self._quotes, self._cancelled)
        yield from self._events(writing)
        reason: FinishReason = writing.reason or "stop"
        if reason not in ("cancelled", "time"):
            if self._quotes.open:  # the limit fell into a quote: let it be finished
                writing.force([], CITATION_TOKENS)
                yield from self._events(writing, until_cited=True)
            elif self._must_cite():
                writing.force(self._opening(), CITATION_TOKENS)
                yield from self._events(writing, until_cited=True)
        reason = "cancelled" if writing.reason == "cancelled" else reason
        yield self._finished(writing, reason)

    def _events(
        self, writing: Generation, until_cited: bool = False
    ) -> Iterator[AnswerText | AnswerCitation]:
        for _ in writing:
            self._first = self._first or time.perf_counter()
            for event in self._quotes.take():
                if isinstance(event, AnswerText):
                    self._said += event.text
                yield event
                if until_cited and isinstance(event, AnswerCitation):
                    return

    def _must_cite(self) -> bool:
        refused = self._said.strip().casefold().startswith(NOT_IN_LIBRARY.rstrip(".").casefold())
        return self._quotes.quotable and not self._quotes.cited and not refused

    def _opening(self) -> list[int]:
        spelling = self._spelling
        said = bool(self._said.strip()) and not self._said[-1].isspace()
        text = b" [" if said and b" [" in spelling.of else b"["
        thought_ends = [spelling.thought_close] if self._quotes.thinking else []
        return [*thought_ends, spelling.of.index(text)]

    def _finished(self, writing: Generation, reason: FinishReason) -> AnswerEnd:
        now = time.perf_counter()
        first = self._first or now
        tokens = len(writing.tokens)
        return AnswerEnd(
            reason=reason,
            first_token_ms=(first - self._begun) * 1000,
            tokens=tokens,
            tokens_per_s=(tokens - 1) / (now - first) if tokens > 1 and now > first else 0.0,
            draft_acceptance=writing.kept / writing.drafted if writing.drafted else None,
        )
