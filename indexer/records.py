"""What the catalog tells: an item, a failure, a row of the list of files, and coverage."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from indexer.extract import title_of
from indexer.passages import Kind
from indexer.tree import join

ITEM = re.compile(r"[a-z2-7]{26}")  # the public name of a content, see `item_of`


@dataclass(frozen=True, slots=True)
class Item:
    """One content and where it lies now. `path` is the first of its live `paths`; `thumb` is
    (width_px, height_px) of its thumbnail; times are unix seconds. `note` says what
    was left out while reading, `reason` and `sentence` what could not be understood."""

    item: str
    content: str
    kind: Kind
    path: Path
    paths: tuple[Path, ...]
    title: str
    state: str
    pages: int | None
    width_px: int | None
    height_px: int | None
    duration_s: float | None
    made_at: float | None
    colour: str | None
    modified_at: float
    size_bytes: int
    read_generation: str | None
    understood_generation: str | None
    thumb: tuple[int, int] | None = None
    note: str | None = None
    reason: str | None = None
    sentence: str | None = None


class Coverage(TypedDict):
    """How much of the live files, of kinds we read, each stage covers."""

    files: int
    read: int
    understood: int
    failed: int


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not be read or understood, and why, for a person."""

    path: Path
    reason: str
    sentence: str
    attempts: int


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file as the library lists it; `item` is None until it has been read once."""

    item: str | None
    path: Path
    kind: Kind | None
    state: str
    reason: str | None
    sentence: str | None
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
    """From the joined rows of one content, one for each of its live files."""
    row = group[0]
    paths = tuple(Path(os.fsdecode(join(r["base"], r["path"]))) for r in group)
    return Item(
        item=row["item"],
        content=row["content"],
        kind=Kind(row["kind"]),
        path=paths[0],
        paths=paths,
        title=row["title"] or title_of(paths[0]),
        state=row["state"],
        pages=row["pages"],
        width_px=row["width_px"],
        height_px=row["height_px"],
        duration_s=row["duration_s"],
        made_at=row["made_at"],
        colour=row["colour"],
        modified_at=row["mtime_ns"] / 1e9,
        size_bytes=row["size"],
        read_generation=row["read_generation"],
        understood_generation=row["understood_generation"],
        thumb=(row["thumb_w"], row["thumb_h"]) if row["thumb_w"] else None,
        note=row["note"],
        reason=row["reason"],
        sentence=row["sentence"],
    )


def failure(row: sqlite3.Row) -> Failure:
    """From a row of `listing`."""
    return Failure(_path(row), row["reason"], row["sentence"], row["attempts"])


def file_row(row: sqlite3.Row) -> FileRow:
    """From a row of `listing`."""
    return FileRow(
        item=row["item"],
        path=_path(row),
        kind=Kind(row["kind"]) if row["kind"] else None,
        state=row["state"],
        reason=row["reason"],
        sentence=row["sentence"],
        attempts=row["attempts"],
        size_bytes=max(row["size"], 0),
        modified_at=row["mtime_ns"] / 1e9,
    )
