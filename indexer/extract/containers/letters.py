"""Old encodings of a text that declares none: which one gives words.

Bytes of western Windows, DOS and Mac OS are told apart by how plausible their words are, since they
differ in a few letters only; for all other encodings chardet is asked.
"""

from __future__ import annotations

import re

SAMPLE_BYTES = 1 << 16
_WESTERN = ("cp1252", "cp850", "mac-roman")
# Of a text, the share of its letters outside ASCII that may look wrong.
_MAX_ODD_SHARE = 0.1

_LETTER = r"[^\W\d_]"
_QUOTES = "’‘“”„–—…«»€·"
_ODD = re.compile(
    "[\ufffd\x80-\x9f\u2500-\u259f]"  # undefined, or for drawing boxes
    "|[√≈∏≠≤≥∞∂∑π∫Ω∆◊˚˝˙ˇ˛˘⁄ﬁﬂı†‡\uf8ff]"  # of Mac OS, where letters are meant
    f"|[^\0-\x7f\\s]{{5,}}|[^\0-\x7f\\s{_QUOTES}]{{3,}}"  # more in a row than in any western word
    # a sign within or before a word; apostrophes and dashes are none
    f"|(?<={_LETTER})[^\\w\\s\0-\x7f{_QUOTES}](?={_LETTER})|(?<!\\w)[ŠŽŸšžƒªº™](?={_LETTER})"
    f"|(?<=[À-ÿ])[^\\w\\s\0-\x7f{_QUOTES}]|[²³ª¸§¬¼µ±¿](?=[À-ÿ])"
    "|(?<=[a-zß-öø-ÿ])[ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞŠŽŸ]"  # a capital within a word
    "|[a-z][ŠŽŸšž][a-z]"
    f"|[¬¦¶](?={_LETTER})|(?<=[a-z]{{2}})[¹²³¼½¾](?=[a-z])"  # Polish letters read as western
    "|(?<=[a-z])[“”„](?=[a-z])"
)


def detect_legacy(data: bytes) -> str:
    """The codec for a text that is neither UTF-8 nor UTF-16; cp1252 where none fits better."""
    sample = _lines_outside_ascii(data)
    shares = {codec: _odd_share(sample.decode(codec, "replace")) for codec in _WESTERN}
    codec = min(shares, key=lambda name: shares[name])
    if shares[codec] <= _MAX_ODD_SHARE:
        return codec
    import chardet

    detected = chardet.detect(sample)["encoding"]
    try:
        sample.decode(detected or "", "ignore")
    except (LookupError, UnicodeError):
        return "cp1252"
    return detected or "cp1252"


def _lines_outside_ascii(data: bytes) -> bytes:
    """The first lines that hold more than ASCII: the others say nothing about the encoding."""
    lines: list[bytes] = []
    size = 0
    for line in data.splitlines(keepends=True):
        if not line.isascii():
            lines.append(line[:SAMPLE_BYTES])
            size += len(line)
        if size >= SAMPLE_BYTES:
            break
    return b"".join(lines)


def _odd_share(text: str) -> float:
    outside = sum(not letter.isascii() for letter in text)
    return sum(len(match[0]) for match in _ODD.finditer(text)) / max(1, outside)
