"""From a file to the extractor of its format. Only extractors import decoders, when they are used.

Untrusted files are decoded in a child process only: `process.reader` calls this there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from indexer.extract.containers.file_format import detect_format, opening_error
from indexer.extract.formats.block_documents import ReadSections
from indexer.extract.formats.members import ExtractMember
from indexer.types.attachments import File, MemoryFile, size_bytes
from indexer.types.formats import Format
from indexer.types.pieces import Extracted, Member, UnreadableError, is_within_member
from indexer.types.unread_formats import unread_sentence


def extract(
    path: File,
    leave_out: Collection[int] | None = (),
    extract_member: ExtractMember | None = None,
) -> Iterator[Extracted]:
    """Everything in the file, page by page, except the members with the numbers in `leave_out`
    (None: all members). Members are read by `extract_member`, and what lies within them too. Raises
    UnreadableError, also halfway."""
    extract_member = extract_member or _extract_member
    file_format = detect_format(path)
    try:
        if file_format is not None and size_bytes(path) == 0:
            raise UnreadableError("empty", "The file is empty.")
        match file_format:
            case "pdf":
                from indexer.extract.formats.pdf import pdf

                yield from pdf.extract(path, extract_member, leave_out)
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
                raise UnreadableError("unsupported", unread_sentence(path.name))
            case _:
                from indexer.extract.formats import block_documents

                if (read := section_reader(file_format)) is None:
                    raise UnreadableError("unsupported", unread_sentence(path.name))
                yield from block_documents.extract(path, read, extract_member, leave_out)
    except OSError as problem:
        raise opening_error(problem) from problem


def _extract_member(file: MemoryFile) -> Iterator[Extracted]:
    """Everything in a member, and in its own members, but not in theirs."""
    return extract(file, extract_member=_extract_innermost)


def _extract_innermost(file: MemoryFile) -> Iterator[Extracted]:
    """Everything in a member but its own members."""
    return extract(file, leave_out=None)


def find_member(path: Path, member: Member) -> MemoryFile:
    """The file within the one at a path that `extract` gave as this member. Raises
    UnreadableError."""
    for file in _files_at(path, member.at):
        inner = _files_at(file, None) if is_within_member(member) else [file]
        for candidate in inner:
            if candidate.content == member.content:
                return MemoryFile(member.name, candidate.data)
    raise UnreadableError("vanished", "The file this was part of has changed.")


def _files_at(path: File, at: int | None) -> Iterator[MemoryFile]:
    """The files within another that lie at a place (see `Attachment`), or all. Raises
    UnreadableError."""
    match detect_format(path):
        case "pdf":
            from indexer.extract.formats.pdf.pdf import files_at
        case "docx" | "pptx" | "xlsx" | "odf" | "epub":
            from indexer.extract.formats.embedded import files_at
        case "mail" | "mbox" | "text":  # a mailbox with a damaged beginning is a text
            from indexer.extract.formats.mail.mail import files_at
        case _:
            return
    yield from files_at(path, at)


def section_reader(file_format: Format | None) -> ReadSections | None:
    """The function that reads a format as blocks; None for formats that are not."""
    sections: ReadSections
    match file_format:
        case "text":
            from indexer.extract.formats.texts.text import sections
        case "docx":
            from indexer.extract.formats.office.word import sections
        case "pptx":
            from indexer.extract.formats.office.slides import sections
        case "xlsx":
            from indexer.extract.formats.office.sheets import sections
        case "odf":
            from indexer.extract.formats.office.opendocument import sections
        case "html":
            from indexer.extract.formats.texts.web import sections
        case "epub":
            from indexer.extract.formats.texts.book import sections
        case "mail" | "mbox":
            from indexer.extract.formats.mail.mail import sections
        case "legacy":
            from indexer.extract.formats.office.legacy import sections
        case _:
            return None
    return sections
