"""Safe parsing of XML: no entity is expanded, no DTD loaded, nothing fetched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from lxml import etree


class Readable(Protocol):
    """What XML is streamed from."""

    def read(self, size: int = ..., /) -> bytes:
        """The next bytes; empty at the end."""


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


def stream_xml(file: Readable, tags: tuple[str, ...], events: tuple[str, ...]) -> Iterator[Any]:
    """(event, element) for these tags, as the parser comes to them."""
    return iter(etree.iterparse(file, events=events, tag=tags, **_SAFE))
