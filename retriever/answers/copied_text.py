"""The text of an answer on its way to a person, with figures and names as its quotes have them.

Text goes on at once, but for what names something that no source has: that is held back until the
quote behind it is known, and copied from there where it is plainly a wrong copy.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from retriever.answers.claims import copied_values
from retriever.answers.values import Words, values_of

MOST_HELD_CHARS = 200
_UNFINISHED = re.compile(r"[0-9A-Za-zÀ-ɏ.,:/’'-]+$")  # a word that may go on in the next piece


class CopiedText:
    """`text` is what was let go so far; `known` is what values may be taken from."""

    def __init__(self, known: Sequence[str]) -> None:
        self.text = ""
        self._known = list(known)
        self._words = Words(known)
        self._held = ""

    def add(self, text: str) -> str:
        """Takes more text and returns what may be shown now."""
        self._held += text
        unfinished = _UNFINISHED.search(self._held)
        whole = self.text + self._held[: unfinished.start() if unfinished else None]
        known_until = next(
            (
                value.start - len(self.text)
                for value in values_of(whole)
                if value.start >= len(self.text) and not self._words.have(value)
            ),
            len(whole) - len(self.text),
        )
        if len(self._held) > MOST_HELD_CHARS:
            return self.release()
        shown, self._held = self._held[:known_until], self._held[known_until:]
        self.text += shown
        return shown

    def release(self, quote: str | None = None) -> str:
        """Everything that is held back, copied from a quote where there is one."""
        held, self._held = self._held, ""
        if quote is not None and held:
            whole = copied_values(self.text + held, quote, self._known)
            # what was shown stays: only what was held back may change
            if whole.startswith(self.text):
                held = whole[len(self.text) :]
        self.text += held
        return held
