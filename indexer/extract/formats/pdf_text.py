"""The lines of a PDF's page as they were set: their words, where they stand and how large.

Read through MuPDF's own writer of JSON, which takes a sixth of the time of building the same of
Python objects, letter by letter.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from indexer.types.characters import clean

# Beside each other and so many line heights apart, words are in two columns of a table.
GAP = 0.8
_SCALE = 100.0  # boxes are written as whole numbers: of hundredths of a point


@dataclass(frozen=True, slots=True)
class PdfLine:
    """One line; the box in points from the page's upper left. `typed` and `size_pt` are those of
    its first letter: whether its font is one of a typewriter, and how large it is set."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    typed: bool
    size_pt: float


def read_line_blocks(page: Any, flags: int) -> list[list[PdfLine]]:
    """The lines of each block of words of a pymupdf page; `flags` are MuPDF's for its text."""
    from indexer.extract.pages.mupdf import pymupdf

    mupdf = pymupdf.mupdf
    buffer = mupdf.FzBuffer(1 << 12)
    output = mupdf.FzOutput(buffer)
    mupdf.fz_print_stext_page_as_json(output, page.get_textpage(flags=flags).this, _SCALE)
    output.fz_close_output()
    written = json.loads(mupdf.fz_buffer_extract_copy(buffer))
    return [
        [_line(line) for line in block["lines"]]
        for block in written["blocks"]
        if block["type"] == "text"
    ]


def _line(said: dict[str, Any]) -> PdfLine:
    box, font = said["bbox"], said["font"]
    x0, y0 = box["x"] / _SCALE, box["y"] / _SCALE
    return PdfLine(
        said["text"],
        x0,
        y0,
        x0 + box["w"] / _SCALE,
        y0 + box["h"] / _SCALE,
        font["family"] == "monospace",
        font["size"] / _SCALE,
    )


def page_text(page: Any) -> str:
    """The words of a page: paragraphs apart, their lines joined, words broken at the end of a line
    made whole; the rows of a table, and lines that were typed, each on its own."""
    from indexer.extract.pages.mupdf import pymupdf

    flags = pymupdf.TEXT_PRESERVE_WHITESPACE | pymupdf.TEXT_MEDIABOX_CLIP
    paragraphs = map(_paragraph, read_line_blocks(page, flags))
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def _paragraph(lines: list[PdfLine]) -> str:
    if len(lines) > 1:
        rows = _rows(lines)
        if sum(len(row) > 1 for row in rows) >= max(2, len(rows) // 2):
            return "\n".join(" | ".join(filter(None, map(_joined, row))) for row in rows)
        if all(line.typed for line in lines):
            return "\n".join(filter(None, (_joined(" ".join(row)) for row in rows)))
    return _joined("\n".join(line.text for line in lines))


def _rows(lines: list[PdfLine]) -> list[list[str]]:
    """The lines of a block as they stand beside each other: one with a gap before it, at the height
    of the one before, is the next cell of its row."""
    rows: list[list[str]] = []
    right = top = bottom = 0.0
    for line in lines:
        height = line.y1 - line.y0
        is_beside = bool(rows) and min(bottom, line.y1) - max(top, line.y0) > 0.6 * height
        if is_beside and line.x0 > right + GAP * height:
            rows[-1].append(line.text)
        elif is_beside and line.x0 >= right - 1:
            rows[-1][-1] += " " + line.text
        else:
            rows.append([line.text])
        right, top, bottom = line.x1, line.y0, line.y1
    return rows


_BROKEN_WORD = re.compile(r"(?<=[^\W\d_])[-\u2010\u00ad]\n(?=[^\W\d_])")
_BROKEN_NUMBER = re.compile(r"(?<=\w)([-\u2010/])\n(?=\w)")


def _joined(block: str) -> str:
    block = "\n".join(map(str.strip, block.replace("\r", "\n").split("\n")))
    block = _BROKEN_WORD.sub(lambda at: "" if block[at.end()].islower() else "-", block)
    block = _BROKEN_NUMBER.sub(r"\1", block)
    return " ".join(clean(block).split())
