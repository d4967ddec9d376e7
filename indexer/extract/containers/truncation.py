"""Whether a recording breaks off: its own header says that it has more bytes than there are.

Nothing is decoded. Sizes that a recorder fills in at the end, and never did, say nothing.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator
from typing import IO

MAX_BOXES = 10_000
HEAD_BYTES = 64 << 10
# Programs that write into a pipe put about this size, or the largest number, into the header.
UNKNOWN_SIZE = 0x7FFF0000
_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")  # an object of ASF
_MP3_SLACK_BYTES = 8 << 10  # tags before and behind the frames


def breaks_off(file: IO[bytes], demuxer: str) -> bool:
    """Whether an open file ends before it says; `demuxer` is a name of `media_signatures`."""
    stated_end = _STATED_ENDS.get(demuxer)
    size = file.seek(0, os.SEEK_END)
    if stated_end is None or size == 0:
        return False
    try:
        return stated_end(file, size) > size
    except (struct.error, IndexError):  # a header that is damaged itself
        return False


def has_film_index(file: IO[bytes]) -> bool:
    """Whether an open MP4 has its table of contents, which recorders write at the end."""
    return any(name == b"moov" for name, _ in _boxes(file, file.seek(0, os.SEEK_END)))


def _riff_end(file: IO[bytes], _: int) -> int:
    """RIFF of WAV and AVI, RIFX, and the FORM of AIFF."""
    head = _read(file, 0, 8)
    order = ">" if head[:4] in (b"FORM", b"RIFX") else "<"
    (length,) = struct.unpack(order + "4xI", head)
    is_known = head[:4] in (b"RIFF", b"RIFX", b"FORM") and length < UNKNOWN_SIZE
    return 8 + length if is_known else 0


def _au_end(file: IO[bytes], _: int) -> int:
    begin, length = struct.unpack(">4xII", _read(file, 0, 12))
    return begin + length if length < UNKNOWN_SIZE else 0


def _caf_end(file: IO[bytes], size: int) -> int:
    at = 8
    for _ in range(MAX_BOXES):
        if at + 12 > size:
            break
        name, length = struct.unpack(">4sq", _read(file, at, 12))
        if length < 0 or (name == b"data" and length == 0):
            return 0
        at += 12 + length
    return at


def _mp4_end(file: IO[bytes], size: int) -> int:
    return max((end for _, end in _boxes(file, size)), default=0)


def _boxes(file: IO[bytes], size: int) -> Iterator[tuple[bytes, int]]:
    """The name and the end of each box on the top level of an MP4; one of size 0 has no end."""
    at = 0
    for _ in range(MAX_BOXES):
        header = _read(file, at, 16)
        if len(header) < 8:
            return
        length, name = struct.unpack(">I4s", header[:8])
        if length == 1 and len(header) == 16:
            (length,) = struct.unpack(">8xQ", header)
        elif length == 0:
            yield name, 0
            return
        if length < 8:
            return
        at += length
        yield name, at
        if at >= size:
            return


def _matroska_end(file: IO[bytes], _: int) -> int:
    head = _read(file, 0, 4_096)
    at = 0
    for _ in range(2):  # the header, and the segment that is all else
        at += _width(head[at])
        width = _width(head[at])
        length = int.from_bytes(head[at : at + width], "big") & (1 << (7 * width)) - 1
        at += width
        if length == (1 << (7 * width)) - 1:
            return 0
        at += length
        if at >= len(head):
            return at
    return at


def _width(first: int) -> int:
    """The bytes of a number of EBML (RFC 8794), by the first of them."""
    return 9 - first.bit_length()


def _asf_end(file: IO[bytes], _: int) -> int:
    head = _read(file, 0, HEAD_BYTES)
    at = head.find(_FILE_PROPERTIES)
    return 0 if at < 0 else int(struct.unpack_from("<Q", head, at + 40)[0])


def _mp3_end(file: IO[bytes], _: int) -> int:
    """By the frame that LAME and others put first; many files have none."""
    tag = _read(file, 0, 10)
    begin = 0
    if tag[:3] == b"ID3":
        begin = 10 + sum((byte & 127) << 7 * place for place, byte in enumerate(tag[:5:-1]))
    head = _read(file, begin, 4_096)
    at = max(head.find(b"Xing"), head.find(b"Info"))
    if at < 0:
        return 0
    flags = struct.unpack_from(">I", head, at + 4)[0]
    if not flags & 2:
        return 0
    length = struct.unpack_from(">I", head, at + 8 + (4 if flags & 1 else 0))[0]
    return int(begin + length - _MP3_SLACK_BYTES)


def _ogg_end(file: IO[bytes], size: int) -> int:
    """The last page says that it is the last one of its stream (RFC 3533)."""
    tail = _read(file, max(0, size - HEAD_BYTES - 300), HEAD_BYTES + 300)
    at = tail.rfind(b"OggS\0")
    return size if at >= 0 and tail[at + 5] & 4 else size + 1


def _read(file: IO[bytes], at: int, count: int) -> bytes:
    file.seek(at)
    return file.read(count)


_STATED_ENDS: dict[str, Callable[[IO[bytes], int], int]] = {
    "wav": _riff_end,
    "avi": _riff_end,
    "aiff": _riff_end,
    "au": _au_end,
    "caf": _caf_end,
    "mp4": _mp4_end,
    "matroska": _matroska_end,
    "asf": _asf_end,
    "mp3": _mp3_end,
    "ogg": _ogg_end,
}
