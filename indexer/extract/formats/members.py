"""The members of a file: attachments of a mail or a PDF, pictures and files inside a document.

Each is read by its own format. One that cannot be read is named in a note; the file around it and
its other members are still read.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from typing import get_args

from indexer.extract import heartbeat
from indexer.extract.containers.file_format import detect_kind
from indexer.extract.pages.blocks import DocumentMetadata
from indexer.types.attachments import Attachment, MemoryFile
from indexer.types.notes import NoteCode
from indexer.types.pieces import (
    Extracted,
    Facts,
    Member,
    MemberPiece,
    PageText,
    Piece,
    Thumb,
    UnreadableError,
    number_within,
)
from indexer.types.places import Kind
from indexer.types.unread_formats import is_signature, unread_sentence

# Of one file; later members are not read. Bytes and pieces are those of the output.
MAX_MEMBERS = 10_000
MAX_PIECES = 50_000
MAX_BYTES = 64 << 20
MAX_S = 600.0
TOO_LARGE = "Opening it takes more memory than Recollect gives to one file."
# An inline picture that is narrower than this is decoration: a logo, a line.
DECORATION_PX = 150
NAMED_PHOTO_PX = 40
_PHOTO_NAME = re.compile(r".*\.(jpe?g|heic|heif)", re.I | re.S)
_PROGRAM_NAME = re.compile(
    r".*(logo|icon|banner|signature|spacer|pixel).*|(image|img|picture|attachment|outlook)\W*\d*\.\w+",
    re.I | re.S,
)

_PIECES = get_args(Piece)

# Everything in an attachment, with what is attached to it.
ExtractMember = Callable[[MemoryFile], Iterator[Extracted]]


class MemberReader:
    """Reads the attachments of one file, and notes in `metadata` which could not be read. Those
    numbered in `leave_out` are left out, because they ended an earlier process; with None, all."""

    def __init__(
        self, metadata: DocumentMetadata, leave_out: Collection[int] | None, extract: ExtractMember
    ) -> None:
        self._metadata = metadata
        self._extract = extract
        self._leave_out = leave_out
        self._seen_contents: set[str] = set()
        self.has_read = False  # whether at least one was read
        self._count = self._pieces = self._bytes = 0
        self._took_s = 0.0

    def read(self, attachment: Attachment) -> Iterator[Member | MemberPiece]:
        """The member, then its pieces; nothing of a kind that is not read. The member comes before
        it is opened, so that it is known which one was if that ends the process."""
        if self._leave_out is None:
            self._metadata.notes.add(
                NoteCode.ATTACHMENTS_LEFT_OUT,
                "Pictures and files inside it were not read; save it as a file of its own.",
            )
            return
        if attachment.ordinal in self._leave_out:
            self._refuse(attachment, "It made the program that reads it stop.")
            return
        if self._is_full():
            self._metadata.notes.add(
                NoteCode.ATTACHMENTS_LEFT_OUT,
                f"Only the first {self._count:,} attachments were read.",
            )
            return
        try:
            file = attachment.load()
            kind = detect_kind(file)
        except MemoryError:
            self._refuse(attachment, TOO_LARGE)
            return
        except UnreadableError as problem:
            self._refuse(attachment, problem.sentence)
            return
        except Exception:  # decoders raise what they like
            self._refuse(attachment, "It is damaged.")
            return
        if not file.data:
            return
        if kind is None:
            if not (attachment.inline or is_signature(file.name)):
                self._refuse(attachment, unread_sentence(file.name))
            return
        content = file.content
        yield Member(
            attachment.ordinal, attachment.at, content, attachment.name, len(file.data), kind
        )
        if content in self._seen_contents:
            return
        self._seen_contents.add(content)
        began = time.monotonic()
        self._count += 1
        extracted = self._extract_pieces(attachment, file)
        pieces = [piece for piece in extracted if isinstance(piece, _PIECES)]
        self._took_s += time.monotonic() - began
        if pieces and not (attachment.inline and _is_decoration(file.name, kind, pieces)):
            self.has_read = True
            self._pieces += len(pieces)
            self._bytes += sum(map(_size_bytes, pieces))
            yield from (MemberPiece(attachment.ordinal, piece) for piece in pieces)
            yield from _members_within(attachment, extracted)

    def _extract_pieces(self, attachment: Attachment, file: MemoryFile) -> list[Extracted]:
        pieces: list[Extracted] = []
        try:
            for piece in self._extract(file):
                heartbeat.send()
                pieces.append(piece)
                if len(pieces) > MAX_PIECES:
                    raise UnreadableError(
                        "too_large", "There is more in it than is read of a mail."
                    )
        except MemoryError:
            self._refuse(attachment, TOO_LARGE)
        except UnreadableError as problem:
            self._refuse(attachment, problem.sentence)
        except Exception:  # decoders raise what they like
            self._refuse(attachment, "It is damaged.")
        else:
            return pieces
        return []

    def _refuse(self, attachment: Attachment, sentence: str) -> None:
        what = "picture" if attachment.inline else "attachment"
        self._metadata.notes.add(
            NoteCode.ATTACHMENT_UNREAD,
            f"The {what} “{attachment.name[:80]}” could not be read: {sentence}",
        )

    def _is_full(self) -> bool:
        return (
            self._count >= MAX_MEMBERS
            or self._pieces > MAX_PIECES
            or self._bytes > MAX_BYTES
            or self._took_s > MAX_S
        )


def _members_within(
    attachment: Attachment, extracted: list[Extracted]
) -> Iterator[Member | MemberPiece]:
    """What lies within a member, as members of the file around both."""
    for piece in extracted:
        if isinstance(piece, Member | MemberPiece):
            ordinal = number_within(attachment.ordinal, piece.ordinal)
            if isinstance(piece, Member):
                yield replace(piece, ordinal=ordinal, at=attachment.at)
            else:
                yield replace(piece, ordinal=ordinal)


def _is_decoration(name: str, kind: Kind, pieces: list[Piece]) -> bool:
    """Whether a picture among the words is a logo or a line: a small one, unless it is of a format
    of photos and somebody has named it."""
    facts = next((piece for piece in pieces if isinstance(piece, Facts)), None)
    if kind is not Kind.PHOTO or facts is None:
        return False
    is_named = _PHOTO_NAME.fullmatch(name) and not _PROGRAM_NAME.fullmatch(name)
    least_px = NAMED_PHOTO_PX if is_named else DECORATION_PX
    return min(facts.width_px or 0, facts.height_px or 0) < least_px


def _size_bytes(piece: Piece) -> int:
    match piece:
        case PageText(text):
            return len(text) if text.isascii() else 6 * len(text)  # as it is sent
        case Thumb(webp):
            return len(webp)
        case _:
            return 0
