"""Plain text and Markdown: pages of about 3,000 characters, cut at the ends of paragraphs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from indexer.extract import Extracted, Facts, Unreadable, Words, title_of
from indexer.extract.characters import clean
from indexer.extract.layout import PageSource, markdown, plain
from indexer.extract.pictures import thumb
from indexer.extract.signatures import encoding_of
from indexer.passages import Page

MAX_BYTES = 32 << 20
PAGE_CHARS = 3_000
# What fits on a page picture: so many lines of so many characters.
PAGE_LINES = 54
LINE_CHARS = 92
MAX_PAGES = 10_000

_MARKDOWN = frozenset([".md", ".markdown"])
_MANY_BLANKS = re.compile(r"\n(?:[ \t]*\n){3,}")
_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.+?)[ \t#]*$", re.MULTILINE)


def extract(path: Path) -> Iterator[Extracted]:
    """One Words for each page, then Facts and a picture of the first page."""
    sources, cut = pages(path)
    if not sources:
        raise Unreadable("empty", "There are no words in this file.")
    for number, source in enumerate(sources, start=1):
        yield Words(source.text, Page(number))
    picture, colour = thumb(sources[0].document()[0])
    note = f"Only the first {len(sources)} pages of this text were read." if cut else None
    yield Facts(_title(path), pages=len(sources), colour=colour, note=note)
    yield picture


def page(path: Path, number: int) -> PageSource:
    """The page that `extract` gave this number."""
    sources, _ = pages(path)
    if not 1 <= number <= len(sources):
        raise Unreadable("vanished", f"This document has no page {number}.")
    return sources[number - 1]


def pages(path: Path) -> tuple[list[PageSource], bool]:
    """The pages of a text, and whether some of it was left out."""
    text, cut = read(path)
    make = markdown if path.suffix.lower() in _MARKDOWN else plain
    made = (make(source) for source in cut_pages(text))
    sources = [source for source in made if source.text.strip()]
    return sources[:MAX_PAGES], cut or len(sources) > MAX_PAGES


def read(path: Path) -> tuple[str, bool]:
    """The text of a file in whatever encoding, and whether its end was left out."""
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    cut = len(data) > MAX_BYTES
    data = data[:MAX_BYTES]
    encoding = encoding_of(data)
    if encoding is None:
        raise Unreadable("unsupported", "This file is called a text, but there is no text in it.")
    return clean(data.decode(encoding, "replace")), cut


def cut_pages(text: str) -> list[str]:
    """Stretches of `text` that fill a page each: whole paragraphs where they fit, else whole lines,
    sentences, words. A form feed begins a new page."""
    found: list[str] = []
    for chapter in _MANY_BLANKS.sub("\n\n\n", text).split("\f"):
        held: list[str] = []
        chars = lines = 0
        for block in re.split(r"(?<=\n)(?=[ \t]*\n)", chapter):
            more_chars, more_lines = len(block), _lines(block)
            if held and (chars + more_chars > PAGE_CHARS or lines + more_lines > PAGE_LINES):
                found.append("".join(held))
                held, chars, lines = [], 0, 0
            while more_chars > PAGE_CHARS or more_lines > PAGE_LINES:
                at = _end(block)
                found.append(block[:at])
                block = block[at:]
                more_chars, more_lines = len(block), _lines(block)
            held.append(block)
            chars, lines = chars + more_chars, lines + more_lines
        found.append("".join(held))
    return [page.strip("\n").rstrip() for page in found if page.strip()]


def _lines(block: str) -> int:
    """How many lines of a page picture a block takes."""
    lines = block.split("\n")
    folded = sum((len(line) - 1) // LINE_CHARS for line in lines if len(line) > LINE_CHARS)
    return len(lines) - (lines[-1] == "") + folded


def _end(block: str) -> int:
    """Where to end a page within a paragraph that is longer than one."""
    most = min(len(block), PAGE_CHARS)
    lines = 0
    for line in re.finditer(r"[^\n]*\n|[^\n]+", block[:most]):
        lines += _lines(line.group())
        if lines > PAGE_LINES:
            # A line that does not fit as a whole is still cut where the page is full.
            most = line.start() or PAGE_LINES * LINE_CHARS
            break
    window = block[:most]
    for pattern in (r"\n", r"[.!?…。！？]\s", r"\s"):
        ends = [found.end() for found in re.finditer(pattern, window)]
        if ends and ends[-1] >= most // 2:
            return ends[-1]
    return most


def _title(path: Path) -> str:
    if path.suffix.lower() in _MARKDOWN:
        heading = _HEADING.search(read(path)[0][:PAGE_CHARS])
        if heading is not None:
            return markdown(heading.group(1)).text.strip()[:200] or title_of(path)
    return title_of(path)
