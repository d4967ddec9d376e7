"""Web pages: the visible text of the main part, without scripts, menus and hidden elements.

lxml parses them, in milliseconds; it bounds their depth. Nothing that a page refers to is loaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO, Any

from lxml import etree

from indexer.extract.containers.encodings import decode_declared, detect_encoding
from indexer.extract.dates import parse_iso_s
from indexer.extract.pages.blocks import Block, DocumentMetadata, Section, Tag, table_row
from indexer.types.notes import NoteCode
from indexer.types.pieces import UnreadableError
from indexer.types.text.characters import clean, clean_line

MAX_BYTES = 64 << 20
# An element marked as the main part is used where it holds this share of the characters.
MAIN_SHARE = 0.3
LONGEST_CELL_CHARS = 400
TITLE_BLOCKS = 20  # where a title is looked for among the words
DEEP = (
    "Its elements lie in each other more than 256 deep, and what lies deeper was not read; print "
    "it to a PDF, and that is read."
)
_BREAK = "\v"
_HIDING = re.compile(r"display\s*:\s*none", re.I)
_DECLARED = re.compile(
    rb"^\s*<\?xml[^>]{0,200}encoding\s*=\s*[\"']([\w.:-]+)"
    rb"|<meta[^>]{0,200}charset\s*=\s*[\"']?([\w.:-]+)",
    re.I,
)

_DROPPED = frozenset(
    "script style noscript template head nav iframe object embed svg math canvas audio video map "
    "select datalist button dialog input textarea".split()
)
_DROPPED_ROLES = frozenset(["navigation", "search", "menu", "menubar", "banner", "dialog", "alert"])
_BLOCKS = frozenset(
    "address article aside blockquote body center dd details div dl dt fieldset figcaption figure "
    "footer form h1 h2 h3 h4 h5 h6 header hr html li main menu ol p pre section summary table "
    "tbody td tfoot th thead tr ul caption label legend".split()
)
_TAGS: dict[str, Tag] = {
    "h1": "h1",
    "h2": "h2",
    "h3": "h3",
    "h4": "h4",
    "li": "li",
    "pre": "pre",
    "h5": "h4",
    "h6": "h4",
    "dd": "quote",
    "blockquote": "quote",
}
_DATE_KEYS = (
    "article:published_time",
    "date",
    "dc.date",
    "dcterms.created",
    "article:modified_time",
)


def sections(file: IO[bytes], name: str, metadata: DocumentMetadata) -> Iterator[Section]:
    """One; the title and the date of the page go into the metadata."""
    data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        metadata.notes.add(
            NoteCode.TEXT_LEFT_OUT, f"Only the first {MAX_BYTES >> 20} MB of this page were read."
        )
    blocks = list(html_blocks(decode_html(data[:MAX_BYTES]), metadata))
    title = metadata.title
    # most pages repeat their title as a heading; of the others its words are found as well
    if title and not any(title in clean_line(block.text) for block in blocks[:TITLE_BLOCKS]):
        blocks.insert(0, Block(title, "h1"))
    yield Section(blocks)


def decode_html(data: bytes, declared: str | None = None) -> str:
    """The text of a page, by its byte order mark, else by the encoding declared by the mail or by
    the page, else as any text. Raises UnreadableError where there is no text."""
    detected = detect_encoding(data[:8192])
    if detected is None and data:
        raise UnreadableError(
            "unsupported", "This file is called a web page, but there is no text in it."
        )
    if detected in ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"):
        return clean(data.decode(detected, "replace"))
    if declared is None and (declaration := _DECLARED.search(data[:4096])):
        declared = (declaration[1] or declaration[2]).decode("ascii")
    return decode_declared(data, declared)


def html_blocks(text: str, metadata: DocumentMetadata | None = None) -> Iterator[Block]:
    """The blocks of a page given as text."""
    metadata = metadata or DocumentMetadata()
    root = _parse(text, metadata)
    if root is None:
        return
    _properties(root, metadata)
    body = root.find("body")
    yield from _blocks(_main(body if body is not None else root), _hidden(root))


def _parse(text: str, metadata: DocumentMetadata) -> Any:
    # the text is decoded already: a declared encoding does not apply any more
    parser = etree.HTMLParser(
        encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    if any(entry.type == etree.ErrorTypes.ERR_RESOURCE_LIMIT for entry in parser.error_log):
        metadata.notes.add(NoteCode.PARTS_LEFT_OUT, DEEP)
    return root


def _properties(root: Any, metadata: DocumentMetadata) -> None:
    if not metadata.title:
        metadata.title = clean_line("".join(root.findtext(".//title") or ""))
    if metadata.made_at is None:
        for meta in root.iter("meta"):
            key = (meta.get("property") or meta.get("name") or "").lower()
            if key in _DATE_KEYS and (time_s := parse_iso_s(meta.get("content"))):
                metadata.made_at = time_s
                return


def _main(body: Any) -> Any:
    """The element that the page marks as its main part, if it holds enough of the words."""
    divisions = (element for element in body.iter("div") if element.get("role") == "main")
    candidates = [*body.iter("main"), *divisions] or list(body.iter("article"))
    if len(candidates) != 1:
        return body
    main_chars, all_chars = map(_length, (candidates[0], body))
    return candidates[0] if main_chars >= MAIN_SHARE * all_chars else body


_length = etree.XPath("string-length()")
# from the attributes to their elements: more than twice as fast as to ask every element
_might_be_hidden = etree.XPath("//@hidden/.. | //@aria-hidden/.. | //@role/.. | //@style/..")


def _hidden(root: Any) -> set[Any]:
    """The elements of a page that are not shown, or serve navigation."""
    return {element for element in _might_be_hidden(root) if _is_hidden(element)}


def _is_hidden(element: Any) -> bool:
    for name, value in element.items():
        match name:
            case "hidden":
                return True
            case "aria-hidden" if value == "true":
                return True
            case "role" if value in _DROPPED_ROLES:
                return True
            case "style" if _HIDING.search(value):
                return True
    return False


def _blocks(body: Any, hidden: set[Any]) -> Iterator[Block]:
    """Block by block in the order of the page. No recursion: elements may nest to any depth."""
    texts: list[str] = []
    tags: list[Tag] = ["p"]
    waiting: list[tuple[Any, Any]] = [(body, iter(body))]
    texts.append(body.text or "")
    while waiting:
        element, children = waiting[-1]
        child = next(children, None)
        if child is None:
            waiting.pop()
            if element.tag in _BLOCKS:
                yield from _block(texts, tags[-1])
                if element.tag in _TAGS:
                    tags.pop()
            if waiting:
                texts.append(element.tail or "")
            continue
        name = child.tag
        if not isinstance(name, str) or name in _DROPPED or child in hidden:
            texts.append(child.tail or "")
            continue
        if name == "br":
            texts += [_BREAK, child.tail or ""]
            continue
        if name in _BLOCKS:
            yield from _block(texts, tags[-1])
            if name in _TAGS:
                tags.append(_TAGS[name])
            elif name == "table" and (rows := _rows(child, hidden)) is not None:
                yield from rows
                texts.append(child.tail or "")
                continue
        elif name == "img" and (description := clean_line(child.get("alt"))):
            texts.append(f" {description} ")
        elif not len(child):  # nothing but words: most elements of a line
            texts += (child.text or "", child.tail or "")
            continue
        texts.append(child.text or "")
        waiting.append((child, iter(child)))


def _block(texts: list[str], tag: Tag) -> Iterator[Block]:
    text = "".join(texts)
    texts.clear()
    if not text or text.isspace():  # half of all
        return
    if tag == "pre":
        text = text.replace(_BREAK, "\n").strip("\n").rstrip()
    else:
        # an end of line in the source is white space, a <br> is an end of line
        text = "\n".join(filter(None, map(clean_line, text.split(_BREAK))))
    if text.strip():
        yield Block(text, tag)


def _rows(table: Any, hidden: set[Any]) -> list[Block] | None:
    """The rows of a table; None for one that serves the layout of the page."""
    if next(table.iterdescendants("table"), None) is not None:
        return None
    rows: list[Block] = []
    for line in table.iter("tr"):
        cells = [_cell(cell, hidden) for cell in line if cell.tag in ("td", "th")]
        if any(len(cell) > LONGEST_CELL_CHARS for cell in cells):
            return None
        if block := table_row(cells):
            rows.append(block)
    return rows


def _cell(cell: Any, hidden: set[Any]) -> str:
    if not len(cell):
        return clean_line(cell.text)
    return " ".join(block.text for block in _blocks(cell, hidden))
