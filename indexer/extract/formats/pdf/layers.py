"""Layers of a PDF (optional content, ISO 32000-2, 8.11) that are not shown when it is opened.

A program for PDF shows them when it is asked to, so their words are read and marked as hidden.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from indexer.extract.formats.pdf.pdf_text import PdfLine, read_line_blocks
from indexer.types.notes import Note, NoteCode
from indexer.types.text.characters import clean_line

MAX_NAMED = 5


class HiddenLayers:
    """The hidden layers of an open pymupdf document, which are hidden again after each reading."""

    def __init__(self, document: Any) -> None:
        from indexer.extract.pages.mupdf import pymupdf

        self._mupdf = mupdf = pymupdf.mupdf
        self._pdf = pdf = pymupdf._as_pdf_document(document, required=0)
        layers = range(mupdf.pdf_count_layers(pdf) if pdf.m_internal is not None else 0)
        self._numbers = [n for n in layers if not mupdf.pdf_layer_is_enabled(pdf, n)]

    def words(self, page: Any, shown_blocks: list[list[PdfLine]]) -> str:
        """The words that a page has in hidden layers beside those that are shown, marked as hidden;
        empty where it has none."""
        if not self._numbers:
            return ""
        shown = Counter(_lines(shown_blocks))
        self._enable(True)
        try:
            hidden = Counter(_lines(read_line_blocks(page))) - shown
        finally:
            self._enable(False)
        return f"[hidden: {' '.join(hidden.elements())}]" if hidden else ""

    def _enable(self, is_shown: bool) -> None:
        for number in self._numbers:
            self._mupdf.pdf_enable_layer(self._pdf, number, is_shown)

    @property
    def note(self) -> Note | None:
        """The note about them; None where there are none."""
        if not self._numbers:
            return None
        names = dict.fromkeys(
            clean_line(self._mupdf.pdf_layer_name(self._pdf, number)) for number in self._numbers
        )
        named = ", ".join(f"“{name}”" for name in list(filter(None, names))[:MAX_NAMED])
        return Note(
            NoteCode.LAYERS_HIDDEN,
            f"Layers of it are hidden ({named}): their words were read, their pictures were not "
            "looked at; show them in a program for PDF and save it anew.",
        )


def _lines(blocks: list[list[PdfLine]]) -> list[str]:
    return [text for block in blocks for line in block if (text := clean_line(line.text))]
