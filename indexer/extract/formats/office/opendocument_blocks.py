"""The blocks of OpenDocument: paragraphs, items, tables and text boxes, in the order of its XML."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from indexer.extract.pages.blocks import Block, Tag, table_row
from indexer.types.text.characters import clean_line

NAMESPACE = "{urn:oasis:names:tc:opendocument:xmlns:%s:1.0}"
TEXT, TABLE, OFFICE, DRAW = (NAMESPACE % name for name in ("text", "table", "office", "drawing"))

# Elements without words of the document, and those whose words follow after the text.
_SKIPPED = frozenset(
    [f"{TEXT}tracked-changes", f"{OFFICE}forms", f"{TEXT}sequence-decls", f"{TEXT}ruby-text"]
)
_ASIDE = frozenset([f"{TEXT}note", f"{OFFICE}annotation"])
PAGE_BREAK = f"{TEXT}soft-page-break"
# What is said of a picture or a drawing, for those who do not see it.
_DESCRIPTIONS = frozenset(f"{NAMESPACE % 'svg-compatible'}{name}" for name in ("title", "desc"))


def read_blocks(parent: Any, asides: list[Any]) -> Iterator[Block]:
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
        elif tag == PAGE_BREAK:
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
        yield from read_blocks(box, asides)


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
        elif child.tag == PAGE_BREAK:
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
            block := table_row(" ".join(b.text for b in read_blocks(cell, asides)) for cell in line)
        ):
            yield block
