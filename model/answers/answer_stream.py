"""From a prefilled prompt to a stream of answer events: text, citations, and how it ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from model.answer_format import BRACKET, is_refusal
from model.answers.quote_constraint import MOST_WORDS, QuoteConstraint
from model.decoding.context import Context
from model.decoding.decoder import Decoder
from model.decoding.generation import Generation, GenerationLimits
from model.decoding.text_stream import sampler_of
from model.decoding.token_bytes import TokenBytes
from model.interface import (
    DEFAULT_WRITING,
    AnswerCitation,
    AnswerEnd,
    AnswerEvent,
    AnswerText,
    Evidence,
    FinishReason,
    WritingOptions,
)

# The longest quote, in tokens of a small vocabulary, with its brackets.
CITATION_TOKENS = MOST_WORDS * 5


class AnswerStream:
    """Writes one answer.

    An answer must be checkable, so one that states something and cites nothing is continued: the
    opening bracket is forced, and the model picks the source and the quote by its own
    probabilities, under the same constraint as any quote. A model that wrote nothing at all thereby
    gives its best quote. Only the refusal stands alone.
    """

    def __init__(
        self,
        decoder: Decoder,
        vocabulary: TokenBytes,
        evidence: Sequence[Evidence],
        limits: GenerationLimits,
        cancelled: Callable[[], bool],
        options: WritingOptions = DEFAULT_WRITING,
        prompt_tokens: int = 0,
    ) -> None:
        self._decoder = decoder
        self._vocabulary = vocabulary
        self._quotes = QuoteConstraint(vocabulary, {source.n: source.words for source in evidence})
        self._limits = limits
        self._cancelled = cancelled
        self._options = options
        self._prompt_tokens = prompt_tokens
        self._text = ""
        self._began_s = self._first_token_s = 0.0

    def write(self, context: Context, began_s: float) -> Iterator[AnswerEvent]:
        """All events, the last one `AnswerEnd`; `began_s` is when the question was asked
        (perf_counter)."""
        self._began_s = began_s
        generation = Generation(
            self._decoder,
            context,
            self._limits,
            self._quotes,
            self._cancelled,
            sampler_of(self._options),
            drafting=not self._options.repeatable,
        )
        yield from self._events(generation)
        reason: FinishReason = generation.reason or "stop"
        if reason not in ("cancelled", "time"):
            if self._quotes.open:  # the limit fell into a quote: let it be finished
                generation.force([], CITATION_TOKENS)
                yield from self._events(generation, until_cited=True)
            elif self._must_cite():
                generation.force(self._opening(), CITATION_TOKENS)
                yield from self._events(generation, until_cited=True)
        reason = "cancelled" if generation.reason == "cancelled" else reason
        yield self._end(generation, reason)

    def _events(
        self, generation: Generation, until_cited: bool = False
    ) -> Iterator[AnswerText | AnswerCitation]:
        for _ in generation:
            self._first_token_s = self._first_token_s or time.perf_counter()
            for event in self._quotes.take():
                if isinstance(event, AnswerText):
                    self._text += event.text
                yield event
                if until_cited and isinstance(event, AnswerCitation):
                    return

    def _must_cite(self) -> bool:
        return self._quotes.quotable and not self._quotes.cited and not is_refusal(self._text)

    def _opening(self) -> list[int]:
        """The tokens that begin a citation from here: an open thought is ended first."""
        vocabulary = self._vocabulary
        bracket = BRACKET.encode()
        joined = bool(self._text.strip()) and not self._text[-1].isspace()
        if joined and b" " + bracket in vocabulary.of:
            bracket = b" " + bracket
        thought_ends = [vocabulary.thought_close] if self._quotes.thinking else []
        return [*thought_ends, vocabulary.of.index(bracket)]

    def _end(self, generation: Generation, reason: FinishReason) -> AnswerEnd:
        now_s = time.perf_counter()
        first_s = self._first_token_s or now_s
        tokens = len(generation.tokens)
        writing_s = now_s - first_s
        return AnswerEnd(
            reason=reason,
            first_token_ms=(first_s - self._began_s) * 1000,
            tokens=tokens,
            tokens_per_s=(tokens - 1) / writing_s if tokens > 1 and writing_s > 0 else 0.0,
            draft_acceptance=generation.kept / generation.drafted if generation.drafted else None,
            prompt_tokens=self._prompt_tokens,
        )
