"""Times as files write them, in unix seconds."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

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


def parse_exif_s(written: object, offset: object) -> float | None:
    """EXIF's "2024:06:01 12:30:00" with its separate offset, "+02:00"; without one it is in the
    local time of this machine."""
    try:
        moment = datetime.strptime(str(written).strip("\0 "), "%Y:%m:%d %H:%M:%S")
        if isinstance(offset, str) and offset.strip("\0 "):
            moment = datetime.strptime(f"{moment:%Y%m%d%H%M%S}{offset.strip()}", "%Y%m%d%H%M%S%z")
        return moment.timestamp()
    except (ValueError, OverflowError, OSError):
        return None
