"""Rich text (RTF): its paragraphs, as striprtf reads them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from indexer.extract.containers.archives import DAMAGED
from indexer.extract.pages.blocks import Block, DocumentMetadata, Section, table_row
from indexer.types.notes import NoteCode
from indexer.types.pieces import UnreadableError
from indexer.types.text.characters import clean

MAX_BYTES = 32 << 20


def sections(file: IO[bytes], name: str, metadata: DocumentMetadata) -> Iterator[Section]:
    """One. Raises UnreadableError where the file is damaged."""
    file.seek(0)
    data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        metadata.notes.add(
            NoteCode.TEXT_LEFT_OUT, f"Only the first {MAX_BYTES >> 20} MB of this text were read."
        )
    try:
        blocks = list(rtf_blocks(data[:MAX_BYTES]))
    except (ValueError, IndexError, LookupError) as problem:
        raise UnreadableError("corrupt", DAMAGED) from problem
    yield Section(blocks)


def rtf_blocks(data: bytes) -> Iterator[Block]:
    """A block for each paragraph and each row of a table."""
    from striprtf.striprtf import rtf_to_text

    for line in clean(rtf_to_text(data.decode("latin-1"), errors="replace")).split("\n"):
        if line.count("|") > 1 and line.rstrip().endswith("|"):
            if row := table_row(line.split("|")):
                yield row
        elif line.strip():
            yield Block(line.strip())
