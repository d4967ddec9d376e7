"""HTML to handsome PDF pages, and one page as a scanner would have left it."""

from __future__ import annotations

import io
import random
import re
from pathlib import Path

from PIL import Image

from training.world.pages import draw_page

A5 = (420.0, 595.0)  # points; short texts fill a small page
MARGIN = 42.0
_DATE = "D:20250101120000Z"  # the same bytes every time


def typeset(html: str, style: str, pictures: dict[str, bytes], accent: tuple[int, int, int],
            title: str, file: Path) -> int:  # fmt: skip
    """Writes the pages of `html` (separated by `<hr/>`) as a PDF with a coloured edge and page
    numbers; returns how many. `pictures` are the images it shows, by name. Raises ValueError when
    a page is too full."""
    from indexer.extract.pages.mupdf import pymupdf

    archive = pymupdf.Archive()
    for name, image in pictures.items():
        archive.add(image, name)
    raw = io.BytesIO()
    writer = pymupdf.DocumentWriter(raw)
    texts = html.split("<hr/>")
    for text in texts:
        device = writer.begin_page(pymupdf.Rect(0, 0, *A5))
        story = pymupdf.Story(text, user_css=style, archive=archive)
        more, _ = story.place(pymupdf.Rect(MARGIN, MARGIN + 4, A5[0] - MARGIN, A5[1] - MARGIN))
        if more:
            raise ValueError(f"a page of {file.name} is too full")
        story.draw(device)
        writer.end_page()
    writer.close()
    book = pymupdf.open("pdf", raw.getvalue())
    colour = [part / 255 for part in accent]
    for number, page in enumerate(book, start=1):
        page.draw_rect(pymupdf.Rect(0, 0, A5[0], 8), color=None, fill=colour)
        if len(texts) > 1:
            foot = pymupdf.Rect(MARGIN, A5[1] - 34, A5[0] - MARGIN, A5[1] - 20)
            footer = f"{title}   ·   {number} / {len(texts)}"
            page.insert_textbox(foot, footer, fontsize=8, color=(0.45, 0.48, 0.55), align=1)
    book.set_metadata({"title": title, "creationDate": _DATE, "modDate": _DATE})
    book.subset_fonts()
    book.save(file, garbage=4, deflate=True, no_new_id=True)
    return len(texts)


def scan(title: str, lines: tuple[str, ...], rng: random.Random, file: Path) -> None:
    """Writes a PDF whose only page is a picture of a typed sheet: no word of it can be copied."""
    from indexer.extract.pages.mupdf import pymupdf

    sheet = draw_page(title, lines, rng, (1000, 1286))
    picture = io.BytesIO()
    Image.fromarray(sheet.image).convert("L").save(picture, "JPEG", quality=60)
    book = pymupdf.open()
    page = book.new_page(width=A5[0], height=A5[0] * 1.286)
    page.insert_image(page.rect, stream=picture.getvalue())
    book.set_metadata({"title": "", "creationDate": _DATE, "modDate": _DATE})
    book.save(file, garbage=4, deflate=True, no_new_id=True)


def paragraphs(html: str) -> list[str]:
    """The words of each page, without the marks: what a reader of the PDF finds there."""
    pages = []
    for page in html.split("<hr/>"):
        text = re.sub(r"</(p|h1|h2|tr|td|th)>|<br/>", "\n", page)
        text = re.sub(r"<[^>]+>", "", text)
        pages.append("\n".join(line.strip() for line in text.splitlines() if line.strip()))
    return pages
