"""Documents in zip archives and in compound files: their format, and the members of archives.

The format is detected from the table of contents alone, of which a bounded part is read, so that
it is safe in any process. Members are unpacked in the child only, by `open_zip`.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import PurePath
from typing import IO

from indexer.extract.containers import compound
from indexer.types.formats import SUFFIXES, Format, format_by_name
from indexer.types.pieces import UnreadableError

ZIP = b"PK\x03\x04"

_LEGACY_SUFFIXES = frozenset(SUFFIXES["legacy"].split())

_TAIL_BYTES = 66_000  # the end of a zip: 22 bytes and a comment
_NAMES_BYTES = 1 << 20

# Streams of compound files, by which the programs that wrote them are known.
_LEGACY_STREAMS = frozenset(
    {"WordDocument", "Workbook", "Book", "PowerPoint Document", "EncryptedPackage"}
    | {"__properties_version1.0"}
)

MAX_ENTRIES = 20_000
MAX_UNPACKED_BYTES = 2 << 30
MAX_XML_BYTES = 512 << 20
# XML of tables is compressed about 30 times; what is compressed 300 times is no document.
MAX_RATIO = 300
UNCHECKED_BYTES = 16 << 20

BOMB = (
    "This file unpacks to far more than a document would, so it was left out; if it is one, save "
    "it anew in its own program."
)
CUT_OFF = "This file is cut off before its end and cannot be opened; get a whole copy of it."
DAMAGED = "This file is damaged and cannot be opened; open it in its own program and save it anew."
LOCKED = "This file is locked with a password; remove the password in the program it was made with."

_ODF = re.compile(
    rb"application/vnd\.oasis\.opendocument\.(text|spreadsheet|presentation|graphics)"
)


def container_format(file: IO[bytes], head: bytes, name: str) -> Format | None:
    """The format of the document in an open zip or compound file; None where it is none that is
    read."""
    if head.startswith(compound.MAGIC):
        streams = compound.stream_names(file)
        if streams is None:  # damaged: its name is all there is
            return "legacy" if PurePath(name).suffix.lower() in _LEGACY_SUFFIXES else None
        return "legacy" if streams & _LEGACY_STREAMS else None
    first_entry = head[30:200]
    if first_entry.startswith(b"mimetypeapplication/epub+zip"):
        return "epub"
    if first_entry.startswith(b"mimetype") and _ODF.match(first_entry[8:]):
        return "odf"
    names = _names(file) or head
    if b"[Content_Types].xml" in names or b"word/" in head or b"xl/" in head or b"ppt/" in head:
        if b"xl/workbook.bin" in names:
            return "legacy"
        for folder, folder_format in _FOLDERS:
            if folder in names:
                return folder_format
    if b"META-INF/container.xml" in names and b".opf" in names:
        return "epub"
    if b"META-INF/manifest.xml" in names and b"content.xml" in names and b"styles.xml" in names:
        return "odf"
    # cut off before the table of contents: its name is all there is
    named = format_by_name(name)
    return named if named in _ZIPPED and not _names(file) else None


_FOLDERS: tuple[tuple[bytes, Format], ...] = (
    (b"word/", "docx"),
    (b"ppt/", "pptx"),
    (b"xl/", "xlsx"),
)
_ZIPPED: tuple[Format, ...] = ("docx", "pptx", "xlsx", "odf", "epub")


def _end_record(file: IO[bytes]) -> tuple[int, bytes]:
    """The record at the end of an archive, and its offset; empty where there is none."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _TAIL_BYTES))
    tail = file.read(_TAIL_BYTES)
    at = tail.rfind(b"PK\x05\x06")
    record = tail[at : at + 22] if at >= 0 else b""
    return max(0, size - len(tail)) + at, record if len(record) == 22 else b""


def _entries(file: IO[bytes]) -> int:
    """How many members the table of contents has by its own account. In an archive of more than
    65,535 it stands in a record of 56 bytes, before one of 20 that points there."""
    end, record = _end_record(file)
    count = int.from_bytes(record[10:12], "little")
    if count == 0xFFFF and end >= 76:
        file.seek(end - 76)
        large = file.read(56)
        if large.startswith(b"PK\x06\x06"):
            return int.from_bytes(large[32:40], "little")
    return count


def _too_many(count: int) -> UnreadableError:
    return UnreadableError(
        "too_large",
        f"This file has {count:,} parts, and one of more than {MAX_ENTRIES:,} is not opened; save "
        "it in several files.",
    )


def _names(file: IO[bytes]) -> bytes:
    """The first bytes of the table of contents; empty where there is none."""
    end, record = _end_record(file)
    if not record:
        return b""
    length = int.from_bytes(record[12:16], "little")
    file.seek(max(0, end - length))
    return file.read(min(length, _NAMES_BYTES))


def open_zip(file: IO[bytes]) -> zipfile.ZipFile:
    """The open archive, after its table of contents was checked against the bounds. zipfile unpacks
    no more of a member than its entry declares. Raises UnreadableError."""
    if (count := _entries(file)) > MAX_ENTRIES:  # before zipfile makes an object of each
        raise _too_many(count)
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as problem:
        is_whole = bool(_names(file))
        raise UnreadableError(
            *(("corrupt", DAMAGED) if is_whole else ("truncated", CUT_OFF))
        ) from problem
    members = archive.infolist()
    if any(member.flag_bits & 1 for member in members):
        raise UnreadableError("encrypted", LOCKED)
    if len(members) > MAX_ENTRIES:
        raise _too_many(len(members))
    if sum(member.file_size for member in members) > MAX_UNPACKED_BYTES:
        raise UnreadableError("too_large", BOMB)
    for member in members:
        is_xml = member.filename.lower().endswith((".xml", ".rels", ".opf", ".xhtml", ".html"))
        # sheets are read as a stream, row by row, up to a limit
        ratio = 0.0 if member.filename.startswith("xl/worksheets/") else _ratio(member)
        if member.file_size > UNCHECKED_BYTES and (
            ratio > MAX_RATIO or (is_xml and member.file_size > MAX_XML_BYTES)
        ):
            raise UnreadableError("too_large", BOMB)
    return archive


def _ratio(member: zipfile.ZipInfo) -> float:
    return member.file_size / max(1, member.compress_size)


def read_first(archive: zipfile.ZipFile, *names: str) -> bytes | None:
    """The content of the first of these members that there is. Raises UnreadableError for a damaged
    one."""
    for name in names:
        try:
            return archive.read(name)
        except KeyError:
            continue
        except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError) as broken:
            raise UnreadableError("corrupt", DAMAGED) from broken
        except Exception as broken:  # zlib.error and its like have no common parent
            raise UnreadableError("corrupt", DAMAGED) from broken
    return None
