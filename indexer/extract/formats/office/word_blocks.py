"""The blocks of WordprocessingML, the XML of Word documents: paragraphs, tables and text boxes.

The words are read from the XML itself, because the paragraphs of python-docx leave out tracked
insertions, text boxes and content controls.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from indexer.extract.pages.blocks import Block, Tag, table_row
from indexer.types.text.characters import clean_line

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"

# Elements without words of the document: deletions, codes of fields, fallback versions.
_SKIPPED = frozenset(
    {f"{W}{name}" for name in "del moveFrom instrText delText rPr pPr tblPr sectPr rt".split()}
    | {f"{MC}Fallback"}
)
_TEXTS = frozenset({f"{W}t", "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"})
_CHOICES = frozenset({f"{W}listEntry", f"{W}listItem"})
_PICTURE = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}docPr"
_OLD_SHAPES = frozenset(
    f"{{urn:schemas-microsoft-com:vml}}{name}" for name in "shape rect oval textpath".split()
)
_SIGNS = {f"{W}tab": " ", f"{W}br": "\n", f"{W}cr": "\n", f"{W}noBreakHyphen": "-"}


class BlockReader:
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
            elif child.tag in _CHOICES:  # of a drop-down list that holds whole paragraphs
                if text := _choice(child):
                    yield Block(text)
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
                yield f" {_choice(child)} "
            elif child.tag == _PICTURE:
                yield f" {child.get('descr') or child.get('title') or ''} "
                waiting.append(iter(child))
            elif child.tag in _OLD_SHAPES:  # of VML: a description, and letters drawn as a shape
                yield f" {child.get('alt') or ''} {child.get('string') or ''} "
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


def _choice(item: Any) -> str:
    return clean_line(item.get(f"{W}displayText") or item.get(f"{W}val"))


def _is_hidden(run: Any) -> bool:
    """Whether a run is formatted as hidden text, which Word shows only when it is asked to."""
    mark = run.find(f"{W}rPr/{W}vanish")
    return mark is not None and mark.get(f"{W}val", "true") not in ("0", "false", "off")


def _of(cell: Any, line: Any) -> bool:
    return next(cell.iterancestors(f"{W}tr"), None) is line


def _lines(text: str) -> str:
    return "\n".join(filter(None, map(clean_line, text.split("\n"))))
