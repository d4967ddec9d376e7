"""Files as extractors are given them: on the disk, or within another file and held in memory."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Literal

from indexer.files.hashing import hash_stream


@dataclass(frozen=True, slots=True)
class MemoryFile:
    """The bytes and the name of a file within another, with the methods of a Path that extractors
    use."""

    name: str
    data: bytes

    @property
    def stem(self) -> str:
        return PurePath(self.name).stem

    @property
    def content(self) -> str:
        """The hash of the bytes, as for a file on the disk."""
        return hash_stream(io.BytesIO(self.data))

    def open(self, mode: Literal["rb"]) -> io.BytesIO:
        """The bytes as an open file; they are not copied."""
        return io.BytesIO(self.data)

    def read_bytes(self) -> bytes:
        return self.data


File = Path | MemoryFile


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file within another that is not decoded yet: its number there, from 1; where it lies: the
    offset of its message in a mailbox or of its entry in a zip archive, in bytes, or the number of
    its object in a PDF; its name; and whether it is shown among the words instead of below
    them."""

    ordinal: int
    at: int
    name: str
    inline: bool
    decode: Callable[[], bytes]

    def load(self) -> MemoryFile:
        return MemoryFile(self.name, self.decode())


def size_bytes(file: File) -> int:
    """The size of a file."""
    return len(file.data) if isinstance(file, MemoryFile) else file.stat().st_size
