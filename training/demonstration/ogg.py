"""Ogg files with the same bytes every time: the writer draws a stream's serial number at random."""

from __future__ import annotations

import struct

_POLYNOMIAL = 0x04C11DB7  # RFC 3533, section 6: the checksum of a page


def with_serial(ogg: bytes, serial: int) -> bytes:
    """The same stream under the given serial number, its pages' checksums made anew. Raises
    ValueError where the bytes are no Ogg pages (RFC 3533)."""
    pages = []
    at = 0
    while at < len(ogg):
        if ogg[at : at + 4] != b"OggS":
            raise ValueError(f"no Ogg page at byte {at}")
        segments = ogg[at + 26]
        size_bytes = 27 + segments + sum(ogg[at + 27 : at + 27 + segments])
        page = bytearray(ogg[at : at + size_bytes])
        page[14:18] = struct.pack("<I", serial)
        page[22:26] = bytes(4)
        page[22:26] = struct.pack("<I", _checksum(bytes(page)))
        pages.append(bytes(page))
        at += size_bytes
    return b"".join(pages)


def _checksum(page: bytes) -> int:
    register = 0
    for byte in page:
        register = ((register << 8) & 0xFFFFFFFF) ^ _TABLE[(register >> 24) ^ byte]
    return register


def _row(byte: int) -> int:
    register = byte << 24
    for _ in range(8):
        register = (register << 1) ^ (_POLYNOMIAL if register & 0x80000000 else 0)
        register &= 0xFFFFFFFF
    return register


_TABLE = tuple(_row(byte) for byte in range(256))
