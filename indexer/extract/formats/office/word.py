"""Word documents (docx): the body in order, then notes, comments, headers and footers.

python-docx opens the package and knows its parts. The words are read from the XML itself, because
its paragraphs leave out tracked insertions, text boxes and content controls.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import IO, Any

from indexer.extract.containers.archives import DAMAGED, open_zip
from indexer.extract.containers.encodings import decode_declared
from indexer.extract.dates import unix_s
from indexer.extract.formats.office.drawings import drawing_blocks
from indexer.extract.formats.texts.rich_text import rtf_blocks
from indexer.extract.formats.texts.web import decode_html, html_blocks
from indexer.extract.pages.blocks import Block, DocumentMetadata, Section, Tag, table_row
from indexer.types.characters import clean_line
from indexer.types.pieces import UnreadableError

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_STRICT = b"http://purl.oclc.org/ooxml/"
_MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml"
_MACRO = "application/vnd.ms-word.{}.macroEnabled{}.main+xml"

# Elements without words of the document: deletions, codes of fields, fallback versions.
_SKIPPED = frozenset(
    {f"{W}{name}" for name in "del moveFrom instrText delText rPr pPr tblPr sectPr rt".split()}
    | {f"{MC}Fallback"}
)
_TEXTS = frozenset({f"{W}t", "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"})
_CHOICES = frozenset({f"{W}listEntry", f"{W}listItem"})
_PICTURE = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}docPr"
_SIGNS = {f"{W}tab": " ", f"{W}br": "\n", f"{W}cr": "\n", f"{W}noBreakHyphen": "-"}


def sections(file: IO[bytes], name: str, metadata: DocumentMetadata) -> Iterator[Section]:
    """One, with the page breaks that Word saved when it last laid the document out, where it
    did."""
    open_zip(file).close()
    document = _open_document(file)
    _properties(document.core_properties, metadata)
    body, headings = document.element.body, _headings(document)
    has_page_breaks = next(body.iter(f"{W}lastRenderedPageBreak"), None) is not None
    reader = _BlockReader(headings, f"{W}lastRenderedPageBreak" if has_page_breaks else f"{W}br")
    blocks = _title_from(reader.blocks(body), metadata)
    yield Section(
        chain(blocks, _supplements(document, headings)), capacity=3.0 if has_page_breaks else 1.0
    )


def _open_document(file: IO[bytes]) -> Any:
    from docx.opc.part import PartFactory
    from docx.package import Package
    from docx.parts.document import DocumentPart

    for kind in (_MAIN, _MACRO.format("document", ""), _MACRO.format("template", "Template")):
        PartFactory.part_type_for[kind] = (
            DocumentPart  # templates, and documents with macros, which never run
        )
    file.seek(0)
    try:
        part = Package.open(file).main_document_part
        return part.document
    except MemoryError:
        raise
    except Exception as problem:
        file.seek(0)
        if _STRICT in _content(file, "_rels/.rels"):
            raise UnreadableError(
                "unsupported",
                "This is saved as Strict Open XML; save it as an ordinary Word document.",
            ) from problem
        raise UnreadableError("corrupt", DAMAGED) from problem


def _content(file: IO[bytes], member: str) -> bytes:
    try:
        with open_zip(file) as archive:
            return archive.read(member)
    except (KeyError, UnreadableError):
        return b""


def _properties(properties: Any, metadata: DocumentMetadata) -> None:
    try:
        metadata.title = clean_line(properties.title)
        metadata.made_at = unix_s(properties.modified or properties.created)
    except (ValueError, KeyError, AttributeError):
        return


def _title_from(blocks: Iterator[Block], metadata: DocumentMetadata) -> Iterator[Block]:
    """The blocks; the first heading is the title of what has none."""
    for block in blocks:
        if not metadata.title and block.tag == "h1":
            metadata.title = block.text
        yield block


def _headings(document: Any) -> dict[str, Tag]:
    """The ids of styles that are headings, with their level."""
    tags: dict[str, Tag] = {}
    for style in document.styles.element.iterfind(f"{W}style"):
        named = style.find(f"{W}name")
        style_id = style.get(f"{W}styleId") or ""
        name = (named.get(f"{W}val") or "").lower() if named is not None else ""
        level = re.fullmatch(r"heading (\d)", name)
        outline = style.find(f"{W}pPr/{W}outlineLvl")
        if name == "title":
            tags[style_id] = "h1"
        elif level or outline is not None:
            level_digits = level[1] if level else str(int(outline.get(f"{W}val") or 9) + 1)
            if level_digits in "123456":
                tags[style_id] = _tag(int(level_digits))
    return tags


def _tag(level: int) -> Tag:
    tags: tuple[Tag, ...] = ("h1", "h2", "h3", "h4")
    return tags[min(level, 4) - 1]


class _BlockReader:
    """Reads blocks from WordprocessingML. `page_break` is the element that ends a page."""

    def __init__(self, headings: dict[str, Tag], page_break: str) -> None:
        self._headings = headings
        self._page_break = page_break

    def blocks(self, parent: Any, depth: int = 0) -> Iterator[Block]:
        """The blocks below an element, down to a depth of 50."""
        for child in parent:
            if child.tag == f"{W}p":
                yield from self._paragraph(child)
            elif child.tag == f"{W}tbl":
                yield from self._table(child)
            elif child.tag not in _SKIPPED and isinstance(child.tag, str) and depth < 50:
                yield from self.blocks(child, depth + 1)

    def _paragraph(self, paragraph: Any) -> Iterator[Block]:
        style = paragraph.find(f"{W}pPr/{W}pStyle")
        style_id = style.get(f"{W}val") if style is not None else ""
        is_item = paragraph.find(f"{W}pPr/{W}numPr") is not None
        tag = self._headings.get(style_id, "li" if is_item else "p")
        texts: list[str] = []
        boxes: list[Any] = []
        for piece in self._pieces(paragraph, boxes):
            if piece is None:
                if text := _lines("".join(texts)):
                    yield Block(text, tag)
                texts = []
                yield Block("", "break")
            else:
                texts.append(piece)
        if text := _lines("".join(texts)):
            yield Block(text, tag)
        for box in boxes:
            yield from self.blocks(box, 1)

    def _pieces(self, root: Any, boxes: list[Any]) -> Iterator[str | None]:
        """The texts below an element, None where a page ends; text boxes are collected in `boxes`.
        No recursion, since elements may nest to any depth."""
        waiting = [iter(root)]
        while waiting:
            child = next(waiting[-1], None)
            if child is None:
                waiting.pop()
            elif child.tag in _TEXTS:
                yield child.text or ""
            elif child.tag in _CHOICES:  # of a drop-down list
                yield f" {child.get(f'{W}displayText') or child.get(f'{W}val') or ''} "
            elif child.tag == _PICTURE:
                yield f" {child.get('descr') or child.get('title') or ''} "
                waiting.append(iter(child))
            elif child.tag == f"{W}r" and _is_hidden(child):
                if text := "".join(part.text or "" for part in child.iter(f"{W}t")):
                    yield f" [hidden: {text}] "
            elif child.tag == self._page_break and (
                child.tag != f"{W}br" or child.get(f"{W}type") == "page"
            ):
                yield None
            elif child.tag in _SIGNS:
                yield _SIGNS[child.tag]
            elif child.tag == f"{W}txbxContent":
                boxes.append(child)
            elif child.tag not in _SKIPPED and isinstance(child.tag, str):
                waiting.append(iter(child))

    def _table(self, table: Any) -> Iterator[Block]:
        for line in table.iter(f"{W}tr"):
            if next(line.iterancestors(f"{W}tbl"), None) is not table:
                continue  # a row of a table within a cell, whose words belong to the cell
            if block := table_row(
                self._cell(cell) for cell in line.iter(f"{W}tc") if _of(cell, line)
            ):
                yield block

    def _cell(self, cell: Any) -> str:
        texts: list[str] = []
        for paragraph in cell.iter(f"{W}p"):
            boxes: list[Any] = []
            texts.append("".join(piece or " " for piece in self._pieces(paragraph, boxes)))
        return " ".join(texts)


def _is_hidden(run: Any) -> bool:
    """Whether a run is formatted as hidden text, which Word shows only when it is asked to."""
    mark = run.find(f"{W}rPr/{W}vanish")
    return mark is not None and mark.get(f"{W}val", "true") not in ("0", "false", "off")


def _of(cell: Any, line: Any) -> bool:
    return next(cell.iterancestors(f"{W}tr"), None) is line


def _lines(text: str) -> str:
    return "\n".join(filter(None, map(clean_line, text.split("\n"))))


_SUPPLEMENTS = {
    "footnotes": "Footnotes",
    "endnotes": "Endnotes",
    "comments": "Comments",
    "header": "Headers and footers",
    "footer": "Headers and footers",
}


def _chunks(document: Any) -> Iterator[Block]:
    """The pages and texts that Word puts into the document when it opens it (altChunk)."""
    for relation in document.part.rels.values():
        if relation.is_external or relation.reltype.rpartition("/")[2] != "aFChunk":
            continue
        try:
            part = relation.target_part
            if "html" in part.content_type:
                yield from html_blocks(decode_html(part.blob))
            elif part.content_type.startswith("text/"):
                yield Block(decode_declared(part.blob, None))
            elif "rtf" in part.content_type:
                yield from rtf_blocks(part.blob)
        except Exception:  # noqa: S112  the document is readable without a damaged part
            continue


def _supplements(document: Any, headings: dict[str, Tag]) -> Iterator[Block]:
    """Notes, comments, headers and footers, each kind under its name and each text once."""
    from docx.oxml.parser import parse_xml

    yield from _chunks(document)
    yield from drawing_blocks(document.part.rels)
    roots_by_label: dict[str, list[Any]] = {}
    for relation in document.part.rels.values():
        label = _SUPPLEMENTS.get(relation.reltype.rpartition("/")[2])
        if label is None or relation.is_external:
            continue
        try:
            element = getattr(relation.target_part, "element", None)
            root = parse_xml(relation.target_part.blob) if element is None else element
        except Exception:  # noqa: S112  the document is readable without a damaged note
            continue
        roots_by_label.setdefault(label, []).append(root)
    for label, roots in roots_by_label.items():
        blocks = (block for root in roots for block in _BlockReader(headings, "").blocks(root))
        distinct = {block.text: block for block in blocks}
        if distinct:
            yield Block(label, "h4")
            yield from distinct.values()
