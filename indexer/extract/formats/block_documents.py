"""Documents that are read as blocks: every kind but PDF, from the file to its numbered pages."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Collection, Iterator
from itertools import islice
from typing import IO

from indexer.extract.formats.members import ExtractMember, Members
from indexer.extract.pages.blocks import Section, Told, paged, said
from indexer.extract.pages.typesetting import PageSource
from indexer.types.attachments import Attached, Attachment, File, size_bytes
from indexer.types.pieces import Extracted, Facts, Thumb, UnreadableError, Words, title_of
from indexer.types.places import Page

MAX_PAGES = 10_000
MAX_CHARS = 20_000_000
# Laying out and drawing a page takes five times as long as reading it, and few are ever looked at:
# their small picture is drawn then. A4, and the mean colour of a page of words.
DRAWN_LATER, COLOUR = Thumb(b"", 339, 480), "#f1f1f1"

# From an open file, which is only read and may be bytes in memory, and its name.
Sections = Callable[[IO[bytes], str, Told], Iterator[Section | PageSource | Attachment]]


def extract(
    path: File,
    read: Sections,
    extract_member: ExtractMember,
    leave_out: Collection[int] | None = (),
) -> Iterator[Extracted]:
    """One Words for each page, then Facts and the shape of the first page; among them the members
    but those with these numbers (None: but all), each read by `extract_member`. Raises
    UnreadableError."""
    told = Told()
    members = Members(told, leave_out, extract_member)
    count = chars = 0
    with path.open("rb") as file:
        for source in _pages(file, path, read, told):
            if isinstance(source, Attachment):
                yield from members.read(source)
                continue
            if count >= MAX_PAGES or chars >= MAX_CHARS:
                told.left_out(f"Only the first {count:,} pages of it were read.")
                break
            count, chars = count + 1, chars + len(source.text)
            yield Words(source.text, Page(count), source.label)
    if not count and not members.some:
        raise UnreadableError("empty", "There are no words in this file.")
    yield Facts(
        said(told.title)[:200] or title_of(path),
        pages=count,
        made_at=told.made_at,
        colour=COLOUR,
        note=" ".join(told.notes) or None,
    )
    yield DRAWN_LATER


class _Held:
    """The document somebody is looking at: its pages, read as far as they were asked for."""

    def __init__(self, path: File, read: Sections) -> None:
        self.key = _key(path)
        small = size_bytes(path) < 64 << 20
        self._file: IO[bytes] = io.BytesIO(path.read_bytes()) if small else path.open("rb")
        found = _pages(self._file, path, read, Told())
        self._coming = (one for one in found if isinstance(one, PageSource))
        self._pages: list[PageSource] = []

    def page(self, number: int) -> PageSource | None:
        self._pages += islice(self._coming, max(0, number - len(self._pages)))
        return self._pages[number - 1] if 1 <= number <= len(self._pages) else None


_held: _Held | None = None


def page(path: File, number: int, read: Sections) -> PageSource:
    """The page that `extract` gave this number. The last document asked for is kept, so that its
    pages can be turned. Raises UnreadableError."""
    global _held
    if _held is None or _held.key != _key(path):
        _held = None
        _held = _Held(path, read)
    try:
        found = _held.page(number) if number <= MAX_PAGES else None
    except BaseException:
        _held = None
        raise
    if found is None:
        raise UnreadableError("vanished", f"This document has no page {number}.")
    return found


def _key(path: File) -> tuple[str, int]:
    """What tells one document from another, and from itself after a change."""
    if isinstance(path, Attached):
        return path.name, hash(path.data)
    found = path.stat()
    return f"{path} {found.st_size}", found.st_mtime_ns


def _pages(
    file: IO[bytes], path: File, read: Sections, told: Told
) -> Iterator[PageSource | Attachment]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what a library says of a file is not for our terminal
        for part in read(file, path.name, told):
            if isinstance(part, PageSource | Attachment):
                yield part
            else:
                yield from (one for one in paged(part) if one.text.strip())
