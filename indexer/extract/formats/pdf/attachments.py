"""Files within a PDF: those of a portfolio, those attached to the document, and to its pages."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import count
from pathlib import PurePath
from typing import Any

from indexer.types.attachments import Attachment
from indexer.types.pieces import UnreadableError
from indexer.types.text.characters import clean_line

MAX_FILES = 10_000
PINNED = "FileAttachment"  # the type of an annotation
_STREAM_KEYS = ("UF", "F")


def page_annotations(page: Any) -> Iterator[Any]:
    """Every annotation of a pymupdf page. `page.annots()` leaves out those that are written within
    the page instead of as objects of their own."""
    annotation = page.first_annot
    while annotation:
        yield annotation
        annotation = annotation.next


def pinned_file(annotation: Any) -> Any:
    """What an annotation says of the file that is attached to it."""
    from indexer.extract.pages.mupdf import pymupdf

    mupdf = pymupdf.mupdf
    return mupdf.pdf_dict_gets(mupdf.pdf_annot_obj(annotation.this), "FS")


def read_attachments(document: Any, pinned: list[Any]) -> Iterator[Attachment]:
    """Every file within a pymupdf document; `at` is the number of the object that holds its bytes.
    `pinned` are those of `pinned_file` of its pages."""
    from indexer.extract.pages.mupdf import pymupdf

    mupdf, pdf = pymupdf.mupdf, pymupdf._as_pdf_document(document, required=0)
    specifications = []
    if pdf.m_internal is not None:
        names = mupdf.pdf_load_name_tree(pdf, mupdf.pdf_new_name("EmbeddedFiles"))
        entries = min(mupdf.pdf_dict_len(names), MAX_FILES)
        specifications = [mupdf.pdf_dict_get_val(names, number) for number in range(entries)]
        specifications += pinned
    numbers = count(1)
    seen: set[int] = set()
    for specification in specifications:
        streams = mupdf.pdf_dict_gets(specification, "EF")
        stream = next(
            (number for key in _STREAM_KEYS
             if (number := mupdf.pdf_to_num(mupdf.pdf_dict_gets(streams, key)))), 0
        )  # fmt: skip
        if not stream or stream in seen:
            continue
        seen.add(stream)
        written = [
            mupdf.pdf_to_text_string(mupdf.pdf_dict_gets(specification, key))
            for key in _STREAM_KEYS
        ]
        name = clean_line(PurePath(next(filter(None, written), "").replace("\\", "/")).name)[:200]
        decode = partial(_stream, document, stream)
        yield Attachment(next(numbers), stream, name or "Attachment", False, decode)


def find_pinned(document: Any) -> list[Any]:
    """What the annotations of all pages say of the files that are attached to them."""
    return [
        pinned_file(annotation)
        for page in document
        for annotation in page_annotations(page)
        if annotation.type[1] == PINNED
    ]


def _stream(document: Any, number: int) -> bytes:
    """The bytes of a stream. Raises ValueError where there is none."""
    data = document.xref_stream(number)
    if data is None:
        raise ValueError("no stream")
    return bytes(data)


def attachment_bytes(document: Any, at: int) -> bytes:
    """The bytes of the file that `read_attachments` found `at`. Raises UnreadableError."""
    try:
        return _stream(document, at)
    except MemoryError:
        raise
    except Exception as problem:
        raise UnreadableError("vanished", "The PDF this was attached to has changed.") from problem
