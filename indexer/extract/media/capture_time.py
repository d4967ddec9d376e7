"""When a picture was taken: EXIF in all its spellings, XMP, IPTC, PNG text, or the file's name.

A picture's day is that of the camera's clock, so the clock is kept beside the moment.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from indexer.extract.dates import CaptureTime, parse_capture_time, parse_named_day

if TYPE_CHECKING:
    from PIL.Image import Exif
    from PIL.Image import Image as Picture

# EXIF tags, by their numbers in the standard.
_EXIF, _GPS = 0x8769, 0x8825
_ORIGINAL, _DIGITIZED, _DATE_TIME = 0x9003, 0x9004, 0x0132
# The offset of each date from UTC; many cameras write only one of them.
_OFFSETS = {_ORIGINAL: 0x9011, _DIGITIZED: 0x9012, _DATE_TIME: 0x9010}
_GPS_TIME, _GPS_DATE = 7, 29
_IPTC_DATE, _IPTC_TIME = (2, 55), (2, 60)

_XMP_DATES = ("exif:DateTimeOriginal", "photoshop:DateCreated", "xmp:CreateDate")
_PNG_TEXTS = ("Creation Time", "creation_time", "CreationTime", "DateTimeOriginal")


def captured_at(picture: Picture, name: str) -> CaptureTime | None:
    """When an open picture was taken, by the first of its dates that is one; `name` is that of its
    file. Damaged metadata counts as absent."""
    for read in (_exif_dates, _xmp_dates, _iptc_dates, _text_dates, _late_exif_dates):
        try:
            for written, offset in read(picture):
                if (captured := parse_capture_time(written, offset)) is not None:
                    return captured
        except Exception:  # noqa: S112  decoders of metadata raise any class of error
            continue
    return parse_named_day(name)


Dates = Iterator[tuple[object, object]]  # a date as it is written, and its offset from UTC


def _exif_dates(picture: Picture) -> Dates:
    exif = picture.getexif()
    tag = _tag_reader(exif)
    for date in (_ORIGINAL, _DIGITIZED):
        yield tag(date), _offset(tag, date)


def _late_exif_dates(picture: Picture) -> Dates:
    """The dates of less weight: of the last change, and of the satellites."""
    exif = picture.getexif()
    tag = _tag_reader(exif)
    yield tag(_DATE_TIME), _offset(tag, _DATE_TIME)
    gps = exif.get_ifd(_GPS)
    try:
        hour, minute, second = (int(float(part)) for part in gps[_GPS_TIME])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        yield gps.get(_GPS_DATE), None
    else:
        yield f"{_text(gps.get(_GPS_DATE))} {hour:02}:{minute:02}:{second:02}", "Z"


def _tag_reader(exif: Exif) -> Callable[[int], object]:
    """Reads a tag where the standard has it, or in the directory beside."""
    inner: dict[int, Any] = {}
    try:
        inner = exif.get_ifd(_EXIF)
    except Exception:  # damaged: the outer directory may still be whole
        inner = {}
    return lambda number: inner.get(number) or exif.get(number)


def _offset(tag: Callable[[int], object], date: int) -> object:
    """The offset of this date, or of any."""
    offsets = (tag(number) for number in (_OFFSETS[date], *_OFFSETS.values()))
    return next((offset for offset in offsets if _text(offset)), None)


def _xmp_dates(picture: Picture) -> Dates:
    packet = picture.info.get("xmp") or picture.info.get("XML:com.adobe.xmp") or b""
    text = packet.decode("utf-8", "replace") if isinstance(packet, bytes) else str(packet)
    for name in _XMP_DATES:
        match = re.search(rf"{name}\s*(?:=\s*[\"']|>)\s*([^\"'<]{{4,40}})", text)
        yield match[1] if match else None, None


def _iptc_dates(picture: Picture) -> Dates:
    from PIL import IptcImagePlugin
    from PIL.ImageFile import ImageFile

    if "photoshop" not in picture.info or not isinstance(picture, ImageFile):
        return
    fields: dict[Any, Any] = IptcImagePlugin.getiptcinfo(picture) or {}
    day, time = _text(fields.get(_IPTC_DATE)), _text(fields.get(_IPTC_TIME))
    yield f"{day} {time}" if day and time else day, None


def _text_dates(picture: Picture) -> Dates:
    for name in _PNG_TEXTS:
        yield picture.info.get(name), None


def _text(value: object) -> str:
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    return value.strip("\0 ") if isinstance(value, str) else ""
