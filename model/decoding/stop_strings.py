"""Where a text ends by what it says: at a stop string, wherever its tokens begin and end."""

from __future__ import annotations

from collections.abc import Sequence

from model.decoding.token_bytes import Detokenizer, TokenBytes


class StopStrings:
    """A `writing.Ending`. `text` is what may be shown: without the stop string and what follows
    it, and without a beginning of one that may still be completed. Thoughts do not count."""

    def __init__(self, spelling: TokenBytes, strings: Sequence[str]) -> None:
        if not all(strings):
            raise ValueError("a stop string holds at least one letter")
        self._strings = tuple(strings)
        self._voice = Detokenizer(spelling)
        self._said = ""
        self._shown = 0
        self.found: str | None = None

    def push(self, token: int) -> bool:
        """`token` was written; whether the text now holds a stop string."""
        if self.found is None:
            before = len(self._said)
            self._said += self._voice.hear(token)
            self._look(before)
        return self.found is not None

    def take(self, last: bool = False) -> str:
        """What may be shown now and was not before; with `last` also what only looked like the
        beginning of a stop string."""
        if last and self.found is None:
            self._said += self._voice.rest()
        end = len(self._said)
        if not last and self.found is None:
            end -= self._begun()
        text, self._shown = self._said[self._shown : end], max(self._shown, end)
        return text

    def _look(self, before: int) -> None:
        found = [
            (place, string)
            for string in self._strings
            if (place := self._said.find(string, max(0, before - len(string) + 1))) >= 0
        ]
        if found:
            place, self.found = min(found, key=lambda one: one[0])
            self._said = self._said[:place]

    def _begun(self) -> int:
        """How many of the last letters may be the beginning of a stop string."""
        return max(
            (
                size
                for string in self._strings
                for size in range(1, len(string))
                if self._said.endswith(string[:size])
            ),
            default=0,
        )
