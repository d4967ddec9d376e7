"""Texts: plain ones with source code, logs and settings, Markdown, comma-separated values."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import date
from itertools import islice
from pathlib import PurePath
from typing import IO

from indexer.extract.containers.encodings import decode
from indexer.extract.dates import unix_s
from indexer.extract.formats.texts.calendars import is_calendar, unescape, unfold
from indexer.extract.limits import MAX_ROWS
from indexer.extract.pages.blocks import Block, DocumentMetadata, Section, header_row, table_row
from indexer.extract.pages.pagination import paginate_text
from indexer.extract.pages.typesetting import PageSource, markdown_page, plain_page
from indexer.types.notes import NoteCode
from indexer.types.pieces import UnreadableError
from indexer.types.text.characters import clean_line

MAX_BYTES = 32 << 20
REPLACEMENT = "\ufffd"  # what stands for bytes that are no letters

_MARKDOWN = frozenset([".md", ".markdown", ".mkd", ".qmd", ".rmd"])
_DELIMITERS = {".csv": ",;\t|", ".tsv": "\t", ".tab": "\t"}
_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.+?)[ \t#]*$", re.MULTILINE)
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.M)


def sections(
    file: IO[bytes], name: str, metadata: DocumentMetadata
) -> Iterator[Section | PageSource]:
    """The pages of a text: as Markdown, a table or plain, by the suffix of its name."""
    data = file.read(MAX_BYTES + 1)
    own_bytes = data[:MAX_BYTES]
    if is_card := is_calendar(own_bytes):
        own_bytes = unfold(own_bytes)
    text = decode(own_bytes)
    if text is None:
        raise UnreadableError(
            "unsupported",
            "This file is called a text, but there is no text in it; give it the suffix "
            "of what it is.",
        )
    damaged = text.count(REPLACEMENT) - data.count(REPLACEMENT.encode())
    if damaged > 0:
        letters = "1 letter" if damaged == 1 else f"{damaged:,} letters"
        metadata.notes.add(
            NoteCode.LETTERS_DAMAGED,
            f"{letters} of this text could not be read: the file is damaged there.",
        )
    if is_card:
        text = unescape(text)
    suffix = PurePath(name).suffix.lower()
    if suffix in _DELIMITERS and (dialect := _dialect(text, _DELIMITERS[suffix])):
        yield _table(text, dialect, metadata)
    elif suffix in _MARKDOWN:
        yield from _markdown(text, metadata)
    else:
        yield from (plain_page(source) for source in paginate_text(text))
    if len(data) > MAX_BYTES:
        metadata.notes.add(
            NoteCode.TEXT_LEFT_OUT, f"Only the first {MAX_BYTES >> 20} MB of this text were read."
        )


def _markdown(text: str, metadata: DocumentMetadata) -> Iterator[PageSource]:
    front = _FRONT_MATTER.match(text)
    metadata.title = _front_value(front, "title")
    if (written := _front_value(front, "date")) and re.match(r"\d{4}-\d\d-\d\d", written):
        try:
            metadata.made_at = unix_s(date.fromisoformat(written[:10]))
        except ValueError:
            metadata.made_at = None
    front_page = plain_page(front[1].strip()) if front is not None and front[1].strip() else None
    text = text[front.end() :] if front is not None else text
    if not metadata.title and (heading := _HEADING.search(text[:3_000])):
        metadata.title = markdown_page(heading.group(1)).text.strip()
    for source in paginate_text(text):
        page = markdown_page(source)
        yield page if front_page is None else _joined_page(front_page, page)
        front_page = None
    if front_page is not None:
        yield front_page


def _joined_page(above: PageSource, below: PageSource) -> PageSource:
    return PageSource(f"{above.text}\n\n{below.text}", lambda: above.html() + below.html())


def _front_value(front: re.Match[str] | None, key: str) -> str:
    match = front and re.search(rf"^{key}[ \t]*:[ \t]*(.+)$", front[1], re.MULTILINE | re.I)
    return clean_line(match[1]).strip("\"'") if match else ""


def _dialect(text: str, delimiters: str) -> type[csv.Dialect] | csv.Dialect | None:
    """How the values are separated; None where they are not: then the file is a plain text."""
    sample = text[: 1 << 15]
    sample = sample[: sample.rfind("\n")] if "\n" in sample else sample
    try:
        dialect = csv.Sniffer().sniff(sample, delimiters)
        dialect.doublequote = True
        return dialect
    except csv.Error:
        lines = sample.split("\n")[:50]
        count, best = max((sum(mark in line for line in lines), mark) for mark in delimiters)
        if count < max(1, len(lines) // 2):
            return None

        class Plain(csv.excel):
            delimiter = best

        return Plain()


def _table(
    text: str, dialect: type[csv.Dialect] | csv.Dialect, metadata: DocumentMetadata
) -> Section:
    def rows() -> Iterator[Block]:
        csv.field_size_limit(MAX_BYTES)
        reader = csv.reader(text.split("\n"), dialect)
        for number, cells in enumerate(_skip_invalid(reader, metadata)):
            if number >= MAX_ROWS:
                metadata.notes.add(
                    NoteCode.ROWS_LEFT_OUT, f"Only the first {MAX_ROWS:,} rows were read."
                )
                return
            if block := table_row(cells):
                yield block

    return Section(rows(), head=header_row(list(islice(rows(), 2))))


def _skip_invalid(rows: Iterator[list[str]], metadata: DocumentMetadata) -> Iterator[list[str]]:
    """The rows that csv can read; the others are left out, and a note says so."""
    while True:
        try:
            yield next(rows)
        except StopIteration:
            return
        except csv.Error:
            metadata.notes.add(NoteCode.ROWS_LEFT_OUT, "Rows that are no values were not read.")
