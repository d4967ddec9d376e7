"""Electronic books (epub): the chapters in the order they are read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

from indexer.extract.containers.archives import DAMAGED, open_zip
from indexer.extract.dates import parse_iso_s
from indexer.extract.formats.web import decode_html, html_blocks
from indexer.extract.pages.blocks import DocumentMetadata, Section
from indexer.types.characters import clean_line
from indexer.types.pieces import UnreadableError

_TEXTS = (".xhtml", ".html", ".htm", ".xml", ".opf", ".ncx")


def sections(file: IO[bytes], name: str, metadata: DocumentMetadata) -> Iterator[Section]:
    """One for each chapter; a damaged one is left out and counted."""
    with open_zip(file) as archive:
        if "META-INF/encryption.xml" in archive.namelist():
            locked = archive.read("META-INF/encryption.xml")
            if b"http://www.idpf.org/2008/embedding" not in locked and b"adobe" not in locked:
                raise UnreadableError("encrypted", "This book is locked to a shop's reader.")
    book = _opened(file)
    metadata.title = clean_line(book.title)
    dates = book.metadata.get("http://purl.org/dc/elements/1.1/", {}).get("date", [])
    metadata.made_at = next((made for one, _ in dates if (made := parse_iso_s(one))), None)
    lost = 0
    for item_id, _linear in book.spine:
        item = book.get_item_with_id(item_id)
        content: bytes = getattr(item, "content", b"") or b""
        if not content:
            lost += 1
            continue
        blocks = list(html_blocks(decode_html(content), DocumentMetadata()))
        label = next((block.text for block in blocks if block.tag.startswith("h")), "")
        yield Section(blocks, label[:80])
    if lost:
        metadata.add_note(f"{lost} of {len(book.spine)} chapters are missing or damaged.")


def _opened(file: IO[bytes]) -> Any:
    from ebooklib import epub

    class Reader(epub.EpubReader):  # type: ignore[misc]
        """Only the texts are unpacked, and one that is not there costs no more than itself."""

        def read_file(self, name: str) -> bytes:
            if not name.lower().endswith(_TEXTS):
                return b""
            try:
                return bytes(super().read_file(name))
            except MemoryError:
                raise
            except Exception:
                return b""

    file.seek(0)
    try:
        return Reader(file, {"ignore_ncx": True}).load()
    except MemoryError:
        raise
    except Exception as problem:
        raise UnreadableError("corrupt", DAMAGED) from problem
