"""Mail (eml, mbox): messages as they were written, and what was attached to them.

A message is a page that begins with who wrote to whom and when; so is one that another brings
along. Everything else that is attached is a file of its own (`members`). A mailbox is read message
by message.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from email import policy
from email.message import Message
from email.parser import BytesParser
from email.utils import parsedate_to_datetime
from functools import partial
from itertools import count
from typing import IO, Any

from indexer.extract.containers.file_format import detect_open_format
from indexer.extract.dates import unix_s
from indexer.extract.formats.message_parts import (
    MAX_PARTS,
    AttachedPart,
    body_blocks,
    decode_payload,
    split_message,
)
from indexer.extract.pages.blocks import Block, DocumentMetadata, Section
from indexer.types.attachments import Attachment, File, MemoryFile
from indexer.types.characters import clean_line
from indexer.types.formats import format_by_name
from indexer.types.pieces import UnreadableError

MAX_MESSAGE_BYTES = 128 << 20
MAX_MESSAGES = 100_000
MAX_HEADER_CHARS = 2_000
# A message in a message in a message is opened, what is in that is only named.
DEEPEST = 3
MAX_LABEL = 80

_SHOWN = ("From", "To", "Cc", "Subject", "Date")
_FROM_LINE = re.compile(rb"From \S.*\d{2}:\d{2}")
_COUNT_LINE = re.compile(rb"\A\d+[ \t]*\r?\n")
_HEADING_LINE = re.compile(r"^-{3,} ?(Original Message|Forwarded message).*$", re.I)


Found = Iterator[Section | Attachment]


def sections(file: IO[bytes], name: str, metadata: DocumentMetadata) -> Found:
    """Message after message, each with its attachments."""
    start = file.read(5)
    file.seek(0)
    if start == b"From ":
        yield from _mailbox(file, metadata)
    else:
        yield from _message(_single(file, metadata), "", metadata, _Bearings())


def find_attachment(path: File, at: int, content: str) -> MemoryFile:
    """The attachment with this hash of the message that begins at a byte of the file: the others of
    a mailbox are not gone through for it. Raises UnreadableError."""
    with path.open("rb") as file:
        if at == 0:
            message = _single(file, DocumentMetadata())
        else:
            file.seek(at)
            message = _parsed(next(_messages(file, DocumentMetadata()), (0, b""))[1])
    for found in _message(message, "", DocumentMetadata(), _Bearings()):
        if isinstance(found, Attachment) and (one := found.loaded()).content == content:
            return one
    raise UnreadableError("vanished", "The mail this was attached to has changed.")


@dataclass(slots=True)
class _Bearings:
    """Where we are in a file: attachments so far, where the message begins (in bytes; 0 where it is
    the file), and how many messages deep."""

    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    at: int = 0
    depth: int = 0

    @property
    def deeper(self) -> _Bearings:
        return replace(self, depth=self.depth + 1)


def _single(file: IO[bytes], metadata: DocumentMetadata) -> Message[Any, Any]:
    data = file.read(MAX_MESSAGE_BYTES + 1)
    if len(data) > MAX_MESSAGE_BYTES:
        metadata.add_note(f"Only the first {MAX_MESSAGE_BYTES >> 20} MB of this message were read.")
    return _parsed(_COUNT_LINE.sub(b"", data[:MAX_MESSAGE_BYTES]))


def _mailbox(file: IO[bytes], metadata: DocumentMetadata) -> Found:
    latest: float | None = None
    numbers = count(1)
    for number, (at, data) in enumerate(_messages(file, metadata)):
        if number >= MAX_MESSAGES:
            metadata.add_note(f"Only the first {MAX_MESSAGES:,} messages were read.")
            break
        one = DocumentMetadata()
        message = _parsed(data)
        subject = _header(message, "Subject")[:MAX_LABEL] or f"Message {number + 1}"
        yield from _message(message, subject, one, _Bearings(numbers, at))
        if one.made_at is not None:
            latest = one.made_at if latest is None else max(latest, one.made_at)
        for note in one.notes:
            metadata.add_note(note)
    metadata.made_at = latest


def _messages(file: IO[bytes], metadata: DocumentMetadata) -> Iterator[tuple[int, bytes]]:
    """Each message of a mailbox from here on, and where it begins: after a "From " line that
    follows on an empty one."""
    held: list[bytes] = []
    size = 0
    at = begin = file.tell()
    before_is_empty = True
    # a line may be as long as the file: so much of it at once is enough to tell
    while line := file.readline(1 << 20):
        at += len(line)
        if before_is_empty and _FROM_LINE.match(line):
            if size:
                yield begin, b"".join(held)
            held, size, begin = [], 0, at
        elif size <= MAX_MESSAGE_BYTES:
            # ">From " at the start of a line was written so for the mailbox's sake
            held.append(line[1:] if re.match(rb">+From ", line) else line)
            size += len(line)
        else:
            metadata.add_note(
                f"Only the first {MAX_MESSAGE_BYTES >> 20} MB of a message were read."
            )
        before_is_empty = line in (b"\n", b"\r\n")
    if size:
        yield begin, b"".join(held)


def _parsed(data: bytes) -> Message[Any, Any]:
    try:
        return BytesParser(policy=policy.default).parsebytes(data)
    except MemoryError:
        raise
    except Exception:
        # headers that the modern parser stumbles over: read them as they stand
        return BytesParser(policy=policy.compat32).parsebytes(data)


def _message(
    message: Message[Any, Any], label: str, metadata: DocumentMetadata, here: _Bearings
) -> Found:
    parts = split_message(message)
    if parts.left_out:
        metadata.add_note(f"Only the first {MAX_PARTS} parts of a message were read.")
    blocks = list(_headers(message))
    names = [one.name for one in parts.attached if one.name]
    if names:
        blocks.append(Block(clean_line("Attachments: " + ", ".join(names))[:MAX_HEADER_CHARS]))
    for part in parts.body:
        blocks += body_blocks(part)
    if here.depth == 0:
        metadata.title = _header(message, "Subject")
        metadata.made_at = _sent_at(message)
    yield Section(blocks, label)
    for one in parts.attached:
        yield from _attachment(one, metadata, here)


def _headers(message: Message[Any, Any]) -> Iterator[Block]:
    for name in _SHOWN:
        if value := _header(message, name)[:MAX_HEADER_CHARS]:
            yield Block(value, "h2") if name == "Subject" else Block(f"{name}: {value}")


def _header(message: Message[Any, Any], name: str) -> str:
    try:
        value = str(message.get(name) or "")
    except Exception:
        raw = next((v for k, v in message.raw_items() if k.lower() == name.lower()), "")
        value = str(raw)
    return clean_line(value)


def _sent_at(message: Message[Any, Any]) -> float | None:
    try:
        return unix_s(parsedate_to_datetime(_header(message, "Date")))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _attachment(one: AttachedPart, metadata: DocumentMetadata, here: _Bearings) -> Found:
    """A message as pages of this one, within bounds; anything else as itself."""
    label = (one.name or "Attachment")[:MAX_LABEL]
    if one.message.get_content_type() == "message/rfc822":
        inner = one.message.get_payload()
        if here.depth < DEEPEST and isinstance(inner, list) and isinstance(inner[0], Message):
            subject = _header(inner[0], "Subject")[:MAX_LABEL] or label
            yield from _message(inner[0], subject, metadata, here.deeper)
        return
    if format_by_name(one.name) == "mail":
        data = decode_payload(one.message)
        if detect_open_format(io.BytesIO(data), one.name) == "mail":
            if here.depth < DEEPEST:
                yield from _message(_parsed(data), label, metadata, here.deeper)
            return
    load = partial(decode_payload, one.message)
    name = one.name or "Attachment"
    yield Attachment(next(here.numbers), here.at, name, one.inline, load)
