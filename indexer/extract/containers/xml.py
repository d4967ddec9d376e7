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


# What the parser leaves out without losing a word.
_HARMLESS = frozenset(["ERR_INVALID_CHAR"])


def parse_xml(content: bytes) -> Any:
    """The root element, None where there is no XML."""
    return parse_damaged_xml(content)[0]


def parse_damaged_xml(content: bytes) -> tuple[Any, bool]:
    """The root element, None where there is no XML; and whether it is damaged, so that some of what
    was in it is missing."""
    parser = etree.XMLParser(**_SAFE)
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None, True
    return root, _is_damaged(parser.error_log)


class XmlStream:
    """(event, element) for these tags, as the parser comes to them."""

    def __init__(self, file: Readable, tags: tuple[str, ...], events: tuple[str, ...]) -> None:
        self._events = etree.iterparse(file, events=events, tag=tags, **_SAFE)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return next(self._events)

    @property
    def is_damaged(self) -> bool:
        """Whether some of what was streamed so far is missing."""
        return _is_damaged(self._events.error_log)


def _is_damaged(errors: Any) -> bool:
    return any(error.type_name not in _HARMLESS for error in errors.filter_from_fatals())
