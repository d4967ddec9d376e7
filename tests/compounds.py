"""Compound files (MS-CFB) as programs write the objects that documents hold (OLE)."""

from __future__ import annotations

import struct

SECTOR_BYTES = 512
_END, _FREE, _TABLE = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
_MINI_BYTES = 4096  # smaller streams lie in a stream of their own; here they are padded instead


def compound_file(streams: dict[str, bytes]) -> bytes:
    """A compound file with these streams, padded to 4 KiB with zeros; at most 60 KB in all."""
    padded = {name: data.ljust(_MINI_BYTES, b"\0") for name, data in streams.items()}
    sectors = (len(streams) + 4) // 4
    chain = [_TABLE, *range(2, sectors + 1), _END]
    entries, body = [], b""
    for number, (name, data) in enumerate([("Root Entry", b""), *padded.items()]):
        first = len(chain) if data else _END
        if data:
            count = -(-len(data) // SECTOR_BYTES)
            chain += [*range(first + 1, first + count), _END]
            body += data.ljust(count * SECTOR_BYTES, b"\0")
        raw = name.encode("utf-16-le")
        right = number + 1 if 0 < number < len(streams) else _FREE
        entries.append(
            struct.pack(
                "<64sHBBIII36xIII",
                *(raw, len(raw) + 2, 2 if number else 5, 1, _FREE, right),
                *(_FREE if number else 1, first, len(data), 0),
            )
        )
    head = struct.pack(
        "<8s16xHHHHH6xIIIIIIIIII",
        *(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0x3E, 3, 0xFFFE, 9, 6),
        *(0, 1, 1, 0, _MINI_BYTES, _END, 0, _END, 0, 0),
    ).ljust(SECTOR_BYTES, b"\xff")
    table = struct.pack("<128I", *chain, *[_FREE] * (128 - len(chain)))
    return head + table + b"".join(entries).ljust(SECTOR_BYTES * sectors, b"\0") + body


def packaged(name: str, data: bytes) -> bytes:
    """The stream of the Object Packager (`\\x01Ole10Native`) that holds a file."""
    path, copy = rf"C:\files\{name}", rf"C:\Temp\{name}"
    narrow = [text.encode("cp1252", "replace") + b"\0" for text in (name, path, copy)]
    wide = [struct.pack("<I", len(text)) + text.encode("utf-16-le") for text in (copy, name, path)]
    content = b"".join(
        [
            *(struct.pack("<H", 2), narrow[0], narrow[1], struct.pack("<HH", 0, 3)),
            *(struct.pack("<I", len(narrow[2])), narrow[2]),
            *(struct.pack("<I", len(data)), data, *wide),
        ]
    )
    return struct.pack("<I", len(content)) + content
