"""Pages of about one printed page, cut from blocks and from plain text.

They are cut in the same way for a letter, a web page and a table of a million rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from indexer.extract.pages.block_html import WIDEST_TABLE, build_page
from indexer.extract.pages.blocks import Block, Section
from indexer.extract.pages.typesetting import PageSource

# What fills a page: so many lines of so many characters, and no more words than a page has.
PAGE_LINES = 54
LINE_CHARS = 92
PAGE_CHARS = 3_000
_HEADINGS = ("h1", "h2", "h3", "h4")
_EXTRA_LINES = {"h1": 2.0, "h2": 1.5, "h3": 1.0, "h4": 1.0, "p": 0.6, "quote": 0.6}


def paginate(section: Section) -> Iterator[PageSource]:
    """The pages of a section. A heading stays with what it is the heading of."""
    most_lines, most_chars = PAGE_LINES * section.roomy, PAGE_CHARS * section.roomy
    held: list[Block] = []
    lines = chars = 0.0
    for block in _fitting(section.blocks, most_lines, most_chars):
        more_lines, more_chars = _lines(block), len(block.text)
        full = lines + more_lines > most_lines or chars + more_chars > most_chars
        if (held and block.tag == "break") or (full and any(map(_is_text, held))):
            next_page = _headings_at_end(held) if full else []
            yield build_page(held[: len(held) - len(next_page)], section.label)
            held = next_page
            if section.head is not None and block.tag == "row":
                held = [section.head, *held]
            lines = sum(map(_lines, held))
            chars = sum(len(one.text) for one in held)
        if block.tag != "break":
            held.append(block)
            lines, chars = lines + more_lines, chars + more_chars
    if held:
        yield build_page(held, section.label)


def _lines(block: Block) -> float:
    """How many lines of a page a block takes, about."""
    if block.tag == "row" and len(block.cells) <= WIDEST_TABLE:
        # columns are as wide as their words need: the row is about as high as its longest cell
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


def _fitting(blocks: Iterable[Block], most_lines: float, most_chars: float) -> Iterator[Block]:
    """The blocks, what is longer than a page in several pieces."""
    for block in blocks:
        if not block.text.strip() and block.tag != "break":
            continue
        if block.tag == "row" or (len(block.text) <= most_chars and _lines(block) <= most_lines):
            yield block
            continue
        for piece in paginate_text(block.text, int(most_chars), int(most_lines) - 1):
            yield replace(block, text=piece)


# Plain text

_MANY_BLANKS = re.compile(r"\n(?:[ \t]*\n){3,}")


def paginate_text(
    text: str, most_chars: int = PAGE_CHARS, most_lines: int = PAGE_LINES
) -> list[str]:
    """Stretches of `text` that fill a page each: whole paragraphs where they fit, else whole lines,
    sentences, words. A form feed begins a new page."""
    found: list[str] = []
    for chapter in _MANY_BLANKS.sub("\n\n\n", text).split("\f"):
        held: list[str] = []
        chars = lines = 0
        for block in re.split(r"(?<=\n)(?=[ \t]*\n)", chapter):
            more_chars, more_lines = len(block), _text_lines(block)
            if held and (chars + more_chars > most_chars or lines + more_lines > most_lines):
                found.append("".join(held))
                held, chars, lines = [], 0, 0
            start = 0  # a paragraph may be the whole file: what was cut off is not looked at again
            while more_chars > most_chars or more_lines > most_lines:
                at = _end(block[start : start + most_chars], most_lines)
                found.append(block[start : start + at])
                start, more_chars = start + at, more_chars - at
                if more_chars <= most_chars:
                    more_lines = _text_lines(block[start:])
            held.append(block[start:])
            chars, lines = chars + more_chars, lines + more_lines
        found.append("".join(held))
    return [page.strip("\n").rstrip() for page in found if page.strip()]


def _text_lines(block: str) -> int:
    """How many lines of a page picture a stretch of text takes."""
    lines = block.split("\n")
    folded = sum((len(line) - 1) // LINE_CHARS for line in lines if len(line) > LINE_CHARS)
    return len(lines) - (lines[-1] == "") + folded


def _end(block: str, most_lines: int) -> int:
    """Where to end a page that begins like this, within a paragraph that is longer than one."""
    most = len(block)
    lines = 0
    for line in re.finditer(r"[^\n]*\n|[^\n]+", block):
        lines += _text_lines(line.group())
        if lines > most_lines:
            # A line that does not fit as a whole is still cut where the page is full.
            most = line.start() or most_lines * LINE_CHARS
            break
    window = block[:most]
    for pattern in (r"\n", r"[.!?…。！？]\s", r"\s"):
        ends = [found.end() for found in re.finditer(pattern, window)]
        if ends and ends[-1] >= most // 2:
            return ends[-1]
    return most
