"""Documents that are read as blocks, which are all but PDF: from the file to numbered pages."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Collection, Iterator
from itertools import islice
from typing import IO

from indexer.extract.formats.members import ExtractMember, MemberReader
from indexer.extract.limits import MAX_CHARS, MAX_PAGES
from indexer.extract.pages.blocks import DocumentMetadata, Section, lines_not_in
from indexer.extract.pages.pagination import paginate
from indexer.extract.pages.typesetting import PageSource
from indexer.types.attachments import Attachment, File, MemoryFile, size_bytes
from indexer.types.notes import DAMAGED_CODES, NoteCode
from indexer.types.pieces import Extracted, Facts, PageText, Thumb, UnreadableError, title_from_name
from indexer.types.places import Page
from indexer.types.text.characters import clean_line

# Laying out and drawing a page takes five times as long as reading it, and few are ever shown: the
# thumbnail is drawn on demand. The size is that of A4, the colour the mean of a page of words.
THUMB_ON_DEMAND, COLOUR = Thumb(b"", 339, 480), "#f1f1f1"

# What the module of a format has as `sections`: it reads an open file of a name, and fills in the
# metadata on the way.
ReadSections = Callable[
    [IO[bytes], str, DocumentMetadata], Iterator[Section | PageSource | Attachment]
]


def extract(
    path: File,
    read: ReadSections,
    extract_member: ExtractMember,
    leave_out: Collection[int] | None = (),
) -> Iterator[Extracted]:
    """One PageText for each page, then Facts and a Thumb without bytes; between them the members
    except those with the numbers in `leave_out` (None: all), each read by `extract_member`. Raises
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
                metadata.notes.add(
                    NoteCode.PAGES_LEFT_OUT, f"Only the first {count:,} pages of it were read."
                )
                break
            text = source.text
            if not count and (missing := lines_not_in(text, metadata.described)):
                text = "\n\n".join((text, "\n".join(missing)))
            count, chars = count + 1, chars + len(text)
            yield PageText(text, Page(count), source.label)
    if not count and not members.has_read:
        if notes := metadata.notes.all():  # there are some, beyond a bound or in damaged parts
            is_damaged = notes[0].code in DAMAGED_CODES
            raise UnreadableError("corrupt" if is_damaged else "too_large", notes[0].sentence)
        raise UnreadableError("empty", "There are no words in this file.")
    yield Facts(
        clean_line(metadata.title)[:200] or title_from_name(path),
        pages=count,
        made_at=metadata.made_at,
        colour=COLOUR,
        notes=metadata.notes.all(),
    )
    yield THUMB_ON_DEMAND


class _OpenDocument:
    """A document that is being shown: its pages, read as far as they were asked for."""

    def __init__(self, path: File, read: ReadSections) -> None:
        self.key = _key(path)
        small = size_bytes(path) < 64 << 20
        self._file: IO[bytes] = io.BytesIO(path.read_bytes()) if small else path.open("rb")
        parts = _pages(self._file, path, read, DocumentMetadata())
        self._unread = (part for part in parts if isinstance(part, PageSource))
        self._pages: list[PageSource] = []

    def page(self, number: int) -> PageSource | None:
        self._pages += islice(self._unread, max(0, number - len(self._pages)))
        return self._pages[number - 1] if 1 <= number <= len(self._pages) else None


_last_document: _OpenDocument | None = None


def find_page_source(path: File, number: int, read: ReadSections) -> PageSource:
    """The page that `extract` gave this number. The last document is kept open, because several of
    its pages are asked for in a row. Raises UnreadableError."""
    global _last_document
    if _last_document is None or _last_document.key != _key(path):
        _last_document = None
        _last_document = _OpenDocument(path, read)
    try:
        source = _last_document.page(number) if number <= MAX_PAGES else None
    except BaseException:
        _last_document = None
        raise
    if source is None:
        raise UnreadableError("vanished", f"This document has no page {number}.")
    return source


def _key(path: File) -> tuple[str, int]:
    """The identity of a document, which changes with its bytes."""
    if isinstance(path, MemoryFile):
        return path.name, hash(path.data)
    status = path.stat()
    return f"{path} {status.st_size}", status.st_mtime_ns


def _pages(
    file: IO[bytes], path: File, read: ReadSections, metadata: DocumentMetadata
) -> Iterator[PageSource | Attachment]:
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # warnings of libraries about the file are not for the terminal
        for part in read(file, path.name, metadata):
            if isinstance(part, PageSource | Attachment):
                yield part
            else:
                yield from (page for page in paginate(part) if page.text.strip())
