"""Hits: what a search gives, one for each file that matches."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from indexer.catalog.records import Item
from indexer.types.passages import Passage, Source
from indexer.types.places import Place
from retriever.marks.snippets import Snippet

FoundBy = Literal["words", "name", "meaning"]
FOUND_BY: tuple[FoundBy, ...] = ("words", "name", "meaning")


@dataclass(frozen=True, slots=True)
class OtherMatch:
    """A further passage of the same file, and the `place` in it that is opened."""

    passage: Passage
    snippet: Snippet
    place: Place


@dataclass(frozen=True, slots=True)
class Hit:
    """One file that matches: its best passage (its first where only the name matched, None where
    it has none yet), the `place` that is opened, further places in it, and what else was found that
    has the same words, or nearly."""

    item: Item
    passage: Passage | None
    snippet: Snippet
    place: Place
    score: float
    found_by: tuple[FoundBy, ...]
    more: tuple[OtherMatch, ...] = ()
    copies: tuple[Item, ...] = ()


def source_of(hit: Hit) -> Source:
    """Where the words shown with a hit come from."""
    if hit.passage is None or hit.found_by == ("name",):
        return Source.NAME
    return hit.passage.source


class Hits(list[Hit]):
    """The hits of one search, best first; `has_more`: others follow."""

    def __init__(self, hits: Iterable[Hit] = (), has_more: bool = False) -> None:
        super().__init__(hits)
        self.has_more = has_more
