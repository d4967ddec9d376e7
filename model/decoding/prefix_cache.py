"""Prefilled prompts kept to be continued: the next turn of a conversation, another question about
the same clip, the rules every answer begins with.

Exact: only a prefix that is the same token for token, picture for picture and sample for sample is
used again, and only where its keys and values are still held.
"""

from __future__ import annotations

from model.decoding.context import Context
from model.decoding.decoder import Decoder
from model.prompt.inputs import Inputs
from model.prompt.media_spans import inputs_part, media_spans, shared_prefix_length

MOST_CONTEXTS = 4


class PrefixCache:
    """The contexts of one decoder, `most_tokens` in all with the one in use: what the memory plan
    has room for. A context that `take` returned is not shared until it is given back with
    `keep`."""

    def __init__(self, decoder: Decoder, most_tokens: int = 8192) -> None:
        self._most_tokens = most_tokens
        self._decoder = decoder
        self._kept: list[Context] = []  # oldest first
        self._fixed: Context | None = None

    def take(self, row: Inputs, fixed: int = 0) -> tuple[Context, Inputs]:
        """A context that has read a prefix of `row`, and the rest of it, at least one token. The
        first `fixed` tokens are the same in many prompts, and a copy of them stays."""
        longest, count = self._longest(row)
        if count < fixed:
            if self._fixed is None or self._usable_length(self._fixed, row) < fixed:
                self._fixed = self._decoder.prefill(inputs_part(row, 0, fixed))
            longest, count = self._fixed, fixed
        rest = inputs_part(row, count, len(row))
        if longest is None:
            taken = self._decoder.new_context()
        # A context that would be cut to less than half is likelier to serve another prompt.
        elif longest is self._fixed or 2 * count < longest.length:
            taken = self._decoder.fork(longest, count)
        else:
            self._kept.remove(longest)
            taken = self._decoder.roll_back(longest, longest.length - count)
        self._make_room(len(row))
        return taken, rest

    def keep(self, context: Context) -> None:
        """Give a context back, or add a new one; the oldest are dropped when there are too many."""
        self._make_room(context.length)
        self._kept = [*self._kept, context][-MOST_CONTEXTS:]

    def clear(self) -> None:
        """Drop all, where memory is short."""
        self._kept.clear()
        self._fixed = None

    def _make_room(self, tokens: int) -> None:
        while self._kept and tokens + sum(kept.length for kept in self._kept) > self._most_tokens:
            del self._kept[0]

    def _longest(self, row: Inputs) -> tuple[Context | None, int]:
        longest, most = None, 0
        for context in self._kept:
            count = self._usable_length(context, row)
            if count and count >= most:
                longest, most = context, count
        return longest, most

    def _usable_length(self, context: Context, row: Inputs) -> int:
        """How many tokens of `row` the context has read and can be rolled back to."""
        count = shared_prefix_length(row, media_spans(row), context.ids, context.media)
        if count == len(row):
            count -= 1
        return count if context.cache.reaches(count) else 0
