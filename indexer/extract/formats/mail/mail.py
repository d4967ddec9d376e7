"""Mail (eml, mbox): messages, and their attachments.

A message is a page that begins with its sender, recipients and date; an attached message is a page
of the same file. Everything else that is attached is a file of its own (`members`).
"""

from __future__ import annotations

import io
import re
from binascii import a2b_base64, a2b_qp
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from email import policy
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser
from email.utils import parsedate_to_datetime
from functools import partial
from itertools import count
from typing import IO, Any

from indexer.extract.containers.encodings import decode_declared
from indexer.extract.containers.file_format import detect_open_format
from indexer.extract.dates import parse_iso_s, unix_s
from indexer.extract.formats.mail.message_parts import (
    MAX_PARTS,
    AttachedPart,
    body_blocks,
    decode_payload,
    split_message,
)
from indexer.extract.formats.mail.tnef import read_tnef
from indexer.extract.pages.blocks import Block, DocumentMetadata, Section
from indexer.types.attachments import Attachment, File, MemoryFile
from indexer.types.formats import format_by_name
from indexer.types.notes import NoteCode
from indexer.types.text.characters import clean_line

MAX_MESSAGE_BYTES = 128 << 20
MAX_MESSAGES = 100_000
MAX_HEADER_CHARS = 2_000
# Messages attached to messages are read down to here; deeper ones are only named.
MAX_DEPTH = 3
MAX_LABEL_CHARS = 80

ENCRYPTED = (
    "A message of it is encrypted and was not read; open it in your mail program, and save it "
    "decrypted."
)
_ARMOR = "-----BEGIN PGP MESSAGE-----"  # OpenPGP inside a text; RFC 3156 has a type for it
_SHOWN = ("From", "To", "Cc", "Subject", "Date")
_DAY, _MONTH = (
    rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)",
    rb"(?:%s)" % b"|".join(b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()),
)
_FROM_LINE = re.compile(
    rb"From \S.*?\s" + _DAY + rb",?\s+(?:" + _MONTH + rb"\s+\d{1,2}|\d{1,2}\s+" + _MONTH + rb")\s"
    rb"(?=.*\d{2}:\d{2})(?=.*\b\d{4}\b)"
)  # fmt: skip
_ZONE_NAMED_TWICE = re.compile(r"\b(?:GMT|UTC?)(?=[+-]\d)")
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


def files_at(path: File, at: int | None) -> Iterator[MemoryFile]:
    """The attachments of the message at an offset in bytes, or of all messages; the rest of a
    mailbox is not read for one."""
    with path.open("rb") as file:
        if at is None:
            parts = sections(file, path.name, DocumentMetadata())
        else:
            if at == 0:
                message = _single(file, DocumentMetadata())
            else:
                file.seek(at)
                message = _parse(next(_messages(file, DocumentMetadata()), (0, b""))[1])
            parts = _message(message, "", DocumentMetadata(), _Position())
        for part in parts:
            if isinstance(part, Attachment):
                yield part.load()


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
        metadata.notes.add(
            NoteCode.TEXT_LEFT_OUT,
            f"Only the first {MAX_MESSAGE_BYTES >> 20} MB of this message were read.",
        )
    return _parse(_COUNT_LINE.sub(b"", data[:MAX_MESSAGE_BYTES]))


def _mailbox(file: IO[bytes], metadata: DocumentMetadata) -> Parts:
    latest: float | None = None
    numbers = count(1)
    for number, (at, data) in enumerate(_messages(file, metadata)):
        if number >= MAX_MESSAGES:
            metadata.notes.add(
                NoteCode.MESSAGES_LEFT_OUT, f"Only the first {MAX_MESSAGES:,} messages were read."
            )
            break
        message_metadata = DocumentMetadata()
        message = _parse(data)
        subject = _header(message, "Subject")[:MAX_LABEL_CHARS] or f"Message {number + 1}"
        yield from _message(message, subject, message_metadata, _Position(numbers, at))
        sent_at = message_metadata.made_at
        if sent_at is not None:
            latest = sent_at if latest is None else max(latest, sent_at)
        metadata.notes.extend(message_metadata.notes.all())
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
            metadata.notes.add(
                NoteCode.TEXT_LEFT_OUT,
                f"Only the first {MAX_MESSAGE_BYTES >> 20} MB of a message were read.",
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
        metadata.notes.add(
            NoteCode.PARTS_LEFT_OUT, f"Only the first {MAX_PARTS} parts of a message were read."
        )
    blocks = list(_headers(message))
    names = [part.name for part in parts.attached if part.name]
    if names:
        blocks.append(Block(clean_line("Attachments: " + ", ".join(names))[:MAX_HEADER_CHARS]))
    for part in parts.body:
        blocks += body_blocks(part, metadata.notes)
    is_armored = any(block.text.startswith(_ARMOR) for block in blocks)
    if is_armored or message.get_content_type() == "multipart/encrypted":
        metadata.notes.add(NoteCode.ATTACHMENT_UNREAD, ENCRYPTED)
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


def _raw_header(message: Message[Any, Any], name: str) -> str:
    return next((str(v) for k, v in message.raw_items() if k.lower() == name.lower()), "")


def _header(message: Message[Any, Any], name: str) -> str:
    raw = _raw_header(message, name)
    if not raw.isascii():  # bytes that no standard allows, kept as surrogates
        raw = decode_declared(raw.encode("utf-8", "surrogateescape"), None)
    try:
        if "=?" not in raw:  # most are: parsing them by their grammar takes ten times as long
            return clean_line(raw)
        unfolded = re.sub(r"\r?\n(?=[ \t])", "", raw)
        return clean_line("".join(_header_part(*part) for part in decode_header(unfolded)))
    except Exception:
        return clean_line(raw)


def _header_part(part: bytes | str, charset: str | None) -> str:
    if isinstance(part, str):
        return part
    if charset is None:  # between encoded words; escapes for what is not Latin-1
        return part.decode("raw-unicode-escape")
    return decode_declared(part, charset)


def _sent_at(message: Message[Any, Any]) -> float | None:
    written = _ZONE_NAMED_TWICE.sub("", clean_line(_raw_header(message, "Date")))
    try:
        return unix_s(parsedate_to_datetime(written))
    except (ValueError, TypeError, IndexError, OverflowError):
        return parse_iso_s(written)


def _attachment(part: AttachedPart, metadata: DocumentMetadata, position: _Position) -> Parts:
    """The pages of an attached message, down to a depth; any other attachment as one."""
    label = (part.name or "Attachment")[:MAX_LABEL_CHARS]
    if part.message.get_content_type() == "message/rfc822":
        inner = _inner_message(part.message)
        if position.depth < MAX_DEPTH and inner is not None:
            subject = _header(inner, "Subject")[:MAX_LABEL_CHARS] or label
            yield from _message(inner, subject, metadata, position.deeper)
        return
    if _is_tnef(part):
        yield from _tnef(part, label, metadata, position)
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


def _inner_message(part: Message[Any, Any]) -> Message[Any, Any] | None:
    """The message attached as this part; some programs encode it, which the standard forbids and
    the parser does not undo."""
    inner = part.get_payload()
    if not isinstance(inner, list) or not inner or not isinstance(inner[0], Message):
        return None
    encoding = str(part.get("Content-Transfer-Encoding") or "").strip().lower()
    text = inner[0].get_payload()
    try:
        if encoding == "base64" and not inner[0].keys() and isinstance(text, str):
            return _parse(a2b_base64(text.encode("ascii", "surrogateescape")))
        # the names of headers stay as they are in this encoding, the marks in their values do not
        if encoding == "quoted-printable" and any("=3D" in value for value in _values(inner[0])):
            return _parse(a2b_qp(bytes(inner[0])))
        if encoding == "quoted-printable" and not inner[0].keys() and isinstance(text, str):
            return _parse(a2b_qp(text.encode("ascii", "surrogateescape")))
    except (ValueError, UnicodeError, LookupError):
        return inner[0]
    return inner[0]


def _values(message: Message[Any, Any]) -> list[str]:
    """The values of its headers, as they were sent."""
    return [str(value) for _, value in message.raw_items()]


def _is_tnef(part: AttachedPart) -> bool:
    kinds = ("application/ms-tnef", "application/vnd.ms-tnef")
    return part.message.get_content_type() in kinds or part.name.lower() == "winmail.dat"


def _tnef(part: AttachedPart, label: str, metadata: DocumentMetadata, position: _Position) -> Parts:
    """The words of a message that Outlook packed, and each file attached in it."""
    try:
        packed = read_tnef(decode_payload(part.message))
    except ValueError:
        metadata.notes.add(
            NoteCode.ATTACHMENT_UNREAD, f"The attachment “{label}” is damaged and was not read."
        )
        return
    yield Section(packed.blocks, label)
    for name, data in packed.files:
        yield Attachment(next(position.numbers), position.at, name, False, partial(bytes, data))
