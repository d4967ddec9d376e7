"""Documents that are read as blocks: every kind but PDF, from the file to its numbered pages."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Collection, Iterator
from itertools import islice
from typing import IO

from indexer.extract import Extracted, Facts, Thumb, Unreadable, Words, title_of
from indexer.extract.attached import Attached, Attachment, File, size_bytes
from indexer.extract.blocks import Section, Told, paged, said
from indexer.extract.layout import PageSource
from indexer.extract.members import Members
from indexer.extract.signatures import Format
from indexer.passages import Page

MAX_PAGES = 10_000
MAX_CHARS = 20_000_000
# Laying out and drawing a page takes five times as long as reading it, and few are ever looked at:
# their small picture is drawn then. A4, and the mean colour of a page of words.
DRAWN_LATER, COLOUR = Thumb(b"", 339, 480), "#f1f1f1"

# From an open file, which is only read and may be bytes in memory, and its name.
Sections = Callable[[IO[bytes], str, Told], Iterator[Section | PageSource | Attachment]]


def sections_of(found: Format | None) -> Sections | None:
    """What reads this kind, if it is one that is read as blocks."""
    sections: Sections
    match found:
        case "text":
            from indexer.extract.text import sections
        case "docx":
            from indexer.extract.word import sections
        case "pptx":
            from indexer.extract.slides import sections
        case "xlsx":
            from indexer.extract.sheets import sections
        case "odf":
            from indexer.extract.opendocument import sections
        case "html":
            from indexer.extract.web import sections
        case "epub":
            from indexer.extract.book import sections
        case "mail" | "mbox":
            from indexer.extract.mail import sections
        case "old":
            from indexer.extract.old import sections
        case _:
            return None
    return sections


def extract(
    path: File, read: Sections, leave_out: Collection[int] | None = ()
) -> Iterator[Extracted]:
    """One Words for each page, then Facts and the shape of the first page; among them the members
    but those with these numbers (None: but all). Raises Unreadable."""
    told = Told()
    members = Members(told, leave_out)
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
        raise Unreadable("empty", "There are no words in this file.")
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
    pages can be turned. Raises Unreadable."""
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
        raise Unreadable("vanished", f"This document has no page {number}.")
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
