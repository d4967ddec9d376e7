"""The sources of an answer: the places of the best hits, numbered as the model is shown them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from indexer.catalog.records import Item
from indexer.types.passages import Passage, Source
from indexer.types.places import Kind, Page, Place, Span
from retriever.hits import Hit

MAX_PLACES_A_FILE = 2
# A hit with less than this share of the best hit's score misleads more than it helps.
MIN_SCORE_SHARE = 0.55

# A hit with one of its passages; None for a picture that is known by its name only.
SourcePlace = tuple[Hit, Passage | None]


@dataclass(frozen=True, slots=True)
class NumberedSource:
    """One source as the model was shown it: its number, the hit, and the passage (None for a
    picture known by name only)."""

    n: int
    hit: Hit
    passage: Passage | None

    @property
    def item(self) -> Item:
        return self.hit.item

    @property
    def place(self) -> Place:
        return self.passage.place if self.passage else None

    @property
    def words(self) -> str:
        return self.passage.text if self.passage else ""


def numbered(places: Sequence[SourcePlace]) -> list[NumberedSource]:
    """The places in order, from 1 on."""
    return [NumberedSource(n, *place) for n, place in enumerate(places, start=1)]


def is_likely(place: SourcePlace, best: SourcePlace) -> bool:
    """Whether a place is not much worse than the best one."""
    return place[0].score >= best[0].score * MIN_SCORE_SHARE


def passages_of(hit: Hit) -> list[Passage | None]:
    """The passages of a hit that are shown to a model."""
    if hit.passage is None:
        return [None] if hit.item.kind is Kind.PHOTO else []
    return [hit.passage, *(other.passage for other in hit.more[: MAX_PLACES_A_FILE - 1])]


def needs_media(source: NumberedSource) -> bool:
    """True of pictures, clips and pages that were read as pictures: of a page of text the words are
    enough."""
    if source.item.kind is Kind.DOCUMENT:
        return source.passage is not None and source.passage.source is Source.CAPTION
    return True


def source_label(source: NumberedSource) -> str:
    """The name of a source in the prompt: its file and place."""
    name = source.item.name
    match source.place:
        case Page(page) if (source.item.pages or 1) > 1:
            return f"{name}, page {page}"
        case Span(start_s, _):
            return f"{name}, at {playback_time(start_s)}"
        case _:
            return name


def playback_time(at_s: float) -> str:
    """Seconds as a player shows them: 3:12, or 1:03:12."""
    minutes, seconds = divmod(int(at_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
