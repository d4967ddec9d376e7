"""The boxes of words lie on their words, however the page is turned, cut and enlarged."""

from __future__ import annotations

import io
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from indexer.extract.dispatch import extract
from indexer.extract.formats.pdf.opening import open_pdf
from indexer.extract.pages.mupdf import pymupdf
from indexer.extract.pages.page_words import page_words
from indexer.extract.pages.rasters import render
from indexer.types.pieces import Facts, PageText
from tests.library import READER

# Each word has its own colour, which is that of no other ink of the page.
COLOURS = {
    "Harbour": (255, 0, 0),
    "plan": (0, 160, 0),
    "delivery": (0, 0, 255),
    "upwards": (255, 0, 255),
    "downwards": (0, 160, 160),
    "corner": (160, 160, 0),
}
PLACES = {
    "Harbour": (120, 160, 24, 0),
    "plan": (260, 160, 24, 0),
    "delivery": (120, 420, 20, 0),
    "upwards": (300, 600, 20, 90),
    "downwards": (400, 300, 20, 270),
    "corner": (480, 740, 20, 0),
}
ORIGINS = ((0, 0), (-40, 30))


def coloured_page(rotate: int, crop: bool, origin: tuple[int, int], unit: float) -> Any:
    """A document of one page of 600 x 800 points with the words at PLACES."""
    document = pymupdf.open()
    page = document.new_page(width=600, height=800)
    for word, (x, y, size, turned) in PLACES.items():
        colour = tuple(value / 255 for value in COLOURS[word])
        page.insert_text((x, y), word, fontsize=size, rotate=turned, color=colour)
    x, y = origin
    document.xref_set_key(page.xref, "MediaBox", f"[{x} {y} {x + 600} {y + 800}]")
    if crop:
        document.xref_set_key(page.xref, "CropBox", f"[{x + 50} {y + 20} {x + 580} {y + 770}]")
    document.xref_set_key(page.xref, "UserUnit", str(unit))
    document.xref_set_key(page.xref, "Rotate", str(rotate))
    return document


def ink(picture: Image.Image, colour: tuple[int, int, int]) -> tuple[float, float, float, float]:
    """The box of what is drawn in a colour: x0, y0, x1, y1 in parts of the picture."""
    pixels = np.asarray(picture.convert("RGB")).astype(int)
    rows, columns = np.nonzero(np.abs(pixels - colour).sum(axis=2) < 90)
    assert len(rows) > 0
    height_px, width_px = pixels.shape[:2]
    return (
        columns.min() / width_px,
        rows.min() / height_px,
        (columns.max() + 1) / width_px,
        (rows.max() + 1) / height_px,
    )


@pytest.mark.parametrize("rotate", [0, 90, 180, 270, -90, 450])
def test_a_box_lies_on_the_ink_of_its_word(tmp_path: Path, rotate: int) -> None:
    for crop, origin, unit in product((False, True), ORIGINS, (1, 2.5)):
        path = tmp_path / "page.pdf"
        coloured_page(rotate, crop, origin, unit).save(path)
        with open_pdf(path) as document:
            words = page_words(document[0])
            picture = render(document[0], width_px=1000)
        assert abs(words["width"] / words["height"] - picture.width / picture.height) < 0.01
        assert sorted(word[4] for word in words["words"]) == sorted(COLOURS)
        width, height = words["width"], words["height"]
        for x0, y0, x1, y1, word, _ in words["words"]:
            left, top, right, bottom = ink(picture, COLOURS[word])
            slack = 0.004  # of the side: the edges of letters are smooth
            case = (rotate, crop, origin, unit, word)
            assert x0 / width - slack <= left < right <= x1 / width + slack, case
            assert y0 / height - slack <= top < bottom <= y1 / height + slack, case
            box_area = (x1 - x0) * (y1 - y0) / (width * height)
            assert (right - left) * (bottom - top) > 0.3 * box_area, case


def test_the_reader_sends_the_boxes_of_the_picture_it_sends(tmp_path: Path) -> None:
    path = tmp_path / "page.pdf"
    coloured_page(90, True, (-40, 30), 2.5).save(path)
    words = READER.words(path, 1, None)
    picture = Image.open(io.BytesIO(READER.page(path, 1, 1600, None)))
    [(x0, y0, x1, y1)] = [word[:4] for word in words["words"] if word[4] == "Harbour"]
    left, top, right, bottom = ink(picture, COLOURS["Harbour"])
    assert x0 / words["width"] < left < right < x1 / words["width"]
    assert y0 / words["height"] < top < bottom < y1 / words["height"]


@pytest.mark.parametrize("rotate", [90, 180, 270])
def test_a_turned_page_reads_as_an_upright_one(tmp_path: Path, rotate: int) -> None:
    """The title is found, and a paragraph stays whole."""
    document = pymupdf.open()
    page = document.new_page(width=600, height=800)
    bounds = pymupdf.Rect(0, 0, 800, 600) if rotate != 180 else pymupdf.Rect(0, 0, 600, 800)
    upright = pymupdf.open()
    sheet = upright.new_page(width=bounds.width, height=bounds.height)
    sheet.insert_text((80, 80), "The Harbour Plan", fontsize=26)
    sheet.insert_text((80, 130), ["The ferries leave every hour and deliv-", "ery is free."])
    page.show_pdf_page(page.rect, upright, 0, rotate=rotate)
    page.set_rotation(rotate)
    path = tmp_path / "scan.pdf"
    document.save(path)
    pieces = list(extract(path))
    texts = [piece.text for piece in pieces if isinstance(piece, PageText)]
    assert texts == ["The Harbour Plan\n\nThe ferries leave every hour and delivery is free."]
    assert [piece.title for piece in pieces if isinstance(piece, Facts)] == ["The Harbour Plan"]


@pytest.mark.parametrize("turned", [90, 270])
def test_a_sideways_paragraph_stays_whole(tmp_path: Path, turned: int) -> None:
    document = pymupdf.open()
    page = document.new_page()
    page.insert_text((72, 72), "An upright line.")
    lines = ["Sideways words of dunlins", "the second line has deliv-", "ery costs in it."]
    page.insert_text((300, 400), lines, rotate=turned)
    path = tmp_path / "side.pdf"
    document.save(path)
    [piece] = [piece for piece in extract(path) if isinstance(piece, PageText)]
    sideways = "Sideways words of dunlins the second line has delivery costs in it."
    assert sorted(piece.text.split("\n\n")) == sorted(["An upright line.", sideways])
