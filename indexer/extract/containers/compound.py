"""Compound files (MS-CFB) of office programs from before 2007: the names of their streams.

olefile reads the directory. It follows the sector numbers that a file gives, in loops too; what
bounds it is the number of bytes that it may read here, so that looking is safe in any process.
"""

from __future__ import annotations

from typing import IO

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# The table of sectors of a file of 2 GiB, the largest with sectors of 512 bytes, and its directory.
MAX_READ_BYTES = 20 << 20


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
