"""The text of a page of a PDF: its lines with their boxes and sizes, joined to paragraphs and rows.

MuPDF writes the lines as JSON, which takes a sixth of the time of building Python objects for every
letter.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Literal

from indexer.extract.pages.page_words import stext_page
from indexer.types.characters import clean

# Words on one line with a gap of so many line heights between them are in two columns of a table.
COLUMN_GAP = 0.8
_SCALE = 100.0  # boxes are written in whole numbers: here of 1/100 point

Direction = Literal["right", "up", "down"]


@dataclass(frozen=True, slots=True)
class PdfLine:
    """One line; its box in points from the upper left of the page. `monospaced` and `size_pt` are
    the font's of its first letter, `direction` is where it runs as the page is seen."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    monospaced: bool
    size_pt: float
    direction: Direction = "right"

    def turned(self) -> PdfLine:
        """The line with the box it has when the page is turned so that it runs to the right."""
        match self.direction:
            case "right":
                return self
            case "up":
                box = -self.y1, self.x0, -self.y0, self.x1
            case "down":
                box = self.y0, -self.x1, self.y1, -self.x0
        return PdfLine(self.text, *box, self.monospaced, self.size_pt)


def read_line_blocks(page: Any, flags: int) -> list[list[PdfLine]]:
    """The lines of each block of text of a pymupdf page; `flags` are MuPDF's for a text page."""
    from indexer.extract.pages.mupdf import pymupdf

    mupdf = pymupdf.mupdf
    buffer = mupdf.FzBuffer(1 << 12)
    output = mupdf.FzOutput(buffer)
    mupdf.fz_print_stext_page_as_json(output, stext_page(page, flags), _SCALE)
    output.fz_close_output()
    page_json = json.loads(mupdf.fz_buffer_extract_copy(buffer))
    return [
        [_line(line) for line in block["lines"]]
        for block in page_json["blocks"]
        if block["type"] == "text"
    ]


def _line(line: dict[str, Any]) -> PdfLine:
    box, font = line["bbox"], line["font"]
    x0, y0 = box["x"] / _SCALE, box["y"] / _SCALE
    x1, y1 = x0 + box["w"] / _SCALE, y0 + box["h"] / _SCALE
    is_monospaced, size_pt = font["family"] == "monospace", font["size"] / _SCALE
    direction: Direction = "right"
    if box["h"] > box["w"]:  # up or down, where the base line begins at an end of the box
        base_y, near = line["y"] / _SCALE, 0.05 * size_pt
        direction = "up" if abs(base_y - y1) < near else direction
        direction = "down" if abs(base_y - y0) < near else direction
    return PdfLine(line["text"], x0, y0, x1, y1, is_monospaced, size_pt, direction)


def page_text(page: Any) -> str:
    """The words of a page. The lines of a paragraph are joined, and words that are hyphenated at
    the end of a line; rows of a table and monospaced lines stay lines."""
    from indexer.extract.pages.mupdf import pymupdf

    flags = pymupdf.TEXT_PRESERVE_WHITESPACE | pymupdf.TEXT_MEDIABOX_CLIP
    paragraphs = map(_paragraph, _join_sideways(read_line_blocks(page, flags)))
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def _join_sideways(blocks: list[list[PdfLine]]) -> list[list[PdfLine]]:
    """The blocks, each turned so that it runs to the right. MuPDF gives each line of a paragraph
    that runs up or down as a block of its own: those are joined."""
    joined: list[list[PdfLine]] = []
    last: Direction = "right"
    for block in filter(None, blocks):
        direction = block[0].direction
        lines = [line.turned() for line in block]
        if direction != "right" and direction == last and _is_next_line(joined[-1][-1], lines[0]):
            joined[-1] += lines
        else:
            joined.append(lines)
        last = direction
    return joined


def _is_next_line(line: PdfLine, below: PdfLine) -> bool:
    """Whether two lines that run to the right are lines of one paragraph."""
    height = line.y1 - line.y0
    is_beneath = -0.5 * height < below.y0 - line.y1 < 0.8 * height
    return is_beneath and below.x0 < line.x1 and line.x0 < below.x1


def _paragraph(lines: list[PdfLine]) -> str:
    if len(lines) > 1:
        rows = _rows(lines)
        if sum(len(row) > 1 for row in rows) >= max(2, len(rows) // 2):
            return "\n".join(" | ".join(filter(None, map(_joined, row))) for row in rows)
        if all(line.monospaced for line in lines):
            return "\n".join(filter(None, (_joined(" ".join(row)) for row in rows)))
    return _joined("\n".join(line.text for line in lines))


def _rows(lines: list[PdfLine]) -> list[list[str]]:
    """The cells of each row of a block: a line at the height of the line before it, with a gap
    between, is the next cell."""
    rows: list[list[str]] = []
    right = top = bottom = 0.0
    for line in lines:
        height = line.y1 - line.y0
        is_beside = bool(rows) and min(bottom, line.y1) - max(top, line.y0) > 0.6 * height
        if is_beside and line.x0 > right + COLUMN_GAP * height:
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
    block = _BROKEN_WORD.sub(lambda match: "" if block[match.end()].islower() else "-", block)
    block = _BROKEN_NUMBER.sub(r"\1", block)
    return " ".join(clean(block).split())
