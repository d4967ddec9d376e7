"""Mail (eml, mbox): the message as it was written, then what was attached to it.

A message is a page that begins with who wrote to whom and when. Every attachment of a kind we read
begins a page of its own, called by its name. A mailbox is read message by message.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from email import policy
from email.message import Message
from email.parser import BytesParser
from email.utils import parsedate_to_datetime
from pathlib import PurePath
from typing import IO, Any

from indexer.extract import Unreadable, file_format_of
from indexer.extract.blocks import Block, Section, Told, said
from indexer.extract.characters import clean
from indexer.extract.dates import unix_s
from indexer.extract.layout import PageSource

MAX_MESSAGE_BYTES = 128 << 20
MAX_MESSAGES = 100_000
MAX_PARTS = 200
MAX_HEADER_CHARS = 2_000
# A message in a message in a message is opened, what is in that is only named.
DEEPEST = 3
MAX_LABEL = 80

_SHOWN = ("From", "To", "Cc", "Subject", "Date")
_FROM_LINE = re.compile(rb"From \S.*\d{2}:\d{2}")
_COUNT_LINE = re.compile(rb"\A\d+[ \t]*\r?\n")
_HEADING_LINE = re.compile(r"^-{3,} ?(Original Message|Forwarded message).*$", re.I)


def sections(file: IO[bytes], name: str, told: Told) -> Iterator[Section | PageSource]:
    """Message after message, each with its attachments."""
    start = file.read(5)
    file.seek(0)
    if start == b"From ":
        yield from _mailbox(file, told)
        return
    data = file.read(MAX_MESSAGE_BYTES + 1)
    if len(data) > MAX_MESSAGE_BYTES:
        told.left_out(f"Only the first {MAX_MESSAGE_BYTES >> 20} MB of this message were read.")
    yield from _message(_parsed(_COUNT_LINE.sub(b"", data[:MAX_MESSAGE_BYTES])), "", told, 0)


def _mailbox(file: IO[bytes], told: Told) -> Iterator[Section | PageSource]:
    latest: float | None = None
    for number, data in enumerate(_messages(file, told)):
        if number >= MAX_MESSAGES:
            told.left_out(f"Only the first {MAX_MESSAGES:,} messages were read.")
            break
        one = Told()
        message = _parsed(data)
        subject = _header(message, "Subject")[:MAX_LABEL] or f"Message {number + 1}"
        yield from _message(message, subject, one, 0)
        if one.made_at is not None:
            latest = one.made_at if latest is None else max(latest, one.made_at)
        for note in one.notes:
            told.left_out(note)
    told.made_at = latest


def _messages(file: IO[bytes], told: Told) -> Iterator[bytes]:
    """Each message of a mailbox; one begins with a "From " line after an empty one."""
    held: list[bytes] = []
    size = 0
    before_is_empty = True
    # a line may be as long as the file: so much of it at once is enough to tell
    while line := file.readline(1 << 20):
        if before_is_empty and _FROM_LINE.match(line):
            if size:
                yield b"".join(held)
            held, size = [], 0
        elif size <= MAX_MESSAGE_BYTES:
            # ">From " at the start of a line was written so for the mailbox's sake
            held.append(line[1:] if re.match(rb">+From ", line) else line)
            size += len(line)
        else:
            told.left_out(f"Only the first {MAX_MESSAGE_BYTES >> 20} MB of a message were read.")
        before_is_empty = line in (b"\n", b"\r\n")
    if size:
        yield b"".join(held)


def _parsed(data: bytes) -> Message[Any, Any]:
    try:
        return BytesParser(policy=policy.default).parsebytes(data)
    except MemoryError:
        raise
    except Exception:
        # headers that the modern parser stumbles over: read them as they stand
        return BytesParser(policy=policy.compat32).parsebytes(data)


def _message(
    message: Message[Any, Any], label: str, told: Told, depth: int
) -> Iterator[Section | PageSource]:
    body, attached, left_out = _parts(message)
    if left_out:
        told.left_out(f"Only the first {MAX_PARTS} parts of a message were read.")
    blocks = list(_headers(message))
    names = [name for name, _ in attached if name]
    if names:
        blocks.append(Block(said("Attachments: " + ", ".join(names))[:MAX_HEADER_CHARS]))
    for part in body:
        blocks += _text(part)
    if depth == 0:
        told.title = _header(message, "Subject")
        told.made_at = _sent_at(message)
    yield Section(blocks, label)
    for name, part in attached:
        yield from _attachment(name, part, told, depth)


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
    return said(value)


def _sent_at(message: Message[Any, Any]) -> float | None:
    try:
        return unix_s(parsedate_to_datetime(_header(message, "Date")))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


Attached = list[tuple[str, "Message[Any, Any]"]]


def _parts(message: Message[Any, Any]) -> tuple[list[Message[Any, Any]], Attached, bool]:
    """What is read as the message itself, what is attached, and whether there was more of it.
    Without recursion: parts nest as deep as their sender likes."""
    body: list[Message[Any, Any]] = []
    attached: Attached = []
    waiting = [message]
    seen = 0
    while waiting:
        part = waiting.pop(0)
        kind = part.get_content_type()
        if kind == "message/rfc822":
            attached.append((_name(part) or "Message", part))
        elif part.is_multipart():
            inner = [one for one in part.get_payload() if isinstance(one, Message)]
            if kind == "multipart/alternative":
                inner = _alternative(inner)
            waiting[:0] = inner
        elif _is_body(part, kind):
            body.append(part)
        else:
            attached.append((_name(part), part))
        seen += 1
        if seen >= MAX_PARTS:
            return body, attached, bool(waiting)
    return body, attached, False


def _alternative(parts: list[Message[Any, Any]]) -> list[Message[Any, Any]]:
    """The plain one of several versions of the same; that with the pictures if none is plain."""
    for part in parts:
        if part.get_content_type() == "text/plain" and str(part.get_payload()).strip():
            return [part]
    return parts[-1:]


def _is_body(part: Message[Any, Any], kind: str) -> bool:
    if part.get_content_disposition() == "attachment" or _name(part):
        return False
    return kind in ("text/plain", "text/html", "text/enriched", "text/richtext")


def _name(part: Message[Any, Any]) -> str:
    try:
        return said(PurePath(part.get_filename() or "").name)[:200]
    except Exception:
        return ""


def _text(part: Message[Any, Any]) -> Iterator[Block]:
    from indexer.extract.web import blocks_of, decoded

    data, charset = _payload(part), part.get_content_charset()
    if part.get_content_type() == "text/html":
        yield from blocks_of(decoded(data, charset))
        return
    for paragraph in re.split(r"\n[ \t]*\n", _decoded(data, charset)):
        if paragraph.strip():
            yield Block("\n".join(line.rstrip() for line in paragraph.strip("\n").split("\n")))


def _payload(part: Message[Any, Any]) -> bytes:
    try:
        data = part.get_payload(decode=True)
    except Exception:
        data = None
    return data if isinstance(data, bytes) else str(part.get_payload() or "").encode()


def _decoded(data: bytes, charset: str | None) -> str:
    for encoding in (charset, "utf-8"):
        try:
            return clean(data.decode(encoding or "utf-8"))
        except (UnicodeError, LookupError):
            continue
    return clean(data.decode("cp1252", "replace"))


def _attachment(
    name: str, part: Message[Any, Any], told: Told, depth: int
) -> Iterator[Section | PageSource]:
    """The words of what was attached, under its own name. What cannot be read is only named."""
    label = (name or "Attachment")[:MAX_LABEL]
    if part.get_content_type() == "message/rfc822":
        inner = part.get_payload()
        if depth < DEEPEST and isinstance(inner, list) and isinstance(inner[0], Message):
            yield from _message(
                inner[0], _header(inner[0], "Subject")[:MAX_LABEL] or label, told, depth + 1
            )
        return
    data = _payload(part)
    file = io.BytesIO(data)
    found = file_format_of(file, name)
    try:
        for section in _read(found, file, name, depth):
            if isinstance(section, PageSource):
                yield PageSource(section.text, section.html, label)
            else:
                yield Section(list(section.blocks), label, section.roomy, section.head)
    except MemoryError:
        raise
    except Unreadable as problem:
        told.left_out(f"The attachment “{label}” could not be read: {problem.sentence}")
    except Exception:
        told.left_out(f"The attachment “{label}” is damaged and could not be read.")


def _read(
    found: str | None, file: IO[bytes], name: str, depth: int
) -> Iterator[Section | PageSource]:
    from indexer.extract.paged import sections_of
    from indexer.extract.pdf import sections as pdf_sections

    if found == "pdf":
        yield from pdf_sections(file)
    elif found not in ("mail", "mbox") and (read := sections_of(found)) is not None:  # type: ignore[arg-type]
        yield from read(file, name, Told())
    elif found == "mail" and depth < DEEPEST:
        yield from _message(_parsed(file.read()), "", Told(), depth + 1)
