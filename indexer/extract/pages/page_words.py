"""The words of a page with their boxes, as they lie on the picture of the page."""

from __future__ import annotations

from typing import Any

from indexer.types.pieces import PageWords
from indexer.types.text.characters import clean
from indexer.types.text.graphemes import part_ranges


def stext_page(page: Any, flags: int) -> Any:
    """MuPDF's text page of a pymupdf page, as the page is seen: turned by its /Rotate, cut to its
    CropBox and enlarged by its UserUnit, in points from the upper left. `get_textpage` of pymupdf
    takes the rotation away, and its boxes lie elsewhere than the words of the picture."""
    from indexer.extract.pages.mupdf import pymupdf

    mupdf = pymupdf.mupdf
    text_page = mupdf.FzStextPage(mupdf.fz_bound_page(page.this))
    device = mupdf.fz_new_stext_device(text_page, mupdf.FzStextOptions(flags))
    # with what is typed on the page and into its forms, which FzStextPage(page) leaves out
    mupdf.fz_run_page(page.this, device, mupdf.FzMatrix(), mupdf.FzCookie())
    mupdf.fz_close_device(device)
    return text_page


def page_words(page: Any) -> PageWords:
    """The words of a pymupdf page with their boxes in points; the letters in scripts without
    spaces."""
    from indexer.extract.pages.mupdf import pymupdf

    flags = pymupdf.TEXT_PRESERVE_WHITESPACE | pymupdf.TEXT_MEDIABOX_CLIP  # letters, no ligatures
    text_page = pymupdf.TextPage(stext_page(page, flags))
    boxes = text_page.extractWORDS()
    if any(len(part_ranges(word[4])) > 1 for word in boxes if not word[4].isascii()):
        boxes = _parts_of_lines(text_page.extractRAWDICT())
    lines: dict[tuple[int, int], int] = {}
    words: list[tuple[float, float, float, float, str, int]] = []
    for x0, y0, x1, y1, word, block, line, *_ in boxes:
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


def _parts_of_lines(
    page: dict[str, Any],
) -> list[tuple[float, float, float, float, str, int, int]]:
    """The parts of each line as `part_ranges` cuts them: box, text, number of block and line."""
    parts: list[tuple[float, float, float, float, str, int, int]] = []
    for block_number, block in enumerate(page["blocks"]):
        for line_number, line in enumerate(block.get("lines", ())):
            letters = [letter for span in line["spans"] for letter in span["chars"]]
            text = "".join(letter["c"] for letter in letters)
            for start, end, _ in part_ranges(text):
                x0, y0, x1, y1 = zip(
                    *(letter["bbox"] for letter in letters[start:end]), strict=True
                )
                box = min(x0), min(y0), max(x1), max(y1)
                parts.append((*box, text[start:end], block_number, line_number))
    return parts
