"""Safe parsing of XML: no entity is expanded, no DTD loaded, nothing fetched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

from lxml import etree

_SAFE = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "huge_tree": False,
    "recover": True,
}


def parse_xml(content: bytes) -> Any:
    """The root element, None where there is no XML."""
    try:
        return etree.fromstring(content, etree.XMLParser(**_SAFE))
    except (etree.XMLSyntaxError, ValueError):
        return None


def stream_xml(file: IO[bytes], tags: tuple[str, ...], events: tuple[str, ...]) -> Iterator[Any]:
    """(event, element) for these tags, as the parser comes to them."""
    return iter(etree.iterparse(file, events=events, tag=tags, **_SAFE))
