"""What the catalog gives out: an item with its locations, a failure, a row of the file list."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from indexer.files.paths import join
from indexer.types.notes import Note
from indexer.types.pieces import Member, title_from_name
from indexer.types.places import Kind
from indexer.types.states import ContentState

ITEM = re.compile(r"[a-z2-7]{26}")  # the public name of a content, see `item_of`


@dataclass(frozen=True, slots=True)
class Location:
    """One place where a content lies: a file, or as a `member` in the one at `path`, which has an
    item and a title of its own then. `modified_at` is in unix seconds."""

    path: Path
    size_bytes: int
    modified_at: float
    member: Member | None = None
    container: str = ""
    container_title: str = ""

    @property
    def name(self) -> str:
        return self.member.name if self.member is not None else self.path.name


@dataclass(frozen=True, slots=True)
class Item:
    """One content and where it lies now: at the first of its live `locations`; `thumb` is
    (width_px, height_px) of its thumbnail; times are unix seconds; the clock at `made_at`
    was `made_offset_s` ahead of UTC (None where unknown). `model_key` names the model that
    understood it, or failed to. `reason` and
    `sentence` say why the model failed on it or on a part of it."""

    item: str
    content: str
    kind: Kind
    locations: tuple[Location, ...]
    title: str
    state: ContentState
    pages: int | None
    width_px: int | None
    height_px: int | None
    duration_s: float | None
    made_at: float | None
    made_offset_s: int | None
    colour: str | None
    read_generation: str | None
    understood_generation: str | None
    model_key: str | None = None
    thumb: tuple[int, int] | None = None
    reason: str | None = None
    sentence: str | None = None

    def among(self, is_there: Callable[[Path], bool]) -> Item | None:
        """The item where it is there this moment: the catalog learns of a rename or a deletion a
        little later than it happens."""
        locations = tuple(filter(lambda location: is_there(location.path), self.locations))
        return replace(self, locations=locations) if locations else None

    @property
    def location(self) -> Location:
        return self.locations[0]

    @property
    def path(self) -> Path:
        """The file that it is, or lies in."""
        return self.location.path

    @property
    def paths(self) -> tuple[Path, ...]:
        return tuple(dict.fromkeys(location.path for location in self.locations))

    @property
    def member(self) -> Member | None:
        """What it is of the file at `path`, where it is not that itself."""
        return self.location.member

    @property
    def name(self) -> str:
        return self.location.name

    @property
    def size_bytes(self) -> int:
        return self.location.size_bytes

    @property
    def modified_at(self) -> float:
        return self.location.modified_at


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not be read or understood, and why, for a person."""

    path: Path
    reason: str
    sentence: str
    attempts: int


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file as the library lists it; `item` is None until it has been read once, `state` is one of
    LISTED_STATES."""

    item: str | None
    path: Path
    kind: Kind | None
    state: str
    reason: str | None
    sentence: str | None
    notes: tuple[Note, ...]
    attempts: int
    size_bytes: int
    modified_at: float


def item_of(content: str) -> str:
    """The public name of a content (40 hex digits): 26 letters that survive every rename."""
    digest = hashlib.blake2b(b"item" + bytes.fromhex(content), digest_size=20).digest()
    return base64.b32encode(digest).decode().lower()[:26]


def _path(row: sqlite3.Row) -> Path:
    return Path(os.fsdecode(join(row["root_path"], row["path"])))


def item_from(group: list[sqlite3.Row]) -> Item:
    """From the joined rows of one content, one for each place where it lies."""
    row = group[0]
    locations = tuple(map(_location, group))
    return Item(
        item=row["item"],
        content=row["content"],
        kind=Kind(row["kind"]),
        locations=locations,
        title=row["title"] or title_from_name(PurePath(locations[0].name)),
        state=ContentState(row["state"]),
        pages=row["pages"],
        width_px=row["width_px"],
        height_px=row["height_px"],
        duration_s=row["duration_s"],
        made_at=row["made_at"],
        made_offset_s=row["made_offset_s"],
        colour=row["colour"],
        read_generation=row["read_generation"],
        understood_generation=row["understood_generation"],
        model_key=row["model_key"],
        thumb=(row["thumb_w"], row["thumb_h"]) if row["thumb_w"] else None,
        reason=row["reason"],
        sentence=row["sentence"],
    )


def member_from(row: sqlite3.Row) -> Member | None:
    """From a row of `PLACES`: what a content is of the file, where it is not that itself."""
    if row["ordinal"] is None:
        return None
    kind = Kind(row["kind"])
    columns = (row["ordinal"], row["at"], row["content"], row["name"], row["member_size"])
    return Member(*columns, kind)


def _location(row: sqlite3.Row) -> Location:
    path, mtime = Path(os.fsdecode(join(row["base"], row["path"]))), row["mtime_ns"] / 1e9
    member = member_from(row)
    if member is None:
        return Location(path, row["size"], mtime)
    return Location(
        path,
        member.size,
        row["container_made_at"] or mtime,  # as old as the mail it came in
        member,
        row["container_item"],
        row["container_title"] or title_from_name(path),
    )


def failure(row: sqlite3.Row) -> Failure:
    """From a row of `listing`."""
    return Failure(_path(row), row["reason"], row["sentence"], row["attempts"])


def file_row(row: sqlite3.Row, notes: tuple[Note, ...]) -> FileRow:
    """From a row of `listing` with its `listed_state`. What is understood in part has notes, and no
    sentence besides."""
    return FileRow(
        item=row["item"],
        path=_path(row),
        kind=Kind(row["kind"]) if row["kind"] else None,
        state=row["listed_state"],
        reason=row["reason"],
        sentence=None if row["state"] == ContentState.UNDERSTOOD else row["sentence"],
        notes=notes,
        attempts=row["attempts"],
        size_bytes=max(row["size"], 0),
        modified_at=row["mtime_ns"] / 1e9,
    )
