"""Grey TIFF files of any depth, written from their specification (Adobe, TIFF 6.0)."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

ROWS, TILE_PX = 8, 16  # of a strip, and the side of a tile
SHORT, LONG = 3, 4  # types of TIFF, and of `struct`
_CODES = {SHORT: "H", LONG: "I"}


def grey_tiff(
    grey: NDArray[np.float64],
    bits: int,
    kind: str,
    order: str,
    negative: bool,
    tiled: bool = False,
    compressed: bool = False,
) -> bytes:
    """A picture (h, w) of brightness in [0, 1]: samples of so many `bits`, unsigned integers (`u`)
    or floats (`f`), in the byte `order` of `struct`; in a `negative` 0 is white."""
    values = 1 - grey if negative else grey
    samples = values if kind == "f" else np.rint(values * ((1 << bits) - 1))
    blocks = [_packed(block, bits, kind, order) for block in _blocks(samples, tiled)]
    if compressed:
        blocks = [zlib.compress(block) for block in blocks]
    data, offsets = b"", []
    for block in blocks:
        offsets.append(8 + len(data))
        data += block + b"\0" * (len(block) % 2)
    sizes = [len(block) for block in blocks]
    height, width = grey.shape
    entries: dict[int, tuple[int, list[int]]] = {
        256: (SHORT, [width]),
        257: (SHORT, [height]),
        258: (SHORT, [bits]),
        259: (SHORT, [8 if compressed else 1]),
        262: (SHORT, [0 if negative else 1]),
        277: (SHORT, [1]),
        339: (SHORT, [3 if kind == "f" else 1]),
    }
    if tiled:
        entries |= {322: (SHORT, [TILE_PX]), 323: (SHORT, [TILE_PX])}
        entries |= {324: (LONG, offsets), 325: (LONG, sizes)}
    else:
        entries |= {273: (LONG, offsets), 278: (SHORT, [ROWS]), 279: (LONG, sizes)}
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 8 + len(data))
    return head + data + _directory(entries, order, 8 + len(data))


def _blocks(samples: NDArray[np.float64], tiled: bool) -> list[NDArray[np.float64]]:
    height, width = samples.shape
    if not tiled:
        return [samples[y : y + ROWS] for y in range(0, height, ROWS)]
    padded = np.pad(samples, ((0, -height % TILE_PX), (0, -width % TILE_PX)))
    return [
        padded[y : y + TILE_PX, x : x + TILE_PX]
        for y in range(0, height, TILE_PX)
        for x in range(0, width, TILE_PX)
    ]


def _packed(block: NDArray[np.float64], bits: int, kind: str, order: str) -> bytes:
    if bits in (8, 16, 32, 64):
        return block.astype(f"{order}{kind}{bits // 8}").tobytes()
    rows = ("".join(format(int(sample), f"0{bits}b") for sample in row) for row in block)
    return b"".join(
        int(row.ljust(-(-len(row) // 8) * 8, "0"), 2).to_bytes(-(-len(row) // 8), "big")
        for row in rows
    )


def _directory(entries: dict[int, tuple[int, list[int]]], order: str, at: int) -> bytes:
    fields, rest = b"", b""
    rest_at = at + 2 + 12 * len(entries) + 4
    for tag, (code, numbers) in sorted(entries.items()):
        field = struct.pack(order + _CODES[code] * len(numbers), *numbers)
        if len(field) > 4:
            rest, field = rest + field, struct.pack(f"{order}I", rest_at + len(rest))
        fields += struct.pack(f"{order}HHI", tag, code, len(numbers)) + field.ljust(4, b"\0")
    return struct.pack(f"{order}H", len(entries)) + fields + bytes(4) + rest
