"""The directories of a TIFF file: how many pages it says it has."""

from __future__ import annotations

import struct
from typing import IO

MOST_ENTRIES = 4_096  # of a directory; real ones have about twenty


def count_pages(file: IO[bytes], most: int) -> int:
    """How many pages the directories of an open TIFF tell of, `most` at most. Nothing is decoded;
    a chain that leads back to itself, or out of the file, ends there."""
    file.seek(0)
    head = file.read(16).ljust(16, b"\0")
    order = "<" if head[:2] == b"II" else ">"
    large = 43 in head[2:4]  # BigTIFF: every number is longer
    count, link = struct.Struct(order + "HQ"[large]), struct.Struct(order + "IQ"[large])
    entry_bytes = 20 if large else 12
    (at,) = link.unpack_from(head, 8 if large else 4)
    seen: set[int] = set()
    while at and at not in seen and len(seen) < most:
        file.seek(min(at, 1 << 62))
        said = file.read(count.size)
        entries = count.unpack(said)[0] if len(said) == count.size else 0
        if not 0 < entries <= MOST_ENTRIES:
            break
        seen.add(at)
        file.seek(entries * entry_bytes, 1)
        said = file.read(link.size)
        at = link.unpack(said)[0] if len(said) == link.size else 0
    return len(seen)
