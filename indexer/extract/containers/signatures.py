"""The format of a file by its first bytes; its name decides only where they fit several."""

from __future__ import annotations

import re

from indexer.extract.containers.encodings import detect_encoding
from indexer.extract.containers.media_signatures import media_by_content
from indexer.types.formats import Format, format_by_name

# Text, but no words for a person: PostScript, keys.
_NOT_WORDS = (b"%!PS", b"-----BEGIN ")
# A signed or encrypted message (CMS, RFC 5652) in base64, under the name of one.
_CMS_SUFFIXES = (".p7m", ".p7s", ".p7c")
_CMS_BASE64 = re.compile(rb"\s*MI[A-Za-z0-9+/=\s]*")


def format_by_content(head: bytes, name: str = "") -> Format | None:
    """The format that these first bytes belong to. The order is fixed, so that a file that is valid
    in two formats is always the same one."""
    if b"%PDF-" in head[:1024]:
        return "pdf"
    if (media := media_by_content(head, name)) is not None:
        return media
    if head.startswith(_NOT_WORDS):
        return None
    if name.lower().endswith(_CMS_SUFFIXES) and _CMS_BASE64.fullmatch(head):
        return None
    if head.startswith(b"{\\rtf"):
        return "legacy"
    encoding = detect_encoding(head)
    if encoding is None:
        return None
    named = format_by_name(name)
    text_format = _text_format(head.decode(encoding, "replace").lstrip("\ufeff"), named)
    if text_format == "text" and encoding == "cp1252":
        # any bytes are valid cp1252: the name has to be that of a text as well
        return "text" if named == "text" else None
    return text_format


_PAGE = re.compile(
    r"(?:\s|<!--.*?-->|<\?xml.*?\?>)*<(?:!doctype\s+html|html[\s>]|head[\s>]|body[\s>])",
    re.I | re.S,
)
_ANY_TAG = re.compile(r"<(?:[a-z][a-z0-9]*[\s>/]|!doctype|!--)", re.I)
_MAILBOX = re.compile(
    r"From \S.*\s(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),?\s.*\d{2}:\d{2}.*\n[A-Za-z][A-Za-z0-9-]*:"
)
_HEADER = re.compile(r"([A-Za-z][A-Za-z0-9-]*):(?:[ \t]|$)")
_MAIL_HEADERS = frozenset(
    "from to subject date received return-path message-id mime-version delivered-to".split()
)


def _text_format(text: str, named: Format | None) -> Format:
    """The format of a text by its beginning."""
    if _PAGE.match(text) or (named == "html" and _ANY_TAG.search(text)):
        return "html"
    if _MAILBOX.match(text):
        return "mbox"
    known = _mail_headers(text)
    if named == "mail":
        return "mail" if known else "text"
    has_sender_and_date = known & {"from", "return-path", "received"} and known & {
        "date",
        "received",
        "message-id",
    }
    return "mail" if len(known) >= 3 and has_sender_and_date else "text"


def _mail_headers(text: str) -> set[str]:
    """The known mail headers that a text begins with; none where other lines are among them."""
    names: set[str] = set()
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
        names.add(header[1].lower())
    return names & _MAIL_HEADERS
