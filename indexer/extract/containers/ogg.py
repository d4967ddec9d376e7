"""The pages of an Ogg file (RFC 3533): several streams in it, and pages that are missing."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import IO

BLOCK_BYTES = 1 << 20
_PAGE = b"OggS\0"
_HEADER_BYTES = 22  # flags, position, number of the stream, number of the page
_BEGINS_STREAM = 2


@dataclass(slots=True)
class OggStreams:
    """How an Ogg file is put together: `chained` streams follow each other, `multiplexed` ones lie
    beside each other, and `gaps` are places where pages of a stream are missing."""

    chained: bool = False
    multiplexed: bool = False
    gaps: int = 0

    @property
    def is_plain(self) -> bool:
        """Whether it is one whole stream."""
        return not (self.chained or self.multiplexed or self.gaps)


def find_streams(file: IO[bytes]) -> OggStreams:
    """The streams of an open Ogg. Nothing is decoded."""
    file.seek(0)
    streams = OggStreams()
    numbers: dict[int, int] = {}  # of the last page of each stream
    has_content, rest = False, b""
    while block := file.read(BLOCK_BYTES):
        pages, at = rest + block, 0
        while 0 <= (at := pages.find(_PAGE, at)) <= len(pages) - _HEADER_BYTES:
            flags, stream, number = struct.unpack_from("<B8xII", pages, at + len(_PAGE))
            begins = bool(flags & _BEGINS_STREAM)
            if begins:
                streams.chained = streams.chained or has_content
                streams.multiplexed = streams.multiplexed or (bool(numbers) and not has_content)
            elif number > numbers.get(stream, number) + 1:
                streams.gaps += 1
            has_content = has_content or not begins
            numbers[stream] = number
            at += _HEADER_BYTES
        rest = pages[at:] if at >= 0 else pages[-len(_PAGE) + 1 :]
    return streams
