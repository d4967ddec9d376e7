"""The encoding of a text: detected from its bytes, or declared, and decoded to clean text.

Detected are UTF-8, UTF-16 and, as one, all older encodings, which `letters` tells apart. Labels are
read by webencodings, which has the table that browsers use.
"""

from __future__ import annotations

import codecs
import re
from typing import Literal

from indexer.extract.containers.letters import detect_legacy
from indexer.types.text.characters import clean

Encoding = Literal["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]

_ASCII = re.compile(r"[\x00-\x7f]")
# The part of a text in ISO 2022-JP that is in JIS X 0208, between its escape sequences.
_KANJI = re.compile(rb"\x1b\$[@B]((?:[\x21-\x7e]{2})*)")
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
    return "utf-8" if _is_utf8(head) else "cp1252"


def _is_utf8(data: bytes) -> bool:
    """Whether this is UTF-8, where a few bytes may be damaged or the last character cut off."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as problem:
        if problem.reason == "unexpected end of data":
            return True
        text = data.decode("utf-8", "replace")
        damaged = text.count("\ufffd")
        whole = len(text) - damaged - len(_ASCII.findall(text))
        return whole > damaged
    return True


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
    encoding: str | None = detect_encoding(data)
    if encoding == "cp1252":
        encoding = detect_legacy(data)
    return None if encoding is None else clean(data.decode(encoding, "replace"))


def decode_declared(data: bytes, declared: str | None) -> str:
    """The clean text in the encoding that is declared, as browsers read its label; where its bytes
    are not of that encoding, in the one that is detected. A few damaged bytes cost no more than
    their characters."""
    codec = find_codec(declared)
    if codec == "cp1252" and not data.isascii() and _is_strict_utf8(data):
        codec = "utf-8"  # declared by programs that only knew ASCII
    if codec is None or (codec == "utf-8" and not _is_utf8(data)):
        codec = "utf-8" if _is_utf8(data) else detect_legacy(data)
    if codec == "iso2022_jp":
        return clean(_decode_iso2022_jp(data))
    try:
        return clean(data.decode(codec, "replace"))
    except (UnicodeError, LookupError):
        return clean(data.decode("utf-8", "replace"))


def find_codec(label: str | None) -> str | None:
    """Python's codec for the label of an encoding: as the WHATWG standard reads it (iso-8859-1 is
    windows-1252, gb2312 is gb18030), else by Python's own names. None for what is no encoding."""
    import webencodings

    label = (label or "").strip().strip("'\"")
    encoding = webencodings.lookup(label)
    if encoding is not None and encoding.name not in ("replacement", "x-user-defined"):
        name = str(encoding.codec_info.name)
        return "gb18030" if name == "gbk" else name
    try:
        codec = codecs.lookup(label)
    except (LookupError, ValueError):
        return None
    return codec.name if codec._is_text_encoding else None


def _decode_iso2022_jp(data: bytes) -> str:
    """With the signs that Windows added, such as circled numbers, which Python's codec refuses:
    the same rows are in EUC with the upper bits set."""
    try:
        return data.decode("iso2022_jp")
    except UnicodeDecodeError:
        texts: list[str] = []
        for index, part in enumerate(_KANJI.split(data)):
            if index % 2:
                texts.append(bytes(byte | 0x80 for byte in part).decode("euc_jisx0213", "replace"))
            else:
                texts.append(part.decode("iso2022_jp", "replace"))
        return "".join(texts)


def _is_strict_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
