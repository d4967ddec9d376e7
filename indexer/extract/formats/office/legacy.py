"""Files of office programs from before 2007, and locked ones: rich text is read, the others are
refused with what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from indexer.extract.containers import compound
from indexer.extract.containers.archives import DAMAGED
from indexer.extract.pages.blocks import DocumentMetadata, Section
from indexer.types.pieces import UnreadableError

LOCKED = (
    "This document is locked with a password; remove the password in the program it was made with."
)
_CURES = {
    "WordDocument": ("an old Word document (.doc)", ".docx"),
    "Workbook": ("an old Excel workbook (.xls)", ".xlsx"),
    "Book": ("an old Excel workbook (.xls)", ".xlsx"),
    "PowerPoint Document": ("an old PowerPoint presentation (.ppt)", ".pptx"),
    "__properties_version1.0": ("an Outlook message (.msg)", ".eml"),
}


def sections(file: IO[bytes], name: str, metadata: DocumentMetadata) -> Iterator[Section]:
    """Those of a rich text. Raises UnreadableError for all others, with what to do about it."""
    file.seek(0)
    head = file.read(512)
    streams: frozenset[str] | None = frozenset()
    if head.startswith(compound.MAGIC):
        streams = compound.stream_names(file)
    if streams is None:
        raise UnreadableError("corrupt", DAMAGED)
    if "EncryptedPackage" in streams:
        raise UnreadableError("encrypted", LOCKED)
    if head.startswith(b"{\\rtf"):
        from indexer.extract.formats.texts import rich_text

        yield from rich_text.sections(file, name, metadata)
        return
    if streams:
        description, suffix = next(cure for stream, cure in _CURES.items() if stream in streams)
    else:
        description, suffix = "a binary Excel workbook (.xlsb)", ".xlsx"
    raise UnreadableError(
        "unsupported", f"This is {description}; save it as {suffix} and it will be read."
    )
