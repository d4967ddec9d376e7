"""Files that lie in another, the attachments of a mail: each is read as what it is itself.

One that cannot be read is only named, and takes neither the mail nor the others along.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from typing import get_args

from indexer.extract import heartbeat
from indexer.extract.containers.file_format import detect_kind
from indexer.extract.pages.blocks import DocumentMetadata
from indexer.types.attachments import Attachment, MemoryFile
from indexer.types.pieces import (
    Extracted,
    Facts,
    Member,
    MemberPiece,
    PageText,
    Piece,
    Thumb,
    UnreadableError,
)
from indexer.types.places import Kind

# Of one file; what comes after is only named. Bytes and pieces are of what was found in them.
MOST_MEMBERS = 10_000
MOST_PIECES = 50_000
MOST_BYTES = 64 << 20
MOST_S = 600.0
# A picture among the words of a mail that is narrower than this is its ornament: a logo, a line.
ORNAMENT_PX = 150

_PIECES = get_args(Piece)

# Everything in an attachment but what is attached to it in turn.
ExtractMember = Callable[[MemoryFile], Iterator[Extracted]]


class MemberReader:
    """Reads the attachments of one file, and tells `metadata` what could not be. Those numbered in
    `leave_out` have ended a process that tried; with None, all are left alone."""

    def __init__(
        self, metadata: DocumentMetadata, leave_out: Collection[int] | None, extract: ExtractMember
    ) -> None:
        self._metadata = metadata
        self._extract = extract
        self._leave_out = leave_out
        self._tried: set[str] = set()
        self.some = False  # whether one was read
        self._count = self._pieces = self._bytes = 0
        self._took_s = 0.0

    def read(self, one: Attachment) -> Iterator[Member | MemberPiece]:
        """The member, then what is in it; nothing of a kind that is not read. The member comes
        before it is opened, so that it is known which one was if that ends the process."""
        if self._leave_out is None:
            self._metadata.add_note("What is attached to it was not read.")
            return
        if one.ordinal in self._leave_out:
            self._refuse(one, "It made the program that reads it stop.")
            return
        if self._is_full():
            self._metadata.add_note(f"Only the first {self._count:,} attachments were read.")
            return
        try:
            attached = one.loaded()
            kind = detect_kind(attached)
        except Exception:
            return
        if kind is None:
            return
        content = attached.content
        yield Member(one.ordinal, one.at, content, one.name, len(attached.data), kind)
        if content in self._tried:
            return
        self._tried.add(content)
        began = time.monotonic()
        self._count += 1
        pieces = self._opened(one, attached)
        self._took_s += time.monotonic() - began
        if pieces and not (one.inline and _is_ornament(kind, pieces)):
            self.some = True
            self._pieces += len(pieces)
            self._bytes += sum(map(_size, pieces))
            yield from (MemberPiece(one.ordinal, piece) for piece in pieces)

    def _opened(self, one: Attachment, attached: MemoryFile) -> list[Piece]:
        pieces: list[Piece] = []
        try:
            for piece in self._extract(attached):
                heartbeat.send()
                if isinstance(piece, _PIECES):
                    pieces.append(piece)
                if len(pieces) > MOST_PIECES:
                    raise UnreadableError(
                        "too_large", "There is more in it than is read of a mail."
                    )
        except MemoryError:
            self._refuse(one, "Opening it takes more memory than Recollect gives to one file.")
        except UnreadableError as problem:
            self._refuse(one, problem.sentence)
        except Exception:  # decoders raise what they like
            self._refuse(one, "It is damaged.")
        else:
            return pieces
        return []

    def _refuse(self, one: Attachment, why: str) -> None:
        self._metadata.add_note(f"The attachment “{one.name[:80]}” could not be read: {why}")

    def _is_full(self) -> bool:
        return (
            self._count >= MOST_MEMBERS
            or self._pieces > MOST_PIECES
            or self._bytes > MOST_BYTES
            or self._took_s > MOST_S
        )


def _is_ornament(kind: Kind, pieces: list[Piece]) -> bool:
    facts = next((piece for piece in pieces if isinstance(piece, Facts)), None)
    if kind is not Kind.PHOTO or facts is None:
        return False
    return min(facts.width_px or 0, facts.height_px or 0) < ORNAMENT_PX


def _size(piece: Piece) -> int:
    match piece:
        case PageText(text):
            return len(text) if text.isascii() else 6 * len(text)  # as it is sent
        case Thumb(webp):
            return len(webp)
        case _:
            return 0
