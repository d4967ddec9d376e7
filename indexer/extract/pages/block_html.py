"""A page of blocks as words to be searched, and as HTML with the same words in the same order."""

from __future__ import annotations

import html
from collections.abc import Sequence
from itertools import groupby

from indexer.extract.pages.blocks import Block, Tag
from indexer.extract.pages.typesetting import PageSource

# Wider tables are written as lines: as columns none of their words would be readable.
WIDEST_TABLE = 9


def build_page(blocks: Sequence[Block], label: str = "") -> PageSource:
    """One page of these blocks."""
    kept = tuple(blocks)
    return PageSource(text_of(kept), lambda: html_of(kept), label)


def text_of(blocks: Sequence[Block]) -> str:
    """The words as they are searched: rows and items on lines of their own, all else apart."""
    parts: list[str] = []
    before: Tag | None = None
    for block in blocks:
        close = block.tag == before and block.tag in ("row", "li")
        parts += ("\n" if close else "\n\n" if parts else "", block.text)
        before = block.tag
    return "".join(parts)


def html_of(blocks: Sequence[Block]) -> str:
    """The same words, in the same order, to be laid out."""
    parts: list[str] = []
    for tag, group in groupby(blocks, key=lambda block: block.tag):
        members = list(group)
        match tag:
            case "row":
                parts.append(_table(members))
            case "li":
                items = "".join(f"<li>{html.escape(one.text)}</li>" for one in members)
                parts.append(f"<ul>{items}</ul>")
            case "pre":
                parts += (f"<pre>{html.escape(one.text.expandtabs(4))}</pre>" for one in members)
            case "quote":
                parts += (f"<blockquote>{_broken(one.text)}</blockquote>" for one in members)
            case _:
                parts += (f"<{tag}>{_broken(one.text)}</{tag}>" for one in members)
    return "".join(parts)


def _broken(text: str) -> str:
    return html.escape(text).replace("\n", "<br/>")


def _table(rows: Sequence[Block]) -> str:
    if max(len(one.cells) for one in rows) > WIDEST_TABLE:
        return "".join(f"<p>{html.escape(one.text)}</p>" for one in rows)
    lines = ("".join(f"<td>{html.escape(cell)}</td>" for cell in one.cells) for one in rows)
    return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"
