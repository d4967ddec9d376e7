"""Periods: days, months and years as people write them, as moments on this machine's clock."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from retriever.queries.query import QueryError

_ISO = re.compile(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?")
_DOTTED = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})")
# Languages whose names of days and months are known to dateparser and here.
_LANGUAGES = ["en", "de", "fr", "es", "it", "pt", "nl", "zh"]


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` to before `end`, local times without a zone."""

    start: datetime
    end: datetime

    def __str__(self) -> str:
        last = self.end - timedelta(days=1)
        return (
            f"{self.start:%Y-%m-%d}"
            if last <= self.start
            else f"{self.start:%Y-%m-%d} to {last:%Y-%m-%d}"
        )


def parse_day(day: str | None) -> float | None:
    """The first moment of a day, month or year in ISO 8601 (`2024-03-14`, `2024-03`, `2024`) in
    this machine's time zone, as unix seconds."""
    if not day:
        return None
    match = re.fullmatch(r"\d{4}(?:-\d{2})?(?:-\d{2})?", day.strip())
    period = _iso_period(day.strip()) if match else None
    if period is None or (moment := unix_s(period.start)) is None:
        sentence = f"“{day}” is not a date; write it like 2024-03-14, 2024-03 or 2024."
        raise QueryError(sentence)
    return moment


def parse_period(text: str, now: datetime) -> Period | None:
    """The day, week, month or year that a text names: in ISO 8601, as `14.3.2024`, or in words
    (`yesterday`, `last month`, `March 2024`). None where it names none, or may be read two ways
    (`3/4/2024`). `now` is a local time without a zone."""
    text = text.strip()
    if period := _iso_period(text):
        return period
    if dotted := _DOTTED.fullmatch(text):
        day, month, year = map(int, dotted.groups())
        return _period(year, month, day)
    if not re.search(r"[^\W\d_]", text):
        return None
    parsed = _parser(now.date().isoformat()).get_date_data(text)
    if parsed.date_obj is None or parsed.period not in ("day", "week", "month", "year"):
        return None
    start = parsed.date_obj.replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
    match parsed.period:
        case "week":
            start -= timedelta(days=start.weekday())
            return Period(start, start + timedelta(days=7))
        case "month":
            return _period(start.year, start.month, None)
        case "year":
            return _period(start.year, None, None)
    return _period(start.year, start.month, start.day)


def unix_s(moment: datetime) -> float | None:
    """A local time as unix seconds; None where the machine's clock cannot tell it."""
    try:
        return moment.astimezone().timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def _iso_period(text: str) -> Period | None:
    if not (match := _ISO.fullmatch(text)):
        return None
    year, month, day = (int(part) if part else None for part in match.groups())
    return _period(year or 0, month, day)


def _period(year: int, month: int | None, day: int | None) -> Period | None:
    try:
        start = datetime(year, month or 1, day or 1)
        if day:
            return Period(start, start + timedelta(days=1))
        if month and month < 12:
            return Period(start, datetime(year, month + 1, 1))
        return Period(start, datetime(year + 1, 1, 1))
    except (ValueError, OverflowError):
        return None


@functools.lru_cache(maxsize=2)
def _parser(today: str) -> Any:
    """dateparser's, as of midday of a day: it takes half a second to load, so only for words."""
    from dateparser.date import DateDataParser

    settings = {
        "RELATIVE_BASE": datetime.fromisoformat(f"{today}T12:00"),
        "PREFER_DAY_OF_MONTH": "first",
        "PREFER_MONTH_OF_YEAR": "first",
        "PREFER_DATES_FROM": "past",
    }
    return DateDataParser(languages=_LANGUAGES, settings=settings)
