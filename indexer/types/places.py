"""Places: what a citation points at, a page or a span of a recording, and their JSON."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from typing_extensions import TypedDict

# No page, no second and no sound track of any file of a person lies beyond these.
LAST_PAGE, LAST_S, LAST_TRACK = 10_000_000, 1e7, 10_000


class Kind(StrEnum):
    """What a file is to a person."""

    DOCUMENT = "document"
    PHOTO = "photo"
    RECORDING = "recording"


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a document, counted from 1."""

    page: int


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a recording, in seconds from its start. One without length is a moment: what is
    seen in a film at that second. `track` is the sound track it is heard in, by its number in the
    file, from 1; None where the recording has only one."""

    start_s: float
    end_s: float
    track: int | None = None

    @property
    def is_moment(self) -> bool:
        return self.start_s == self.end_s


Place = Page | Span | None


class PlaceJson(TypedDict, total=False):
    """`{"page"}` or `{"start_s", "end_s"}`, as the API and the command line write a place; of a
    recording of several sound tracks also `track`. `label` is what a page or track is called
    besides its number, where it is called anything."""

    page: int
    label: str
    start_s: float
    end_s: float
    track: int


def place_json(place: Place) -> PlaceJson | None:
    match place:
        case Page(page):
            return {"page": page}
        case Span(start_s, end_s, track):
            span: PlaceJson = {"start_s": round(start_s, 3), "end_s": round(end_s, 3)}
            return span if track is None else {**span, "track": track}
        case None:
            return None


def place_from(written: dict[str, Any] | None) -> Place:
    """The place that `place_json` wrote. Raises ValueError, KeyError or TypeError where it is none:
    the JSON may come from a process that is not trusted."""
    if written is None:
        return None
    if "page" in written:
        return Page(_number_from(written["page"], 0, LAST_PAGE))
    start_s, end_s = second_from(written["start_s"]), second_from(written["end_s"])
    if end_s < start_s:
        raise ValueError("a span that ends before it begins")
    return Span(start_s, end_s, track_from(written.get("track")))


def track_from(written: Any) -> int | None:
    """The number of a sound track, or None. Raises ValueError where it is neither."""
    return None if written is None else _number_from(written, 1, LAST_TRACK)


def second_from(written: Any) -> float:
    """A second of a recording. Raises ValueError where it is none."""
    if isinstance(written, bool) or not isinstance(written, int | float):
        raise ValueError("no number")
    if not math.isfinite(written) or not 0 <= written <= LAST_S:
        raise ValueError("no second of a recording")
    return float(written)


def _number_from(written: Any, least: int, most: int) -> int:
    if isinstance(written, bool) or not isinstance(written, int) or not least <= written <= most:
        raise ValueError("no number of a page or track")
    return written
