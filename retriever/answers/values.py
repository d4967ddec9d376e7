"""Names and figures of a text, and whether another text has them: what makes a claim checkable."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from indexer.types.text.tokens import tokens

_FIGURE = re.compile(r"\d+(?:[.,:/]\d+)*")
_WORD = re.compile(r"[^\W\d_](?:[^\W_]|[’'-](?=\w))*")
_SENTENCE_START = re.compile(r"(?:^|[.!?:…]\s+|[\"“„(\n]\s*)$")
_THOUSANDS = re.compile(r"[.,](?=\d{3}(?:\D|$))")
# Small numbers stand in words as often as in digits.
NUMBER_WORDS = {
    word: str(number)
    for words in (
        "zero one two three four five six seven eight nine ten eleven twelve",
        "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
    )
    for number, word in enumerate(words.split())
} | {"ein": "1", "eine": "1", "einen": "1"}
STEM_LETTERS = 4  # two words that begin alike, but for their last letters, are forms of one
ENDING_LETTERS = 3


@dataclass(frozen=True, slots=True)
class Value:
    """A name or a figure, from `start` to `end` of its text."""

    start: int
    end: int
    text: str
    is_figure: bool


def values_of(text: str) -> list[Value]:
    """The figures and names of a text, in order. A name is a word with a capital letter that does
    not begin its sentence; so are the nouns of a language that writes them so."""
    values = [Value(*match.span(), match[0], True) for match in _FIGURE.finditer(text)]
    for match in _WORD.finditer(text):
        word = match[0]
        begins = _SENTENCE_START.search(text[: match.start()]) is not None
        if word[0].isupper() and not begins and word.casefold() != "i":
            values.append(Value(*match.span(), re.sub(r"[’']s$", "", word), False))
    return sorted(values, key=lambda value: value.start)


def figures(text: str) -> list[str]:
    """Numbers as they are written, with their separators: 1,850, 12.50, 6:45."""
    return _FIGURE.findall(text)


class Words:
    """The names and figures that some texts have, in any form."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._figures: set[str] = set()
        self._tokens: set[str] = set()
        for text in texts:
            self._figures.update(figure_key(figure) for figure in figures(text))
            words = tokens(text)
            self._tokens.update(words)
            self._figures.update(NUMBER_WORDS[word] for word in words if word in NUMBER_WORDS)

    def have(self, value: Value) -> bool:
        """Whether they have a value, a name in this or another form of the word."""
        if value.is_figure:
            return figure_key(value.text) in self._figures
        return all(
            token in self._tokens or any(are_forms(token, other) for other in self._tokens)
            for token in tokens(value.text)
        )


def figure_key(figure: str) -> str:
    """The same for 1,880, 1.880 and 1880."""
    return _THOUSANDS.sub("", figure)


def are_forms(word: str, other: str) -> bool:
    """Whether two folded words differ in their endings alone: contract, contracts."""
    shared = 0
    for a, b in zip(word, other, strict=False):
        if a != b:
            break
        shared += 1
    longest = max(len(word), len(other))
    return shared >= STEM_LETTERS and longest - shared <= ENDING_LETTERS


def missing_values(text: str, known: Sequence[str]) -> list[Value]:
    """The names and figures of a text that none of the known texts has."""
    words = Words(known)
    return [value for value in values_of(text) if not words.have(value)]
