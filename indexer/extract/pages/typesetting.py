"""Pages of text laid out by MuPDF, so that every document can be shown, with its words marked.

MuPDF's built-in fonts cover the living scripts: no font of the system is needed, and a page looks
the same on every machine.
"""

from __future__ import annotations

import functools
import html
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from indexer.extract.pages.word_boxes import WordMarker, story_words
from indexer.types.pieces import PageWords

WIDTH_PT, HEIGHT_PT = 595.0, 842.0  # A4
MARGIN_PT = 60.0

_STYLE = """
body { margin: 0; font-family: serif; font-size: 11px; line-height: 1.45; color: #1c1c1e }
p, ul, ol, pre, table, blockquote { margin: 0 0 8px 0 }
h1 { font-size: 20px; margin: 4px 0 10px 0 } h2 { font-size: 16px; margin: 10px 0 8px 0 }
h3 { font-size: 13px; margin: 8px 0 6px 0 } h4, h5, h6 { font-size: 11px; margin: 6px 0 }
h1, h2, h3, h4, h5, h6, th { font-family: sans-serif }
pre, code { font-family: monospace; font-size: 9.5px }
blockquote { margin-left: 18px; color: #55555a }
td, th { padding: 2px 8px 2px 0 }
a { color: #1c1c1e; text-decoration: none }
"""


@dataclass(frozen=True, slots=True)
class PageSource:
    """One page: its words as they are searched, a function that gives the same words as HTML, and a
    label besides its number: a sheet, a slide, a message."""

    text: str
    html: Callable[[], str]
    label: str = ""

    def document(self) -> Any:
        """A pymupdf document of this one page; as tall as its words need."""
        from indexer.extract.pages.mupdf import pymupdf

        return pymupdf.open("pdf", _lay_out(self.html()).pdf)

    def words(self) -> PageWords:
        """The words of this page as they are searched, with their boxes on that document."""
        return _lay_out(self.html()).words


def plain_page(source: str) -> PageSource:
    """A page of plain text, with its own lines and spaces."""

    def body() -> str:
        lines = "<br/>".join(
            html.escape(line.expandtabs(4)).replace("  ", "\u00a0 ") for line in source.split("\n")
        )
        return f"<p>{lines}</p>"

    return PageSource(source, body)


def markdown_page(source: str) -> PageSource:
    """A page of Markdown: laid out as formatted text, its words without the markup."""
    parser = _markdown()
    tokens = parser.parse(source)
    blocks: list[str] = []
    for token in tokens:
        if token.type == "inline":
            blocks.append("".join(_inline(child) for child in token.children or ()))
        elif token.type in ("fence", "code_block"):
            blocks.append(token.content.rstrip("\n"))
    return PageSource(
        "\n\n".join(blocks), lambda: str(parser.renderer.render(tokens, parser.options, {}))
    )


def _inline(token: Any) -> str:
    if token.type in ("softbreak", "hardbreak"):
        return "\n"
    return str(token.content)


@functools.cache
def _markdown() -> Any:
    """CommonMark with tables. HTML is text here, and no picture is loaded."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False, "xhtmlOut": True})
    return parser.enable("table").disable(["image", "html_block", "html_inline"])


@dataclass(frozen=True, slots=True)
class _LaidOutPage:
    pdf: bytes
    words: PageWords


@functools.lru_cache(maxsize=8)
def _lay_out(body: str) -> _LaidOutPage:
    """The page as a PDF. The same HTML gives the same boxes of words."""
    from indexer.extract.pages.mupdf import pymupdf

    marker = WordMarker(body)
    story, height = pymupdf.Story(marker.marked, user_css=_STYLE), HEIGHT_PT
    frame = pymupdf.Rect(MARGIN_PT, MARGIN_PT, WIDTH_PT - MARGIN_PT, height - MARGIN_PT)
    if story.place(frame)[0]:  # more than fits on A4: a page as tall as it takes
        frame.y1 = 100_000
        story = pymupdf.Story(marker.marked, user_css=_STYLE)
        height = story.place(frame)[1][3] + MARGIN_PT
    words = story_words(story, marker.parts, WIDTH_PT, height)
    stream = io.BytesIO()
    writer = pymupdf.DocumentWriter(stream)
    story.draw(writer.begin_page(pymupdf.Rect(0, 0, WIDTH_PT, height)))
    writer.end_page()
    writer.close()
    return _LaidOutPage(stream.getvalue(), words)
