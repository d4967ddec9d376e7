"""Workbooks (xlsx): every sheet, a line for each row, read as a stream and within bounds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time
from itertools import chain, islice
from typing import IO, Any

from indexer.extract.containers.archives import DAMAGED, open_zip
from indexer.extract.dates import unix_s
from indexer.extract.limits import MAX_CELLS, MAX_COLUMNS, MAX_ROWS
from indexer.extract.pages.blocks import Block, DocumentMetadata, Section, header_row, table_row
from indexer.types.characters import clean_line
from indexer.types.pieces import UnreadableError

LEFT_OUT = f"Only the first {MAX_ROWS:,} rows of this workbook were read."


def sections(file: IO[bytes], name: str, metadata: DocumentMetadata) -> Iterator[Section]:
    """One for each sheet, hidden ones too; values as they were last calculated."""
    from openpyxl import load_workbook

    open_zip(file).close()
    file.seek(0)
    try:
        book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
    except MemoryError:
        raise
    except Exception as problem:
        raise UnreadableError("corrupt", DAMAGED) from problem
    try:
        metadata.title = clean_line(book.properties.title)
        metadata.made_at = unix_s(book.properties.modified or book.properties.created)
        quota = _Quota(metadata)
        for sheet in book.worksheets:
            blocks = _rows(sheet, quota)
            first = list(islice(blocks, 2))
            title = clean_line(sheet.title) or "Sheet"
            named = [Block(title, "h2")] if first else []
            yield Section(chain(named, first, blocks), title, head=header_row(first))
    finally:
        book.close()


class _Quota:
    """How much of a workbook may still be read, over all its sheets."""

    def __init__(self, metadata: DocumentMetadata) -> None:
        self.rows, self.cells = MAX_ROWS, MAX_CELLS
        self.metadata = metadata


def _rows(sheet: Any, quota: _Quota) -> Iterator[Block]:
    sheet.reset_dimensions()  # the size that a sheet declares is not relied on
    try:
        for cells in sheet.iter_rows(values_only=True):
            quota.cells -= 1 + len(cells)
            if quota.cells < 0 or quota.rows <= 0:
                quota.metadata.add_note(LEFT_OUT)
                return
            if block := table_row(map(_display, cells[:MAX_COLUMNS])):
                quota.rows -= 1
                yield block
    except MemoryError:
        raise
    except Exception:
        quota.metadata.add_note(
            f"The sheet “{clean_line(sheet.title)}” is damaged and was not read to its end."
        )


def _display(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "TRUE" if value else "FALSE"
        case float():
            return f"{value:.10g}"
        case datetime():
            day = value.date().isoformat()
            return day if value.time() == time() else f"{day} {value:%H:%M}"
        case date():
            return value.isoformat()
        case _:
            return str(value)
