"""Pages of about one printed page, cut from blocks and from plain text.

They are cut in the same way for a letter, a web page and a table of a million rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from indexer.extract.pages.block_html import MAX_COLUMNS, build_page
from indexer.extract.pages.blocks import Block, Section
from indexer.extract.pages.typesetting import PageSource

# What a page holds: so many lines of so many characters, and so many characters in all.
PAGE_LINES = 54
LINE_CHARS = 92
PAGE_CHARS = 3_000
_HEADINGS = ("h1", "h2", "h3", "h4")
_EXTRA_LINES = {"h1": 2.0, "h2": 1.5, "h3": 1.0, "h4": 1.0, "p": 0.6, "quote": 0.6}


def paginate(section: Section) -> Iterator[PageSource]:
    """The pages of a section. A heading stays with the block after it."""
    max_lines, max_chars = PAGE_LINES * section.capacity, PAGE_CHARS * section.capacity
    page: list[Block] = []
    lines = chars = 0.0
    for block in _fitting(section.blocks, max_lines, max_chars):
        more_lines, more_chars = _lines(block), len(block.text)
        full = lines + more_lines > max_lines or chars + more_chars > max_chars
        if (page and block.tag == "break") or (full and any(map(_is_text, page))):
            next_page = _headings_at_end(page) if full else []
            yield build_page(page[: len(page) - len(next_page)], section.label)
            page = next_page
            if section.head is not None and block.tag == "row":
                page = [section.head, *page]
            lines = sum(map(_lines, page))
            chars = sum(len(block.text) for block in page)
        if block.tag != "break":
            page.append(block)
            lines, chars = lines + more_lines, chars + more_chars
    if page:
        yield build_page(page, section.label)


def _lines(block: Block) -> float:
    """About how many lines of a page a block takes."""
    if block.tag == "row" and len(block.cells) <= MAX_COLUMNS:
        # columns are as wide as their words need: the longest cell makes the height of the row
        longest = max(map(len, block.cells), default=0)
        return 1.3 + 1.1 * (longest * min(len(block.cells), 3) // LINE_CHARS)
    lines = sum(1 + max(0, len(line) - 1) // LINE_CHARS for line in block.text.split("\n"))
    return lines + _EXTRA_LINES.get(block.tag, 0.1)


def _is_text(block: Block) -> bool:
    return block.tag not in _HEADINGS


def _headings_at_end(blocks: Sequence[Block]) -> list[Block]:
    count = 0
    while count < min(3, len(blocks) - 1) and not _is_text(blocks[-1 - count]):
        count += 1
    return list(blocks[len(blocks) - count :])


def _fitting(blocks: Iterable[Block], max_lines: float, max_chars: float) -> Iterator[Block]:
    """The blocks; one that is longer than a page comes in several."""
    for block in blocks:
        if not block.text.strip() and block.tag != "break":
            continue
        if block.tag == "row" or (len(block.text) <= max_chars and _lines(block) <= max_lines):
            yield block
            continue
        for piece in paginate_text(block.text, int(max_chars), int(max_lines) - 1):
            yield replace(block, text=piece)


_MANY_BLANKS = re.compile(r"\n(?:[ \t]*\n){3,}")


def paginate_text(text: str, max_chars: int = PAGE_CHARS, max_lines: int = PAGE_LINES) -> list[str]:
    """The parts of `text` that fill a page each: whole paragraphs where they fit, else whole lines,
    sentences, words. A form feed begins a new page."""
    pages: list[str] = []
    for chapter in _MANY_BLANKS.sub("\n\n\n", text).split("\f"):
        page: list[str] = []
        chars = lines = 0
        for block in re.split(r"(?<=\n)(?=[ \t]*\n)", chapter):
            more_chars, more_lines = len(block), _text_lines(block)
            if page and (chars + more_chars > max_chars or lines + more_lines > max_lines):
                pages.append("".join(page))
                page, chars, lines = [], 0, 0
            start = 0  # a paragraph may be the whole file: it is not copied for each page
            while more_chars > max_chars or more_lines > max_lines:
                at = _end(block[start : start + max_chars], max_lines)
                pages.append(block[start : start + at])
                start, more_chars = start + at, more_chars - at
                if more_chars <= max_chars:
                    more_lines = _text_lines(block[start:])
            page.append(block[start:])
            chars, lines = chars + more_chars, lines + more_lines
        pages.append("".join(page))
    return [text.strip("\n").rstrip() for text in pages if text.strip()]


def _text_lines(block: str) -> int:
    """How many lines of a page a text takes."""
    lines = block.split("\n")
    folded = sum((len(line) - 1) // LINE_CHARS for line in lines if len(line) > LINE_CHARS)
    return len(lines) - (lines[-1] == "") + folded


def _end(block: str, max_lines: int) -> int:
    """Where to end a page within a paragraph that is longer than a page."""
    longest = len(block)
    lines = 0
    for line in re.finditer(r"[^\n]*\n|[^\n]+", block):
        lines += _text_lines(line.group())
        if lines > max_lines:
            # a line that is longer than a page is cut where the page is full
            longest = line.start() or max_lines * LINE_CHARS
            break
    window = block[:longest]
    for pattern in (r"\n", r"[.!?…。！？]\s", r"\s"):
        ends = [match.end() for match in re.finditer(pattern, window)]
        if ends and ends[-1] >= longest // 2:
            return ends[-1]
    return longest
