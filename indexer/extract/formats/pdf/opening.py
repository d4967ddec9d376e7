"""Opening a PDF, also one that is cut off, and its pages; or saying why it cannot be opened."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from indexer.types.attachments import File, MemoryFile, size_bytes
from indexer.types.pieces import UnreadableError

# MuPDF repairs a file that is cut off between two objects; these end the object it is cut off in:
# a stream, an array, a string.
REPAIR_ENDS = (b"\nendstream\nendobj\n", b"]>>\nendobj\n", b")>>\nendobj\n")
MAX_REPAIRED_BYTES = 256 << 20

LOCKED = "This PDF is locked with a password; save it without one in a program that opens it."
DAMAGED = "The PDF is damaged and none of its pages can be read; get another copy of it."
CUT_OFF = (
    "The PDF is cut off before its end and none of its pages can be read; get a whole copy of it."
)


def open_pdf(path: File) -> Any:
    """The open pymupdf document; the caller closes it. Raises UnreadableError."""
    from indexer.extract.pages.mupdf import pymupdf

    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    if isinstance(path, MemoryFile):
        document = _try_to_open(functools.partial(pymupdf.open, "pdf", path.data))
    else:
        document = _try_to_open(lambda: pymupdf.open(path, filetype="pdf"))
    if document is None and size_bytes(path) <= MAX_REPAIRED_BYTES and is_cut_off(path):
        data = path.read_bytes()
        for end in REPAIR_ENDS:
            document = document or _try_to_open(functools.partial(pymupdf.open, "pdf", data + end))
    if document is None:
        raise broken(path)
    if document.needs_pass:
        document.close()
        raise UnreadableError("encrypted", LOCKED)
    return document


def _try_to_open(open_document: Callable[[], Any]) -> Any | None:
    """The document, if it opens and has pages or asks for a password; else None."""
    try:
        document = open_document()
        if document.needs_pass or document.page_count > 0:
            return document
        document.close()
    except MemoryError:
        raise
    except Exception:
        return None
    return None


def load_page(document: Any, number: int) -> Any:
    """Page `number`, from 1. Raises UnreadableError."""
    if not 1 <= number <= document.page_count:
        raise UnreadableError("vanished", f"This document has no page {number}.")
    try:
        return document[number - 1]
    except Exception as problem:
        raise UnreadableError("corrupt", f"Page {number} of this PDF is damaged.") from problem


def broken(path: File) -> UnreadableError:
    """Why a PDF of which nothing can be read cannot be."""
    cut_off = is_cut_off(path)
    return UnreadableError("truncated", CUT_OFF) if cut_off else UnreadableError("corrupt", DAMAGED)


def is_cut_off(path: File) -> bool:
    """Whether the end of a PDF is missing."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 2048))
        return b"%%EOF" not in file.read()
