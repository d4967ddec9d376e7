"""Places and passages: what a citation points at, and the words found there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypedDict


class Kind(StrEnum):
    """What a file is to a person."""

    DOCUMENT = "document"
    PHOTO = "photo"
    RECORDING = "recording"


class Source(StrEnum):
    """Where the words of a passage come from."""

    TEXT = "text"
    CAPTION = "caption"
    TRANSCRIPT = "transcript"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a document, counted from 1."""

    page: int


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a recording, in seconds from its start."""

    start_s: float
    end_s: float


Place = Page | Span | None


class PlaceJson(TypedDict, total=False):
    """`{"page"}` or `{"start_s", "end_s"}`, as the API and the command line write a place."""

    page: int
    start_s: float
    end_s: float


def place_json(place: Place) -> PlaceJson | None:
    match place:
        case Page(page):
            return {"page": page}
        case Span(start_s, end_s):
            return {"start_s": round(start_s, 3), "end_s": round(end_s, 3)}
        case None:
            return None


# Passages of one content are numbered in one row over both stages: text that was read from 0 on,
# captions and transcripts from here on. The vectors of a passage carry the passage's number.
FIRST_UNDERSTOOD = 1_000_000


@dataclass(frozen=True, slots=True)
class Passage:
    """Some words of one content at one place; `ordinal` is its number within that content."""

    ordinal: int
    text: str
    place: Place
    source: Source
