"""Clips heard again with a question in mind, and what was heard then.

A clip is read once: the next question about it goes on from its last frame. What was heard is
remembered with its question, so that earlier turns of a conversation read as they did before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace

from model.decoding.decoder import Decoder
from model.decoding.generation import Generation, GenerationLimits
from model.decoding.prefix_cache import PrefixCache
from model.decoding.repetition import trim_repetition
from model.decoding.token_bytes import TokenBytes
from model.interface import Evidence, Sound
from model.prompt import prompts
from model.prompt.inputs import Inputs

LIMITS = GenerationLimits(tokens=96, time_s=60)
# What was heard is remembered for so many questions about so many clips.
MOST_HEARD = 64


class ClipTranscripts:
    """`render` turns a prompt into numbers; `prefixes` keeps what was read of the clips."""

    def __init__(
        self,
        decoder: Decoder,
        spelling: TokenBytes,
        prefixes: PrefixCache,
        render: Callable[[prompts.Prompt], Inputs],
    ) -> None:
        self._decoder = decoder
        self._spelling = spelling
        self._prefixes = prefixes
        self._render = render
        self._heard: dict[tuple[bytes, str], str] = {}  # (clip, question) -> words

    def listen(self, question: str, clip: Sound, cancelled: Callable[[], bool]) -> None:
        """Hear `clip` with the question in mind, and remember what was heard."""
        context, rest = self._prefixes.take(self._render(prompts.clip_prompt(question, clip)))
        self._decoder.prefill(rest, context)
        writing = Generation(self._decoder, context, LIMITS, None, cancelled)
        self._heard[_key(clip), question] = self._spelling.text(trim_repetition(list(writing)))
        self._prefixes.keep(context)
        while len(self._heard) > MOST_HEARD:
            del self._heard[next(iter(self._heard))]

    def told(self, question: str, source: Evidence) -> Evidence:
        """The source with what its clip said to a conversation's first question."""
        words = self._words(question, source)
        if not words:
            return source
        return replace(source, words=f"{source.words}\n(heard again: {words})")

    def later(self, question: str, evidence: Sequence[Evidence]) -> str:
        """What the clips said to a later question; empty where they said nothing."""
        said = [(source.n, self._words(question, source)) for source in evidence]
        return "\n".join(f"Heard again in source {n}: {words}" for n, words in said if words)

    def _words(self, question: str, source: Evidence) -> str:
        clip = source.original
        return self._heard.get((_key(clip), question), "") if isinstance(clip, Sound) else ""


def _key(clip: Sound) -> bytes:
    return hashlib.blake2b(clip.samples.tobytes() + str(clip.rate_hz).encode()).digest()
