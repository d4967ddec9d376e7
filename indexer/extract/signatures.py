"""What a file is, by its first bytes; a name only where the content says nothing."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Literal

Format = Literal["text", "pdf", "picture", "sound"]
Encoding = Literal["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]

_TEXT_NAMES = frozenset(".txt .text .md .markdown .rst .org .log .csv .tsv .tex .srt .vtt".split())
_NAMES: dict[str, Format] = {
    ".pdf": "pdf",
    **dict.fromkeys([".png", ".jpg", ".jpeg", ".jpe", ".webp"], "picture"),
    **dict.fromkeys([".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3"], "sound"),
    **dict.fromkeys(_TEXT_NAMES, "text"),
}

# Text to a machine, but not words to a person: rich text, PostScript, keys.
_NOT_WORDS = (b"{\\rtf", b"%!PS", b"-----BEGIN ")
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")


def by_name(name: str) -> Format | None:
    return _NAMES.get(PurePath(name).suffix.lower())


def by_content(head: bytes, name: str = "") -> Format | None:
    """What these first bytes begin, by a fixed order, so that a file that is two things at once is
    always the same one of them."""
    if b"%PDF-" in head[:1024]:
        return "pdf"
    if head.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")) or _riff(head, b"WEBP"):
        return "picture"
    if head.startswith((b"fLaC", b"OggS", b"ID3")) or _riff(head, b"WAVE") or _mp3(head, name):
        return "sound"
    if head.startswith(_NOT_WORDS):
        return None
    encoding = encoding_of(head)
    if encoding == "cp1252":  # any bytes are that: believe it of files that are called a text
        return "text" if by_name(name) == "text" else None
    return None if encoding is None else "text"


def _riff(head: bytes, form: bytes) -> bool:
    return head[:4] in (b"RIFF", b"RF64", b"RIFX") and head[8:12] == form


def _mp3(head: bytes, name: str) -> bool:
    """An MPEG layer III frame, and either another one after it or the name to go with it."""
    length = _mp3_frame_bytes(head[:4])
    if length is None:
        return False
    return by_name(name) == "sound" or _mp3_frame_bytes(head[length : length + 4]) is not None


_V1_KBIT = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_V2_KBIT = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_V1_HZ = (44_100, 48_000, 32_000)


def _mp3_frame_bytes(header: bytes) -> int | None:
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return None
    version, rate, bits = header[1] >> 3 & 3, header[2] >> 2 & 3, header[2] >> 4
    if version == 1 or rate == 3 or bits in (0, 15):
        return None
    first = version == 3
    rate_hz = _V1_HZ[rate] // (1 if first else 2 if version == 2 else 4)
    kbit = (_V1_KBIT if first else _V2_KBIT)[bits]
    return (144 if first else 72) * kbit * 1000 // rate_hz + (header[2] >> 1 & 1)


def encoding_of(head: bytes) -> Encoding | None:
    """How these first bytes of a text are written, or None where they are no text."""
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
        if len(head) - problem.start >= 4:  # else the last character was cut by us
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
