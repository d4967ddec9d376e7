"""TIFF files of several pages, as scanners and fax machines write them; each page is a part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from indexer.extract.containers.tiff import count_pages
from indexer.extract.pages.rasters import MAX_SIDE_PX, make_thumb, shrink
from indexer.types.attachments import File
from indexer.types.notes import NoteCode, Notes
from indexer.types.pieces import Extracted, Facts, MediaPart, UnreadableError, title_from_name
from indexer.types.places import Page

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

MAX_PAGES = 1_000


def extract(path: File) -> Iterator[Extracted]:
    """A MediaPart for each page, then Facts and a Thumb of the first page."""
    from indexer.extract.media.photo import MAX_THUMB_SOURCE_PX, open_picture

    with path.open("rb") as file:
        count = count_pages(file, most=MAX_PAGES + 1)
    first = open_picture(path, MAX_THUMB_SOURCE_PX)
    small, colour = make_thumb(first.pixels)
    pages = min(count, MAX_PAGES)
    notes = Notes()
    if count > MAX_PAGES:
        sentence = f"Only the first {MAX_PAGES:,} pages are looked at."
        notes.add(NoteCode.PAGES_LEFT_OUT, sentence)
    for number in range(1, pages + 1):
        yield MediaPart(Page(number))
    yield Facts(
        title_from_name(path),
        pages=pages,
        made_at=first.captured.at_s if first.captured else None,
        made_offset_s=first.captured.offset_s if first.captured else None,
        colour=colour,
        notes=notes.all(),
    )
    yield small


def draw_page(
    path: File, number: int, *, width_px: int | None = None, longest_px: int | None = None
) -> Picture:
    """Page `number`, from 1, upright; of that width, or with that longest side, but never larger
    than it is. Raises UnreadableError."""
    from indexer.extract.media.photo import open_picture

    with path.open("rb") as file:
        if not 1 <= number <= count_pages(file, most=min(number, MAX_PAGES)):
            raise UnreadableError("vanished", f"This document has no page {number}.")
    picture = open_picture(path, longest_px or MAX_SIDE_PX, number - 1)
    width, height = picture.size
    if width_px is not None:
        longest_px = round(width_px * max(width, height) / width)
    return shrink(picture.pixels, min(longest_px or MAX_SIDE_PX, MAX_SIDE_PX))
