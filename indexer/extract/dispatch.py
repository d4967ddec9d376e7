"""The way from a file to the extractor of its format. Decoders are imported by those alone.

Never decode a stranger's file in a process that matters: `process.child` does the same in one that
may die.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from indexer.extract.containers.file_format import NOT_READ_YET, detect_format, opening_error
from indexer.extract.formats.block_documents import ReadSections
from indexer.types.attachments import File, MemoryFile, size_bytes
from indexer.types.formats import Format
from indexer.types.pieces import Extracted, UnreadableError


def extract(path: File, leave_out: Collection[int] | None = ()) -> Iterator[Extracted]:
    """Everything in the file, page by page, but for the members with these numbers (None: but for
    all). Raises UnreadableError, also halfway."""
    found = detect_format(path)
    try:
        if found is not None and size_bytes(path) == 0:
            raise UnreadableError("empty", "The file is empty.")
        match found:
            case "pdf":
                from indexer.extract.formats import pdf

                yield from pdf.extract(path)
            case "picture":
                from indexer.extract.media import photo

                yield from photo.extract(path)
            case "scan":
                from indexer.extract.media import scan

                yield from scan.extract(path)
            case "sound":
                from indexer.extract.media import sound

                yield from sound.extract(path)
            case "video":
                from indexer.extract.media import video

                yield from video.extract(path)
            case None:
                raise UnreadableError("unsupported", NOT_READ_YET)
            case _:
                from indexer.extract.formats import block_documents

                if (read := section_reader(found)) is None:
                    raise UnreadableError("unsupported", NOT_READ_YET)
                yield from block_documents.extract(path, read, _extract_member, leave_out)
    except OSError as problem:
        raise opening_error(problem) from problem


def _extract_member(attached: MemoryFile) -> Iterator[Extracted]:
    """Everything in an attachment but what is attached to it in turn."""
    return extract(attached, leave_out=None)


def section_reader(found: Format | None) -> ReadSections | None:
    """What reads this kind, if it is one that is read as blocks."""
    sections: ReadSections
    match found:
        case "text":
            from indexer.extract.formats.text import sections
        case "docx":
            from indexer.extract.formats.word import sections
        case "pptx":
            from indexer.extract.formats.slides import sections
        case "xlsx":
            from indexer.extract.formats.sheets import sections
        case "odf":
            from indexer.extract.formats.opendocument import sections
        case "html":
            from indexer.extract.formats.web import sections
        case "epub":
            from indexer.extract.formats.book import sections
        case "mail" | "mbox":
            from indexer.extract.formats.mail import sections
        case "legacy":
            from indexer.extract.formats.legacy import sections
        case _:
            return None
    return sections
