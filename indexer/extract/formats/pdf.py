"""PDF: the words of every page in the order they were set, and the pages that are pictures.

Scripts, attachments and links in a PDF are never run, opened or followed: MuPDF only reads text
and draws pages here.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any

from indexer.extract.formats.pdf_text import page_text, read_line_blocks
from indexer.extract.limits import MAX_CHARS, MAX_PAGES
from indexer.extract.pages.rasters import make_thumb
from indexer.types.attachments import File, MemoryFile, size_bytes
from indexer.types.characters import clean
from indexer.types.pieces import (
    Extracted,
    Facts,
    MediaPart,
    PageText,
    UnreadableError,
    title_from_name,
)
from indexer.types.places import Page

# A page with fewer characters than this says what it says by its picture; one with a little more
# does if an image takes up so much of it.
FEW_CHARS, LITTLE_CHARS = 20, 200
LARGE_SHARE = 0.5
# So many drawn shapes are a picture; fewer are rules and frames.
FEW_SHAPES = 12
# MuPDF repairs a file that was cut off between two objects; these end the one it was cut off in:
# in a stream, in an array, in a string.
MENDING = (b"\nendstream\nendobj\n", b"]>>\nendobj\n", b")>>\nendobj\n")
MAX_MENDED_BYTES = 256 << 20

LOCKED = "This PDF is locked with a password."
DAMAGED = "The PDF is damaged and none of its pages can be read."
CUT_OFF = "The PDF is cut off before its end and none of its pages can be read."


def extract(path: File) -> Iterator[Extracted]:
    """One Words for each page that has some, a Part for each that is a picture; pages that cannot
    be read are left out and counted in the note. Raises UnreadableError when none can."""
    with open_pdf(path) as document:
        count, chars, good, seen = min(document.page_count, MAX_PAGES), 0, 0, 0
        first: Any = None
        for number in range(count):
            try:
                page = document[number]
                document.xref_get_keys(page.xref)  # raises where it is cut off and only looks blank
                text = page_text(page)
                looked_at = len(text) < LITTLE_CHARS and _is_picture(page, len(text))
            except MemoryError:
                raise
            except Exception:  # noqa: S112  MuPDF raises many kinds; the page is counted below
                continue
            good += 1
            first = page if first is None else first
            chars += len(text)
            seen += bool(text) or looked_at
            if text:
                yield PageText(text, Page(number + 1))
            if looked_at:
                yield MediaPart(Page(number + 1))
            if chars > MAX_CHARS:
                count = number + 1
                break
        if first is None or (seen == 0 and _is_cut_off(path)):
            raise _broken(path)
        picture, colour = make_thumb(first)
        yield Facts(
            _title(document, first, path),
            pages=document.page_count,
            colour=colour,
            note=_note(good, count, document.page_count),
        )
        yield picture


def open_pdf(path: File) -> Any:
    """The open pymupdf document; the caller closes it. Raises UnreadableError."""
    from indexer.extract.pages.mupdf import pymupdf

    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    if isinstance(path, MemoryFile):
        document = _tried(functools.partial(pymupdf.open, "pdf", path.data))
    else:
        document = _tried(lambda: pymupdf.open(path, filetype="pdf"))
    if document is None and size_bytes(path) <= MAX_MENDED_BYTES and _is_cut_off(path):
        data = path.read_bytes()
        for end in MENDING:
            document = document or _tried(functools.partial(pymupdf.open, "pdf", data + end))
    if document is None:
        raise _broken(path)
    if document.needs_pass:
        document.close()
        raise UnreadableError("encrypted", LOCKED)
    return document


def _tried(open_it: Callable[[], Any]) -> Any | None:
    """The document, if it opens and either has pages or wants a password first."""
    try:
        document = open_it()
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


def _is_picture(page: Any, chars: int) -> bool:
    """Whether the page says what it says by what is drawn: with hardly a word on it, any image or
    more than a few shapes; with a line or two (a stamp, what a scanner printed), a large image."""
    shapes = 0
    paper = max(1.0, page.rect.width * page.rect.height)
    for operation, (x0, y0, x1, y1), *_ in page.get_bboxlog():
        is_large = (x1 - x0) * (y1 - y0) > LARGE_SHARE * paper
        if operation in ("fill-image", "fill-imgmask") and (chars < FEW_CHARS or is_large):
            return True
        shapes += operation in ("fill-path", "stroke-path", "fill-shade")
    return chars < FEW_CHARS and shapes > FEW_SHAPES


_EMPTY_TITLE = re.compile(r"(untitled|unknown|title|document|doc|slide|page|pdf|scan)?\W*\d*", re.I)
_PROGRAM = re.compile(r"^(microsoft (word|powerpoint|excel)|print(ing)?) *[-:] *", re.I)
_ENDING = re.compile(r"\.(docx?|pptx?|xlsx?|odt|rtf|tex|dvi|indd|qxd|pdf|txt|html?|ps)$", re.I)


def _title(document: Any, first: Any, path: File) -> str:
    """The title it was given, when that is one; else its first big line; else its name."""
    given = _PROGRAM.sub("", clean((document.metadata or {}).get("title") or "").strip())
    if not _EMPTY_TITLE.fullmatch(given) and not _ENDING.search(given) and len(given) >= 4:
        return re.sub(r"\s+", " ", given)[:200]
    return _big_line(first) or title_from_name(path)


def _big_line(page: Any) -> str | None:
    """The line set largest on the upper half of a page, if it is larger than most."""
    from indexer.extract.pages.mupdf import pymupdf

    lines: list[tuple[float, float, str]] = []
    for line in itertools.chain(*read_line_blocks(page, pymupdf.TEXT_PRESERVE_WHITESPACE)):
        text = re.sub(r"\s+", " ", clean(line.text)).strip()
        if text:
            lines.append((round(line.size_pt, 1), line.y0, text))
    if not lines:
        return None
    usual = sorted(size for size, _, _ in lines)[(len(lines) - 1) // 2]
    for size, top, text in sorted(lines, key=lambda line: (-line[0], line[1])):
        if size < usual * 1.15:
            return None
        letters = sum(char.isalpha() for char in text)
        if letters >= 4 and len(text) <= 150 and top < page.rect.height / 2:
            return text
    return None


def _note(good: int, tried: int, pages: int) -> str | None:
    if good < tried:
        return f"{tried - good} of {pages} pages are damaged and could not be read."
    return f"Only the first {tried} of {pages} pages were read." if tried < pages else None


def _broken(path: File) -> UnreadableError:
    cut_off = _is_cut_off(path)
    return UnreadableError("truncated", CUT_OFF) if cut_off else UnreadableError("corrupt", DAMAGED)


def _is_cut_off(path: File) -> bool:
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 2048))
        return b"%%EOF" not in file.read()
