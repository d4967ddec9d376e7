"""Stop strings: a text ends where it says one of them, however its tokens divide it."""

from __future__ import annotations

from collections.abc import Sequence

from model.decoding.token_bytes import Detokenizer, TokenBytes


class StopText:
    """A text that comes in pieces. `match` is the stop string that ended it. `take` returns what
    may be shown: without the stop string and what follows it, and without the beginning of one that
    may still be completed."""

    def __init__(self, strings: Sequence[str]) -> None:
        if not all(strings):
            raise ValueError("a stop string holds at least one letter")
        self.match: str | None = None
        self._strings = tuple(strings)
        self._text = ""
        self._shown = 0

    def add(self, text: str) -> bool:
        """The next piece; true where the text now holds a stop string."""
        if self.match is None:
            before = len(self._text)
            self._text += text
            self._search(before)
        return self.match is not None

    def take(self, last: bool = False) -> str:
        """What may be shown now and was not before; with `last` also what only looked like the
        beginning of a stop string."""
        end = len(self._text)
        if not last and self.match is None:
            end -= self._partial_length()
        text, self._shown = self._text[self._shown : end], max(self._shown, end)
        return text

    def _search(self, before: int) -> None:
        """Cut the text at the first stop string that reaches beyond its first `before` letters."""
        matches = [
            (start, string)
            for string in self._strings
            if (start := self._text.find(string, max(0, before - len(string) + 1))) >= 0
        ]
        if matches:
            start, self.match = min(matches, key=lambda match: match[0])
            self._text = self._text[:start]

    def _partial_length(self) -> int:
        """How many of the last letters may be the beginning of a stop string."""
        return max(
            (
                size
                for string in self._strings
                for size in range(1, len(string))
                if self._text.endswith(string[:size])
            ),
            default=0,
        )


class StopStrings:
    """A `generation.StopCondition` over the visible text of tokens: thoughts do not count."""

    def __init__(self, vocabulary: TokenBytes, strings: Sequence[str]) -> None:
        self._detokenizer = Detokenizer(vocabulary)
        self._text = StopText(strings)

    @property
    def match(self) -> str | None:
        """The stop string that ended the text."""
        return self._text.match

    def push(self, token: int) -> bool:
        """`token` was written; true where the text now holds a stop string."""
        return self.match is not None or self._text.add(self._detokenizer.decode(token))

    def take(self, last: bool = False) -> str:
        """What may be shown now and was not before; with `last` all of it."""
        if last and self.match is None:
            self._text.add(self._detokenizer.flush())
        return self._text.take(last)
