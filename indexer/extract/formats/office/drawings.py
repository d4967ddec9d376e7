"""Drawings of Open XML documents: the words of charts, diagrams (SmartArt) and shapes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from indexer.extract.containers.xml import parse_damaged_xml
from indexer.extract.pages.blocks import Block
from indexer.types.notes import NoteCode, Notes
from indexer.types.text.characters import clean_line

MAX_VALUES = 2_000
DAMAGED_DRAWING = (
    "A part of it (a chart, a drawing, an object or a comment) is damaged and was not read to its "
    "end; open it in its own program and save it anew."
)

_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
KINDS = ("chart", "chartEx", "diagramData")  # the last word of the types of their relations


def drawing_blocks(relations: Any, notes: Notes, kinds: Iterable[str] = KINDS) -> Iterator[Block]:
    """The words of each chart and diagram that a part of a document refers to, of these kinds."""
    for relation in relations.values():
        kind = relation.reltype.rpartition("/")[2]
        if relation.is_external or kind not in kinds:
            continue
        if (
            root := drawing_root(partial(getattr, relation.target_part, "blob"), notes)
        ) is not None:
            yield from diagram_blocks(root) if kind == "diagramData" else chart_blocks(root)


def drawing_root(read: Callable[[], bytes], notes: Notes) -> Any | None:
    """The root element of a part that `read` gives the bytes of, None where there is none. The
    document is readable without a damaged one; it is noted."""
    try:
        root, is_damaged = parse_damaged_xml(read())
    except MemoryError:
        raise
    except Exception:  # zipfile and the packages raise what they like
        root, is_damaged = None, True
    if is_damaged:
        notes.add(NoteCode.PARTS_DAMAGED, DAMAGED_DRAWING)
    return root


def chart_blocks(root: Any) -> Iterator[Block]:
    """The titles of a chart and its axes, then the names and values of its series; of the charts
    of 2007 and of those of 2014 (waterfall, treemap)."""
    for title in root.iter("{*}title"):
        if text := clean_line("".join(run.text or "" for run in title.iter(f"{_A}t"))):
            yield Block(text, "h3")
    values = [clean_line(value.text) for value in root.iter("{*}v", "{*}pt")][:MAX_VALUES]
    if text := " ".join(dict.fromkeys(filter(None, values))):
        yield Block(text)


def diagram_blocks(root: Any) -> Iterator[Block]:
    """A list item for each paragraph of a diagram."""
    for paragraph in root.iter(f"{_A}p"):
        if text := clean_line("".join(run.text or "" for run in paragraph.iter(f"{_A}t"))):
            yield Block(text, "li")


def shape_blocks(root: Any) -> Iterator[Block]:
    """The words of shapes: a block for each paragraph in them, and what is said of pictures for
    those who do not see them. Of shapes in versions for newer and older programs, the newer."""
    fallbacks = {node for fallback in root.iter("{*}Fallback") for node in fallback.iter()}
    for element in root.iter(f"{_A}p", "{*}cNvPr"):
        if element in fallbacks:
            continue
        if element.tag == f"{_A}p":
            text = "".join(run.text or "" for run in element.iter(f"{_A}t", f"{_MATH}t"))
        else:
            text = element.get("descr") or ""
        if text := clean_line(text):
            yield Block(text)
