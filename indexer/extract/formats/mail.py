"""Mail (eml, mbox): messages, and their attachments.

A message is a page that begins with its sender, recipients and date; an attached message is a page
of the same file. Everything else that is attached is a file of its own (`members`).
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
# Messages attached to messages are read down to here; deeper ones are only named.
MAX_DEPTH = 3
MAX_LABEL_CHARS = 80

_SHOWN = ("From", "To", "Cc", "Subject", "Date")
_FROM_LINE = re.compile(rb"From \S.*\d{2}:\d{2}")
_COUNT_LINE = re.compile(rb"\A\d+[ \t]*\r?\n")


Parts = Iterator[Section | Attachment]


def sections(file: IO[bytes], name: str, metadata: DocumentMetadata) -> Parts:
    """Message after message, each with its attachments."""
    start = file.read(5)
    file.seek(0)
    if start == b"From ":
        yield from _mailbox(file, metadata)
    else:
        yield from _message(_single(file, metadata), "", metadata, _Position())


def find_attachment(path: File, at: int, content: str) -> MemoryFile:
    """The attachment with this hash of the message at an offset in bytes; the rest of a mailbox is
    not read for it. Raises UnreadableError."""
    with path.open("rb") as file:
        if at == 0:
            message = _single(file, DocumentMetadata())
        else:
            file.seek(at)
            message = _parse(next(_messages(file, DocumentMetadata()), (0, b""))[1])
    for part in _message(message, "", DocumentMetadata(), _Position()):
        if isinstance(part, Attachment) and (file_in_memory := part.load()).content == content:
            return file_in_memory
    raise UnreadableError("vanished", "The mail this was attached to has changed.")


@dataclass(slots=True)
class _Position:
    """A place in a file: the numbers of its next attachments, the offset of the message in bytes (0
    where it is the file), and how deep it is nested in other messages."""

    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    at: int = 0
    depth: int = 0

    @property
    def deeper(self) -> _Position:
        return replace(self, depth=self.depth + 1)


def _single(file: IO[bytes], metadata: DocumentMetadata) -> Message[Any, Any]:
    data = file.read(MAX_MESSAGE_BYTES + 1)
    if len(data) > MAX_MESSAGE_BYTES:
        metadata.add_note(f"Only the first {MAX_MESSAGE_BYTES >> 20} MB of this message were read.")
    return _parse(_COUNT_LINE.sub(b"", data[:MAX_MESSAGE_BYTES]))


def _mailbox(file: IO[bytes], metadata: DocumentMetadata) -> Parts:
    latest: float | None = None
    numbers = count(1)
    for number, (at, data) in enumerate(_messages(file, metadata)):
        if number >= MAX_MESSAGES:
            metadata.add_note(f"Only the first {MAX_MESSAGES:,} messages were read.")
            break
        message_metadata = DocumentMetadata()
        message = _parse(data)
        subject = _header(message, "Subject")[:MAX_LABEL_CHARS] or f"Message {number + 1}"
        yield from _message(message, subject, message_metadata, _Position(numbers, at))
        sent_at = message_metadata.made_at
        if sent_at is not None:
            latest = sent_at if latest is None else max(latest, sent_at)
        for note in message_metadata.notes:
            metadata.add_note(note)
    metadata.made_at = latest


def _messages(file: IO[bytes], metadata: DocumentMetadata) -> Iterator[tuple[int, bytes]]:
    """The offset and the bytes of each message from the current position on. A message begins after
    a "From " line that follows an empty line."""
    lines: list[bytes] = []
    size = 0
    at = begin = file.tell()
    after_empty_line = True
    # bounded, since a line may be as long as the file
    while line := file.readline(1 << 20):
        at += len(line)
        if after_empty_line and _FROM_LINE.match(line):
            if size:
                yield begin, b"".join(lines)
            lines, size, begin = [], 0, at
        elif size <= MAX_MESSAGE_BYTES:
            # ">From " was "From " before the message was put into a mailbox
            lines.append(line[1:] if re.match(rb">+From ", line) else line)
            size += len(line)
        else:
            metadata.add_note(
                f"Only the first {MAX_MESSAGE_BYTES >> 20} MB of a message were read."
            )
        after_empty_line = line in (b"\n", b"\r\n")
    if size:
        yield begin, b"".join(lines)


def _parse(data: bytes) -> Message[Any, Any]:
    try:
        return BytesParser(policy=policy.default).parsebytes(data)
    except MemoryError:
        raise
    except Exception:
        # headers that the modern policy cannot parse
        return BytesParser(policy=policy.compat32).parsebytes(data)


def _message(
    message: Message[Any, Any], label: str, metadata: DocumentMetadata, position: _Position
) -> Parts:
    parts = split_message(message)
    if parts.left_out:
        metadata.add_note(f"Only the first {MAX_PARTS} parts of a message were read.")
    blocks = list(_headers(message))
    names = [part.name for part in parts.attached if part.name]
    if names:
        blocks.append(Block(clean_line("Attachments: " + ", ".join(names))[:MAX_HEADER_CHARS]))
    for part in parts.body:
        blocks += body_blocks(part)
    if position.depth == 0:
        metadata.title = _header(message, "Subject")
        metadata.made_at = _sent_at(message)
    yield Section(blocks, label)
    for attachment in parts.attached:
        yield from _attachment(attachment, metadata, position)


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


def _attachment(part: AttachedPart, metadata: DocumentMetadata, position: _Position) -> Parts:
    """The pages of an attached message, down to a depth; any other attachment as one."""
    label = (part.name or "Attachment")[:MAX_LABEL_CHARS]
    if part.message.get_content_type() == "message/rfc822":
        inner = part.message.get_payload()
        if position.depth < MAX_DEPTH and isinstance(inner, list) and isinstance(inner[0], Message):
            subject = _header(inner[0], "Subject")[:MAX_LABEL_CHARS] or label
            yield from _message(inner[0], subject, metadata, position.deeper)
        return
    if format_by_name(part.name) == "mail":
        data = decode_payload(part.message)
        if detect_open_format(io.BytesIO(data), part.name) == "mail":
            if position.depth < MAX_DEPTH:
                yield from _message(_parse(data), label, metadata, position.deeper)
            return
    decode = partial(decode_payload, part.message)
    name = part.name or "Attachment"
    yield Attachment(next(position.numbers), position.at, name, part.inline, decode)
