"""The step between extraction and serialising: the words of each page are cut into passages, and
those that are written with separators found.

It runs in the child, because every child has a processor of its own and their parent is one.
"""

from __future__ import annotations

from dataclasses import replace

from indexer.types.passages import passage_bounds
from indexer.types.pieces import Cut, Extracted, MemberPiece, PageText
from indexer.types.text.tokens import join_separated


def with_cuts(piece: Extracted) -> Extracted:
    """The piece with the bounds of its passages, where it is words; any other as it is."""
    match piece:
        case PageText(text):
            return replace(piece, cuts=_cuts(text))
        case MemberPiece(ordinal, PageText(text) as words):
            return MemberPiece(ordinal, replace(words, cuts=_cuts(text)))
    return piece


def _cuts(text: str) -> tuple[Cut, ...]:
    return tuple(
        (start, end, tuple(join_separated(text[start:end]))) for start, end in passage_bounds(text)
    )
