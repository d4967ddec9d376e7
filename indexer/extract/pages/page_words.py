"""The words of a page with their boxes, as they lie on the picture of the page."""

from __future__ import annotations

from typing import Any

from indexer.types.characters import clean
from indexer.types.pieces import PageWords


def stext_page(page: Any, flags: int) -> Any:
    """MuPDF's text page of a pymupdf page, as the page is seen: turned by its /Rotate, cut to its
    CropBox and enlarged by its UserUnit, in points from the upper left. `get_textpage` of pymupdf
    takes the rotation away, and its boxes lie elsewhere than the words of the picture."""
    from indexer.extract.pages.mupdf import pymupdf

    mupdf = pymupdf.mupdf
    return mupdf.FzStextPage(page.this, mupdf.FzStextOptions(flags))


def page_words(page: Any) -> PageWords:
    """The words of a pymupdf page with their boxes in points."""
    from indexer.extract.pages.mupdf import pymupdf

    lines: dict[tuple[int, int], int] = {}
    words: list[tuple[float, float, float, float, str, int]] = []
    flags = pymupdf.TEXT_PRESERVE_WHITESPACE | pymupdf.TEXT_MEDIABOX_CLIP  # letters, no ligatures
    text_page = pymupdf.TextPage(stext_page(page, flags))
    for x0, y0, x1, y1, word, block, line, _ in text_page.extractWORDS():
        shown = clean(word)
        if shown:
            number = lines.setdefault((block, line), len(lines))
            box = round(x0, 2), round(y0, 2), round(x1, 2), round(y1, 2)
            words.append((*box, shown, number))
    return {
        "width": round(page.rect.width, 2),
        "height": round(page.rect.height, 2),
        "words": words,
    }
