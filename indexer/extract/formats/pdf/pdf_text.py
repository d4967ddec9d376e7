"""The text of a page of a PDF: its lines with their boxes and sizes, joined to paragraphs and rows.

MuPDF writes the lines as JSON, which takes a sixth of the time of building Python objects for every
letter.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from indexer.extract.formats.pdf.columns import Cell, Columns, Row, find_columns, merge_cells
from indexer.extract.formats.pdf.hyphens import join_lines, join_paragraphs
from indexer.extract.pages.page_words import stext_page

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


def read_line_blocks(page: Any, *, clipped: bool = True) -> list[list[PdfLine]]:
    """The lines of each block of text of a pymupdf page; `clipped` without those that lie outside
    of what is shown of the page."""
    from indexer.extract.pages.mupdf import pymupdf

    mupdf = pymupdf.mupdf
    flags = pymupdf.TEXT_PRESERVE_WHITESPACE | (pymupdf.TEXT_MEDIABOX_CLIP if clipped else 0)
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


def text_of(blocks: list[list[PdfLine]]) -> str:
    """The words of the blocks of a page. The lines of a paragraph are joined, and words that are
    broken at the end of a line or a column; rows of a table and monospaced lines stay lines."""
    paragraphs = _paragraphs(_join_sideways(blocks))
    return "\n\n".join(filter(None, paragraphs))


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


def _paragraphs(blocks: list[list[PdfLine]]) -> Iterator[str]:
    """The paragraphs of these blocks, and the rows of those that are tables."""
    prose: list[str] = []
    every_row = list(map(_rows, blocks))
    number = 0
    while number < len(blocks):
        lines, rows = blocks[number], every_row[number]
        if len(rows) < len(lines):
            columns, taken = _columns(every_row, number)
            if columns is not None:
                prose += map(join_lines, columns.paragraphs())
                number += taken
                continue
        text, is_prose = _block_text(lines, rows)
        if is_prose:
            prose.append(text)
        else:
            yield from join_paragraphs(prose)
            prose = []
            yield text
        number += 1
    yield from join_paragraphs(prose)


def _columns(rows: list[list[Row]], number: int) -> tuple[Columns | None, int]:
    """The columns of prose that begin in a block, and how many blocks they are; `rows` are those of
    every block."""
    columns = find_columns(rows[number])
    if columns is None:
        return None, 0
    taken = 1
    while number + taken < len(rows) and columns.take(rows[number + taken]):
        taken += 1
    return (columns, taken) if columns.are_prose else (None, 0)


def _block_text(lines: list[PdfLine], rows: list[Row]) -> tuple[str, bool]:
    """The words of a block, and whether it is a paragraph."""
    if len(rows) < len(lines) and len(lines) > 1:  # something stands beside something else
        cells = list(map(merge_cells, rows))
        if sum(len(row) > 1 for row in cells) >= max(2, len(rows) // 2):
            return "\n".join(" | ".join(filter(None, map(_cell_text, row))) for row in cells), False
    if len(lines) > 1 and all(line.monospaced for line in lines):
        return "\n".join(filter(None, (join_lines(_row_text(row)) for row in rows))), False
    if len(rows) < len(lines) and len(lines) > 1:
        return join_lines("\n".join(map(_row_text, rows))), True
    return join_lines("\n".join(line.text for line in lines)), True


def _row_text(row: Row) -> str:
    return " ".join(cell.text for cell in row)


def _cell_text(cell: Cell) -> str:
    return join_lines(cell.text)


def _rows(lines: list[PdfLine]) -> list[Row]:
    """The rows of a block: a line beside the one before it, at its right, is in the same row."""
    rows: list[Row] = []
    right = top = bottom = 0.0
    for line in lines:
        height = line.y1 - line.y0
        is_beside = bool(rows) and min(bottom, line.y1) - max(top, line.y0) > 0.6 * height
        cell = Cell(line.text, line.x0, line.y0, line.x1, line.y1)
        if is_beside and line.x0 >= right - 1:
            rows[-1].append(cell)
        else:
            rows.append([cell])
        right, top, bottom = line.x1, line.y0, line.y1
    return rows
