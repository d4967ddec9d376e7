"""Addresses of places: what opens the page of a document, or the second of a recording."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, urlencode

from indexer.types.places import PlaceJson
from retriever.answers.sources import playback_time


def item_link(server: str, item_id: str, place: PlaceJson | None) -> str:
    """The page of the browser, at a server like http://127.0.0.1:7878, that shows a place."""
    query = _place_query(place)
    address = f"{server}/item/{quote(item_id, safe='')}"
    return f"{address}?{urlencode(query)}" if query else address


def file_link(path: str, place: PlaceJson | None) -> str:
    """A link to the file itself, where no server runs; viewers of PDF and players of media go to
    the page or the second that it names (RFC 8118, W3C Media Fragments)."""
    address = Path(path).as_uri()
    query = {name: value for name, value in _place_query(place).items() if name != "track"}
    return f"{address}#{urlencode(query)}" if query else address


def place_title(title: str, place: PlaceJson | None) -> str:
    """The name of a file, and the page or the second in it."""
    if place and (page := place.get("page")) is not None:
        return f"{title}, page {page}"
    if place and (start_s := place.get("start_s")) is not None:
        return f"{title}, at {playback_time(start_s)}"
    return title


def _place_query(place: PlaceJson | None) -> dict[str, str]:
    if place is None:
        return {}
    query: dict[str, str] = {}
    if (page := place.get("page")) is not None:
        query["page"] = str(page)
    if (start_s := place.get("start_s")) is not None:
        query["t"] = f"{start_s:g}"
    if (track := place.get("track")) is not None:
        query["track"] = str(track)
    return query
