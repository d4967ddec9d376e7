"""The step between extraction and serialising: the words of each page are cut into passages.

It runs in the child, because every child has a processor of its own and their parent is one.
"""

from __future__ import annotations

from dataclasses import replace

from indexer.types.passages import passage_bounds
from indexer.types.pieces import Extracted, MemberPiece, PageText


def with_cuts(piece: Extracted) -> Extracted:
    """The piece with the bounds of its passages, where it is words; any other as it is."""
    match piece:
        case PageText(text):
            return replace(piece, cuts=tuple(passage_bounds(text)))
        case MemberPiece(ordinal, PageText(text) as words):
            return MemberPiece(ordinal, replace(words, cuts=tuple(passage_bounds(text))))
    return piece
