"""Columns of prose in a PDF that was written row by row: read column by column, not as a table."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

MAX_COLUMNS = 4
MIN_LINES = 3
MIN_MEAN_CHARS = 15
# Of the characters of a column, those that are letters; of its lines, those that are nearly as long
# as the longest, and those that go on within a sentence.
MIN_LETTERS, MIN_FULL, MIN_CONTINUING = 0.6, 0.6, 0.3
FULL_WIDTH = 0.75
# A line that lies so many usual distances below the one before begins a paragraph.
PARAGRAPH_GAP = 1.5
# Words on one line with a gap of so many line heights between them are in two columns.
COLUMN_GAP = 0.8


class Cell(NamedTuple):
    """A piece of a line; its box in points."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float


Row = list[Cell]


def merge_cells(row: Row) -> Row:
    """The pieces of a row that stand near each other as one cell."""
    cells: Row = []
    for cell in row:
        if cells and cell.x0 <= cells[-1].x1 + COLUMN_GAP * (cell.y1 - cell.y0):
            last = cells[-1]
            cells[-1] = Cell(f"{last.text} {cell.text}", last.x0, last.y0, cell.x1, cell.y1)
        else:
            cells.append(cell)
    return cells


class Columns:
    """What may be columns of prose: where each begins in points, and its lines."""

    def __init__(self, starts: list[float]) -> None:
        self._bounds = [*pairwise(starts), (starts[-1], float("inf"))]
        self._lines: list[list[Cell]] = [[] for _ in starts]

    def take(self, rows: Sequence[Row]) -> bool:
        """Adds the rows of a block, if all of it lies within these columns; else False."""
        placed: list[tuple[int, Cell]] = []
        for row in rows:
            for cell in row:
                if (number := self._column(cell)) is None:
                    return False
                placed.append((number, cell))
        for number, cell in placed:
            lines = self._lines[number]
            if lines and abs(lines[-1].y0 - cell.y0) < (cell.y1 - cell.y0) / 2:
                last = lines[-1]
                lines[-1] = Cell(f"{last.text} {cell.text}", last.x0, last.y0, cell.x1, cell.y1)
            else:
                lines.append(cell)
        return True

    def _column(self, cell: Cell) -> int | None:
        for number, (start, end) in enumerate(self._bounds):
            if start - 1 <= cell.x0 < end and cell.x1 <= end + 1:
                return number
        return None

    @property
    def are_prose(self) -> bool:
        return all(map(_is_prose, self._lines))

    def paragraphs(self) -> list[str]:
        """The paragraphs of the first column, then those of the next; lines end with `\\n`."""
        return [paragraph for lines in self._lines for paragraph in _paragraphs(lines)]


def find_columns(rows: Sequence[Row]) -> Columns | None:
    """The columns that the rows of a block may be the beginning of; None where all is in one."""
    merged = list(map(merge_cells, rows))
    count = max(map(len, merged))
    if not 2 <= count <= MAX_COLUMNS:
        return None
    fullest = [row for row in merged if len(row) == count]
    columns = Columns([min(row[number].x0 for row in fullest) for number in range(count)])
    return columns if columns.take(rows) else None


def _is_prose(lines: Sequence[Cell]) -> bool:
    if len(lines) < MIN_LINES:
        return False
    chars = "".join(cell.text for cell in lines)
    if len(chars) < MIN_MEAN_CHARS * len(lines):
        return False
    if sum(char.isalpha() or char.isspace() for char in chars) < MIN_LETTERS * len(chars):
        return False
    widths = [cell.x1 - cell.x0 for cell in lines]
    if sum(width > FULL_WIDTH * max(widths) for width in widths) < MIN_FULL * len(lines):
        return False
    continuing = sum(_goes_on(line.text, below.text) for line, below in pairwise(lines))
    return continuing >= MIN_CONTINUING * (len(lines) - 1)


def _goes_on(line: str, below: str) -> bool:
    """Whether a sentence goes on on the next line, as far as letters tell."""
    first = below.lstrip()[:1]
    if first.upper() == first.lower() and first.isalpha():  # of a script without capitals
        return line.rstrip()[-1:].isalpha()
    return first.islower()


def _paragraphs(lines: Sequence[Cell]) -> list[str]:
    distances = [below.y0 - line.y0 for line, below in pairwise(lines)]
    usual = median(distances)
    paragraphs = [lines[0].text]
    for distance, line in zip(distances, lines[1:], strict=True):
        if distance > PARAGRAPH_GAP * usual:
            paragraphs.append(line.text)
        else:
            paragraphs[-1] += f"\n{line.text}"
    return paragraphs
