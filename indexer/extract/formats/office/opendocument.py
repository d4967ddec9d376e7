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
from indexer.extract.containers.xml import parse_xml, stream_xml
from indexer.extract.dates import parse_iso_s
from indexer.extract.formats.embedded import embedded_files
from indexer.extract.formats.office.legacy import LOCKED
from indexer.extract.formats.office.sheets import CELLS_LEFT_OUT, COLUMNS_LEFT_OUT, ROWS_LEFT_OUT
from indexer.extract.formats.office.slides import PAGE_CAPACITY
from indexer.extract.limits import MAX_CELLS, MAX_COLUMNS, MAX_ROWS
from indexer.extract.pages.blocks import (
    Block,
    DocumentMetadata,
    Section,
    Tag,
    header_row,
    table_row,
)
from indexer.types.attachments import Attachment
from indexer.types.notes import NoteCode
from indexer.types.pieces import UnreadableError
from indexer.types.text.characters import clean_line

_NS = "{urn:oasis:names:tc:opendocument:xmlns:%s:1.0}"
TEXT, TABLE, OFFICE, DRAW = (_NS % name for name in ("text", "table", "office", "drawing"))
PRESENTATION, META, STYLE = (_NS % name for name in ("presentation", "meta", "style"))
DC = "{http://purl.org/dc/elements/1.1/}"

# Elements without words of the document, and those whose words follow after the text.
_SKIPPED = frozenset(
    [f"{TEXT}tracked-changes", f"{OFFICE}forms", f"{TEXT}sequence-decls", f"{TEXT}ruby-text"]
)
_ASIDE = frozenset([f"{TEXT}note", f"{OFFICE}annotation"])
_PAGE_BREAK = f"{TEXT}soft-page-break"
# What is said of a picture or a drawing, for those who do not see it.
_DESCRIPTIONS = frozenset(f"{_NS % 'svg-compatible'}{name}" for name in ("title", "desc"))


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
        root = parse_xml(read_first(archive, "content.xml") or b"")
        body = root.find(f"{OFFICE}body") if root is not None else None
        if root is None:
            raise UnreadableError("corrupt", DAMAGED)
        if body is None:  # a template of styles alone
            return
        pages = list(body.iter(f"{DRAW}page"))
        if pages:
            yield from _slides(pages, metadata)
        else:
            yield _text(archive, body, metadata)
        yield from embedded_files(file, metadata)


def _properties(content: bytes | None, metadata: DocumentMetadata) -> None:
    root = parse_xml(content or b"")
    if root is None:
        return
    metadata.title = clean_line(root.findtext(f".//{DC}title"))
    written = root.findtext(f".//{DC}date") or root.findtext(f".//{META}creation-date")
    metadata.made_at = parse_iso_s(written)


def _text(archive: zipfile.ZipFile, body: Any, metadata: DocumentMetadata) -> Section:
    has_page_breaks = next(body.iter(_PAGE_BREAK), None) is not None
    asides: list[Any] = []

    def blocks() -> Iterator[Block]:
        for block in _blocks(body, asides):
            if not metadata.title and block.tag == "h1":
                metadata.title = block.text
            yield block
        yield from _titled("Notes and comments", asides)
        styles = parse_xml(read_first(archive, "styles.xml") or b"")
        if styles is not None:
            running = styles.iter(f"{STYLE}header", f"{STYLE}footer")
            yield from _titled("Headers and footers", running)

    return Section(list(blocks()), capacity=3.0 if has_page_breaks else 1.0)


def _titled(title: str, parts: Iterable[Any]) -> Iterator[Block]:
    """The texts of these elements under a title, each once."""
    distinct = {block.text: block for part in parts for block in _blocks(part, [])}
    if distinct:
        yield Block(title, "h4")
        yield from distinct.values()


def _blocks(parent: Any, asides: list[Any]) -> Iterator[Block]:
    """Paragraphs, items and rows below an element, in order; notes and comments are collected in
    `asides`. No recursion, since elements may nest to any depth."""
    waiting = [iter(parent)]
    lists = 0
    while waiting:
        child = next(waiting[-1], None)
        if child is None:
            waiting.pop()
            continue
        tag = child.tag
        if tag in _ASIDE:
            asides.append(child)
        elif tag == _PAGE_BREAK:
            yield Block("", "break")
        elif tag in (f"{TEXT}p", f"{TEXT}h"):
            lists = next((1 for _ in child.iterancestors(f"{TEXT}list-item")), 0)
            yield from _paragraph(child, _tag(child, bool(lists)), asides)
        elif tag in _DESCRIPTIONS:
            if text := clean_line(child.text):
                yield Block(text)
        elif tag == f"{TABLE}table":
            yield from _table(child, asides)
        elif tag not in _SKIPPED and isinstance(tag, str):
            waiting.append(iter(child))


def _tag(paragraph: Any, in_list: bool) -> Tag:
    if paragraph.tag == f"{TEXT}h":
        levels: tuple[Tag, ...] = ("h1", "h2", "h3", "h4")
        level = paragraph.get(f"{TEXT}outline-level") or "1"
        return levels[min(int(level), 4) - 1] if level.isdecimal() and level != "0" else "h4"
    return "li" if in_list else "p"


def _paragraph(paragraph: Any, tag: Tag, asides: list[Any]) -> Iterator[Block]:
    boxes: list[Any] = []
    texts: list[str] = []
    for piece in _pieces(paragraph, asides, boxes):
        if piece is None:
            if text := _lines(texts):
                yield Block(text, tag)
            texts = []
            yield Block("", "break")
        else:
            texts.append(piece)
    if text := _lines(texts):
        yield Block(text, tag)
    for box in boxes:
        yield from _blocks(box, asides)


def _lines(pieces: list[str]) -> str:
    return "\n".join(filter(None, map(clean_line, "".join(pieces).split("\n"))))


def _pieces(root: Any, asides: list[Any], boxes: list[Any]) -> Iterator[str | None]:
    """The texts of a paragraph, None where a page ends; text boxes are collected in `boxes`."""
    yield root.text or ""
    waiting = [(iter(root), "")]
    while waiting:
        children, tail = waiting[-1]
        child = next(children, None)
        if child is None:
            waiting.pop()
            yield tail
            continue
        after = child.tail or ""
        if child.tag in _ASIDE:
            asides.append(child)
        elif child.tag == f"{DRAW}text-box":
            boxes.append(child)
        elif child.tag == _PAGE_BREAK:
            yield None
        elif child.tag == f"{TEXT}s":
            yield " "
        elif child.tag in _DESCRIPTIONS:
            yield f" {child.text or ''} "
        elif child.tag in (f"{TEXT}tab", f"{TEXT}line-break"):
            yield " " if child.tag.endswith("tab") else "\n"
        elif child.tag not in _SKIPPED and isinstance(child.tag, str):
            yield child.text or ""
            waiting.append((iter(child), after))
            continue
        yield after


def _table(table: Any, asides: list[Any]) -> Iterator[Block]:
    for line in table.iter(f"{TABLE}table-row"):
        if next(line.iterancestors(f"{TABLE}table"), None) is table and (
            block := table_row(" ".join(b.text for b in _blocks(cell, asides)) for cell in line)
        ):
            yield block


def _slides(pages: list[Any], metadata: DocumentMetadata) -> Iterator[Section]:
    for number, page in enumerate(pages, start=1):
        asides: list[Any] = []
        blocks: list[Block] = []
        for shape in page:
            if shape.tag == f"{PRESENTATION}notes":
                notes = [Block(block.text, "quote") for block in _blocks(shape, [])]
                blocks += [Block("Notes", "h4"), *notes] if notes else []
                continue
            shape_blocks = list(_blocks(shape, asides))
            if shape.get(f"{PRESENTATION}class") == "title" and shape_blocks:
                shape_blocks[0] = Block(shape_blocks[0].text, "h1")
                metadata.title = metadata.title or shape_blocks[0].text
            blocks += shape_blocks
        blocks += [block for aside in asides for block in _blocks(aside, [])]
        label = f"Slide {number}"
        yield Section(blocks or [Block(label, "h2")], label, PAGE_CAPACITY)


def _sheets(archive: zipfile.ZipFile, metadata: DocumentMetadata) -> Iterator[Section]:
    try:
        content = archive.open("content.xml")
    except KeyError as problem:
        raise UnreadableError("corrupt", DAMAGED) from problem
    with content:
        tags = (f"{TABLE}table", f"{TABLE}table-row")
        events = stream_xml(content, tags, ("start", "end"))
        quota = [MAX_ROWS, MAX_CELLS]
        for event, element in events:
            if event == "start" and element.tag == f"{TABLE}table":
                title = clean_line(element.get(f"{TABLE}name")) or "Sheet"
                blocks = _rows(events, element, quota, metadata)
                first = list(islice(blocks, 2))
                named = [Block(title, "h2")] if first else []
                yield Section(chain(named, first, blocks), title, head=header_row(first))
                for _ in blocks:  # the rest of the sheet, where its section was not read to the end
                    pass


def _rows(
    events: Iterator[Any], table: Any, quota: list[int], metadata: DocumentMetadata
) -> Iterator[Block]:
    for event, element in events:
        if event == "end" and element is table:
            return
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
        text = " ".join(block.text for block in _blocks(cell, []))
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
