"""Calendars and address cards (RFC 5545, RFC 6350) as texts.

Their lines are read as they are; icalendar would refuse a whole file for one wrong value.
"""

from __future__ import annotations

import quopri
import re

_BEGIN = re.compile(rb"(?:\xef\xbb\xbf)?\s*BEGIN:V(?:CALENDAR|CARD)\b", re.I)
# A value of vCard 2.1, whose lines go on behind an equals sign.
_QUOTED = re.compile(
    rb"^([^:\r\n]*;ENCODING=QUOTED-PRINTABLE[^:\r\n]*:)((?:[^\r\n]*=\r?\n)*[^\r\n]*)", re.I | re.M
)
_ESCAPED = re.compile(r"\\([\\,;:nN])")


def is_calendar(data: bytes) -> bool:
    """Whether a text is a calendar or a card."""
    return _BEGIN.match(data) is not None


def unfold(data: bytes) -> bytes:
    """The bytes with folded lines joined and quoted values decoded. Lines may be folded within a
    letter, so this comes before the text is decoded."""
    whole = _QUOTED.sub(lambda match: match[1] + quopri.decodestring(match[2]), data)
    return re.sub(rb"\r?\n[ \t]", b"", whole)


def unescape(text: str) -> str:
    """The text without the marks before commas and the like."""
    return _ESCAPED.sub(lambda match: "\n" if match[1] in "nN" else match[1], text)
