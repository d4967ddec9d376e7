"""The encoding of a text: detected from its bytes, or declared, and decoded to clean text.

Detected are UTF-8, UTF-16 and the encoding of western Windows (cp1252).
"""

from __future__ import annotations

import re
from typing import Literal

from indexer.types.characters import clean

Encoding = Literal["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]

_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")


def detect_encoding(head: bytes) -> Encoding | None:
    """The encoding of a text with these first bytes; None where they are no text."""
    if not head:
        return None
    if head.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) and not head.startswith(b"\xff\xfe\0\0"):
        return "utf-16"
    if b"\0" in head:
        return _utf16_without_mark(head)
    if len(_CONTROLS.findall(head)) > len(head) // 100:
        return None
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as problem:
        if len(head) - problem.start >= 4:  # else the last character is cut off
            return "cp1252"
    return "utf-8"


def _utf16_without_mark(head: bytes) -> Encoding | None:
    """Western text in UTF-16 has a zero in every second byte, and only there."""
    even, odd = head[0::2], head[1::2]
    zeros_even, zeros_odd = even.count(0) / len(even), odd.count(0) / max(1, len(odd))
    if zeros_odd > 0.4 and zeros_even < 0.05:
        return "utf-16-le"
    if zeros_even > 0.4 and zeros_odd < 0.05:
        return "utf-16-be"
    return None


def decode(data: bytes) -> str | None:
    """The clean text in the encoding that is detected; None where the bytes are no text."""
    encoding = detect_encoding(data)
    return None if encoding is None else clean(data.decode(encoding, "replace"))


def decode_declared(data: bytes, declared: str | None) -> str:
    """The clean text in the encoding that is declared, else in UTF-8, else in cp1252."""
    for encoding in (declared, "utf-8"):
        try:
            return clean(data.decode(encoding or "utf-8"))
        except (UnicodeError, LookupError):
            continue
    return clean(data.decode("cp1252", "replace"))
