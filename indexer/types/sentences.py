"""Sentences of a transcript: where each stands in its passage, and when it is said."""

from __future__ import annotations

import re
from dataclasses import dataclass

_END = re.compile(
    r"""[.!?…。！？]  # what ends a sentence, with the quotes and brackets closed there
    (?: (?<=[.!?…]) [.!?…]* ["'”’»)\]]* (?=\s|$) | (?<=[。！？]) [。！？]* [」』”）]* ) \s*""",
    re.VERBOSE,
)
# An abbreviation or an ordinal number ends in a full stop, and no sentence does there.
_ABBREVIATED = re.compile(r"\b(?:Mrs?|Ms|Dr|Prof|St|Nr|e\.g|i\.e|z\.B|ca|vs)\.\s*$")
# "15. August" goes on in lower case or with a month; "No. 7" with a number.
_ORDINAL = re.compile(r"\b(?:\d{1,2}|[Nn]o)\.\s*$")

MONTHS = tuple(
    "Januar Februar März April Mai Juni Juli August September Oktober November Dezember".split()
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """Characters `start` to `end` of a passage, said from `start_s` to `end_s` of the recording."""

    start: int
    end: int
    start_s: float
    end_s: float


def sentence_bounds(text: str) -> list[tuple[int, int]]:
    """Start and end (characters) of each sentence, in order, white space around it left out."""
    bounds: list[tuple[int, int]] = []
    start = 0
    for end in [*(match.end() for match in _END.finditer(text)), len(text)]:
        piece = text[start:end]
        if end < len(text) and _is_abbreviated(piece, text[end : end + 20]):
            continue
        if stripped := piece.strip():
            first = start + len(piece) - len(piece.lstrip())
            bounds.append((first, first + len(stripped)))
        start = end
    return bounds


def _is_abbreviated(piece: str, following: str) -> bool:
    """Whether the full stop at the end of a piece of text does not end its sentence."""
    if _ABBREVIATED.search(piece):
        return True
    if not _ORDINAL.search(piece):
        return False
    if piece.rstrip()[-2].isdigit():
        return following[:1].islower() or following.startswith(MONTHS)
    return following[:1].isdigit()


def sentence_at(sentences: tuple[Sentence, ...], character: int) -> Sentence | None:
    """The sentence that a character of the passage stands in, or the one before it."""
    before = [sentence for sentence in sentences if sentence.start <= character]
    return before[-1] if before else next(iter(sentences), None)
