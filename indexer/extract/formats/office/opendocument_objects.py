"""Objects inside OpenDocument: charts, formulas, and texts and sheets that are shown in others.

Each is a folder of the same archive with a `content.xml` of its own. Objects of other programs
(OLE) are files, and read as members.
"""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from typing import Any

from indexer.extract.formats.office.drawings import drawing_root
from indexer.extract.formats.office.opendocument_blocks import DRAW, OFFICE, read_blocks
from indexer.extract.pages.blocks import Block
from indexer.types.notes import NoteCode, Notes
from indexer.types.text.characters import clean_line

OBJECT = f"{DRAW}object"
MAX_DEPTH = 3
MAX_BLOCKS = 5_000  # of one object; the data of a chart is a table within it
NESTED = "An object inside an object inside it was not read; save it as a file of its own."
LONG = f"Of an object inside it, only the first {MAX_BLOCKS:,} lines were read."

_HREF = "{http://www.w3.org/1999/xlink}href"
_MATH = "{http://www.w3.org/1998/Math/MathML}"


def object_reference(element: Any) -> str:
    """Where the object lies that an element shows, within the folder of the document."""
    return element.get(_HREF) or ""


def object_references(root: Any) -> Iterator[str]:
    """Where the objects lie that are shown below an element."""
    return map(object_reference, root.iter(OBJECT))


def object_blocks(
    archive: zipfile.ZipFile,
    references: Iterable[str],
    notes: Notes,
    folder: str = "",
    depth: int = 0,
) -> Iterator[Block]:
    """The words of the objects at these places, each once. `folder` is that of the document that
    shows them, within `depth` others."""
    names = (posixpath.normpath(posixpath.join(folder, reference)) for reference in references)
    for name in dict.fromkeys(names):
        if depth >= MAX_DEPTH:
            notes.add(NoteCode.PARTS_LEFT_OUT, NESTED)
            return
        root = drawing_root(partial(archive.read, f"{name}/content.xml"), notes)
        if root is None:
            continue
        blocks = _formula(root) if root.tag.startswith(_MATH) else _body(root)
        yield from islice(blocks, MAX_BLOCKS)
        if next(blocks, None) is not None:
            notes.add(NoteCode.PARTS_LEFT_OUT, LONG)
        yield from object_blocks(archive, object_references(root), notes, name, depth + 1)


def _body(root: Any) -> Iterator[Block]:
    body = root.find(f"{OFFICE}body")
    if body is not None:
        asides: list[Any] = []
        yield from read_blocks(body, asides)
        for aside in asides:
            yield from read_blocks(aside, [])


def _formula(root: Any) -> Iterator[Block]:
    """A formula as it was typed, where the program keeps that; else its signs."""
    typed = clean_line(root.findtext(f".//{_MATH}annotation"))
    signs = clean_line(" ".join(root.itertext()))
    if text := typed or signs:
        yield Block(text)
