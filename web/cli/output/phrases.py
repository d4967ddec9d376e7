"""Phrases that several commands print: places, counts, and how much of the library is covered."""

from __future__ import annotations

from indexer.types.coverage import Coverage
from indexer.types.places import PlaceJson
from retriever.answers.sources import playback_time
from web.library.display import one_line
from web.library.schemas.answers import CitationJson
from web.library.schemas.items import MailJson


def place_suffix(place: PlaceJson | None) -> str:
    """A place, as it is appended to a name."""
    phrase = place_phrase(place)
    return f", {phrase}" if phrase else ""


def count_phrase(count: int, noun: str) -> str:
    """A number with its noun: "1 file", "1,200 files"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def place_phrase(place: PlaceJson | None) -> str:
    if place is None:
        return ""
    if "page" in place:
        number, label = str(place["page"]), one_line(place.get("label", ""))
        if not label:
            return f"page {number}"
        return label if label.endswith(f" {number}") else f"page {number} ({label})"
    start, end = playback_time(place["start_s"]), playback_time(place["end_s"])
    span = start if start == end else f"{start} to {end}"
    return f"{span}, track {track_name(place)}" if "track" in place else span


def track_name(place: PlaceJson) -> str:
    """The number of a sound track, and what it is called: "2: German"."""
    label = one_line(place.get("label", ""))
    return f"{place['track']}: {label}" if label else str(place["track"])


QUOTED_FROM = {
    "text": "text of the page",
    "transcript": "from the transcript",
    "caption": "from the caption",
}


def quoted_from(citation: CitationJson) -> str:
    """What a quote is, and whether it only mentions what it is cited for."""
    origin = QUOTED_FROM.get(citation["source"], "")
    return origin if citation["supports"] else f"mentions, {origin}"


def file_location(mail: MailJson | None, path: str) -> str:
    """Where a file lies, or which mail it was attached to."""
    name = one_line(path)
    return name if mail is None else f"attached to “{one_line(mail['title'])}”, {name}"


def coverage_sentence(coverage: Coverage) -> str:
    """How much of the library a result covers, in words."""
    files, read = coverage["files"], coverage["read"]
    understood, failed = coverage["understood"], coverage["failed"]
    if not files:
        return "The library is empty; `recollect add FOLDER` watches a folder."
    if understood == files:
        sentence = f"Searched {'the' if files == 1 else 'all'} {count_phrase(files, 'file')}."
    else:
        sentence = f"Words of {read:,} of {count_phrase(files, 'file')}, meaning of {understood:,}."
    if failed:
        sentence += f" {failed:,} could not be read: `recollect status` says why."
    return sentence
