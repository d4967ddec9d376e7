"""What the catalog wrote down of the store's rows and of its thumbnails, to be checked against."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from indexer.catalog.storage.database import Database
from indexer.types.states import ContentState


@dataclass(frozen=True, slots=True)
class ExpectedRows:
    """How many rows the generations of a content have, and what these add up to; None of what was
    never written down. A generation that is `rereading` or `redoing` is to be made anew already."""

    content: str
    kind: str
    read_generation: str | None
    words: int
    words_sum: str | None
    rereading: bool
    understood_generation: str | None
    captions: int
    captions_sum: str | None
    vectors: int
    vectors_sum: str | None
    redoing: bool


@dataclass(frozen=True, slots=True)
class StoredThumb:
    """A thumbnail as it is stored, a WebP."""

    content: str
    width_px: int
    height_px: int
    webp: bytes


def expected_rows(database: Database) -> list[ExpectedRows]:
    """Of every content."""
    with database.reading() as db:
        rows = db.execute("SELECT * FROM contents").fetchall()
    return [
        ExpectedRows(
            content=row["content"],
            kind=row["kind"],
            read_generation=row["read_generation"],
            words=row["words"],
            words_sum=row["words_sum"],
            rereading=not row["extractor"],
            understood_generation=row["understood_generation"],
            captions=row["captions"],
            captions_sum=row["captions_sum"],
            vectors=row["vectors"],
            vectors_sum=row["vectors_sum"],
            redoing=row["state"] in (ContentState.READ, ContentState.UNDERSTANDING),
        )
        for row in rows
    ]


def stored_thumbs(database: Database) -> Iterator[StoredThumb]:
    """Every thumbnail, one after the other; an empty one is drawn later and left out."""
    with database.reading() as db:
        for row in db.execute("SELECT * FROM thumbs WHERE webp != x''"):
            yield StoredThumb(row["content"], row["width_px"], row["height_px"], row["webp"])
