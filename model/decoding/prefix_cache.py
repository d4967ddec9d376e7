"""What was read lately, kept to be read on from: the next turn of a conversation, another question
about the same clip, the rules every answer begins with.

Exact: only a beginning that is the same token for token, picture for picture and sample for sample
is used again, and only where its keys and values are still held.
"""

from __future__ import annotations

from model.decoding.context import Context
from model.decoding.decoder import Decoder
from model.prompt import media_spans
from model.prompt.inputs import Inputs

MOST_CONTEXTS = 4


class PrefixCache:
    """The contexts of one decoder, `most_tokens` in all with the one that is in use: what the
    memory plan has room for. One that is handed out is nobody else's until it is given back with
    `keep`; `reused` says how many tokens the last one brought along."""

    def __init__(self, decoder: Decoder, most_tokens: int = 8192) -> None:
        self.reused = 0
        self._most_tokens = most_tokens
        self._decoder = decoder
        self._kept: list[Context] = []  # oldest first
        self._fixed: Context | None = None

    def take(self, row: Inputs, fixed: int = 0) -> tuple[Context, Inputs]:
        """A context that has read a beginning of `row`, and what is left to read, never nothing.
        The first `fixed` tokens are the same in many prompts, and a copy of them stays."""
        found, count = self._longest(row)
        if count < fixed:
            if self._fixed is None or self._usable(self._fixed, row) < fixed:
                self._fixed = self._decoder.prefill(media_spans.inputs_part(row, 0, fixed))
            found, count = self._fixed, fixed
        self.reused = count
        rest = media_spans.inputs_part(row, count, len(row))
        if found is None:
            taken = self._decoder.new_context()
        # A context that would be cut to less than half is more worth to somebody else.
        elif found is self._fixed or 2 * count < found.length:
            taken = self._decoder.fork(found, count)
        else:
            self._kept.remove(found)
            taken = self._decoder.roll_back(found, found.length - count)
        self._make_room(len(row))
        return taken, rest

    def keep(self, context: Context) -> None:
        """Give a context back, or add a new one; the oldest go when there are too many."""
        self._make_room(context.length)
        self._kept = [*self._kept, context][-MOST_CONTEXTS:]

    def _make_room(self, tokens: int) -> None:
        while self._kept and tokens + sum(one.length for one in self._kept) > self._most_tokens:
            del self._kept[0]

    def clear(self) -> None:
        """Let go of all, where memory is short."""
        self._kept.clear()
        self._fixed = None

    def _longest(self, row: Inputs) -> tuple[Context | None, int]:
        best, most = None, 0
        for context in self._kept:
            count = self._usable(context, row)
            if count and count >= most:
                best, most = context, count
        return best, most

    def _usable(self, context: Context, row: Inputs) -> int:
        count = media_spans.shared_prefix_length(
            row, media_spans.media_spans(row), context.ids, context.media
        )
        if count == len(row):
            count -= 1
        return count if context.cache.reaches(count) else 0
