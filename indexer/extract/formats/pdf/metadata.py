"""What a PDF says of itself: its title, author, subject and keywords, its date, its outline.

Read from the document information, else from the XMP packet, which replaces it in PDF 2.0.
"""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from indexer.extract.containers.xml import parse_xml
from indexer.extract.dates import parse_iso_s, unix_s
from indexer.types.text.characters import clean_line

MAX_OUTLINE_ENTRIES = 5_000
MAX_VALUE_CHARS = 1_000
_MAX_XMP_BYTES = 4 << 20

_DATE = re.compile(
    r"(?:D:)?(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?\s*(?:([-+Z])(?:(\d\d)'?(\d\d)?)?)?"
)
# Names that a program or a system puts in where a person gave none.
_NO_PERSON = re.compile(
    r"(unknown|anonymous|user|owner|admin(istrator)?|root|default|author|none|n/a|\(?\w\)?|"
    r"microsoft|scanner|unspecified|\W*)",
    re.I,
)
_XMP_KEYS = {
    "title": "{http://purl.org/dc/elements/1.1/}title",
    "author": "{http://purl.org/dc/elements/1.1/}creator",
    "subject": "{http://purl.org/dc/elements/1.1/}description",
    "keywords": "{http://purl.org/dc/elements/1.1/}subject",
    "creationDate": "{http://ns.adobe.com/xap/1.0/}CreateDate",
    "modDate": "{http://ns.adobe.com/xap/1.0/}ModifyDate",
}
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"


def read_metadata(document: Any) -> dict[str, str]:
    """The values of a pymupdf document by the names that pymupdf has for them, each one line."""
    values = {
        name: clean_line(value)[:MAX_VALUE_CHARS]
        for name, value in (document.metadata or {}).items()
        if isinstance(value, str)
    }
    if all(values.get(name) for name in ("title", "author", "creationDate")):
        return values
    try:
        packet = document.get_xml_metadata()
    except Exception:  # without an XMP packet, or with a damaged one
        return values
    root = parse_xml(packet.encode()) if packet and len(packet) < _MAX_XMP_BYTES else None
    for name, tag in _XMP_KEYS.items() if root is not None else ():
        if not values.get(name):
            values[name] = _xmp_value(root, tag)[:MAX_VALUE_CHARS]
    return values


def _xmp_value(root: Any, tag: str) -> str:
    """The value of a property: its text, the items of its list, or an attribute."""
    for element in root.iter(tag):
        items = [clean_line(item.text) for item in element.iter(f"{_RDF}li")]
        return ", ".join(filter(None, items)) or clean_line(element.text)
    for description in root.iter(f"{_RDF}Description"):
        if value := description.get(tag):
            return clean_line(value)
    return ""


def made_at_s(metadata: dict[str, str]) -> float | None:
    """When the document was made, or else last changed, in unix seconds."""
    written = (metadata.get(name) for name in ("creationDate", "modDate"))
    return next((at_s for text in written if (at_s := parse_date_s(text)) is not None), None)


def parse_date_s(written: str | None) -> float | None:
    """ "D:20240301123000+01'00'" (ISO 32000-2, 7.9.4), its shorter forms, and ISO 8601, in unix
    seconds; without a zone it is in UTC."""
    match = _DATE.fullmatch((written or "").strip().removesuffix("'"))
    if match is None:
        return parse_iso_s(written)
    year, month, day, hour, minute, second, sign, zone_hours, zone_minutes = match.groups()
    offset = timedelta(hours=int(zone_hours or 0), minutes=int(zone_minutes or 0))
    try:
        zone = timezone(-offset if sign == "-" else offset) if sign in ("+", "-") else UTC
        clock = datetime(
            int(year), int(month or 1), int(day or 1),
            int(hour or 0), int(minute or 0), min(59, int(second or 0)), tzinfo=zone,
        )  # fmt: skip
    except ValueError:
        return None
    return unix_s(clock)


def described_by(metadata: dict[str, str], title: str) -> list[str]:
    """The lines that make a document findable by what it says of itself; `title` is its own where
    it has one."""
    author = metadata.get("author", "")
    lines = [
        title,
        "" if _NO_PERSON.fullmatch(author) else author,
        metadata.get("subject", ""),
        metadata.get("keywords", ""),
    ]
    return [line for line in dict.fromkeys(lines) if len(line) > 1]


def read_outline(document: Any) -> dict[int, list[str]]:
    """The titles of the outline (bookmarks) by the page that each leads to, from 1; those that
    lead nowhere by the first."""
    if document.xref_get_key(document.pdf_catalog(), "Outlines")[0] == "null":
        return {}
    try:
        entries = document.get_toc(simple=True)[:MAX_OUTLINE_ENTRIES]
    except Exception:  # a damaged one
        return {}
    titles: dict[int, list[str]] = defaultdict(list)
    for _, title, page in entries:
        if text := clean_line(title)[:MAX_VALUE_CHARS]:
            titles[max(1, page)].append(text)
    return titles
