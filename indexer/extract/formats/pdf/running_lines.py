"""Running heads and feet: lines that most pages of a PDF repeat above or below their own words.

A title that stands at the top of every page says nothing of any of them. Each such line is read
once, on the first page where it stands beside other words, so that the document is still found by
it. Which lines they are is known before the first page is read, from pages throughout the file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from indexer.extract.formats.pdf.pdf_text import PdfLine, read_line_blocks

# Pages next to each other are looked at in so many places: heads differ on left and right pages.
PLACES_LOOKED_AT = 8
# A line has to be on so many of these pages, and on this share of them: just below a half, for
# heads of left pages alone.
LEAST_PAGES, LEAST_SHARE = 3, 0.4
# So many lines, from the top and from the bottom, may be running ones.
OUTER_LINES = 4

_NUMBER = re.compile(r"\d{1,6}")

# The words of a line with their size in points; with a number that is as far from the number of the
# page on each page, this difference and the words around it.
Key = tuple[str, int, int | None]
Blocks = list[list[PdfLine]]


class RunningLines:
    """The running lines of a pymupdf document of so many pages, which are taken in order."""

    def __init__(self, document: Any, pages: int) -> None:
        self._read: dict[int, Blocks] = {}
        for number in _pages_looked_at(pages):
            if blocks := _read_ahead(document, number):
                self._read[number] = blocks
        held = Counter(key for n, blocks in self._read.items() for key in _keys(n, blocks))
        least = max(LEAST_PAGES, LEAST_SHARE * sum(map(any, self._read.values())))
        self._running = {key for key, count in held.items() if count >= least}
        others = (self._without(number, blocks, set()) for number, blocks in self._read.items())
        if not any(map(any, others)):  # what stands alone on every page are its words
            self._running = set()
        self._kept: set[Key] = set()

    def blocks(self, page: Any) -> Blocks:
        """The blocks of lines of a page, as `read_line_blocks` gives them."""
        read = self._read.pop(page.number + 1, None)
        return read_line_blocks(page) if read is None else read

    def leave_out(self, number: int, blocks: Blocks) -> Blocks:
        """The blocks of a page, from 1, without the running lines that were read before."""
        if not self._running:
            return blocks
        words = self._without(number, blocks, set())
        if not any(words):
            return words
        keys = set(_keys(number, blocks)) & self._running
        first = keys - self._kept
        self._kept |= keys
        return self._without(number, blocks, first)

    def _without(self, number: int, blocks: Blocks, first: set[Key]) -> Blocks:
        """Without running lines but those that are to be read here for the first time."""
        left_out = {
            id(line)
            for line in _outer(blocks)
            if (keys := self._running.intersection(_keys_of(number, line)))
            and keys.isdisjoint(first)
        }
        return [[line for line in block if id(line) not in left_out] for block in blocks]


def _read_ahead(document: Any, number: int) -> Blocks:
    try:
        return read_line_blocks(document[number - 1])
    except MemoryError:
        raise
    except Exception:  # MuPDF raises many kinds; such a page is counted when it is read in its turn
        return []


def _pages_looked_at(pages: int) -> Sequence[int]:
    if pages < LEAST_PAGES:
        return ()
    if pages <= 2 * PLACES_LOOKED_AT:
        return range(1, pages + 1)
    firsts = (
        1 + place * (pages - 2) // (PLACES_LOOKED_AT - 1) for place in range(PLACES_LOOKED_AT)
    )
    return sorted({number for first in firsts for number in (first, first + 1)})


def _keys(number: int, blocks: Blocks) -> set[Key]:
    return {key for line in _outer(blocks) for key in _keys_of(number, line)}


def _keys_of(number: int, line: PdfLine) -> Iterator[Key]:
    text, size = " ".join(line.text.split()), round(line.size_pt)
    if any(map(str.isalpha, text)):  # numbers repeat in tables
        yield text, size, None
    for match in _NUMBER.finditer(text):
        around = f"{text[: match.start()]}\0{text[match.end() :]}"
        yield around, size, int(match.group()) - number


def _outer(blocks: Blocks) -> list[PdfLine]:
    """The lines with words that stand highest and lowest on a page."""
    lines = [line for block in blocks for line in block if line.text.strip()]
    lines.sort(key=lambda line: line.y0)
    if len(lines) <= 2 * OUTER_LINES:
        return lines
    return [*lines[:OUTER_LINES], *lines[-OUTER_LINES:]]
