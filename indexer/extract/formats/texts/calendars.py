"""Calendars and address cards (RFC 5545, RFC 6350) as texts.

Their lines are read as they are; icalendar would refuse a whole file for one wrong value.
"""

from __future__ import annotations

import re

_BEGIN = re.compile(r"\s*BEGIN:V(?:CALENDAR|CARD)\b", re.I)
_ESCAPED = re.compile(r"\\([\\,;:nN])")


def is_calendar(text: str) -> bool:
    """Whether a text is a calendar or a card."""
    return _BEGIN.match(text) is not None


def unfold(text: str) -> str:
    """The text with its folded lines joined, and without the marks before commas and the like."""
    whole = re.sub(r"\n[ \t]", "", text)
    return _ESCAPED.sub(lambda match: "\n" if match[1] in "nN" else match[1], whole)
