"""A page of blocks as words to be searched, and as HTML with the same words in the same order."""

from __future__ import annotations

import html
from collections.abc import Sequence
from itertools import groupby

from indexer.extract.pages.blocks import Block, Tag
from indexer.extract.pages.typesetting import PageSource

# Wider tables are laid out as lines: in so many columns no word would be readable.
MAX_COLUMNS = 9


def build_page(blocks: Sequence[Block], label: str = "") -> PageSource:
    """One page of these blocks."""
    page = tuple(blocks)
    return PageSource(text_of(page), lambda: html_of(page), label)


def text_of(blocks: Sequence[Block]) -> str:
    """The words as they are searched: rows and items on a line each, other blocks as paragraphs."""
    parts: list[str] = []
    last_tag: Tag | None = None
    for block in blocks:
        is_joined = block.tag == last_tag and block.tag in ("row", "li")
        parts += ("\n" if is_joined else "\n\n" if parts else "", block.text)
        last_tag = block.tag
    return "".join(parts)


def html_of(blocks: Sequence[Block]) -> str:
    """The same words in the same order as HTML."""
    parts: list[str] = []
    for tag, group in groupby(blocks, key=lambda block: block.tag):
        group_blocks = list(group)
        match tag:
            case "row":
                parts.append(_table(group_blocks))
            case "li":
                items = "".join(f"<li>{html.escape(block.text)}</li>" for block in group_blocks)
                parts.append(f"<ul>{items}</ul>")
            case "pre":
                parts += (
                    f"<pre>{html.escape(block.text.expandtabs(4))}</pre>" for block in group_blocks
                )
            case "quote":
                parts += (
                    f"<blockquote>{_broken(block.text)}</blockquote>" for block in group_blocks
                )
            case _:
                parts += (f"<{tag}>{_broken(block.text)}</{tag}>" for block in group_blocks)
    return "".join(parts)


def _broken(text: str) -> str:
    return html.escape(text).replace("\n", "<br/>")


def _table(rows: Sequence[Block]) -> str:
    if max(len(block.cells) for block in rows) > MAX_COLUMNS:
        return "".join(f"<p>{html.escape(block.text)}</p>" for block in rows)
    lines = ("".join(f"<td>{html.escape(cell)}</td>" for cell in block.cells) for block in rows)
    return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"
