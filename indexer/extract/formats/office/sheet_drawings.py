"""What lies on the cells of a sheet: comments, text boxes, charts, diagrams, pictures."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from functools import partial
from typing import Any

from indexer.extract.formats.office.drawings import (
    DAMAGED_DRAWING,
    chart_blocks,
    diagram_blocks,
    drawing_root,
    shape_blocks,
)
from indexer.extract.pages.blocks import Block, Section
from indexer.types.notes import NoteCode, Notes
from indexer.types.text.characters import clean_line

_TEXT_TAGS = ("{*}t", "{*}text")


def comment_blocks(sheet: Any, notes: Notes) -> Iterator[Block]:
    """The comments on cells, each with the name of its cell."""
    archive, path = sheet.parent._archive, sheet._worksheet_path
    roots = [root for _, root in _related(archive, path, ("comments", "threadedcomment"), notes)]
    distinct: dict[str, None] = {}
    for root in roots:
        for comment in root.iter("{*}comment", "{*}threadedComment"):
            text = clean_line("".join(part.text or "" for part in comment.iter(*_TEXT_TAGS)))
            if text and not text.startswith("[Threaded comment]"):
                distinct[f"{comment.get('ref') or ''}: {text}".removeprefix(": ")] = None
    if distinct:
        yield Block("Comments", "h4")
        yield from map(Block, distinct)


def drawing_blocks(sheet: Any, notes: Notes) -> Iterator[Block]:
    """The words of what lies on the cells of a sheet: text boxes, charts, diagrams, descriptions of
    pictures."""
    archive = sheet.parent._archive
    for path, drawing in _related(archive, sheet._worksheet_path, ("drawing",), notes):
        yield from shape_blocks(drawing)
        yield from _charts(archive, path, notes)


def _charts(archive: zipfile.ZipFile, drawing: str, notes: Notes) -> Iterator[Block]:
    for _, chart in _related(archive, drawing, ("chart", "chartex"), notes):
        yield from chart_blocks(chart)
    for _, diagram in _related(archive, drawing, ("diagramdata",), notes):
        yield from diagram_blocks(diagram)


def chart_sheets(book: Any, notes: Notes) -> Iterator[Section]:
    """A section for each sheet that is one chart."""
    archive = book._archive
    paths = [path for path, _ in _related(archive, "xl/workbook.xml", ("chartsheet",), notes)]
    for path, sheet in zip(sorted(paths), book.chartsheets, strict=False):
        drawings = [drawing for drawing, _ in _related(archive, path, ("drawing",), notes)]
        charts = [block for drawing in drawings for block in _charts(archive, drawing, notes)]
        title = clean_line(sheet.title) or "Chart"
        yield Section([Block(title, "h2"), *charts], title)


def _related(
    archive: zipfile.ZipFile, path: str, kinds: tuple[str, ...], notes: Notes
) -> Iterator[tuple[str, Any]]:
    """The parts of these kinds that a part refers to: the name and the root element of each; those
    that are damaged are noted."""
    from openpyxl.packaging.relationship import get_dependents, get_rels_path

    relations_path = get_rels_path(path)
    if relations_path not in archive.NameToInfo:
        return
    try:
        relations = list(get_dependents(archive, relations_path))
    except Exception:  # the sheet is readable without what lies on it
        notes.add(NoteCode.PARTS_DAMAGED, DAMAGED_DRAWING)
        return
    for relation in relations:
        if relation.Type.rpartition("/")[2].lower() in kinds and relation.TargetMode != "External":
            root = drawing_root(partial(archive.read, relation.target), notes)
            if root is not None:
                yield relation.target, root
