"""The parts of a message (MIME): its text, in one of several versions, and its attachments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from pathlib import PurePath
from typing import Any

from indexer.extract.containers.encodings import decode_declared
from indexer.extract.pages.blocks import Block
from indexer.types.characters import clean_line

MAX_PARTS = 200


@dataclass(frozen=True, slots=True)
class AttachedPart:
    """An attachment. `inline`: the message shows it among its words."""

    name: str
    message: Message[Any, Any]
    inline: bool = False


@dataclass(slots=True)
class MessageParts:
    """The parts that are the message's own text, its attachments, and whether parts were left
    out."""

    body: list[Message[Any, Any]] = field(default_factory=list)
    attached: list[AttachedPart] = field(default_factory=list)
    left_out: bool = False


def split_message(message: Message[Any, Any]) -> MessageParts:
    """Parts may nest to any depth, so this is no recursion."""
    parts = MessageParts()
    waiting = [(message, False)]
    count = 0
    while waiting:
        part, related = waiting.pop(0)
        kind = part.get_content_type()
        if kind == "message/rfc822":
            parts.attached.append(AttachedPart(_name(part) or "Message", part))
        elif part.is_multipart():
            inner = [child for child in part.get_payload() if isinstance(child, Message)]
            if kind == "multipart/alternative":
                inner = _alternative(inner)
            within = related or kind == "multipart/related"
            waiting[:0] = [(child, within) for child in inner]
        elif _is_body(part, kind):
            parts.body.append(part)
        else:
            name, inline = _name(part), related and not _is_attachment(part)
            if name or not inline:  # else a style sheet or the like
                parts.attached.append(AttachedPart(name, part, inline))
        count += 1
        if count >= MAX_PARTS:
            parts.left_out = bool(waiting)
            break
    return parts


def _alternative(parts: list[Message[Any, Any]]) -> list[Message[Any, Any]]:
    """The plain one of several versions of a text; if none is plain, the last, which is richest."""
    for part in parts:
        if part.get_content_type() == "text/plain" and str(part.get_payload()).strip():
            return [part]
    return parts[-1:]


def _is_body(part: Message[Any, Any], kind: str) -> bool:
    if _is_attachment(part) or _name(part):
        return False
    if kind.startswith("multipart/"):  # without a boundary between its parts
        return True
    return kind in ("text/plain", "text/html", "text/enriched", "text/richtext")


def _is_attachment(part: Message[Any, Any]) -> bool:
    """Whether the sender marked it as an attachment."""
    return part.get_content_disposition() == "attachment"


def _name(part: Message[Any, Any]) -> str:
    try:
        return clean_line(PurePath(part.get_filename() or "").name)[:200]
    except Exception:
        return ""


def body_blocks(part: Message[Any, Any]) -> Iterator[Block]:
    """The paragraphs of a part of the text."""
    from indexer.extract.formats.web import decode_html, html_blocks

    data, charset = decode_payload(part), part.get_content_charset()
    if part.get_content_type() == "text/html":
        yield from html_blocks(decode_html(data, charset))
        return
    for paragraph in re.split(r"\n[ \t]*\n", decode_declared(data, charset)):
        if paragraph.strip():
            yield Block("\n".join(line.rstrip() for line in paragraph.strip("\n").split("\n")))


def decode_payload(part: Message[Any, Any]) -> bytes:
    """The bytes of a part, after its transfer encoding is undone."""
    try:
        data = part.get_payload(decode=True)
    except Exception:
        data = None
    return data if isinstance(data, bytes) else str(part.get_payload() or "").encode()
