"""Documents that are read as blocks: every kind but PDF, from the file to its numbered pages."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Collection, Iterator
from itertools import islice
from typing import IO

from indexer.extract.formats.members import ExtractMember, MemberReader
from indexer.extract.limits import MAX_CHARS, MAX_PAGES
from indexer.extract.pages.blocks import DocumentMetadata, Section
from indexer.extract.pages.pagination import paginate
from indexer.extract.pages.typesetting import PageSource
from indexer.types.attachments import Attachment, File, MemoryFile, size_bytes
from indexer.types.characters import clean_line
from indexer.types.pieces import Extracted, Facts, PageText, Thumb, UnreadableError, title_from_name
from indexer.types.places import Page

# Laying out and drawing a page takes five times as long as reading it, and few are ever looked at:
# their small picture is drawn then. A4, and the mean colour of a page of words.
DRAWN_LATER, COLOUR = Thumb(b"", 339, 480), "#f1f1f1"

# From an open file, which is only read and may be bytes in memory, and its name.
ReadSections = Callable[
    [IO[bytes], str, DocumentMetadata], Iterator[Section | PageSource | Attachment]
]


def extract(
    path: File,
    read: ReadSections,
    extract_member: ExtractMember,
    leave_out: Collection[int] | None = (),
) -> Iterator[Extracted]:
    """One Words for each page, then Facts and the shape of the first page; among them the members
    but those with these numbers (None: but all), each read by `extract_member`. Raises
    UnreadableError."""
    metadata = DocumentMetadata()
    members = MemberReader(metadata, leave_out, extract_member)
    count = chars = 0
    with path.open("rb") as file:
        for source in _pages(file, path, read, metadata):
            if isinstance(source, Attachment):
                yield from members.read(source)
                continue
            if count >= MAX_PAGES or chars >= MAX_CHARS:
                metadata.add_note(f"Only the first {count:,} pages of it were read.")
                break
            count, chars = count + 1, chars + len(source.text)
            yield PageText(source.text, Page(count), source.label)
    if not count and not members.some:
        raise UnreadableError("empty", "There are no words in this file.")
    yield Facts(
        clean_line(metadata.title)[:200] or title_from_name(path),
        pages=count,
        made_at=metadata.made_at,
        colour=COLOUR,
        note=" ".join(metadata.notes) or None,
    )
    yield DRAWN_LATER


class _Held:
    """The document somebody is looking at: its pages, read as far as they were asked for."""

    def __init__(self, path: File, read: ReadSections) -> None:
        self.key = _key(path)
        small = size_bytes(path) < 64 << 20
        self._file: IO[bytes] = io.BytesIO(path.read_bytes()) if small else path.open("rb")
        found = _pages(self._file, path, read, DocumentMetadata())
        self._coming = (one for one in found if isinstance(one, PageSource))
        self._pages: list[PageSource] = []

    def page(self, number: int) -> PageSource | None:
        self._pages += islice(self._coming, max(0, number - len(self._pages)))
        return self._pages[number - 1] if 1 <= number <= len(self._pages) else None


_held: _Held | None = None


def find_page_source(path: File, number: int, read: ReadSections) -> PageSource:
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
    if isinstance(path, MemoryFile):
        return path.name, hash(path.data)
    found = path.stat()
    return f"{path} {found.st_size}", found.st_mtime_ns


def _pages(
    file: IO[bytes], path: File, read: ReadSections, metadata: DocumentMetadata
) -> Iterator[PageSource | Attachment]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what a library says of a file is not for our terminal
        for part in read(file, path.name, metadata):
            if isinstance(part, PageSource | Attachment):
                yield part
            else:
                yield from (one for one in paginate(part) if one.text.strip())
