"""The bytes of an attachment as it was sent: they are encoded in a mail, and in no file.

Only the child process opens mails; it returns the bytes a chunk at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from indexer.types.pieces import Member

CHUNK_BYTES = 1 << 20


class AttachmentReader(Protocol):
    """The child that opens mails."""

    def member_bytes(self, path: Path, member: Member, start: int, length: int) -> bytes: ...


@dataclass(frozen=True, slots=True)
class AttachmentBytes:
    """An attachment of the mail at `path`."""

    path: Path
    member: Member
    reader: AttachmentReader

    @property
    def size_bytes(self) -> int:
        return self.member.size

    def require_readable(self) -> None:
        """Raises UnreadableError where the mail has changed, or is gone."""
        self.reader.member_bytes(self.path, self.member, 0, 0)

    def read(self, start: int, length: int) -> Iterator[bytes]:
        """The bytes from `start` on, `length` of them. Raises UnreadableError."""
        end = min(start + length, self.size_bytes)
        while start < end:
            count = min(CHUNK_BYTES, end - start)
            part = self.reader.member_bytes(self.path, self.member, start, count)
            if not part:
                return
            yield part
            start += len(part)
