"""Pieces, the output of an extractor: texts of pages, facts, a thumbnail, parts for the model.

They come in the order of the file; `UnreadableError` ends them, also halfway.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Literal, TypedDict

from indexer.types.attachments import File
from indexer.types.notes import Note
from indexer.types.places import Kind, Place
from model.errors import RecollectError

# Increased when the same bytes give other pieces; files read by an older version are read again.
EXTRACTOR_VERSION = 8
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


# Start and end of a passage, and the tokens that `join_separated` finds in it.
Cut = tuple[int, int, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class PageText:
    """The text of one page, and the label of the page besides its number: a sheet, a slide, a
    message."""

    text: str
    place: Place
    label: str = ""
    # The passages, where whoever read the text has cut it already.
    cuts: tuple[Cut, ...] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class SoundTrack:
    """One of several sound tracks: its number in the file, from 1, and its language or title,
    empty where it has neither."""

    number: int
    label: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a file without understanding it. `made_at` is in unix seconds,
    `made_offset_s` how far the clock there was ahead of UTC (None where unknown), `colour` the mean
    one as `#rrggbb`; `notes` say what was left out; `tracks` are the sound tracks
    that were heard, the default one first, where there are several."""

    title: str
    pages: int | None = None
    width_px: int | None = None
    height_px: int | None = None
    duration_s: float | None = None
    made_at: float | None = None
    made_offset_s: int | None = None
    colour: str | None = None
    notes: tuple[Note, ...] = ()
    tracks: tuple[SoundTrack, ...] = ()


@dataclass(frozen=True, slots=True)
class Thumb:
    """A small picture of the whole, as WebP without metadata; without bytes it is drawn on
    demand."""

    webp: bytes
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True)
class MediaPart:
    """A part for the model to look at or listen to: a photo (place None), a page without words, a
    clip."""

    place: Place


Piece = PageText | Facts | Thumb | MediaPart


@dataclass(frozen=True, slots=True)
class Member:
    """A file within another: an attachment of a mail or a PDF, a picture in a letter. `ordinal` is
    its number there, from 1 (of one within a member, see `number_within`), `at` where it lies (see
    `Attachment`), `content` the hash of its bytes, `size` in bytes."""

    ordinal: int
    at: int
    content: str
    name: str
    size: int
    kind: Kind


MAX_MEMBERS = 1 << 20  # of one file, so that those within members have numbers behind them


def number_within(member: int, ordinal: int) -> int:
    """The number of what lies within a member with this number, as a picture in a letter that is
    attached to a mail."""
    return member * MAX_MEMBERS + ordinal


def is_within_member(member: Member) -> bool:
    """Whether it lies within another member, of which it has `at`."""
    return member.ordinal > MAX_MEMBERS


@dataclass(frozen=True, slots=True)
class MemberPiece:
    """A piece of the member with this number, which came before as a Member. A member without
    pieces could not be read, or has the same bytes as another."""

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
    """A file's name without its suffix, as text that can be shown."""
    return os.fsencode(path.stem).decode("utf-8", "replace").strip() or "Untitled"
