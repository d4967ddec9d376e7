"""Where the words and the letters of a text stand, with their combining marks, in every script.

`\\w+` of the standard library ends a word at each combining mark, which are the vowels of most
scripts of South Asia. `regex` knows the properties of Unicode.
"""

from __future__ import annotations

import functools
import re
from typing import Any

from indexer.types.text.tokens import UNSPACED

# What belongs to the letter before it: marks, joiners, soft hyphens.
_MARKS = r"[\p{M}\u200c\u200d\u00ad]"
# A letter of a script without spaces; Khmer and Burmese write one letter below another.
_LETTER_WITHOUT_SPACES = (
    f"[{UNSPACED}]{_MARKS}*+(?:(?<=[\u17d2\u1039]{_MARKS}*)[{UNSPACED}]{_MARKS}*+)*+"
)


@functools.cache
def _word_pattern() -> Any:
    import regex

    return regex.compile(f"{_LETTER_WITHOUT_SPACES}|(?:(?![{UNSPACED}])\\w{_MARKS}*+)+")


@functools.cache
def _unspaced_pattern() -> re.Pattern[str]:
    return re.compile(f"[{UNSPACED}]")


@functools.cache
def _grapheme_pattern() -> Any:
    import regex

    return regex.compile(r"\X")


# Characters of which both libraries say alike whether they belong to a word, and that no mark
# follows: Latin letters and what is printed with them. Nearly every passage has no others.
_OTHER = re.compile(
    "[^\u0000-\u00ac\u00ae-\u00b1\u00b4-\u00b8\u00ba\u00bb\u00bf-\u02ff"
    "\u2010-\u2027\u2030-\u203e\u20ac]"
)
_WORD = re.compile(r"\w+")


def word_ranges(text: str) -> list[tuple[int, int]]:
    """Start and end of each word; of each letter in scripts without spaces."""
    if not _OTHER.search(text):  # the same, three times as fast
        return [match.span() for match in _WORD.finditer(text)]
    return [match.span() for match in _word_pattern().finditer(text)]


@functools.cache
def _part_pattern(longest: int) -> Any:
    import regex

    other = f"(?:(?![{UNSPACED}])[^\\s\u0f0b\u0f0c])"
    return regex.compile(
        f"(?P<letter>{_LETTER_WITHOUT_SPACES}(?:(?![{UNSPACED}])[^\\s\\w])*+"
        f"|{other}*+[\u0f0b\u0f0c]++)"
        f"|{other}{{1,{longest}}}+"
    )


def part_ranges(text: str, longest: int = 10_000) -> list[tuple[int, int, bool]]:
    """Start and end of each part of a text that is marked as a whole, and whether it is a letter of
    a script without spaces or a syllable of Tibetan; any other part is what stands between two
    blanks, cut after `longest` characters. A part has the punctuation after it."""
    return [
        (*match.span(), match["letter"] is not None)
        for match in _part_pattern(longest).finditer(text)
    ]


def is_unspaced(word: str) -> bool:
    """Whether it is of a script without spaces between words."""
    return _unspaced_pattern().match(word) is not None


def grapheme_start(text: str, position: int) -> int:
    """The start of the grapheme that `position` is in: where the text can be cut."""
    if not 0 < position < len(text):
        return position
    # graphemes are short, and a space begins one: the part before the last space is left out
    space = max(text.rfind(" ", max(0, position - 64), position), 0)
    starts = [match.start() for match in _grapheme_pattern().finditer(text, space, position + 64)]
    return max((start for start in starts if start <= position), default=position)
