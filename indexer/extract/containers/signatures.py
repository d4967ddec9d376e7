"""What a file is, by its first bytes; a name only where the content says nothing."""

from __future__ import annotations

import re

from indexer.extract.containers.encodings import detect_encoding
from indexer.extract.containers.media_signatures import media_by_content
from indexer.types.formats import Format, format_by_name

# Text to a machine, but not words to a person: PostScript, keys.
_NOT_WORDS = (b"%!PS", b"-----BEGIN ")


def format_by_content(head: bytes, name: str = "") -> Format | None:
    """What these first bytes begin, by a fixed order, so that a file that is two things at once is
    always the same one of them."""
    if b"%PDF-" in head[:1024]:
        return "pdf"
    if (seen_or_heard := media_by_content(head, name)) is not None:
        return seen_or_heard
    if head.startswith(_NOT_WORDS):
        return None
    if head.startswith(b"{\\rtf"):
        return "legacy"
    encoding = detect_encoding(head)
    if encoding is None:
        return None
    named = format_by_name(name)
    written = _written(head.decode(encoding, "replace").lstrip("\ufeff"), named)
    if written == "text" and encoding == "cp1252":
        # any bytes are that: believe it of files that are called a text
        return "text" if named == "text" else None
    return written


_PAGE = re.compile(
    r"(?:\s|<!--.*?-->|<\?xml.*?\?>)*<(?:!doctype\s+html|html[\s>]|head[\s>]|body[\s>])",
    re.I | re.S,
)
_ANY_TAG = re.compile(r"<(?:[a-z][a-z0-9]*[\s>/]|!doctype|!--)", re.I)
_MAILBOX = re.compile(r"From \S.*\d{2}:\d{2}.*\n[A-Za-z][A-Za-z0-9-]*:")
_HEADER = re.compile(r"([A-Za-z][A-Za-z0-9-]*):(?:[ \t]|$)")
_MAIL_HEADERS = frozenset(
    "from to subject date received return-path message-id mime-version delivered-to".split()
)


def _written(text: str, named: Format | None) -> Format:
    """What kind of text one is that begins like this."""
    if _PAGE.match(text) or (named == "html" and _ANY_TAG.search(text)):
        return "html"
    if _MAILBOX.match(text):
        return "mbox"
    known = _mail_headers(text)
    if named == "mail":
        return "mail" if known else "text"
    by_whom_and_when = known & {"from", "return-path", "received"} and known & {
        "date",
        "received",
        "message-id",
    }
    return "mail" if len(known) >= 3 and by_whom_and_when else "text"


def _mail_headers(text: str) -> set[str]:
    """Which headers of mail a text begins with; none where other lines stand among them."""
    found: set[str] = set()
    lines = text.split("\n")
    if lines[0].strip().isdecimal():  # Apple's mail begins with its length
        lines = lines[1:]
    for line in lines[:-1]:
        if not line.strip():
            break
        if line[0] in " \t":
            continue
        header = _HEADER.match(line.rstrip("\r"))
        if header is None:
            return set()
        found.add(header[1].lower())
    return found & _MAIL_HEADERS
