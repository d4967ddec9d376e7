"""A text as it is written after a prompt: what may be shown of it, and how it ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from model.decoding.context import Context
from model.decoding.decoder import Decoder
from model.decoding.generation import Generation, GenerationLimits
from model.decoding.sampling import RandomSampler, Sampler, SamplingParameters
from model.decoding.stop_strings import StopStrings
from model.decoding.token_bytes import TokenBytes
from model.interface import AnswerEnd, AnswerText, ChatEvent, WritingOptions


def sampler_of(options: WritingOptions) -> Sampler | None:
    """What draws the tokens; None for the most likely one each time."""
    if options.temperature == 0:
        return None
    parameters = SamplingParameters(options.temperature, 0, options.top_p, options.seed)
    return RandomSampler(parameters)


def limited(limits: GenerationLimits, options: WritingOptions, room: int) -> GenerationLimits:
    """The limits, with at most the tokens that are asked for and that there is room for."""
    most = limits.tokens if options.max_tokens is None else options.max_tokens
    return replace(limits, tokens=max(1, min(most, room)))


class TextStream:
    """Writes one text that no constraint narrows."""

    def __init__(
        self,
        decoder: Decoder,
        vocabulary: TokenBytes,
        options: WritingOptions,
        limits: GenerationLimits,
        cancelled: Callable[[], bool],
    ) -> None:
        self._decoder = decoder
        self._vocabulary = vocabulary
        self._options = options
        self._limits = limits
        self._cancelled = cancelled

    def write(self, context: Context, began_s: float, prompt_tokens: int) -> Iterator[ChatEvent]:
        """All events, the last one `AnswerEnd`; `began_s` is when the text was asked for
        (perf_counter)."""
        stops = StopStrings(self._vocabulary, self._options.stop)
        generation = Generation(
            self._decoder,
            context,
            self._limits,
            cancelled=self._cancelled,
            sampler=sampler_of(self._options),
            stop_condition=stops,
            drafting=not self._options.repeatable,
        )
        first_s = 0.0
        for _ in generation:
            first_s = first_s or time.perf_counter()
            if shown := stops.take():
                yield AnswerText(shown)
        if rest := stops.take(last=True):
            yield AnswerText(rest)
        now_s = time.perf_counter()
        first_s = first_s or now_s
        tokens = len(generation.tokens)
        yield AnswerEnd(
            reason=generation.reason or "stop",
            first_token_ms=(first_s - began_s) * 1000,
            tokens=tokens,
            tokens_per_s=(tokens - 1) / (now_s - first_s) if tokens > 1 and now_s > first_s else 0,
            draft_acceptance=generation.kept / generation.drafted if generation.drafted else None,
            prompt_tokens=prompt_tokens,
        )
