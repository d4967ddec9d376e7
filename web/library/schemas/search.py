"""The hits of a search, and the filters that were understood."""

from __future__ import annotations

from typing import NotRequired

from typing_extensions import TypedDict

from indexer.types.coverage import Coverage
from indexer.types.places import PlaceJson
from web.library.schemas.items import MailJson, ThumbJson


class CopyJson(TypedDict):
    """Another file with the words of a hit: the same `id` where it is the same byte for byte."""

    id: str
    path: str
    title: str


class HitCoreJson(TypedDict):
    rank: int
    id: str
    path: str
    kind: str
    title: str
    attached_to: MailJson | None
    place: PlaceJson | None
    snippet: str
    source: str
    score: float  # 0 to 1: how much of what can speak for it does; compares hits of one query
    also_in: list[CopyJson]


class OtherPlaceJson(TypedDict):
    place: PlaceJson | None
    snippet: str


class HitJson(HitCoreJson):
    marks: list[tuple[int, int]]  # ranges of `snippet` to mark, in characters
    found_by: list[str]  # "words", "meaning", "name"
    thumb: ThumbJson | None
    more: list[OtherPlaceJson]
    made_at: float | None  # when a photo was taken, a mail was sent
    made_offset_s: int | None  # how far the clock there was ahead of UTC; None where unknown
    modified_at: float
    duration_s: float | None
    pages: int | None


class FilterJson(TypedDict):
    """A filter that was typed among the words, as it was understood."""

    text: str  # as it stands in the query
    label: str
    literal: str | None  # what searches for it as words, where it was guessed
    problem: str | None  # why it was not understood, and left out


class SearchJson(TypedDict):
    query: str
    understood: list[FilterJson]
    hits: list[HitJson]
    coverage: Coverage
    took_ms: float
    next_offset: NotRequired[int]  # of the hits that follow, where others do
    problem: NotRequired[str]  # why the model had no part in it
    loading: NotRequired[bool]  # it is being loaded: the same search has its part in a moment
