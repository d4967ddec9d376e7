"""The parts of a message (MIME): its text, in one of several versions, and its attachments."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from pathlib import PurePath
from typing import Any

from indexer.extract.containers.encodings import decode_declared
from indexer.extract.formats.texts.calendars import unescape, unfold
from indexer.extract.pages.blocks import Block, DocumentMetadata
from indexer.types.notes import Notes
from indexer.types.text.characters import clean_line

MAX_PARTS = 200
# A plain text with less than this share of the words of the HTML version does not stand for it.
MIN_SHARED_WORDS = 0.6
_MARKUP = re.compile(r"<(style|script|head)\b.*?</\1\s*>|<!--.*?-->|<[^>]*>", re.I | re.S)


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
    waiting = [(message, False, True)]
    count = 0
    while waiting:
        part, related, is_chosen = waiting.pop(0)
        kind = part.get_content_type()
        if kind == "message/rfc822":
            parts.attached.append(AttachedPart(_name(part) or "Message", part))
        elif kind == "message/delivery-status":  # for each recipient, a message of headers alone
            if is_chosen:
                parts.body.append(part)
        elif part.is_multipart():
            inner = [child for child in part.get_payload() if isinstance(child, Message)]
            shown = _alternative(inner) if kind == "multipart/alternative" else None
            within = related or kind == "multipart/related"
            # attachments are also in those versions of a text that are not the chosen one
            waiting[:0] = [
                (
                    child,
                    within,
                    is_chosen and (shown is None or child is shown or _is_calendar(child)),
                )
                for child in inner
            ]
        elif _is_body(part, kind):
            if is_chosen:
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


def _alternative(parts: list[Message[Any, Any]]) -> Message[Any, Any] | None:
    """The plain one of several versions of a text, unless most words are in the HTML one only; if
    none is plain, the last, which is richest."""
    others = [part for part in parts if not _is_calendar(part)] or parts
    for part in others:
        if part.get_content_type() == "text/plain" and str(part.get_payload()).strip():
            richest = others[-1]
            return richest if _is_stub(part, richest) else part
    return others[-1] if others else None


def _is_stub(plain: Message[Any, Any], rich: Message[Any, Any]) -> bool:
    """Whether a plain text holds few of the words of the HTML version."""
    pages = [part for part in rich.walk() if part.get_content_type() == "text/html"][:MAX_PARTS]
    source = " ".join(
        decode_declared(decode_payload(page), page.get_content_charset()) for page in pages
    )
    rich_words = _words(html.unescape(_MARKUP.sub(" ", source)))
    own_words = _words(decode_declared(decode_payload(plain), plain.get_content_charset()))
    return len(rich_words & own_words) < MIN_SHARED_WORDS * len(rich_words)


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


def _is_calendar(part: Message[Any, Any]) -> bool:
    return part.get_content_type() == "text/calendar" and not _name(part)


def _is_body(part: Message[Any, Any], kind: str) -> bool:
    if _is_attachment(part) or _name(part):
        return False
    if kind.startswith("multipart/"):  # without a boundary between its parts
        return True
    return kind in (
        "text/plain", "text/html", "text/enriched", "text/richtext", "text/calendar",
        "text/rfc822-headers",
    )  # fmt: skip


def _is_attachment(part: Message[Any, Any]) -> bool:
    """Whether the sender marked it as an attachment."""
    return part.get_content_disposition() == "attachment"


def _name(part: Message[Any, Any]) -> str:
    try:
        return clean_line(PurePath(part.get_filename() or "").name)[:200]
    except Exception:
        return ""


def body_blocks(part: Message[Any, Any], notes: Notes) -> Iterator[Block]:
    """The paragraphs of a part of the text."""
    from indexer.extract.formats.texts.web import decode_html, html_blocks

    data, charset = decode_payload(part), part.get_content_charset()
    if part.get_content_type() == "text/html":
        page = DocumentMetadata()
        yield from html_blocks(decode_html(data, charset), page)
        notes.extend(page.notes.all())
        return
    is_calendar = part.get_content_type() == "text/calendar"
    text = decode_declared(unfold(data) if is_calendar else data, charset)
    if is_calendar:
        text = unescape(text)
    elif str(part.get_param("format") or "").lower() == "flowed":
        text = _join_flowed(text, str(part.get_param("delsp") or "").lower() == "yes")
    for paragraph in re.split(r"\n[ \t]*\n", text):
        if paragraph.strip():
            yield Block("\n".join(line.rstrip() for line in paragraph.strip("\n").split("\n")))


def _join_flowed(text: str, without_space: bool) -> str:
    """The text with its soft ends of lines undone (RFC 3676): a line that ends with a space goes on
    in the next one of the same depth of quotation."""
    lines: list[str] = []
    is_open, open_depth = False, 0
    for line in text.split("\n"):
        content = line.lstrip(">")
        depth = len(line) - len(content)
        content = content.removeprefix(" ")
        if is_open and depth == open_depth and content != "-- ":
            lines[-1] += content
        else:
            lines.append((">" * depth + " " if depth else "") + content)
        is_open, open_depth = content.endswith(" ") and content != "-- ", depth
        if is_open and without_space:
            lines[-1] = lines[-1][:-1]
    return "\n".join(lines)


def decode_payload(part: Message[Any, Any]) -> bytes:
    """The bytes of a part, after its transfer encoding is undone."""
    if part.get_content_type() == "message/delivery-status" and part.is_multipart():
        recipients = [child for child in part.get_payload() if isinstance(child, Message)]
        return b"\n".join(map(bytes, recipients))
    try:
        data = part.get_payload(decode=True)
    except Exception:
        data = None
    return data if isinstance(data, bytes) else str(part.get_payload() or "").encode()
