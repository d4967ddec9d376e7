"""Clips transcribed again with a question in mind.

A clip is prefilled once: the next question about it goes on from its last frame. Transcripts are
kept with their questions, so that earlier turns of a conversation stay the same token for token.
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
from model.interface import Evidence, Prompt, Sound
from model.prompt import prompts
from model.prompt.inputs import Inputs

LIMITS = GenerationLimits(tokens=96, time_s=60)
# Transcripts kept, one for each pair of clip and question.
MOST_TRANSCRIPTS = 64


class ClipTranscripts:
    """`render` turns a prompt into inputs; `prefixes` keeps what was read of the clips."""

    def __init__(
        self,
        decoder: Decoder,
        vocabulary: TokenBytes,
        prefixes: PrefixCache,
        render: Callable[[Prompt], Inputs],
    ) -> None:
        self._decoder = decoder
        self._vocabulary = vocabulary
        self._prefixes = prefixes
        self._render = render
        self._texts: dict[tuple[bytes, str], str] = {}  # (clip, question) -> transcript

    def transcribe(self, question: str, clip: Sound, cancelled: Callable[[], bool]) -> None:
        """Transcribe what `clip` says about the question, and keep it."""
        context, rest = self._prefixes.take(self._render(prompts.clip_prompt(question, clip)))
        self._decoder.prefill(rest, context)
        generation = Generation(self._decoder, context, LIMITS, None, cancelled)
        self._texts[_key(clip), question] = prompts.without_instructions(
            self._vocabulary.text(trim_repetition(list(generation)))
        )
        self._prefixes.keep(context)
        while len(self._texts) > MOST_TRANSCRIPTS:
            del self._texts[next(iter(self._texts))]

    def added_to(self, source: Evidence, question: str) -> Evidence:
        """The source with the transcript of its clip for a conversation's first question."""
        text = self._text(question, source)
        if not text:
            return source
        return replace(source, words=f"{source.words}\n(heard again: {text})")

    def for_later(self, question: str, evidence: Sequence[Evidence]) -> str:
        """The transcripts for a later question, one a line; empty where there are none."""
        texts = [(source.n, self._text(question, source)) for source in evidence]
        return "\n".join(prompts.heard_again(n, text) for n, text in texts if text)

    def _text(self, question: str, source: Evidence) -> str:
        clip = source.original
        return self._texts.get((_key(clip), question), "") if isinstance(clip, Sound) else ""


def _key(clip: Sound) -> bytes:
    return hashlib.blake2b(clip.samples.tobytes() + str(clip.rate_hz).encode()).digest()
