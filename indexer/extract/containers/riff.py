"""The headers of WAV and AU: whether the length of their samples is known."""

from __future__ import annotations

import os
import struct
from typing import IO

MAX_CHUNKS = 1_000
UNKNOWN = 0xFFFFFFFF


def has_lost_length(file: IO[bytes]) -> bool:
    """Whether the samples of an open WAV go on to the end of the file, whatever its header says: a
    recorder that lost its power never wrote their length (0), or only that of the first seconds."""
    file.seek(0)
    head = file.read(12)
    order = ">" if head[:4] == b"RIFX" else "<"
    end = file.seek(0, os.SEEK_END)
    at, byte_rate, long_length = 12, 1, 0
    for _ in range(MAX_CHUNKS):
        file.seek(at)
        name, header = file.read(4), file.read(4)
        if len(header) < 4:
            return False
        (length,) = struct.unpack(order + "I", header)
        if name == b"ds64":
            (long_length,) = struct.unpack("<8xQ", file.read(16).ljust(16, b"\0"))
        elif name == b"fmt ":
            (byte_rate,) = struct.unpack(order + "8xI", file.read(12).ljust(12, b"\0"))
        elif name == b"data":
            if head[:4] == b"RF64" and length == UNKNOWN:
                length = long_length
            after = at + 8 + length + length % 2
            if _is_chunk(file, after, end, order):
                return False
            unclaimed_bytes: int = end - after
            return unclaimed_bytes > (byte_rate if length else 0)
        at += 8 + length + length % 2
    return False


def has_no_length(file: IO[bytes]) -> bool:
    """Whether the header of an open AU says that it has no samples, and some follow it."""
    file.seek(0)
    head = file.read(12).ljust(12, b"\0")
    begin, length = struct.unpack(">4xII", head)
    return bool(head[:4] == b".snd" and length == 0 and file.seek(0, os.SEEK_END) > begin)


def _is_chunk(file: IO[bytes], at: int, end: int, order: str) -> bool:
    """Whether a chunk begins there, and ends within the file; or padding of zeros."""
    if at + 8 > end:
        return False
    file.seek(at)
    header = file.read(8)
    (length,) = struct.unpack(order + "I", header[4:])
    is_name = all(32 <= byte < 127 for byte in header[:4])
    return (is_name and at + 8 + length <= end + 1) or not any(file.read(4_096))
