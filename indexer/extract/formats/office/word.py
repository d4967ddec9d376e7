"""Word documents (docx): the body in order, then notes, comments, headers and footers.

python-docx opens the package and knows its parts; `word_blocks` reads their words.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from itertools import chain
from typing import IO, Any

from indexer.extract.containers.archives import DAMAGED, ZIP, open_zip
from indexer.extract.containers.encodings import decode_declared
from indexer.extract.dates import unix_s
from indexer.extract.formats.embedded import embedded_files
from indexer.extract.formats.mail.message_parts import body_blocks, split_message
from indexer.extract.formats.office.drawings import drawing_blocks
from indexer.extract.formats.office.packages import keep_damaged_parts
from indexer.extract.formats.office.word_blocks import BlockReader, W
from indexer.extract.formats.texts.rich_text import rtf_blocks
from indexer.extract.formats.texts.web import decode_html, html_blocks
from indexer.extract.pages.blocks import Block, DocumentMetadata, Section, Tag
from indexer.types.attachments import Attachment
from indexer.types.notes import NoteCode
from indexer.types.pieces import UnreadableError
from indexer.types.text.characters import clean_line

_STRICT = b"http://purl.oclc.org/ooxml/"
_MAIN_TYPES = (
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml",
    "application/vnd.ms-word.document.macroEnabled.main+xml",
    "application/vnd.ms-word.template.macroEnabledTemplate.main+xml",
)


def sections(
    file: IO[bytes], name: str, metadata: DocumentMetadata
) -> Iterator[Section | Attachment]:
    """One, with the page breaks that Word saved when it last laid the document out, where it
    did."""
    yield _section(file, metadata, 0)
    yield from embedded_files(file, metadata)


def _section(file: IO[bytes], metadata: DocumentMetadata, depth: int) -> Section:
    """A document that lies within `depth` others."""
    open_zip(file).close()
    document = _open_document(file)
    _properties(document, metadata)
    body, headings = document.element.body, _headings(document, metadata)
    has_page_breaks = next(body.iter(f"{W}lastRenderedPageBreak"), None) is not None
    reader = BlockReader(headings, f"{W}lastRenderedPageBreak" if has_page_breaks else f"{W}br")
    blocks = chain(
        _title_from(reader.blocks(body), metadata),
        _supplements(document, headings, depth, metadata),
    )
    return Section(blocks, capacity=3.0 if has_page_breaks else 1.0)


def _open_document(file: IO[bytes]) -> Any:
    from docx.opc.part import Part, PartFactory
    from docx.package import Package
    from docx.parts.document import DocumentPart

    class MainPart(DocumentPart):
        """A document; a whole file of one, inserted into this one, has the same type of content."""

        @classmethod
        def load(cls, partname: Any, content_type: Any, blob: bytes, package: Any) -> Any:
            if blob.startswith(ZIP):
                return Part.load(partname, content_type, blob, package)
            return super().load(partname, content_type, blob, package)

    for kind in _MAIN_TYPES:  # templates, and documents with macros, which never run
        PartFactory.part_type_for[kind] = MainPart
    keep_damaged_parts(PartFactory.part_type_for, Part, DocumentPart)
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


def _properties(document: Any, metadata: DocumentMetadata) -> None:
    try:
        properties = document.core_properties
        metadata.title = clean_line(properties.title)
        metadata.describe(properties.subject, properties.keywords)
        metadata.made_at = unix_s(properties.modified or properties.created)
    except (ValueError, KeyError, AttributeError):
        return


def _title_from(blocks: Iterator[Block], metadata: DocumentMetadata) -> Iterator[Block]:
    """The blocks; the first heading is the title of what has none."""
    for block in blocks:
        if not metadata.title and block.tag == "h1":
            metadata.title = block.text
        yield block


def _headings(document: Any, metadata: DocumentMetadata) -> dict[str, Tag]:
    """The ids of styles that are headings, with their level."""
    tags: dict[str, Tag] = {}
    try:
        styles = document.styles.element
    except Exception:  # the words are readable without their styles
        metadata.notes.add(NoteCode.PARTS_DAMAGED, DAMAGED_STYLES)
        return tags
    for style in styles.iterfind(f"{W}style"):
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


_SUPPLEMENTS = {
    "footnotes": "Footnotes",
    "endnotes": "Endnotes",
    "comments": "Comments",
    "header": "Headers and footers",
    "footer": "Headers and footers",
}


MAX_CHUNK_DEPTH = 3
DAMAGED_PART = (
    "A part of it (a note, a comment, a header or an inserted text) is damaged and was not read."
)
DAMAGED_STYLES = "Its styles are damaged; its headings were read as paragraphs."
NESTED_PART = "A document inside a document inside it was not read; save it as a file of its own."


def _chunks(document: Any, depth: int, metadata: DocumentMetadata) -> Iterator[Block]:
    """The pages, texts and documents that Word puts into the document when it opens it (altChunk);
    documents within documents down to a depth."""
    for relation in document.part.rels.values():
        if relation.is_external or relation.reltype.rpartition("/")[2] != "aFChunk":
            continue
        try:
            part = relation.target_part
            if "wordprocessingml" in part.content_type or part.blob.startswith(ZIP):
                if depth < MAX_CHUNK_DEPTH:
                    within = DocumentMetadata()
                    yield from _section(io.BytesIO(part.blob), within, depth + 1).blocks
                    metadata.notes.extend(within.notes.all())
                else:
                    metadata.notes.add(NoteCode.PARTS_LEFT_OUT, NESTED_PART)
            elif part.content_type in ("message/rfc822", "multipart/related"):
                yield from _web_archive(part.blob, metadata)
            elif "html" in part.content_type:
                page = DocumentMetadata()
                yield from html_blocks(decode_html(part.blob), page)
                metadata.notes.extend(page.notes.all())
            elif part.content_type.startswith("text/"):
                yield Block(decode_declared(part.blob, None))
            elif "rtf" in part.content_type:
                yield from rtf_blocks(part.blob)
        except Exception:  # the document is readable without a damaged part
            metadata.notes.add(NoteCode.PARTS_DAMAGED, DAMAGED_PART)


def _web_archive(data: bytes, metadata: DocumentMetadata) -> Iterator[Block]:
    """The words of a page with all that belongs to it, in one file (MHTML)."""
    for part in split_message(message_from_bytes(data, policy=policy.default)).body:
        yield from body_blocks(part, metadata.notes)


def _supplements(
    document: Any, headings: dict[str, Tag], depth: int, metadata: DocumentMetadata
) -> Iterator[Block]:
    """Notes, comments, headers and footers, each kind under its name and each text once."""
    from docx.oxml.parser import parse_xml

    yield from _chunks(document, depth, metadata)
    yield from drawing_blocks(document.part.rels, metadata.notes)
    roots_by_label: dict[str, list[Any]] = {}
    for relation in document.part.rels.values():
        label = _SUPPLEMENTS.get(relation.reltype.rpartition("/")[2])
        if label is None or relation.is_external:
            continue
        try:
            element = getattr(relation.target_part, "element", None)
            root = parse_xml(relation.target_part.blob) if element is None else element
        except Exception:  # the document is readable without a damaged note
            metadata.notes.add(NoteCode.PARTS_DAMAGED, DAMAGED_PART)
            continue
        roots_by_label.setdefault(label, []).append(root)
    for label, roots in roots_by_label.items():
        blocks = (block for root in roots for block in BlockReader(headings, "").blocks(root))
        distinct = {block.text: block for block in blocks}
        if distinct:
            yield Block(label, "h4")
            yield from distinct.values()
