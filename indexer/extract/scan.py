"""TIFF files of several pages, as scanners and fax machines write them: every page is looked at."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

from indexer.extract import Extracted, Facts, Part, Unreadable, title_of
from indexer.extract.attached import File
from indexer.extract.media import TIFF
from indexer.extract.pictures import MAX_SIDE_PX, shrunk, thumb
from indexer.passages import Page

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

__all__ = ["TIFF", "extract", "page", "page_count"]

MAX_PAGES = 1_000
MOST_ENTRIES = 4_096  # of a directory; real ones have about twenty


def extract(path: File) -> Iterator[Extracted]:
    """A Part for each page, then Facts and a picture of the first page."""
    from indexer.extract.photo import MAX_THUMB_SOURCE_PX, opened

    with path.open("rb") as file:
        count = page_count(file, most=MAX_PAGES + 1)
    first = opened(path, MAX_THUMB_SOURCE_PX)
    small, colour = thumb(first.pixels)
    pages = min(count, MAX_PAGES)
    note = f"Only the first {MAX_PAGES:,} pages are looked at." if count > MAX_PAGES else None
    for number in range(1, pages + 1):
        yield Part(Page(number))
    yield Facts(title_of(path), pages=pages, made_at=first.made_at, colour=colour, note=note)
    yield small


def page(
    path: File, number: int, *, width_px: int | None = None, longest_px: int | None = None
) -> Picture:
    """Page `number`, from 1, upright; of that width, or with that longest side, but never larger
    than it is. Raises Unreadable."""
    from indexer.extract.photo import opened

    with path.open("rb") as file:
        if not 1 <= number <= page_count(file, most=min(number, MAX_PAGES)):
            raise Unreadable("vanished", f"This document has no page {number}.")
    found = opened(path, longest_px or MAX_SIDE_PX, number - 1)
    wide, high = found.size
    if width_px is not None:
        longest_px = round(width_px * max(wide, high) / wide)
    return shrunk(found.pixels, min(longest_px or MAX_SIDE_PX, MAX_SIDE_PX))


def page_count(file: IO[bytes], most: int) -> int:
    """How many pages the directories of an open TIFF tell of, `most` at most. Nothing is decoded;
    a chain that leads back to itself, or out of the file, ends there."""
    file.seek(0)
    head = file.read(16).ljust(16, b"\0")
    order = "<" if head[:2] == b"II" else ">"
    large = 43 in head[2:4]  # BigTIFF: every number is longer
    count, link = struct.Struct(order + "HQ"[large]), struct.Struct(order + "IQ"[large])
    entry_bytes = 20 if large else 12
    (at,) = link.unpack_from(head, 8 if large else 4)
    seen: set[int] = set()
    while at and at not in seen and len(seen) < most:
        file.seek(min(at, 1 << 62))
        said = file.read(count.size)
        entries = count.unpack(said)[0] if len(said) == count.size else 0
        if not 0 < entries <= MOST_ENTRIES:
            break
        seen.add(at)
        file.seek(entries * entry_bytes, 1)
        said = file.read(link.size)
        at = link.unpack(said)[0] if len(said) == link.size else 0
    return len(seen)
