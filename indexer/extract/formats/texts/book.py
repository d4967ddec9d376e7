"""Electronic books (epub): the chapters in reading order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any
from urllib.parse import unquote

from indexer.extract.containers.archives import DAMAGED, open_zip
from indexer.extract.dates import parse_iso_s
from indexer.extract.formats.embedded import embedded_files
from indexer.extract.formats.texts.web import decode_html, html_blocks
from indexer.extract.pages.blocks import DocumentMetadata, Section
from indexer.types.attachments import Attachment
from indexer.types.notes import NoteCode
from indexer.types.pieces import UnreadableError
from indexer.types.text.characters import clean_line

# Everything else may be a chapter: its media type says so, not its name.
_MEDIA = tuple(
    ".jpg .jpeg .png .gif .webp .svg .bmp .tif .tiff .css .js .ttf .otf .woff .woff2 .mp3 .mp4 "
    ".m4a .m4v .ogg .opus .wav .webm".split()
)


def sections(
    file: IO[bytes], name: str, metadata: DocumentMetadata
) -> Iterator[Section | Attachment]:
    """One for each chapter; a damaged one is left out and counted."""
    with open_zip(file) as archive:
        if "META-INF/encryption.xml" in archive.namelist():
            encryption = archive.read("META-INF/encryption.xml")
            if (
                b"http://www.idpf.org/2008/embedding" not in encryption
                and b"adobe" not in encryption
            ):
                raise UnreadableError("encrypted", "This book is locked to a shop's reader.")
    book = _open_book(file)
    metadata.title = clean_line(book.title)
    dates = book.metadata.get("http://purl.org/dc/elements/1.1/", {}).get("date", [])
    metadata.made_at = next(
        (time_s for written, _ in dates if (time_s := parse_iso_s(written))), None
    )
    missing = 0
    for item_id, _linear in book.spine:
        item = book.get_item_with_id(item_id)
        if item is None:  # the list of contents names what the book does not have
            missing += 1
            continue
        content: bytes = getattr(item, "content", b"") or b""
        if not content:
            missing += 1
            continue
        chapter = DocumentMetadata()
        blocks = list(html_blocks(decode_html(content), chapter))
        metadata.notes.extend(chapter.notes.all())
        label = next((block.text for block in blocks if block.tag.startswith("h")), "")
        yield Section(blocks, label[:80])
    if missing:
        metadata.notes.add(
            NoteCode.CHAPTERS_DAMAGED,
            f"{missing} of {len(book.spine)} chapters are missing or damaged.",
        )
    yield from embedded_files(file, metadata)


def _open_book(file: IO[bytes]) -> Any:
    from ebooklib import epub

    class TextReader(epub.EpubReader):  # type: ignore[misc]
        """Unpacks texts only; a text that is missing or damaged is empty."""

        def read_file(self, name: str) -> bytes:
            name = name.partition("#")[0]
            if name.lower().endswith(_MEDIA):
                return b""
            try:
                return bytes(super().read_file(self._entry(name)))
            except MemoryError:
                raise
            except Exception:
                return b""

        def _entry(self, name: str) -> str:
            """The entry of this name, else the one of which it is another spelling: with other
            capitals, or with signs as their codes (%20)."""
            names = self.zf.namelist()
            if name in names:
                return name
            sought = unquote(name).casefold()
            return next((entry for entry in names if unquote(entry).casefold() == sought), name)

    file.seek(0)
    try:
        return TextReader(file, {"ignore_ncx": True}).load()
    except MemoryError:
        raise
    except Exception as problem:
        raise UnreadableError("corrupt", DAMAGED) from problem
