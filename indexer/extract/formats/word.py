"""Word documents (docx): the body in order, then notes, comments, headers and footers.

python-docx opens the package and knows its parts. The words are walked in the XML itself, because
its paragraphs leave out what was tracked, boxed or bound: insertions, text boxes, content controls.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import IO, Any

from indexer.extract.containers.archives import DAMAGED, open_zip
from indexer.extract.dates import unix_s
from indexer.extract.pages.blocks import Block, DocumentMetadata, Section, Tag, table_row
from indexer.types.characters import clean_line
from indexer.types.pieces import UnreadableError

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_STRICT = b"http://purl.oclc.org/ooxml/"
_MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml"
_MACRO = "application/vnd.ms-word.{}.macroEnabled{}.main+xml"

# What holds no words of the document: what was deleted, codes of fields, second versions.
_SKIPPED = frozenset(
    {f"{W}{name}" for name in "del moveFrom instrText delText rPr pPr sdtPr tblPr sectPr".split()}
    | {f"{MC}Fallback"}
)
_SIGNS = {f"{W}tab": " ", f"{W}br": "\n", f"{W}cr": "\n", f"{W}noBreakHyphen": "-"}


def sections(file: IO[bytes], name: str, metadata: DocumentMetadata) -> Iterator[Section]:
    """The pages as Word last set them, where it says so; else pages of our length."""
    open_zip(file).close()
    document = _opened(file)
    _properties(document.core_properties, metadata)
    body, headings = document.element.body, _headings(document)
    set_pages = next(body.iter(f"{W}lastRenderedPageBreak"), None) is not None
    walk = _Walk(headings, f"{W}lastRenderedPageBreak" if set_pages else f"{W}br")
    blocks = _title_from(walk.blocks(body), metadata)
    yield Section(chain(blocks, _beside(document, headings)), roomy=3.0 if set_pages else 1.0)


def _opened(file: IO[bytes]) -> Any:
    from docx.opc.part import PartFactory
    from docx.package import Package
    from docx.parts.document import DocumentPart

    for kind in (_MAIN, _MACRO.format("document", ""), _MACRO.format("template", "Template")):
        PartFactory.part_type_for[kind] = DocumentPart  # templates, and macros that never run
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
    found: dict[str, Tag] = {}
    for style in document.styles.element.iterfind(f"{W}style"):
        named = style.find(f"{W}name")
        style_id = style.get(f"{W}styleId") or ""
        name = (named.get(f"{W}val") or "").lower() if named is not None else ""
        level = re.fullmatch(r"heading (\d)", name)
        outline = style.find(f"{W}pPr/{W}outlineLvl")
        if name == "title":
            found[style_id] = "h1"
        elif level or outline is not None:
            said_level = level[1] if level else str(int(outline.get(f"{W}val") or 9) + 1)
            if said_level in "123456":
                found[style_id] = _tag(int(said_level))
    return found


def _tag(level: int) -> Tag:
    tags: tuple[Tag, ...] = ("h1", "h2", "h3", "h4")
    return tags[min(level, 4) - 1]


class _Walk:
    """The blocks of a stretch of WordprocessingML. `page_break` is the element that ends a page."""

    def __init__(self, headings: dict[str, Tag], page_break: str) -> None:
        self._headings = headings
        self._page_break = page_break

    def blocks(self, parent: Any, depth: int = 0) -> Iterator[Block]:
        """Depth is that of tables in tables; what lies deeper is read as one cell."""
        for child in parent:
            if child.tag == f"{W}p":
                yield from self._paragraph(child)
            elif child.tag == f"{W}tbl":
                yield from self._table(child)
            elif child.tag not in _SKIPPED and isinstance(child.tag, str) and depth < 50:
                yield from self.blocks(child, depth + 1)

    def _paragraph(self, paragraph: Any) -> Iterator[Block]:
        style = paragraph.find(f"{W}pPr/{W}pStyle")
        named = style.get(f"{W}val") if style is not None else ""
        is_item = paragraph.find(f"{W}pPr/{W}numPr") is not None
        tag = self._headings.get(named, "li" if is_item else "p")
        held: list[str] = []
        boxes: list[Any] = []
        for piece in self._pieces(paragraph, boxes):
            if piece is None:
                if text := _lines("".join(held)):
                    yield Block(text, tag)
                held = []
                yield Block("", "break")
            else:
                held.append(piece)
        if text := _lines("".join(held)):
            yield Block(text, tag)
        for box in boxes:
            yield from self.blocks(box, 1)

    def _pieces(self, root: Any, boxes: list[Any]) -> Iterator[str | None]:
        """Texts, and None where a page ends; text boxes are put aside. Without recursion: nothing
        a file nests can be too deep."""
        waiting = [iter(root)]
        while waiting:
            child = next(waiting[-1], None)
            if child is None:
                waiting.pop()
            elif child.tag == f"{W}t":
                yield child.text or ""
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
                continue  # of a table within a cell, whose words are the cell's
            if made := table_row(
                self._cell(cell) for cell in line.iter(f"{W}tc") if _of(cell, line)
            ):
                yield made

    def _cell(self, cell: Any) -> str:
        texts: list[str] = []
        for paragraph in cell.iter(f"{W}p"):
            boxes: list[Any] = []
            texts.append("".join(piece or " " for piece in self._pieces(paragraph, boxes)))
        return " ".join(texts)


def _of(cell: Any, line: Any) -> bool:
    return next(cell.iterancestors(f"{W}tr"), None) is line


def _lines(text: str) -> str:
    return "\n".join(filter(None, map(clean_line, text.split("\n"))))


_PARTS = {
    "footnotes": "Footnotes",
    "endnotes": "Endnotes",
    "comments": "Comments",
    "header": "Headers and footers",
    "footer": "Headers and footers",
}


def _beside(document: Any, headings: dict[str, Tag]) -> Iterator[Block]:
    """What stands beside the body, each under what it is called; headers and footers as one."""
    from docx.oxml.parser import parse_xml

    found: dict[str, list[Any]] = {}
    for relation in document.part.rels.values():
        label = _PARTS.get(relation.reltype.rpartition("/")[2])
        if label is None or relation.is_external:
            continue
        try:
            element = getattr(relation.target_part, "element", None)
            root = parse_xml(relation.target_part.blob) if element is None else element
        except Exception:  # noqa: S112  a damaged note is no reason to lose the letter
            continue
        found.setdefault(label, []).append(root)
    for label, roots in found.items():
        blocks = (block for root in roots for block in _Walk(headings, "").blocks(root))
        once = {block.text: block for block in blocks}
        if once:
            yield Block(label, "h4")
            yield from once.values()
