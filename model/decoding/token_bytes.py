"""Token ids to bytes to clean text.

Bytes rather than characters, because a token may hold half a character.
"""

from __future__ import annotations

import codecs
import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")
# Control characters, and the marks that turn the direction of a line. Fewer than the index removes
# from what it reads (`indexer/types/text/characters.py`): a quote has to stay what its source says.
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]"
)


class TokenBytes:
    """The bytes of every token of a vocabulary, `of[id]`; None for control tokens, which have
    none."""

    def __init__(self, tokenizer: Any) -> None:
        control = {
            index for index, token in tokenizer.added_tokens_decoder.items() if token.special
        }
        size = max(tokenizer.get_vocab().values()) + 1
        self.of: list[bytes | None] = [None] * size
        for text, index in tokenizer.get_vocab().items():
            if index in control:
                continue
            byte = _BYTE.fullmatch(text)
            self.of[index] = bytes([int(byte[1], 16)]) if byte else text.replace("▁", " ").encode()
        self.thought_open = tokenizer.convert_tokens_to_ids("<|channel>")
        self.thought_close = tokenizer.convert_tokens_to_ids("<channel|>")

    @functools.cached_property
    def ordered(self) -> tuple[list[bytes], list[int]]:
        """The bytes of all tokens in byte order, and the token each belongs to."""
        pairs = sorted((text, index) for index, text in enumerate(self.of) if text)
        return [text for text, _ in pairs], [index for _, index in pairs]

    @functools.cached_property
    def brackets(self) -> list[tuple[int, bytes]]:
        """The tokens that hold an opening bracket, with their bytes."""
        return [(index, text) for index, text in enumerate(self.of) if text and b"[" in text]

    def text(self, tokens: Iterable[int]) -> str:
        """The visible text of `tokens`: without control tokens, thoughts, control characters."""
        detokenizer = Detokenizer(self)
        visible = "".join(detokenizer.decode(token) for token in tokens)
        return (visible + detokenizer.flush()).strip()


@dataclass(slots=True)
class Detokenizer:
    """Turns a stream of tokens into text as it comes. What stands in a thought channel is left
    out: with thinking off, the published model still writes an empty one."""

    vocabulary: TokenBytes
    thinking: bool = False
    _decoder: Any = field(default_factory=lambda: codecs.getincrementaldecoder("utf-8")("replace"))

    def decode(self, token: int) -> str:
        """The text that `token` completes; empty for half a character."""
        return self.decode_bytes(self.visible_bytes(token))

    def visible_bytes(self, token: int) -> bytes:
        """The bytes of `token`; none for control tokens and inside a thought."""
        if token == self.vocabulary.thought_open:
            self.thinking = True
        elif token == self.vocabulary.thought_close:
            self.thinking = False
        elif not self.thinking:
            return self.vocabulary.of[token] or b""
        return b""

    def decode_bytes(self, text: bytes) -> str:
        return _INVISIBLE.sub("", self._decoder.decode(text))

    def flush(self) -> str:
        """What is left at the end: an incomplete character shows as one replacement mark."""
        return str(self._decoder.decode(b"", final=True))
