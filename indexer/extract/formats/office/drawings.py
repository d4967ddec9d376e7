"""Drawings of Open XML documents: the words of charts, diagrams (SmartArt) and shapes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from indexer.extract.containers.xml import parse_xml
from indexer.extract.pages.blocks import Block
from indexer.types.text.characters import clean_line

MAX_VALUES = 2_000

_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"


def drawing_blocks(relations: Any) -> Iterator[Block]:
    """The words of each chart and diagram that a part of a document refers to."""
    for relation in relations.values():
        kind = relation.reltype.rpartition("/")[2]
        if relation.is_external or kind not in ("chart", "diagramData"):
            continue
        try:
            root = parse_xml(relation.target_part.blob)
        except Exception:  # noqa: S112  the document is readable without a damaged drawing
            continue
        if root is not None:
            yield from chart_blocks(root) if kind == "chart" else diagram_blocks(root)


def chart_blocks(root: Any) -> Iterator[Block]:
    """The titles of a chart and its axes, then the names and values of its series."""
    for title in root.iter(f"{_C}title"):
        if text := clean_line("".join(run.text or "" for run in title.iter(f"{_A}t"))):
            yield Block(text, "h3")
    values = [clean_line(value.text) for value in root.iter(f"{_C}v")][:MAX_VALUES]
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
