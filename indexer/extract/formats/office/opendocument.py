"""OpenDocument texts, sheets, presentations and drawings (odt, ods, odp, odg).

Read with lxml straight from `content.xml`: the format is small, and sheets have to be read as a
stream, since one cell may say that it stands for a million.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import IO, Any

from indexer.extract.containers.archives import DAMAGED, open_zip, read_first
from indexer.extract.containers.xml import XmlStream, parse_damaged_xml, parse_xml
from indexer.extract.dates import parse_iso_s
from indexer.extract.formats.embedded import embedded_files
from indexer.extract.formats.office.legacy import LOCKED
from indexer.extract.formats.office.opendocument_blocks import (
    DRAW,
    NAMESPACE,
    OFFICE,
    PAGE_BREAK,
    TABLE,
    read_blocks,
)
from indexer.extract.formats.office.opendocument_objects import (
    OBJECT,
    object_blocks,
    object_reference,
    object_references,
)
from indexer.extract.formats.office.sheets import CELLS_LEFT_OUT, COLUMNS_LEFT_OUT, ROWS_LEFT_OUT
from indexer.extract.formats.office.slides import PAGE_CAPACITY
from indexer.extract.limits import MAX_CELLS, MAX_COLUMNS, MAX_ROWS
from indexer.extract.pages.blocks import (
    Block,
    DocumentMetadata,
    Section,
    header_row,
    table_row,
)
from indexer.types.attachments import Attachment
from indexer.types.notes import NoteCode
from indexer.types.pieces import UnreadableError
from indexer.types.text.characters import clean_line

PRESENTATION, META, STYLE = (NAMESPACE % name for name in ("presentation", "meta", "style"))
DC = "{http://purl.org/dc/elements/1.1/}"

DAMAGED_WORDS = (
    "It is damaged, and some of its words were not read; open it in its own program and save it "
    "anew."
)


def sections(
    file: IO[bytes], name: str, metadata: DocumentMetadata
) -> Iterator[Section | Attachment]:
    """One for a text, one for each sheet or slide."""
    with open_zip(file) as archive:
        if b"encryption-data" in (read_first(archive, "META-INF/manifest.xml") or b""):
            raise UnreadableError("encrypted", LOCKED)
        _properties(read_first(archive, "meta.xml"), metadata)
        kind = (read_first(archive, "mimetype") or b"").rpartition(b".")[2]
        if kind.startswith(b"spreadsheet") or name.lower().endswith((".ods", ".ots")):
            yield from _sheets(archive, metadata)
            yield from embedded_files(file, metadata)
            return
        root, is_damaged = parse_damaged_xml(read_first(archive, "content.xml") or b"")
        body = root.find(f"{OFFICE}body") if root is not None else None
        if root is None:
            raise UnreadableError("corrupt", DAMAGED)
        if is_damaged:
            metadata.notes.add(NoteCode.PARTS_DAMAGED, DAMAGED_WORDS)
        if body is None:  # a template of styles alone
            return
        pages = list(body.iter(f"{DRAW}page"))
        if pages:
            yield from _slides(archive, pages, metadata)
        else:
            yield _text(archive, body, metadata)
        yield from embedded_files(file, metadata)


def _properties(content: bytes | None, metadata: DocumentMetadata) -> None:
    root = parse_xml(content or b"")
    if root is None:
        return
    metadata.title = clean_line(root.findtext(f".//{DC}title"))
    keywords = filter(None, (keyword.text for keyword in root.iter(f"{META}keyword")))
    metadata.describe(root.findtext(f".//{DC}subject"), ", ".join(keywords))
    written = root.findtext(f".//{DC}date") or root.findtext(f".//{META}creation-date")
    metadata.made_at = parse_iso_s(written)


def _text(archive: zipfile.ZipFile, body: Any, metadata: DocumentMetadata) -> Section:
    has_page_breaks = next(body.iter(PAGE_BREAK), None) is not None
    asides: list[Any] = []

    def blocks() -> Iterator[Block]:
        for block in read_blocks(body, asides):
            if not metadata.title and block.tag == "h1":
                metadata.title = block.text
            yield block
        yield from object_blocks(archive, object_references(body), metadata.notes)
        yield from _titled("Notes and comments", asides)
        styles = parse_xml(read_first(archive, "styles.xml") or b"")
        if styles is not None:
            running = styles.iter(f"{STYLE}header", f"{STYLE}footer")
            yield from _titled("Headers and footers", running)

    return Section(list(blocks()), capacity=3.0 if has_page_breaks else 1.0)


def _titled(title: str, parts: Iterable[Any]) -> Iterator[Block]:
    """The texts of these elements under a title, each once."""
    distinct = {block.text: block for part in parts for block in read_blocks(part, [])}
    if distinct:
        yield Block(title, "h4")
        yield from distinct.values()


def _slides(
    archive: zipfile.ZipFile, pages: list[Any], metadata: DocumentMetadata
) -> Iterator[Section]:
    for number, page in enumerate(pages, start=1):
        asides: list[Any] = []
        blocks: list[Block] = []
        for shape in page:
            if shape.tag == f"{PRESENTATION}notes":
                notes = [Block(block.text, "quote") for block in read_blocks(shape, [])]
                blocks += [Block("Notes", "h4"), *notes] if notes else []
                continue
            shape_blocks = list(read_blocks(shape, asides))
            if shape.get(f"{PRESENTATION}class") == "title" and shape_blocks:
                shape_blocks[0] = Block(shape_blocks[0].text, "h1")
                metadata.title = metadata.title or shape_blocks[0].text
            blocks += shape_blocks
        blocks += object_blocks(archive, object_references(page), metadata.notes)
        blocks += [block for aside in asides for block in read_blocks(aside, [])]
        label = f"Slide {number}"
        yield Section(blocks or [Block(label, "h2")], label, PAGE_CAPACITY)


def _sheets(archive: zipfile.ZipFile, metadata: DocumentMetadata) -> Iterator[Section]:
    try:
        content = archive.open("content.xml")
    except KeyError as problem:
        raise UnreadableError("corrupt", DAMAGED) from problem
    with content:
        tags = (f"{TABLE}table", f"{TABLE}table-row", f"{TABLE}shapes", OBJECT)
        events = XmlStream(content, tags, ("start", "end"))
        quota = [MAX_ROWS, MAX_CELLS]
        for event, element in events:
            if event == "start" and element.tag == f"{TABLE}table":
                title = clean_line(element.get(f"{TABLE}name")) or "Sheet"
                objects: list[str] = []
                blocks = chain(
                    _rows(events, element, quota, metadata, objects),
                    object_blocks(archive, objects, metadata.notes),
                )
                first = list(islice(blocks, 2))
                named = [Block(title, "h2")] if first else []
                yield Section(chain(named, first, blocks), title, head=header_row(first))
                for _ in blocks:  # the rest of the sheet, where its section was not read to the end
                    pass
        if events.is_damaged:
            metadata.notes.add(NoteCode.SHEETS_DAMAGED, DAMAGED_WORDS)


def _rows(
    events: Iterator[Any],
    table: Any,
    quota: list[int],
    metadata: DocumentMetadata,
    objects: list[str],
) -> Iterator[Block]:
    """The rows of a table, and the words of what lies on it; the objects on it are collected in
    `objects`."""
    shapes: list[Block] = []
    for event, element in events:
        if event == "end" and element is table:
            yield from shapes
            return
        if event == "end" and element.tag == OBJECT:
            objects.append(object_reference(element))
        if event == "end" and element.tag == f"{TABLE}shapes":
            shapes += read_blocks(element, [])
        if event != "end" or element.tag != f"{TABLE}table-row":
            continue
        cells = _cells(element, metadata)
        repeated = min(_count(element, "number-rows-repeated"), 100) if cells else 0
        element.clear()
        while (before := element.getprevious()) is not None:
            element.getparent().remove(before)
        block = table_row(cells)
        for _ in range(repeated if block else 0):
            quota[0] -= 1
            quota[1] -= len(cells)
            if quota[0] < 0:
                metadata.notes.add(NoteCode.ROWS_LEFT_OUT, ROWS_LEFT_OUT)
            elif quota[1] < 0:
                metadata.notes.add(NoteCode.CELLS_LEFT_OUT, CELLS_LEFT_OUT)
            elif block:
                yield block


def _cells(line: Any, metadata: DocumentMetadata) -> list[str]:
    """The texts of a row; a repeated cell comes as often as it is repeated."""
    cells: list[str] = []
    for cell in line:
        if cell.tag not in (f"{TABLE}table-cell", f"{TABLE}covered-table-cell"):
            continue
        text = " ".join(block.text for block in read_blocks(cell, []))
        repeated = _count(cell, "number-columns-repeated")
        if text and len(cells) + repeated > MAX_COLUMNS:
            metadata.notes.add(NoteCode.CELLS_LEFT_OUT, COLUMNS_LEFT_OUT)
        cells += [text] * min(repeated, MAX_COLUMNS - len(cells))
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _count(element: Any, name: str) -> int:
    written = element.get(f"{TABLE}{name}") or "1"
    return int(written) if written.isdecimal() and len(written) < 9 else 1
