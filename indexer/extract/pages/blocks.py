"""Blocks: what documents of every kind are made of, and the pages that are cut from them.

A generator of a kind yields Sections of Blocks, as it comes to them; pages of about one printed
page are cut here, the same way for a letter, a web page, a table of a million rows. The words of
a page are searched, and the same words are laid out when somebody looks at it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from indexer.types.characters import clean_line

Tag = Literal["h1", "h2", "h3", "h4", "p", "li", "quote", "pre", "row", "break"]


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, a paragraph, a row of a table. "break" is the end of a page that was set."""

    text: str
    tag: Tag = "p"
    cells: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of a document that begins a page of its own: a slide, a sheet, a chapter.

    `roomy` is how many times more than usual may stand on its pages, for kinds that come in pages.
    `head` is repeated where a table goes on over the page.
    """

    blocks: Iterable[Block]
    label: str = ""
    roomy: float = 1.0
    head: Block | None = None


@dataclass(slots=True)
class DocumentMetadata:
    """What a document says of itself, filled in while it is read; `notes` are sentences of what was
    left out, `title` and `made_at` (unix s) are as in Facts."""

    title: str = ""
    made_at: float | None = None
    notes: list[str] = field(default_factory=list)

    def add_note(self, sentence: str) -> None:
        if sentence not in self.notes:
            self.notes.append(sentence)


def table_row(cells: Iterable[str]) -> Block | None:
    """A row of a table, None where all of it is empty."""
    texts = [clean_line(cell) for cell in cells]
    while texts and not texts[-1]:
        texts.pop()
    if not texts:
        return None
    return Block(" | ".join(text for text in texts if text), "row", tuple(texts))


def header_row(first_two: list[Block]) -> Block | None:
    """The first row of a table, where it names columns: words over something else."""
    if len(first_two) < 2 or len(first_two[0].cells) < 2:
        return None
    names = first_two[0].cells
    if any(not name or name.replace(".", "").replace(",", "").isdigit() for name in names):
        return None
    return first_two[0] if sum(map(len, names)) <= 200 else None
