"""The few words of a passage that show why it was found, and which of them to mark."""

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
    """The words to mark, folded as the index folds them, in order and once each."""
    return list(dict.fromkeys(tokens(words)))


def matches(text: str, wanted: list[str]) -> list[tuple[int, int]]:
    """Where words of `text` are, or hold, one of the folded terms."""
    if not wanted:
        return []
    known = set(wanted)
    words = re.finditer(r"\w+", text)
    return [found.span() for found in words if known.intersection(tokens(found.group()))]


def snippet(text: str, wanted: list[str], length: int = SNIPPET_CHARS) -> Snippet:
    """The stretch of at most `length` characters that holds the most different terms, begun and
    ended at word boundaries; `…` where something was left out."""
    text = re.sub(r"\s+", " ", text).strip()
    hits = matches(text, wanted)
    start, end = _window(text, hits, length)
    lead, tail = ("… " if start else ""), (" …" if end < len(text) else "")
    shift = len(lead) - start
    marks = tuple((a + shift, b + shift) for a, b in hits if start <= a and b <= end)
    return Snippet(lead + text[start:end] + tail, marks)


def _window(text: str, hits: list[tuple[int, int]], length: int) -> tuple[int, int]:
    if len(text) <= length:
        return 0, len(text)
    best, start = -1, 0
    for a, _ in hits:
        inside = {text[x:y].casefold() for x, y in hits if a <= x and y <= a + length * 3 // 4}
        if len(inside) > best:
            best, start = len(inside), a
    start = max(0, start - length // 4)
    if start:
        start = text.find(" ", start) + 1 or start
    end = min(len(text), start + length)
    if end < len(text):
        end = text.rfind(" ", start, end) if " " in text[start + 1 : end] else end
    return start, end
