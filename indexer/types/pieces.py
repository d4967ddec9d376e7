"""What an extractor gives: words with their places, facts, a thumbnail, and parts to look at.

Pieces come in the order of the file; `UnreadableError` ends them, also halfway.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Literal, TypedDict

from indexer.types.attachments import File
from indexer.types.places import Kind, Place
from model.errors import RecollectError

# Raised when the same bytes would now give other words; files read by an older one are read again.
EXTRACTOR_VERSION = 4
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
class PageText:
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
class MediaPart:
    """Something to look at or to listen to: a photo (place None), a page without words, a clip."""

    place: Place


Piece = PageText | Facts | Thumb | MediaPart


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
class MemberPiece:
    """A piece of the member with this number, which has been told of before. One without pieces
    could not be read, or has the same bytes as another."""

    ordinal: int
    piece: Piece


Extracted = Piece | Member | MemberPiece


class PageWords(TypedDict):
    """The words of a page picture: `width` and `height` of the page, and for every word its box
    x0, y0, x1, y1 (from the top left), the word, and the number of its line; lengths in points."""

    width: float
    height: float
    words: list[tuple[float, float, float, float, str, int]]


class UnreadableError(RecollectError):
    """A file that gives nothing; `reason` is its code."""

    status = 422

    def __init__(self, reason: Reason, sentence: str) -> None:
        super().__init__(sentence)
        self.code = self.reason = reason


def title_from_name(path: File | PurePath) -> str:
    """A file's name without its ending, as something that can be shown."""
    return os.fsencode(path.stem).decode("utf-8", "replace").strip() or "Untitled"
