"""Messages as Outlook packs them (TNEF, winmail.dat): their words and what is attached.

tnefparse unpacks them, compressed_rtf and striprtf make words of the rich text in them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from indexer.extract.containers.encodings import decode_declared
from indexer.extract.formats.texts.rich_text import rtf_blocks
from indexer.extract.pages.blocks import Block
from indexer.types.text.characters import clean, clean_line

MAGIC = b"\x78\x9f\x3e\x22"


@dataclass(slots=True)
class TnefMessage:
    """The paragraphs, and the names and bytes of the files attached."""

    blocks: list[Block] = field(default_factory=list)
    files: list[tuple[str, bytes]] = field(default_factory=list)


def read_tnef(data: bytes) -> TnefMessage:
    """Everything in a TNEF stream. Raises ValueError where it is damaged."""
    from tnefparse import TNEF

    class Stream(TNEF):  # type: ignore[misc]
        """A stream that names no code page is in that of western Windows; tnefparse would stop."""

        @property
        def codepage(self) -> str:
            return self._named_codepage or "cp1252"

        @codepage.setter
        def codepage(self, name: str | None) -> None:
            self._named_codepage = name

    try:
        stream = Stream(data, do_checksum=False)
        message = TnefMessage(list(_blocks(stream)))
        for attached in stream.attachments:
            name = clean_line(str(attached.long_filename() or "")) or "Attachment"
            if isinstance(attached.data, bytes) and attached.data:
                message.files.append((name, attached.data))
    except MemoryError:
        raise
    except Exception as problem:
        raise ValueError("this is no whole TNEF stream") from problem
    return message


def _blocks(stream: Any) -> Iterator[Block]:
    from indexer.extract.formats.texts.web import decode_html, html_blocks

    if html := stream.htmlbody:
        text = decode_html(html) if isinstance(html, bytes) else clean(html)
        yield from html_blocks(text)
        return
    if body := stream.body:
        text = decode_declared(body, stream.codepage) if isinstance(body, bytes) else clean(body)
    elif rich := stream.rtfbody:
        yield from rtf_blocks(bytes(rich))
        return
    else:
        return
    for line in text.replace("\0", "").split("\n"):
        if line.strip():
            yield Block(line.strip())
