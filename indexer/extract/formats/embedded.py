"""Files inside documents that are zip archives: pictures, sounds, films, and other documents; also
those that are kept as objects of other programs (OLE).

They are read as members. The archive is read here by itself: which of its parts hold the body of
the document, and which files these parts refer to. Pictures of headers, of the pages behind slides
and of styles are left out.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator
from functools import partial
from itertools import count
from pathlib import PurePosixPath
from typing import IO, Any, NamedTuple

from indexer.extract.containers import compound
from indexer.extract.containers.archives import open_zip
from indexer.extract.containers.file_format import detect_format
from indexer.extract.containers.xml import parse_damaged_xml, parse_xml
from indexer.extract.pages.blocks import DocumentMetadata
from indexer.types.attachments import Attachment, File, MemoryFile
from indexer.types.notes import NoteCode, Notes
from indexer.types.pieces import UnreadableError
from indexer.types.text.characters import clean_line

MAX_FILES = 5_000
MAX_FILE_BYTES = 256 << 20
MAX_NAME_CHARS = 80
MAX_BODY_BYTES = 64 << 20  # of a part whose references are looked for

_MAIN_PARTS = ("word/document.xml", "ppt/presentation.xml", "xl/workbook.xml")
# The parts that are the body of a document, and what of them is a file, by the last word of the
# type of a relation.
_BODIES = frozenset("slide worksheet chartsheet drawing vmlDrawing".split())
_FILES = frozenset("image audio video media package oleObject".split())
_REFERENCES = (
    "//@*[namespace-uri()='http://schemas.openxmlformats.org/officeDocument/2006/relationships']"
)
# Drawings made of lines, for which there is no decoder here.
_LINE_DRAWINGS = (".emf", ".wmf", ".emz", ".wmz", ".pict", ".pct", ".eps", ".wdp")
_OBJECTS = ("", ".bin", ".ole")
_BESIDE_A_PICTURE = (".svg",)  # its own picture in pixels stands beside it
_PICTURES = tuple(".jpg .jpeg .png .gif .webp .bmp .tif .tiff .avif .heic".split())
_ODF_REFERENCES = (
    "//*[local-name()='image' or local-name()='plugin' or local-name()='object-ole']"
    "/@*[local-name()='href']"
)
_ODF_PREVIEWS = "ObjectReplacements/"  # pictures of objects, which are read themselves
_BY_PROGRAM = re.compile(r"\s*(description|beschreibung) automati\w+ \w+\.?\s*$", re.I)
_NO_PICTURES = frozenset(["mimetype", "Thumbnails/thumbnail.png", "layout-cache"])
CHANGED = "The document this was part of has changed."
LEFT_OUT = "Not every picture and file inside it was read: too many, or too large."
DAMAGED = (
    "A part of it that says which pictures and files lie inside it is damaged; open it in its own "
    "program and save it anew."
)


class _Reference(NamedTuple):
    """An entry of the archive, where it is referred to (a slide, a sheet), and its description."""

    entry: str
    label: str
    description: str


def embedded_files(file: IO[bytes], metadata: DocumentMetadata) -> Iterator[Attachment]:
    """The files inside an open document, in its order and once each; `at` is where the entry begins
    in the archive. Drawings that are not looked at are noted, and objects that hold no file."""
    with open_zip(file) as archive:
        entries = {info.filename: info for info in archive.infolist()}
        numbers = count(1)
        line_drawings = unread_objects = 0
        seen: set[str] = set()
        for reference in _references(archive, entries, metadata.notes):
            suffix = PurePosixPath(reference.entry).suffix.lower()
            if reference.entry in seen or suffix in _BESIDE_A_PICTURE:
                continue
            seen.add(reference.entry)
            if suffix in _LINE_DRAWINGS:
                line_drawings += 1
                continue
            info = entries[reference.entry]
            if len(seen) > MAX_FILES or info.file_size > MAX_FILE_BYTES:
                metadata.notes.add(NoteCode.ATTACHMENTS_LEFT_OUT, LEFT_OUT)
                continue
            name = _name(reference, suffix)
            if suffix in _OBJECTS and (data := _object(archive, info)) is not None:
                if (own_name := _name_within(data)) is None:
                    unread_objects += 1
                    continue
                name = _name(reference, own_name)
            decode = partial(_read, archive, info)
            is_picture = suffix in _PICTURES
            yield Attachment(next(numbers), info.header_offset, name, is_picture, decode)
        if unread_objects:
            metadata.notes.add(
                NoteCode.PARTS_LEFT_OUT,
                f"Objects of other programs inside it were not read: {unread_objects:,}; open each "
                "in its program and save it as a file of its own.",
            )
        if line_drawings:
            metadata.notes.add(
                NoteCode.PICTURES_LEFT_OUT,
                f"{line_drawings:,} drawings inside it (EMF, WMF) were not looked at; "
                "save them as PNG.",
            )


def files_at(path: File, at: int | None) -> Iterator[MemoryFile]:
    """The file inside a document whose entry begins at an offset in its archive, or all. Raises
    UnreadableError."""
    with path.open("rb") as file:
        if at is None:
            for attachment in embedded_files(file, DocumentMetadata()):
                yield attachment.load()
            return
        with open_zip(file) as archive:
            for info in archive.infolist():
                if info.header_offset == at and info.file_size <= MAX_FILE_BYTES:
                    try:
                        yield MemoryFile("", _read(archive, info))
                    except (ValueError, zipfile.BadZipFile) as problem:
                        raise UnreadableError("vanished", CHANGED) from problem


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """The bytes of an entry; of an object of another program, those of the file that it holds."""
    data = archive.read(info)
    held = compound.embedded_file(data) if data.startswith(compound.MAGIC) else None
    return data if held is None else held[1]


def _object(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes | None:
    """The bytes of an entry that is an object of another program; None where it is none, or is
    damaged, which is noted when it is read."""
    try:
        data = archive.read(info)
    except MemoryError:
        raise
    except Exception:  # zipfile raises what its decoders do
        return None
    return data if data.startswith(compound.MAGIC) else None


def _name_within(data: bytes) -> str | None:
    """The name of the file that an object of another program holds, or its suffix alone; None where
    it holds none."""
    held = compound.embedded_file(data)
    if held is not None:
        return held[0] or ".bin"
    # of an old document: the whole object is the file
    return ".bin" if detect_format(MemoryFile("", data)) is not None else None


def _name(reference: _Reference, own_name: str) -> str:
    """A name that says what it is: its own, of which there may be the suffix alone; by its
    description, else by that of the entry."""
    name = own_name
    if own_name.startswith(".") or not own_name:
        described = _BY_PROGRAM.sub("", reference.description).replace("/", " ").replace("\\", " ")
        stem = clean_line(described)[:MAX_NAME_CHARS].strip(" .")
        name = (stem or PurePosixPath(reference.entry).stem) + own_name
    return ", ".join(filter(None, (clean_line(reference.label), name)))


def _references(
    archive: zipfile.ZipFile, entries: dict[str, zipfile.ZipInfo], notes: Notes
) -> Iterator[_Reference]:
    if "content.xml" in entries:
        references = _opendocument_references(archive, entries, notes)
    elif "META-INF/container.xml" in entries:
        references = (
            _Reference(name, "", "") for name in entries if name.lower().endswith(_PICTURES)
        )
    else:
        main = next((name for name in _MAIN_PARTS if name in entries), None)
        references = _body_references(archive, entries, main, notes) if main else iter(())
    return (reference for reference in references if reference.entry in entries)


def _body_references(
    archive: zipfile.ZipFile, entries: dict[str, zipfile.ZipInfo], main: str, notes: Notes
) -> Iterator[_Reference]:
    """What the parts of the body of an Open XML document refer to, in the order of the parts and of
    their references."""
    slides = count(1)
    waiting = [(main, "")]
    seen: set[str] = set()
    while waiting:
        part, label = waiting.pop(0)
        if part in seen or part not in entries:
            continue
        seen.add(part)
        relations = _relations(archive, part, notes)
        if not any(kind in _BODIES or kind in _FILES for kind, _ in relations.values()):
            continue
        inner: list[tuple[str, str]] = []
        for relation, element in _uses(archive, entries[part], relations, notes):
            kind, target = relations.get(relation, ("", ""))
            if kind in _FILES:
                yield _Reference(target, label, _description(element))
            elif kind == "slide":
                inner.append((target, f"Slide {next(slides)}"))
            elif kind in _BODIES:
                name = element.get("name") if element is not None else None
                inner.append((target, clean_line(name) or label))
        waiting[:0] = inner


def _relations(archive: zipfile.ZipFile, part: str, notes: Notes) -> dict[str, tuple[str, str]]:
    """The relations of a part by their ids: the last word of the type, and the entry that each
    leads to."""
    folder, name = posixpath.split(part)
    entry = f"{folder}/_rels/{name}.rels"
    if entry not in archive.NameToInfo:
        return {}
    root = _root(archive, entry, notes)
    relations: dict[str, tuple[str, str]] = {}
    for relation in root if root is not None else ():
        if relation.get("TargetMode") == "External" or not isinstance(relation.tag, str):
            continue
        kind = (relation.get("Type") or "").rpartition("/")[2]
        target = posixpath.normpath(posixpath.join("/", folder, relation.get("Target") or ""))
        relations[relation.get("Id") or ""] = kind, target.lstrip("/")
    return relations


def _uses(
    archive: zipfile.ZipFile,
    info: zipfile.ZipInfo,
    relations: dict[str, tuple[str, str]],
    notes: Notes,
) -> Iterator[tuple[str, Any]]:
    """The ids of relations that a part uses, in order, each with its element where that is
    known."""
    if info.filename.startswith("xl/worksheets/"):  # millions of cells, of which none has a picture
        yield from ((relation, None) for relation in relations)
        return
    if info.file_size > MAX_BODY_BYTES:
        notes.add(NoteCode.ATTACHMENTS_LEFT_OUT, LEFT_OUT)
        return
    root = _root(archive, info.filename, notes)
    for reference in root.xpath(_REFERENCES) if root is not None else ():
        yield str(reference), reference.getparent()


def _root(archive: zipfile.ZipFile, entry: str, notes: Notes) -> Any | None:
    """The root element of an entry. The document is readable without a damaged one; it is noted."""
    try:
        root, is_damaged = parse_damaged_xml(archive.read(entry))
    except MemoryError:
        raise
    except Exception:  # zipfile raises what its decoders do
        root, is_damaged = None, True
    if is_damaged:
        notes.add(NoteCode.PARTS_DAMAGED, DAMAGED)
    return root


def _description(element: Any) -> str:
    """The alternative text of the picture that an element belongs to."""
    for ancestor in element.iterancestors() if element is not None else ():
        for path in ("{*}docPr", "{*}nvPicPr/{*}cNvPr"):
            if (properties := ancestor.find(path)) is not None:
                return properties.get("descr") or properties.get("title") or ""
    return ""


def _opendocument_references(
    archive: zipfile.ZipFile, entries: dict[str, zipfile.ZipInfo], notes: Notes
) -> Iterator[_Reference]:
    if all(name.endswith((".xml", ".rdf", "/")) or name in _NO_PICTURES for name in entries):
        return
    if entries["content.xml"].file_size > MAX_BODY_BYTES:
        notes.add(NoteCode.ATTACHMENTS_LEFT_OUT, LEFT_OUT)
        return
    root = parse_xml(archive.read("content.xml"))  # its damage is noted where its words are read
    pages = {page: number for number, page in enumerate(root.iter("{*}page"), start=1)}
    for reference in root.xpath(_ODF_REFERENCES):
        element = reference.getparent()
        page = next((pages[node] for node in element.iterancestors() if node in pages), None)
        frame = element.getparent()
        texts = (frame.findtext(f"{{*}}{name}") for name in ("title", "desc"))
        label = f"Slide {page}" if page is not None else ""
        entry = str(reference).removeprefix("./")
        if not entry.startswith(_ODF_PREVIEWS):
            yield _Reference(entry, label, next(filter(None, texts), ""))
