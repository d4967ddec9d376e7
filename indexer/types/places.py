"""Places: what a citation points at, a page or a span of a recording, and their JSON."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypedDict

# No page and no second of any file of a person lies beyond these.
LAST_PAGE, LAST_S = 10_000_000, 1e7


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
    seen in a film at that second."""

    start_s: float
    end_s: float

    @property
    def is_moment(self) -> bool:
        return self.start_s == self.end_s


Place = Page | Span | None


class PlaceJson(TypedDict, total=False):
    """`{"page"}` or `{"start_s", "end_s"}`, as the API and the command line write a place; `label`
    is what a page is called besides its number, where it is called anything."""

    page: int
    label: str
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


def place_from(written: dict[str, Any] | None) -> Place:
    """The place that `place_json` wrote. Raises ValueError, KeyError or TypeError where it is none:
    the JSON may come from a process that is not trusted."""
    if written is None:
        return None
    if "page" in written:
        page = written["page"]
        if isinstance(page, bool) or not isinstance(page, int) or not 0 <= page <= LAST_PAGE:
            raise ValueError("no number of a page")
        return Page(page)
    start_s, end_s = second_from(written["start_s"]), second_from(written["end_s"])
    if end_s < start_s:
        raise ValueError("a span that ends before it begins")
    return Span(start_s, end_s)


def second_from(written: Any) -> float:
    """A second of a recording. Raises ValueError where it is none."""
    if isinstance(written, bool) or not isinstance(written, int | float):
        raise ValueError("no number")
    if not math.isfinite(written) or not 0 <= written <= LAST_S:
        raise ValueError("no second of a recording")
    return float(written)
