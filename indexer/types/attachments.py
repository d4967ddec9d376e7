"""A file that lies in another: what was attached to a mail, in memory and never on the disk.

Readers of a kind are given a `File`: they open it, and ask for its name, whichever of both it is.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Literal

from indexer.files.hashing import content_of


@dataclass(frozen=True, slots=True)
class MemoryFile:
    """The bytes of an attachment, and what it is called."""

    name: str
    data: bytes

    @property
    def stem(self) -> str:
        return PurePath(self.name).stem

    @property
    def content(self) -> str:
        """The hash of its bytes, as that of any file."""
        return content_of(io.BytesIO(self.data))

    def open(self, mode: Literal["rb"]) -> io.BytesIO:
        """Its bytes, to be read like an open file; they are not copied."""
        return io.BytesIO(self.data)

    def read_bytes(self) -> bytes:
        return self.data


File = Path | MemoryFile


@dataclass(frozen=True, slots=True)
class Attachment:
    """What is attached somewhere, not decoded yet: its number there, from 1, where its message
    begins, in bytes, what it is called, and whether it is shown among the words instead of below
    them."""

    ordinal: int
    at: int
    name: str
    inline: bool
    load: Callable[[], bytes]

    def loaded(self) -> MemoryFile:
        return MemoryFile(self.name, self.load())


def size_bytes(file: File) -> int:
    """How large a file is."""
    return len(file.data) if isinstance(file, MemoryFile) else file.stat().st_size
