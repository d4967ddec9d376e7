"""The part of a passage that shows why it was found, and which of its words to mark."""

from __future__ import annotations

import re
from dataclasses import dataclass

from indexer.types.tokens import tokens

SNIPPET_CHARS = 240


@dataclass(frozen=True, slots=True)
class Snippet:
    """`marks` are the (start, end) character ranges of `text` that match the query."""

    text: str
    marks: tuple[tuple[int, int], ...]


def distinct_tokens(words: str) -> list[str]:
    """The tokens of a query, folded as the index folds them, in order and once each."""
    return list(dict.fromkeys(tokens(words)))


def matches(text: str, wanted: list[str]) -> list[tuple[int, int]]:
    """The (start, end) ranges of the words of `text` that hold one of the `wanted` tokens."""
    if not wanted:
        return []
    known = set(wanted)
    words = re.finditer(r"\w+", text)
    return [word.span() for word in words if known.intersection(tokens(word.group()))]


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
    best, start = -1, 0
    for a, _ in ranges:
        inside = {text[x:y].casefold() for x, y in ranges if a <= x and y <= a + length * 3 // 4}
        if len(inside) > best:
            best, start = len(inside), a
    start = max(0, start - length // 4)
    if start:
        start = text.find(" ", start) + 1 or start
    end = min(len(text), start + length)
    if end < len(text):
        end = text.rfind(" ", start, end) if " " in text[start + 1 : end] else end
    return start, end
