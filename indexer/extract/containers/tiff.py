"""The directories of a TIFF file, one for each of its pages."""

from __future__ import annotations

import struct
from typing import IO

MAX_ENTRIES = 4_096  # of a directory; real ones have about twenty


def count_pages(file: IO[bytes], most: int) -> int:
    """The number of directories of an open TIFF, at most `most`. Nothing is decoded; the chain ends
    where it leads back to itself or out of the file."""
    file.seek(0)
    head = file.read(16).ljust(16, b"\0")
    order = "<" if head[:2] == b"II" else ">"
    large = 43 in head[2:4]  # BigTIFF: every number is longer
    count, link = struct.Struct(order + "HQ"[large]), struct.Struct(order + "IQ"[large])
    entry_bytes = 20 if large else 12
    (offset,) = link.unpack_from(head, 8 if large else 4)
    offsets: set[int] = set()
    while offset and offset not in offsets and len(offsets) < most:
        file.seek(min(offset, 1 << 62))
        field = file.read(count.size)
        entries = count.unpack(field)[0] if len(field) == count.size else 0
        if not 0 < entries <= MAX_ENTRIES:
            break
        offsets.add(offset)
        file.seek(entries * entry_bytes, 1)
        field = file.read(link.size)
        offset = link.unpack(field)[0] if len(field) == link.size else 0
    return len(offsets)
