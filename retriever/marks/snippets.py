"""The part of a passage that shows why it was found, and which of its words to mark."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from indexer.types.text.graphemes import grapheme_start, is_unspaced, word_ranges
from indexer.types.text.tokens import MIN_JOINED_CHARS, tokens

SNIPPET_CHARS = 240


@dataclass(frozen=True, slots=True)
class Snippet:
    """`marks` are the (start, end) character ranges of `text` that match the query."""

    text: str
    marks: tuple[tuple[int, int], ...]


def distinct_tokens(words: str) -> list[str]:
    """The tokens of a query, folded as the index folds them, in order and once each."""
    return list(dict.fromkeys(tokens(words)))


def words_to_mark(query: str) -> list[str]:
    """The words of a query as `matches` compares them: its tokens; letters of a script without
    spaces that follow each other are one."""
    return list(dict.fromkeys("".join(run) for run in _runs(_written_words(query))))


def matches(text: str, wanted: list[str]) -> list[tuple[int, int]]:
    """The (start, end) ranges of the words of `text` that are among the `wanted` ones. In
    scripts without spaces: of the letters that follow each other there as in a wanted one."""
    if not wanted:
        return []
    looked_for = _wanted_words(tuple(wanted))
    words = _written_words(text)
    matching = {i for i, word in enumerate(words) if not looked_for.tokens.isdisjoint(word.tokens)}
    for length, sequences in looked_for.sequences.items():
        for i in range(len(words) - length + 1):
            part = words[i : i + length]
            if _is_unbroken(part) and tuple(word.tokens[0] for word in part) in sequences:
                matching.update(range(i, i + length))
    ranges: list[tuple[int, int]] = []
    last: _Word | None = None
    for i in sorted(matching):
        word = words[i]
        if last is not None and word.is_letter and last.is_letter and last.end == word.start:
            ranges[-1] = ranges[-1][0], word.end
        else:
            ranges.append((word.start, word.end))
        last = word
    if joined := list(_joined_ranges(text, words, looked_for.joined)):
        inside = [r for r in ranges if not any(a <= r[0] and r[1] <= b for a, b in joined)]
        return sorted([*inside, *joined])
    return ranges


# What stands between the parts of a hyphened word, and of a number: as in `join_separated`.
_SEAM = re.compile(
    r"(?<=\w)(?:[-\u2010\u2011'’](?:(?<=[-\u2010])\s+)?(?=[^\W\d_])"
    r"|[ \u00a0./()\u2010-\u2013-]{1,3}(?=[A-Za-z]{0,2}\d))"
)


def _joined_ranges(
    text: str, words: list[_Word], wanted: Mapping[str, list[str]]
) -> Iterator[tuple[int, int]]:
    """The ranges of what is written with separators (`e-mail`, `030 123-456`) where one of the
    words that are `wanted`, by their first letter, is the same without."""
    seams = dict(seam.span() for seam in _SEAM.finditer(text)) if wanted else {}
    if not seams:
        return
    end = 0
    for i, word in enumerate(words):
        if word.end not in seams or word.start < end:
            continue
        begin = word.tokens[0]
        for whole in wanted.get(begin[0], ()):
            if not whole.startswith(begin):
                continue
            if (last := _last_part(text, words, seams, i, whole)) is not None:
                end = words[last].end
                yield word.start, end
                break


def _last_part(
    text: str, words: list[_Word], seams: dict[int, int], first: int, whole: str
) -> int | None:
    """The last of the words from `first` on that make up the `whole`; `seams` are where each ends,
    by where it begins. A zero in brackets may be left out, as in +49 (0)30."""
    written = ""
    for i in range(first, len(words)):
        word = words[i]
        if i > first and seams.get(words[i - 1].end) != word.start:
            return None
        part = "".join(word.tokens)
        if whole.startswith(written + part):
            written += part
        elif text[max(0, word.start - 1) : word.end + 1] != "(0)":
            return None
        if written == whole:
            return i if i > first else None
    return None


class _Word(NamedTuple):
    """A word of a text, or a letter of a script without spaces, from `start` to `end`. A tuple,
    because a search makes thousands."""

    start: int
    end: int
    tokens: tuple[str, ...]
    is_letter: bool


def _written_words(text: str) -> list[_Word]:
    words: list[_Word] = []
    for start, end in word_ranges(text):
        terms, is_letter = _compared(text[start:end])
        if terms:
            words.append(_Word(start, end, terms, is_letter))
    return words


@functools.lru_cache(maxsize=1 << 15)
def _compared(word: str) -> tuple[tuple[str, ...], bool]:
    """The tokens of a word, and whether it is a letter of a script without spaces. Kept, because
    the passages of one search have most of their words in common."""
    return tuple(tokens(word)), is_unspaced(word)


def _is_unbroken(words: list[_Word]) -> bool:
    """Whether these are letters of a script without spaces, with nothing between them."""
    return all(word.is_letter for word in words) and all(
        left.end == right.start for left, right in pairwise(words)
    )


def _runs(words: list[_Word]) -> Iterator[list[str]]:
    """The tokens of each word, one by one; those of letters that follow each other together."""
    letters: list[str] = []
    last_end = -1
    for word in words:
        if letters and not (word.is_letter and word.start == last_end):
            yield letters
            letters = []
        if word.is_letter:
            letters, last_end = [*letters, "".join(word.tokens)], word.end
        else:
            yield from ([token] for token in word.tokens)
    if letters:
        yield letters


# A question in Chinese or Thai is one run of letters: a part of it of this length is a match. Most
# words of Chinese and Japanese have two letters, those of Thai, Khmer and Burmese more.
MATCHING_LETTERS, MATCHING_LETTERS_THAI = 2, 3


@dataclass(frozen=True, slots=True)
class _WantedWords:
    """The words that are looked for: as `tokens`, those that may be `joined` of several by their
    first letter, and the `sequences` of letters that match in scripts without spaces by length."""

    tokens: frozenset[str]
    joined: Mapping[str, list[str]]
    sequences: Mapping[int, set[tuple[str, ...]]]


@functools.lru_cache(maxsize=64)
def _wanted_words(wanted: tuple[str, ...]) -> _WantedWords:
    """Made once for all passages of a search: a query may have some hundred other forms."""
    joined: dict[str, list[str]] = {}
    for whole in wanted:
        if len(whole) >= MIN_JOINED_CHARS:
            joined.setdefault(whole[0], []).append(whole)
    return _WantedWords(frozenset(wanted), joined, _sequences(wanted))


def _sequences(wanted: Collection[str]) -> dict[int, set[tuple[str, ...]]]:
    sequences: dict[int, set[tuple[str, ...]]] = {}
    for run in wanted:
        letters = [word.tokens[0] for word in _written_words(run) if word.is_letter]
        if letters:
            length = MATCHING_LETTERS_THAI if letters[0] < "\u1800" else MATCHING_LETTERS
            length = min(length, len(letters))
            sequences.setdefault(length, set()).update(
                tuple(letters[i : i + length]) for i in range(len(letters) - length + 1)
            )
    return sequences


def snippet(text: str, wanted: list[str], length: int = SNIPPET_CHARS) -> Snippet:
    """The part of at most `length` characters that holds the most different tokens, from one word
    boundary to another; `…` where something was left out."""
    text = re.sub(r"\s+", " ", text).strip()
    ranges = matches(text, wanted)
    start, end = _window(text, ranges, length)
    lead, tail = ("… " if start else ""), (" …" if end < len(text) else "")
    shift = len(lead) - start
    marks = tuple((a + shift, b + shift) for a, b in ranges if start <= a and b <= end)
    return Snippet(lead + text[start:end] + tail, marks)


def _window(text: str, ranges: list[tuple[int, int]], length: int) -> tuple[int, int]:
    if len(text) <= length:
        return 0, len(text)
    best, first, first_end = -1, 0, 0
    shown = [text[a:b].casefold() for a, b in ranges]
    inside: Counter[str] = Counter()  # of the ranges from the one that begins the part
    last = 0
    for i, (a, b) in enumerate(ranges):
        while last < len(ranges) and ranges[last][1] <= a + length * 3 // 4:
            inside[shown[last]] += 1
            last += 1
        if len(inside) > best:
            best, first, first_end = len(inside), a, b
        if i < last:
            inside[shown[i]] -= 1
            if not inside[shown[i]]:
                del inside[shown[i]]
        last = max(last, i + 1)
    start = max(0, first - length // 4)
    if start:
        # the first match stays whole: it may be in a text without spaces
        start = text.find(" ", start, first) + 1 or grapheme_start(text, start)
    end = min(len(text), start + length)
    if end < len(text):
        space = text.rfind(" ", start + 1, end)
        end = space if space > max(start, first_end) else grapheme_start(text, end)
    return start, end
