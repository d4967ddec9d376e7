"""What is in a file: words with their places, facts, a thumbnail, and what the model has to see.

This module is the vocabulary, the decision what a file is (`sniff`), and the way to the generator
of its kind (`extract`). Decoders are imported by those alone. Never decode a stranger's file in a
process that matters: `child.Reader` does the same in one that may die.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import IO, Literal, TypedDict

from indexer.extract.attached import Attached, File, size_bytes
from indexer.extract.signatures import Format, by_content, by_name
from indexer.passages import Kind, Place

# Raised when the same bytes would now give other words; files read by an older one are read again.
EXTRACTOR_VERSION = 4
HEAD_BYTES = 8192

Reason = Literal[
    "empty",
    "encrypted",
    "truncated",
    "corrupt",
    "unsupported",
    "permission",
    "vanished",
    "too_large",
    "timeout",
    "crashed",
]


@dataclass(frozen=True, slots=True)
class Words:
    """The text of one page, and what the page is called besides its number: a sheet, a slide, a
    message."""

    text: str
    place: Place
    label: str = ""
    # Start and end of each passage, where whoever read the text has cut it already.
    cuts: tuple[tuple[int, int], ...] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a file without understanding it. `made_at` is in unix seconds, `colour` the
    mean one as `#rrggbb`; `note` says what was left out, as a sentence."""

    title: str
    pages: int | None = None
    width_px: int | None = None
    height_px: int | None = None
    duration_s: float | None = None
    made_at: float | None = None
    colour: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Thumb:
    """A small picture of the whole, as WebP without any metadata; without bytes it is drawn when
    somebody looks at it."""

    webp: bytes
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True)
class Part:
    """Something to look at or to listen to: a photo (place None), a page without words, a clip."""

    place: Place


Piece = Words | Facts | Thumb | Part


@dataclass(frozen=True, slots=True)
class Member:
    """A file that lies in another: an attachment of a mail. `ordinal` is its number there, from 1,
    `at` where its message begins in a mailbox, in bytes, `content` the hash of its bytes, `name`
    what it is called, `size` in bytes."""

    ordinal: int
    at: int
    content: str
    name: str
    size: int
    kind: Kind


@dataclass(frozen=True, slots=True)
class Within:
    """A piece of the member with this number, which has been told of before. One without pieces
    could not be read, or has the same bytes as another."""

    ordinal: int
    piece: Piece


Extracted = Piece | Member | Within


class PageWords(TypedDict):
    """The words of a page picture: `width` and `height` of the page, and for every word its box
    x0, y0, x1, y1 (from the top left), the word, and the number of its line; lengths in points."""

    width: float
    height: float
    words: list[tuple[float, float, float, float, str, int]]


class Unreadable(Exception):
    """A file that gives nothing: `reason` is a code, `sentence` is for the person it belongs to."""

    def __init__(self, reason: Reason, sentence: str) -> None:
        super().__init__(sentence)
        self.reason: Reason = reason
        self.sentence = sentence


NOT_READ_YET = "This is not a kind of file Recollect reads yet."

_KINDS: dict[Format, Kind] = {
    "text": Kind.DOCUMENT,
    "pdf": Kind.DOCUMENT,
    "picture": Kind.PHOTO,
    "scan": Kind.DOCUMENT,
    "sound": Kind.RECORDING,
    "video": Kind.RECORDING,
    "docx": Kind.DOCUMENT,
    "pptx": Kind.DOCUMENT,
    "xlsx": Kind.DOCUMENT,
    "odf": Kind.DOCUMENT,
    "html": Kind.DOCUMENT,
    "epub": Kind.DOCUMENT,
    "mail": Kind.DOCUMENT,
    "mbox": Kind.DOCUMENT,
    "old": Kind.DOCUMENT,
}


def sniff(path: File) -> Kind | None:
    """What the file is to a person, or None where it is nothing we read (`NOT_READ_YET`). Raises
    Unreadable when it cannot be opened."""
    found = file_format(path)
    return None if found is None else _KINDS[found]


def file_format(path: File) -> Format | None:
    """What the content says; where it says nothing (empty, damaged), what the name says. Raises
    Unreadable when the file cannot be opened."""
    if isinstance(path, Attached):
        return file_format_of(path.open("rb"), path.name)
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with open(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                return by_content(b"", path.name) or by_name(path.name)
            return file_format_of(file, path.name)
    except OSError as problem:
        raise unopened(problem) from problem


def file_format_of(file: IO[bytes], name: str) -> Format | None:
    """The same of an open file, which is read from its start; a bounded part of it is."""
    from indexer.extract.containers import COMPOUND, ZIP, inside
    from indexer.extract.scan import TIFF, page_count

    file.seek(0)
    head = file.read(HEAD_BYTES)
    if head.startswith((ZIP, COMPOUND)) and b"%PDF-" not in head[:1024]:
        found = inside(file, head, name)
        file.seek(0)
        return found
    found = by_content(head, name) or by_name(name)
    if found == "picture" and head.startswith(TIFF) and page_count(file, most=2) > 1:
        found = "scan"
    file.seek(0)
    return found


def extract(path: File, leave_out: Collection[int] | None = ()) -> Iterator[Extracted]:
    """Everything in the file, page by page, but for the members with these numbers (None: but for
    all). Raises Unreadable, also halfway."""
    found = file_format(path)
    try:
        if found is not None and size_bytes(path) == 0:
            raise Unreadable("empty", "The file is empty.")
        match found:
            case "pdf":
                from indexer.extract import pdf

                yield from pdf.extract(path)
            case "picture":
                from indexer.extract import photo

                yield from photo.extract(path)
            case "scan":
                from indexer.extract import scan

                yield from scan.extract(path)
            case "sound":
                from indexer.extract import sound

                yield from sound.extract(path)
            case "video":
                from indexer.extract import video

                yield from video.extract(path)
            case None:
                raise Unreadable("unsupported", NOT_READ_YET)
            case _:
                from indexer.extract import paged

                if (read := paged.sections_of(found)) is None:
                    raise Unreadable("unsupported", NOT_READ_YET)
                yield from paged.extract(path, read, leave_out)
    except OSError as problem:
        raise unopened(problem) from problem


def unopened(problem: OSError) -> Unreadable:
    """Why the system would not let us read."""
    if isinstance(problem, PermissionError):
        return Unreadable("permission", "You are not allowed to read this file.")
    if isinstance(problem, FileNotFoundError | NotADirectoryError):
        return Unreadable("vanished", "The file is not there any more.")
    return Unreadable("corrupt", f"The file cannot be read ({problem.strerror or problem}).")


def title_of(path: File | PurePath) -> str:
    """A file's name without its ending, as something that can be shown."""
    return os.fsencode(path.stem).decode("utf-8", "replace").strip() or "Untitled"
