"""How tokens are spelt: token ids to bytes to clean text.

Bytes rather than characters, because a token may hold half a letter.
"""

from __future__ import annotations

import codecs
import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")
# Control characters, and the marks that turn the direction of a line around.
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]"
)


class TokenBytes:
    """The bytes of every token of a vocabulary; None for control tokens, which have none."""

    def __init__(self, tokenizer: Any) -> None:
        special = {
            place for place, token in tokenizer.added_tokens_decoder.items() if token.special
        }
        size = max(tokenizer.get_vocab().values()) + 1
        self.of: list[bytes | None] = [None] * size
        for text, place in tokenizer.get_vocab().items():
            if place in special:
                continue
            byte = _BYTE.fullmatch(text)
            self.of[place] = bytes([int(byte[1], 16)]) if byte else text.replace("▁", " ").encode()
        self.thought_open = tokenizer.convert_tokens_to_ids("<|channel>")
        self.thought_close = tokenizer.convert_tokens_to_ids("<channel|>")

    @functools.cached_property
    def ordered(self) -> tuple[list[bytes], list[int]]:
        """All spellings in byte order, and the token each belongs to."""
        pairs = sorted((text, place) for place, text in enumerate(self.of) if text)
        return [text for text, _ in pairs], [place for _, place in pairs]

    @functools.cached_property
    def brackets(self) -> list[tuple[int, bytes]]:
        """The tokens that hold an opening bracket, with their spelling."""
        return [(place, text) for place, text in enumerate(self.of) if text and b"[" in text]

    def text(self, tokens: Iterable[int]) -> str:
        """What a person reads of `tokens`: without control tokens, thoughts, controls."""
        voice = Detokenizer(self)
        return ("".join(voice.hear(token) for token in tokens) + voice.rest()).strip()


@dataclass(slots=True)
class Detokenizer:
    """Turns a stream of tokens into text as it comes. What stands in a thought channel is not
    said: with thinking off, the published model still writes an empty one."""

    spelling: TokenBytes
    thinking: bool = False
    _letters: Any = field(default_factory=lambda: codecs.getincrementaldecoder("utf-8")("replace"))

    def hear(self, token: int) -> str:
        """The text that `token` completes; empty for half a letter."""
        return self.read(self.spoken(token))

    def spoken(self, token: int) -> bytes:
        """The bytes of `token` that count, after thoughts and control tokens."""
        if token == self.spelling.thought_open:
            self.thinking = True
        elif token == self.spelling.thought_close:
            self.thinking = False
        elif not self.thinking:
            return self.spelling.of[token] or b""
        return b""

    def read(self, text: bytes) -> str:
        return _UNSEEN.sub("", self._letters.decode(text))

    def rest(self) -> str:
        """A letter that never was completed shows as one mark."""
        return str(self._letters.decode(b"", final=True))
