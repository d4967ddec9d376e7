"""What a message is made of: its words, in one of several versions, and what is attached."""

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
    """What is attached. `inline`: the message shows it among its words."""

    name: str
    message: Message[Any, Any]
    inline: bool = False


@dataclass(slots=True)
class MessageParts:
    """What is read as the message itself, what is attached, and whether there was more of it."""

    body: list[Message[Any, Any]] = field(default_factory=list)
    attached: list[AttachedPart] = field(default_factory=list)
    left_out: bool = False


def split_message(message: Message[Any, Any]) -> MessageParts:
    """Found without recursion: parts nest as deep as their sender likes."""
    parts = MessageParts()
    waiting = [(message, False)]
    seen = 0
    while waiting:
        part, related = waiting.pop(0)
        kind = part.get_content_type()
        if kind == "message/rfc822":
            parts.attached.append(AttachedPart(_name(part) or "Message", part))
        elif part.is_multipart():
            inner = [one for one in part.get_payload() if isinstance(one, Message)]
            if kind == "multipart/alternative":
                inner = _alternative(inner)
            within = related or kind == "multipart/related"
            waiting[:0] = [(one, within) for one in inner]
        elif _is_body(part, kind):
            parts.body.append(part)
        else:
            name, inline = _name(part), related and not _is_apart(part)
            if name or not inline:  # else the style of a page, or the like
                parts.attached.append(AttachedPart(name, part, inline))
        seen += 1
        if seen >= MAX_PARTS:
            parts.left_out = bool(waiting)
            break
    return parts


def _alternative(parts: list[Message[Any, Any]]) -> list[Message[Any, Any]]:
    """The plain one of several versions of the same; that with the pictures if none is plain."""
    for part in parts:
        if part.get_content_type() == "text/plain" and str(part.get_payload()).strip():
            return [part]
    return parts[-1:]


def _is_body(part: Message[Any, Any], kind: str) -> bool:
    if _is_apart(part) or _name(part):
        return False
    if kind.startswith("multipart/"):  # with nothing that tells its parts apart
        return True
    return kind in ("text/plain", "text/html", "text/enriched", "text/richtext")


def _is_apart(part: Message[Any, Any]) -> bool:
    """Whether its sender wants it to be shown apart from the message."""
    return part.get_content_disposition() == "attachment"


def _name(part: Message[Any, Any]) -> str:
    try:
        return clean_line(PurePath(part.get_filename() or "").name)[:200]
    except Exception:
        return ""


def body_blocks(part: Message[Any, Any]) -> Iterator[Block]:
    """The paragraphs of a part that is words."""
    from indexer.extract.formats.web import decode_html, html_blocks

    data, charset = decode_payload(part), part.get_content_charset()
    if part.get_content_type() == "text/html":
        yield from html_blocks(decode_html(data, charset))
        return
    for paragraph in re.split(r"\n[ \t]*\n", decode_declared(data, charset)):
        if paragraph.strip():
            yield Block("\n".join(line.rstrip() for line in paragraph.strip("\n").split("\n")))


def decode_payload(part: Message[Any, Any]) -> bytes:
    """The bytes of a part, as they were before they were made fit for mail."""
    try:
        data = part.get_payload(decode=True)
    except Exception:
        data = None
    return data if isinstance(data, bytes) else str(part.get_payload() or "").encode()
