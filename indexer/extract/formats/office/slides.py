"""Presentations (pptx): a page for each slide, its shapes in their order, then its notes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import IO, Any

from indexer.extract.containers.archives import DAMAGED, open_zip
from indexer.extract.dates import unix_s
from indexer.extract.formats.embedded import embedded_files
from indexer.extract.formats.office.drawings import drawing_blocks, drawing_root
from indexer.extract.formats.office.packages import keep_damaged_parts
from indexer.extract.pages.blocks import Block, DocumentMetadata, Section, Tag, table_row
from indexer.types.attachments import Attachment
from indexer.types.notes import NoteCode
from indexer.types.pieces import UnreadableError
from indexer.types.text.characters import clean_line

PAGE_CAPACITY = 4.0
MAX_GROUP_DEPTH = 20
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"

DAMAGED_SHAPE = "A shape on one of its slides is damaged and was not read."
DAMAGED_NOTES = "The notes to one of its slides are damaged and were not read."


def sections(
    file: IO[bytes], name: str, metadata: DocumentMetadata
) -> Iterator[Section | Attachment]:
    """One for each slide, in the order they are shown."""
    open_zip(file).close()
    presentation = _open_presentation(file)
    try:
        properties = presentation.core_properties
        metadata.title = _own_title(clean_line(properties.title))
        metadata.describe(properties.subject, properties.keywords)
        metadata.made_at = unix_s(properties.modified or properties.created)
    except (ValueError, KeyError, AttributeError):
        metadata.title = ""
    damaged = number = 0
    for number, slide in enumerate(_slides(presentation), start=1):
        if slide is None:
            damaged += 1
            blocks = []
        else:
            blocks = list(_slide(slide, metadata))
        heading = next((block.text for block in blocks if block.tag == "h1"), "")
        metadata.title = metadata.title or heading
        # a slide without words keeps its number
        yield Section(blocks or [Block(f"Slide {number}", "h2")], f"Slide {number}", PAGE_CAPACITY)
    if damaged:
        metadata.notes.add(
            NoteCode.SLIDES_DAMAGED,
            f"{damaged} of {number} slides are damaged and could not be read.",
        )
    yield from embedded_files(file, metadata)


def _own_title(title: str) -> str:
    return "" if title.lower() in ("powerpoint presentation", "presentation", "slide 1") else title


def _open_presentation(file: IO[bytes]) -> Any:
    from pptx.opc.package import Part, PartFactory
    from pptx.package import Package
    from pptx.parts.presentation import PresentationPart

    keep_damaged_parts(PartFactory.part_type_for, Part, PresentationPart)
    file.seek(0)
    try:
        return Package.open(file).presentation_part.presentation
    except MemoryError:
        raise
    except Exception as problem:
        raise UnreadableError("corrupt", DAMAGED) from problem


def _slides(presentation: Any) -> Iterator[Any | None]:
    slides = presentation.slides
    for entry in slides._sldIdLst:
        try:
            yield slides.part.related_slide(entry.rId)
        except Exception:
            yield None


def _slide(slide: Any, metadata: DocumentMetadata) -> Iterator[Block]:
    yield from _shapes(slide.shapes, 0, metadata)
    yield from _alternatives(slide)
    # python-pptx reads the charts of 2007 with their shapes
    yield from drawing_blocks(slide.part.rels, metadata.notes, ("chartEx", "diagramData"))
    if notes := _notes(slide, metadata):
        yield Block("Notes", "h4")
        yield from notes
    yield from _comments(slide, metadata)


def _notes(slide: Any, metadata: DocumentMetadata) -> list[Block]:
    """The paragraphs of what the speaker noted to a slide."""
    try:
        frame = slide.notes_slide.notes_text_frame if slide.has_notes_slide else None
    except Exception:  # the slide is readable without its notes
        metadata.notes.add(NoteCode.PARTS_DAMAGED, DAMAGED_NOTES)
        return []
    paragraphs = frame.paragraphs if frame is not None else ()
    return [block for paragraph in paragraphs if (block := _paragraph(paragraph, "quote"))]


def _alternatives(slide: Any) -> Iterator[Block]:
    """The paragraphs of shapes in versions for newer and older programs, of which python-pptx knows
    nothing: the newer ones, such as boxes with equations."""
    for choice in slide.element.iter(f"{_MC}Choice"):
        for paragraph in choice.iter(f"{_A}p"):
            texts = [part.text or "" for part in paragraph.iter(f"{_A}t", f"{_MATH}t")]
            if text := clean_line("".join(texts)):
                yield Block(text)


def _comments(slide: Any, metadata: DocumentMetadata) -> Iterator[Block]:
    """What readers remarked on a slide."""
    texts: dict[str, None] = {}
    for relation in slide.part.rels.values():
        if relation.is_external or not relation.reltype.endswith("/comments"):
            continue
        root = drawing_root(partial(getattr, relation.target_part, "blob"), metadata.notes)
        for comment in root.iter("{*}text", "{*}txBody") if root is not None else ():
            parts = [comment.text or "", *(run.text or "" for run in comment.iter(f"{_A}t"))]
            if text := clean_line("".join(parts)):
                texts[text] = None
    if texts:
        yield Block("Comments", "h4")
        yield from (Block(text, "quote") for text in texts)


def _shapes(shapes: Any, depth: int, metadata: DocumentMetadata) -> Iterator[Block]:
    for shape in shapes:
        try:
            blocks = [*_shape(shape, depth, metadata), *_description(shape)]
        except Exception:  # the slide is readable without a damaged shape
            metadata.notes.add(NoteCode.PARTS_DAMAGED, DAMAGED_SHAPE)
            continue
        yield from blocks


def _description(shape: Any) -> Iterator[Block]:
    """The alternative text of a picture or a drawing."""
    for properties in shape._element.iterfind("*/{*}cNvPr"):
        if text := clean_line(properties.get("descr")):
            yield Block(text)


def _shape(shape: Any, depth: int, metadata: DocumentMetadata) -> Iterator[Block]:
    if hasattr(shape, "shapes"):
        if depth < MAX_GROUP_DEPTH:
            yield from _shapes(shape.shapes, depth + 1, metadata)
    elif getattr(shape, "has_table", False) and shape.has_table:
        for line in shape.table.rows:
            if block := table_row(cell.text for cell in line.cells):
                yield block
    elif getattr(shape, "has_chart", False) and shape.has_chart:
        yield from _chart(shape.chart)
    elif shape.has_text_frame:
        is_title = shape.is_placeholder and shape.placeholder_format.idx == 0
        for paragraph in shape.text_frame.paragraphs:
            tag: Tag = "h1" if is_title else "li" if paragraph.level else "p"
            if block := _paragraph(paragraph, tag):
                yield block


def _paragraph(paragraph: Any, tag: Tag) -> Block | None:
    # every run, also those of fields, which python-pptx leaves out
    texts = [run.text or "" for run in paragraph._p.iter(f"{_A}t")]
    text = clean_line("".join(texts))
    return Block(text, tag) if text else None


def _chart(chart: Any) -> Iterator[Block]:
    """The title and the values of a chart, as a table."""
    if chart.has_title and (title := clean_line(chart.chart_title.text_frame.text)):
        yield Block(title, "h3")
    for plot in chart.plots:
        series = list(plot.series)
        if names := table_row(["", *(column.name or "" for column in series)]):
            yield names
        columns = [list(column.values) for column in series]
        for number, category in enumerate(list(plot.categories)[:200]):
            values = (column[number] if number < len(column) else "" for column in columns)
            if block := table_row(
                [str(category), *(str(v) if v is not None else "" for v in values)]
            ):
                yield block
