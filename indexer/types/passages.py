"""Passages: the words at one place, and where the text of a page is cut into them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from indexer.types.places import Kind, Place, Span
from indexer.types.sentences import Sentence, sentence_at


class Source(StrEnum):
    """Where the words of a passage come from."""

    TEXT = "text"
    CAPTION = "caption"
    TRANSCRIPT = "transcript"
    NAME = "name"


# The passages of a content are numbered over both stages: text that was read from 0 on, captions
# and transcripts from here on. The vectors of a passage have the same number.
FIRST_UNDERSTOOD = 1_000_000


@dataclass(frozen=True, slots=True)
class Passage:
    """Some words of one content at one place; `ordinal` is its number within that content. Of a
    transcript `sentences` tell when each was said; none where nobody knows. `joined` are its words
    that are written with separators, as tokens without them; None where nobody has looked."""

    ordinal: int
    text: str
    place: Place
    source: Source
    sentences: tuple[Sentence, ...] = field(default=(), compare=False)
    joined: tuple[str, ...] | None = field(default=None, compare=False)

    def place_of(self, character: int) -> Place:
        """The place of a character of the text: in a transcript the span of its sentence."""
        sentence = sentence_at(self.sentences, character)
        if sentence is None or not isinstance(self.place, Span):
            return self.place
        return Span(sentence.start_s, sentence.end_s, self.place.track)


# generation, content, kind, passages: as they are written into the store and the index of words
GenerationRow = tuple[str, str, Kind, Sequence[Passage]]

PASSAGE_WORDS = 120
LONGEST_WORDS = 180
SHORTEST_WORDS = 30
# In scripts without spaces, so many characters count as a word.
WORD_CHARS = 8

_SENTENCE = re.compile(
    r"""[.!?…。！？\n]  # a plain first letter lets the search skip ahead
    (?: (?<=[.!?…]) [.!?…]* ["'”’»)\]]* (?=\s) | (?<=[。！？]) [。！？]* [」』”）]*
    | (?<=\n) \s*\n ) \s*""",
    re.VERBOSE,
)


def split(text: str) -> list[str]:
    """The passages of the text of one page; see `passage_bounds`."""
    return [text[start:end] for start, end in passage_bounds(text)]


def passage_bounds(text: str) -> list[tuple[int, int]]:
    """Where the text of one page is cut into passages of about 120 words that begin and end with
    sentences: start and end of each, in order, nothing but white space left out."""
    groups: list[list[int]] = []  # start, end, words
    for start, end, words in sentences(text):
        if groups and groups[-1][2] + words <= PASSAGE_WORDS:
            groups[-1][1] = end
            groups[-1][2] += words
        else:
            groups.append([start, end, words])
    if len(groups) > 1 and groups[-1][2] < SHORTEST_WORDS:
        last = groups.pop()
        if groups[-1][2] + last[2] <= LONGEST_WORDS:
            groups[-1][1] = last[1]
        else:
            groups.append(last)
    pieces = ((start, text[start:end]) for start, end, _ in groups)
    trimmed = ((start + len(piece) - len(piece.lstrip()), piece.strip()) for start, piece in pieces)
    return [(start, start + len(piece)) for start, piece in trimmed if piece]


def sentences(text: str) -> list[tuple[int, int, int]]:
    """Start, end and number of words of each sentence; one that is too long for a passage is
    several."""
    ends = [match.end() for match in _SENTENCE.finditer(text)]
    parts: list[tuple[int, int, int]] = []
    start = 0
    for end in [*ends, len(text)]:
        while (words := _word_count(text[start:end])) > LONGEST_WORDS:
            cut = _cut(text, start, end)
            parts.append((start, cut, _word_count(text[start:cut])))
            start = cut
        if words:
            parts.append((start, end, words))
        start = end
    return parts


def _cut(text: str, start: int, end: int) -> int:
    """The end of the first ~120 words from `start`; the end of a line, where lines are short."""
    words = 0
    line_end = 0
    for match in re.finditer(r"\S+\s*", text[start:end]):
        words += _word_count(match.group())
        if "\n" in match.group() and words >= PASSAGE_WORDS // 2:
            line_end = start + match.end()
        if words >= PASSAGE_WORDS:
            if line_end:
                return line_end
            longest = start + PASSAGE_WORDS * WORD_CHARS
            return start + match.end() if match.start() else min(start + match.end(), longest)
    return end


def _word_count(text: str) -> int:
    words = text.split()
    if max(map(len, words), default=0) < 2 * WORD_CHARS:  # nearly always, and ten times as fast
        return len(words)
    return len(words) + sum(len(w) // WORD_CHARS - 1 for w in words if len(w) >= 2 * WORD_CHARS)
