"""Times as files write them, in unix seconds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone

# Times outside are those of clocks that were never set.
_EARLIEST, _LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def unix_s(moment: date | datetime | None) -> float | None:
    """Unix seconds of a time, or of the beginning of a day; without a zone it is in UTC, so that
    the same file gives the same time on every machine. None outside of 1900 to 2200."""
    if moment is None:
        return None
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.timestamp() if _EARLIEST < moment < _LATEST else None


def parse_iso_s(written: str | None) -> float | None:
    """ "2024-03-01T12:30:00Z" and its shorter forms."""
    text = re.sub(r"(\.\d{1,6})\d*", r"\1", (written or "").strip())
    try:
        return unix_s(datetime.fromisoformat(text))
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class CaptureTime:
    """When a picture was taken: in unix seconds, and how many seconds the camera's clock was ahead
    of UTC (None where only the moment is known)."""

    at_s: float
    offset_s: int | None


# "2024:06:01 12:30:00", with any separators, and with or without a time, fractions and an offset.
_WRITTEN = re.compile(
    r"""(?P<year>\d{4})(?P<apart>[:\-/. ]?)(?P<month>\d{1,2})(?P=apart)(?P<day>\d{1,2})
    (?:[T\s]*(?P<hour>\d{1,2})[:.]?(?P<minute>\d{2})(?:[:.]?(?P<second>\d{2}))?(?:[.,:]\d+)?
    \s*(?P<half>[ap]m)?)?\s*(?P<offset>Z|UTC|GMT|[+-]\d{1,2}(?::?\d{2})?)?""",
    re.VERBOSE | re.IGNORECASE,
)
_C_TIME = "%a %b %d %H:%M:%S %Y"  # "Sat Feb 21 10:14:22 2015"
_NOON = 12  # the hour of a picture of which only the day is known


def parse_capture_time(written: object, offset: object = None) -> CaptureTime | None:
    """A date of EXIF, XMP, IPTC or PNG text with its separate offset from UTC; an offset within it
    goes before. Without one it is in the local time of this machine. None for what is no date."""
    text = _metadata_text(written)
    match = _WRITTEN.fullmatch(text)
    try:
        if match is None:
            return _at_clock(datetime.strptime(text, _C_TIME), _zone(offset))
        hour = int(match["hour"]) if match["hour"] else _NOON
        if match["half"]:
            hour = hour % 12 + (12 if match["half"].lower() == "pm" else 0)
        clock = datetime(
            int(match["year"]),
            int(match["month"]),
            int(match["day"]),
            hour % 24,  # some clocks count 24 where others begin with 0
            int(match["minute"] or 0),
            min(59, int(match["second"] or 0)),
        )
        return _at_clock(clock, _zone(match["offset"] or offset))
    except (ValueError, OverflowError, OSError):
        return None


# "IMG-20130704-WA0003", "PXL_20240601_123000", "Screenshot 2024-06-01 at 12.30.00".
_NAMED = re.compile(
    r"""(?<!\d)(?P<year>19[89]\d|20\d\d)(?P<apart>[-_.]?)(?P<month>0[1-9]|1[0-2])(?P=apart)
    (?P<day>0[1-9]|[12]\d|3[01])
    (?:(?:[-_\s.T]|\sat\s)*(?P<hour>[01]\d|2[0-3])(?P<colon>[-_.:]?)(?P<minute>[0-5]\d)
    (?P=colon)(?P<second>[0-5]\d)|(?!\d))""",
    re.VERBOSE,
)


def parse_named_day(name: str) -> CaptureTime | None:
    """The day, with or without a time, that phones and programs write into a file's name; it is in
    the local time of this machine."""
    match = _NAMED.search(name)
    if match is None:
        return None
    day = int(match["year"]), int(match["month"]), int(match["day"])
    time = int(match["hour"] or _NOON), int(match["minute"] or 0), int(match["second"] or 0)
    try:
        return _at_clock(datetime(*day, *time), None)
    except (ValueError, OverflowError, OSError):
        return None


def _at_clock(clock: datetime, zone: timezone | None) -> CaptureTime | None:
    """The moment a clock showed this; without a zone it is one of this machine."""
    moment = clock.astimezone() if zone is None else clock.replace(tzinfo=zone)
    at_s, offset = unix_s(moment), moment.utcoffset()
    if at_s is None or offset is None:
        return None
    return CaptureTime(at_s, round(offset.total_seconds()))


def _zone(offset: object) -> timezone | None:
    """The zone of an offset like "+02:00"; None for what is no offset."""
    text = _metadata_text(offset).upper()
    if text in ("Z", "UTC", "GMT"):
        return UTC
    match = re.fullmatch(r"([+-])(\d{1,2}):?(\d{2})?", text)
    if match is None or int(match[2]) > 14 or int(match[3] or 0) > 59:
        return None
    minutes = 60 * int(match[2]) + int(match[3] or 0)
    return timezone(timedelta(minutes=-minutes if match[1] == "-" else minutes))


def _metadata_text(value: object) -> str:
    """A text of metadata without the padding around it; empty for anything else."""
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    return value.strip("\0 \t\r\n") if isinstance(value, str) else ""
