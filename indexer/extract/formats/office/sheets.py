"""Workbooks (xlsx): every sheet, a line for each row, read as a stream and within bounds.

openpyxl knows the workbook, its styles and strings. Its rows hold every cell up to the last one, so
that a row coloured to its end costs 16,384; here only cells with something in them are kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import chain, islice
from typing import IO, Any

from lxml import etree

from indexer.extract.containers.archives import DAMAGED, open_zip
from indexer.extract.containers.xml import XmlStream
from indexer.extract.dates import unix_s
from indexer.extract.formats.embedded import embedded_files
from indexer.extract.formats.office.formulas import formula_text
from indexer.extract.formats.office.number_format import shown_number, shown_time
from indexer.extract.formats.office.sheet_drawings import (
    chart_sheets,
    comment_blocks,
    drawing_blocks,
)
from indexer.extract.limits import MAX_CELLS, MAX_COLUMNS, MAX_ROWS
from indexer.extract.pages.blocks import Block, DocumentMetadata, Section, header_row, table_row
from indexer.types.attachments import Attachment
from indexer.types.notes import NoteCode
from indexer.types.pieces import UnreadableError
from indexer.types.text.characters import clean_line

ROWS_LEFT_OUT = f"Only the first {MAX_ROWS:,} rows of this workbook were read."
CELLS_LEFT_OUT = f"Only the first {MAX_CELLS:,} cells of this workbook were read."
COLUMNS_LEFT_OUT = f"Of its longest rows, only the first {MAX_COLUMNS:,} columns were read."
# A date that a program shows as the settings of its machine say.
_SYSTEM_DATE = "mm-dd-yy"
_ASIDE_TAGS = tuple(
    f"{{*}}{name}"
    for name in (
        "dataValidation oddHeader oddFooter firstHeader firstFooter evenHeader evenFooter".split()
    )
)
# Codes of places, fonts and fields in a header: `&L`, `&"Arial,Bold"`, `&12`, `&P`.
_HEADER_CODE = re.compile(r'&(?:"[^"]*"|K[0-9A-F]{6}|\d+|.)')
MAX_TAG_BYTES = 1 << 16
_EMPTY_CELL = re.compile(rb"<(?:\w+:)?c\s(?=[^<>]*\br=)[^<>]*(?:/>|></(?:\w+:)?c>)")
_FILLED = etree.XPath("*[*]")
_HAS_UNNAMED = etree.XPath("boolean(*[not(@r)])")


def sections(
    file: IO[bytes], name: str, metadata: DocumentMetadata
) -> Iterator[Section | Attachment]:
    """One for each sheet, hidden ones too; values as they were last calculated, and the formula
    where there is none."""
    from openpyxl import load_workbook

    open_zip(file).close()
    file.seek(0)
    _trust_no_dimensions()
    try:
        book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
    except MemoryError:
        raise
    except Exception as problem:
        raise UnreadableError("corrupt", DAMAGED) from problem
    try:
        metadata.title = clean_line(book.properties.title)
        metadata.describe(book.properties.subject, book.properties.keywords)
        metadata.made_at = unix_s(book.properties.modified or book.properties.created)
        quota = _Quota(metadata)
        for sheet in book.worksheets:
            blocks = chain(
                _rows(sheet, quota),
                comment_blocks(sheet, metadata.notes),
                drawing_blocks(sheet, metadata.notes),
            )
            first = list(islice(blocks, 2))
            title = clean_line(sheet.title) or "Sheet"
            named = [Block(title, "h2")] if first else []
            yield Section(chain(named, first, blocks), title, head=header_row(first))
        yield from chart_sheets(book, metadata.notes)
    finally:
        book.close()
    yield from embedded_files(file, metadata)


def _trust_no_dimensions() -> None:
    """openpyxl looks for the size that a sheet declares; where there is none, it parses all of it.
    Sizes are not used here."""
    from openpyxl.reader import excel
    from openpyxl.worksheet._read_only import ReadOnlyWorksheet

    class Sheet(ReadOnlyWorksheet):  # type: ignore[misc]
        def _get_size(self) -> None:
            return

    if excel.ReadOnlyWorksheet is ReadOnlyWorksheet:
        excel.ReadOnlyWorksheet = Sheet


class _Quota:
    """How much of a workbook may still be read, over all its sheets."""

    def __init__(self, metadata: DocumentMetadata) -> None:
        self.rows, self.cells = MAX_ROWS, MAX_CELLS
        self.metadata = metadata


def _rows(sheet: Any, quota: _Quota) -> Iterator[Block]:
    asides: dict[str, None] = {}
    formats = _Formats(sheet.parent)
    try:
        with sheet._get_source() as source:
            for cells in _parse_rows(sheet, source, asides):
                quota.cells -= 1 + len(cells)
                if quota.cells < 0 or quota.rows <= 0:
                    if quota.rows <= 0:
                        quota.metadata.notes.add(NoteCode.ROWS_LEFT_OUT, ROWS_LEFT_OUT)
                    else:
                        quota.metadata.notes.add(NoteCode.CELLS_LEFT_OUT, CELLS_LEFT_OUT)
                    return
                columns = max((cell["column"] for cell in cells), default=0)
                if columns > MAX_COLUMNS:
                    quota.metadata.notes.add(NoteCode.CELLS_LEFT_OUT, COLUMNS_LEFT_OUT)
                texts = [""] * min(MAX_COLUMNS, columns)
                for cell in cells:
                    if 0 < cell["column"] <= len(texts):
                        texts[cell["column"] - 1] = formats.display(cell)
                if block := table_row(texts):
                    quota.rows -= 1
                    yield block
    except MemoryError:
        raise
    except Exception:
        quota.metadata.notes.add(
            NoteCode.SHEETS_DAMAGED,
            f"The sheet “{clean_line(sheet.title)}” is damaged and was not read to its end.",
        )
    yield from map(Block, asides)


def _parse_rows(
    sheet: Any, source: IO[bytes], asides: dict[str, None]
) -> Iterator[list[dict[str, Any]]]:
    """The cells of each row that hold something. What stands behind the rows goes into `asides`:
    headers, footers, and the choices and hints of cells."""
    from openpyxl.worksheet._reader import FORMULA_TAG, ROW_TAG, WorkSheetParser

    book = sheet.parent
    parser = WorkSheetParser(
        source, sheet._shared_strings, data_only=True, epoch=book.epoch,
        date_formats=book._date_formats, timedelta_formats=book._timedelta_formats,
    )  # fmt: skip
    stream = XmlStream(_WithoutEmptyCells(source), (ROW_TAG, *_ASIDE_TAGS), ("end",))
    for _, row in stream:
        if row.tag != ROW_TAG:
            asides.update(dict.fromkeys(_aside_texts(row)))
            continue
        if _HAS_UNNAMED(row):
            for column, element in enumerate(row, start=1):
                element.set("r", element.get("r") or f"{_letters(column)}1")
        cells: list[dict[str, Any]] = []
        for element in _FILLED(row):
            cell: dict[str, Any] = parser.parse_cell(element)
            if cell["value"] is None and element.find(FORMULA_TAG) is not None:
                formula = parser.parse_formula(element)
                cell["value"] = formula_text(getattr(formula, "text", formula))
            if cell["value"] is not None:
                cells.append(cell)
        yield cells
        row.clear()
        while row.getprevious() is not None:
            del row.getparent()[0]
    if stream.is_damaged:
        raise ValueError("the XML of the sheet is damaged")


def _aside_texts(element: Any) -> Iterator[str]:
    """The words of a header or footer, or of the choices and hints of a cell."""
    if element.tag.endswith("dataValidation"):
        choices = element.findtext("{*}formula1") or ""
        hints = [element.get(name) or "" for name in ("promptTitle", "prompt")]
        texts = [choices.strip('"') if choices.startswith('"') else "", *hints]
    else:
        texts = [_HEADER_CODE.sub(" ", element.text or "")]
    yield from filter(None, map(clean_line, texts))


class _WithoutEmptyCells:
    """The XML of a sheet without the cells that have a name and a format and nothing in them, which
    are millions in a sheet with coloured rows."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        """The next bytes, up to a whole element; `size` is not kept to. Empty at the end."""
        while data := self._source.read(1 << 18):
            data = self._rest + data
            end = data.rfind(b"<")
            end = len(data) if end < 0 or len(data) - end > MAX_TAG_BYTES else end
            self._rest = data[end:]
            if kept := _EMPTY_CELL.sub(b"", data[:end]):
                return kept
        data, self._rest = self._rest, b""
        return data


def _letters(column: int) -> str:
    from openpyxl.utils import get_column_letter

    return str(get_column_letter(min(column, 16_384)))


class _Formats:
    """The number formats of a workbook, by the style of a cell."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._codes: dict[int, str] = {}

    def display(self, cell: dict[str, Any]) -> str:
        """The value as it is shown, with the exact one in brackets where that is another."""
        value = cell["value"]
        if isinstance(value, str):
            return value
        style = cell["style_id"]
        if (code := self._codes.get(style)) is None:
            code = self._codes[style] = self._code(style)
        return _display(value, code)

    def _code(self, style: int) -> str:
        from openpyxl.styles.numbers import BUILTIN_FORMATS, BUILTIN_FORMATS_MAX_SIZE

        try:
            number = self._book._cell_styles[style].numFmtId
            if number < BUILTIN_FORMATS_MAX_SIZE:
                return str(BUILTIN_FORMATS.get(number, "General"))
            return str(self._book._number_formats[number - BUILTIN_FORMATS_MAX_SIZE])
        except IndexError:
            return "General"


def _display(value: Any, code: str) -> str:
    match value:
        case bool():
            return "TRUE" if value else "FALSE"
        case int() | float():
            exact = _exact(value)
            return _beside(shown_number(value, code) or _general(value, exact), exact)
        case datetime():
            day = value.date().isoformat()
            exact = day if value.time() == time() else f"{day} {value:%H:%M}"
        case date() | time() | timedelta():
            exact = str(value)
        case _:
            return str(value)
    shown = None if code == _SYSTEM_DATE else shown_time(value, code)
    if shown is None or (shown.startswith(exact) and not shown[len(exact) :].strip(" :0")):
        return exact
    return _beside(shown, exact)


def _exact(number: int | float) -> str:
    """The shortest text that is this number and no other, where possible without an exponent."""
    is_readable = not number or 1e-30 < abs(number) < 1e60
    text = f"{Decimal(repr(number)):f}" if is_readable else repr(number)
    return text.rstrip("0").rstrip(".") if "." in text else text


def _general(number: int | float, exact: str) -> str:
    """A number without a format: the exact one, in scientific notation where it is very small or
    large, and to the 15 digits that are shown of what a calculation left behind."""
    if isinstance(number, int):
        return exact
    if number and not 1e-4 <= abs(number) < 1e20:
        mantissa, _, exponent = f"{number:.14E}".partition("E")
        return f"{mantissa.rstrip('0').rstrip('.')}E{exponent}"
    return _exact(float(f"{number:.15g}"))


def _beside(shown: str, exact: str) -> str:
    return shown if exact in shown.split() else f"{shown} ({exact})"
