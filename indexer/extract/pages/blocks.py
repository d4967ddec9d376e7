"""Blocks and sections, which every format but PDF is read as, and the metadata of a document.

The module of a format yields sections as it comes to them; `pagination` cuts their blocks into
pages. The words of a page are searched, and the same words are laid out when the page is shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from indexer.types.notes import Notes
from indexer.types.text.characters import clean_line

MAX_DESCRIPTION_CHARS = 1_000  # of each line
Tag = Literal["h1", "h2", "h3", "h4", "p", "li", "quote", "pre", "row", "break"]


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, a paragraph, a row of a table. "break" is the end of a page in the document."""

    text: str
    tag: Tag = "p"
    cells: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a document that begins on a new page: a slide, a sheet, a chapter.

    `capacity` is how many times as much as usual its pages hold, for formats that have pages.
    `head` is repeated on every page of a table.
    """

    blocks: Iterable[Block]
    label: str = ""
    capacity: float = 1.0
    head: Block | None = None


@dataclass(slots=True)
class DocumentMetadata:
    """The metadata of a document, filled in while it is read; as in Facts, `made_at` in unix s.
    `described` are the lines that it is found by beside its words, known before its first page."""

    title: str = ""
    described: tuple[str, ...] = ()
    made_at: float | None = None
    notes: Notes = field(default_factory=Notes)

    def describe(self, *lines: str | None) -> None:
        """Takes its subject and its keywords, where it has them."""
        cleaned = (clean_line(line)[:MAX_DESCRIPTION_CHARS] for line in lines)
        self.described = tuple(line for line in dict.fromkeys(cleaned) if line)


def lines_not_in(text: str, lines: Iterable[str]) -> list[str]:
    """Those of the lines that a text does not hold, whatever their case and blanks."""
    held = "".join(text.split()).casefold()
    return [line for line in lines if "".join(line.split()).casefold() not in held]


def table_row(cells: Iterable[str]) -> Block | None:
    """A row of a table; None where it is empty."""
    texts = [clean_line(cell) for cell in cells]
    while texts and not texts[-1]:
        texts.pop()
    if not texts:
        return None
    return Block(" | ".join(text for text in texts if text), "row", tuple(texts))


def header_row(first_two: list[Block]) -> Block | None:
    """The first row of a table, where it has the names of columns: words only, and not many."""
    if len(first_two) < 2 or len(first_two[0].cells) < 2:
        return None
    names = first_two[0].cells
    if any(not name or name.replace(".", "").replace(",", "").isdigit() for name in names):
        return None
    return first_two[0] if sum(map(len, names)) <= 200 else None
