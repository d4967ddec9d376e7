"""Compound files (MS-CFB) of office programs from before 2007: the names of their streams, and the
file within an object of another program (OLE).

olefile reads the directory. It follows the sector numbers that a file gives, in loops too; what
bounds it is the number of bytes that it may read here, so that looking is safe in any process.
"""

from __future__ import annotations

import io
import struct
from pathlib import PureWindowsPath
from typing import IO

from indexer.types.text.characters import clean_line

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# The table of sectors of a file of 2 GiB, the largest with sectors of 512 bytes, and its directory.
MAX_READ_BYTES = 20 << 20
_NATIVE = "\x01Ole10Native"  # a file with its name, as the Object Packager of Windows keeps it
_PACKAGED = 2
# Streams that are a file, and the suffix of it: by Acrobat, by Microsoft Office, by LibreOffice.
_WHOLE_FILES = {"CONTENTS": ".pdf", "Package": "", "EmbeddedOdf": ""}
_FILE_HEADS = (b"%PDF", b"PK\x03\x04")


class _BoundedReader:
    """The file as olefile uses it. `read` raises OSError once more than `left_bytes` were asked."""

    closed = False

    def __init__(self, file: IO[bytes], left_bytes: int) -> None:
        self.seek, self.tell = file.seek, file.tell
        self._file = file
        self._left_bytes = left_bytes

    def read(self, size: int) -> bytes:
        self._left_bytes -= size
        if self._left_bytes < 0:
            raise OSError("the directory is larger than any of a document")
        return self._file.read(size)


def stream_names(file: IO[bytes]) -> frozenset[str] | None:
    """The names of the streams and storages at the top of an open compound file; None where its
    directory is damaged."""
    import olefile

    file.seek(0)
    try:
        compound = olefile.OleFileIO(_BoundedReader(file, MAX_READ_BYTES))
        return frozenset(entry.name for entry in compound.root.kids)
    except MemoryError:
        raise
    except Exception:  # olefile lets any error of struct and of recursion through
        return None


def embedded_file(data: bytes) -> tuple[str, bytes] | None:
    """The name, empty where it has none, and the bytes of the file that an OLE object holds; None
    where it holds none that can be taken out."""
    import olefile

    try:
        compound = olefile.OleFileIO(io.BytesIO(data))
        if compound.exists(_NATIVE):
            return _native_file(compound.openstream(_NATIVE).read())
        for stream, suffix in _WHOLE_FILES.items():
            if compound.exists(stream):
                content = bytes(compound.openstream(stream).read())
                if content.startswith(_FILE_HEADS):
                    return suffix, content
    except MemoryError:
        raise
    except Exception:  # olefile lets any error of struct and of recursion through
        return None
    return None


def _native_file(stream: bytes) -> tuple[str, bytes]:
    """What is in a stream of the Object Packager: a label, the path of the file, the path of a copy
    of it and its bytes, each behind its length; then the three texts again in UTF-16. Other
    programs write the bytes alone. Raises ValueError or struct.error where it is damaged."""
    file = io.BytesIO(stream)
    length, kind = struct.unpack("<IH", file.read(6))
    if kind != _PACKAGED:
        return "", stream[4 : 4 + length]
    _text(file)
    name = _text(file)
    file.seek(4, io.SEEK_CUR)
    file.seek(struct.unpack("<I", file.read(4))[0], io.SEEK_CUR)
    (length,) = struct.unpack("<I", file.read(4))
    content = file.read(length)
    if len(content) < length:
        raise ValueError("the file is cut off")
    names = [_wide_text(file) for _ in range(3)]
    return clean_line(PureWindowsPath(names[2] or name).name), content


def _text(file: IO[bytes]) -> str:
    """A text that ends with a zero; in letters of the system it was written on."""
    letters = bytearray()
    while (letter := file.read(1)) not in (b"", b"\0"):
        letters += letter
    return letters.decode("cp1252", "replace")


def _wide_text(file: IO[bytes]) -> str:
    """A text behind its length in letters; empty where there is none."""
    length = file.read(4)
    if len(length) < 4:
        return ""
    return file.read(2 * int.from_bytes(length, "little")).decode("utf-16-le", "replace")
