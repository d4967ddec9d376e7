"""What lies on the cells of a sheet: comments, text boxes, charts, diagrams, pictures."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from typing import Any

from indexer.extract.containers.xml import parse_xml
from indexer.extract.formats.office.drawings import chart_blocks, diagram_blocks, shape_blocks
from indexer.extract.pages.blocks import Block, Section
from indexer.types.text.characters import clean_line

_TEXT_TAGS = ("{*}t", "{*}text")


def comment_blocks(sheet: Any) -> Iterator[Block]:
    """The comments on cells, each with the name of its cell."""
    archive, path = sheet.parent._archive, sheet._worksheet_path
    roots = [root for _, root in _related(archive, path, ("comments", "threadedcomment"))]
    distinct: dict[str, None] = {}
    for root in roots:
        for comment in root.iter("{*}comment", "{*}threadedComment"):
            text = clean_line("".join(part.text or "" for part in comment.iter(*_TEXT_TAGS)))
            if text and not text.startswith("[Threaded comment]"):
                distinct[f"{comment.get('ref') or ''}: {text}".removeprefix(": ")] = None
    if distinct:
        yield Block("Comments", "h4")
        yield from map(Block, distinct)


def drawing_blocks(sheet: Any) -> Iterator[Block]:
    """The words of what lies on the cells of a sheet: text boxes, charts, diagrams, descriptions of
    pictures."""
    archive = sheet.parent._archive
    for path, drawing in _related(archive, sheet._worksheet_path, ("drawing",)):
        yield from shape_blocks(drawing)
        yield from _charts(archive, path)


def _charts(archive: zipfile.ZipFile, drawing: str) -> Iterator[Block]:
    for _, chart in _related(archive, drawing, ("chart", "chartex")):
        yield from chart_blocks(chart)
    for _, diagram in _related(archive, drawing, ("diagramdata",)):
        yield from diagram_blocks(diagram)


def chart_sheets(book: Any) -> Iterator[Section]:
    """A section for each sheet that is one chart."""
    paths = [path for path, _ in _related(book._archive, "xl/workbook.xml", ("chartsheet",))]
    for path, sheet in zip(sorted(paths), book.chartsheets, strict=False):
        drawings = [drawing for drawing, _ in _related(book._archive, path, ("drawing",))]
        charts = [block for drawing in drawings for block in _charts(book._archive, drawing)]
        title = clean_line(sheet.title) or "Chart"
        yield Section([Block(title, "h2"), *charts], title)


def _related(
    archive: zipfile.ZipFile, path: str, kinds: tuple[str, ...]
) -> Iterator[tuple[str, Any]]:
    """The parts of these kinds that a part refers to: the name and the root element of each; those
    that are damaged are left out."""
    from openpyxl.packaging.relationship import get_dependents, get_rels_path

    try:
        relations = list(get_dependents(archive, get_rels_path(path)))
    except Exception:  # a part without relations, or damaged ones, is still read
        return
    for relation in relations:
        if relation.Type.rpartition("/")[2].lower() in kinds and relation.TargetMode != "External":
            try:
                root = parse_xml(archive.read(relation.target))
            except Exception:  # noqa: S112  the sheet is readable without a damaged drawing
                continue
            if root is not None:
                yield relation.target, root
