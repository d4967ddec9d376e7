#!/usr/bin/env bash
# In short: a compressed TIFF of 32-bit floats in big-endian order opens with its bytes in the wrong order
# Versions: Pillow 13.0.0
# Expected: the same picture with and without compression: TIFF has both byte orders, and Pillow
#   opens both.
# Instead: libtiff decompresses into the byte order of the machine, and Pillow reads that as
#   big-endian all the same; it corrects the name of the samples for 16 bits alone. No error, no
#   warning.
# Seen:
#   little-endian, plain: 0.25
#   little-endian, deflate: 0.25
#   big-endian, plain: 0.25
#   big-endian, deflate: 4.6e-41
# Source: src/PIL/TiffImagePlugin.py, `_setup`: "libtiff always returns the bytes in native order",
#   and the names of 16-bit samples alone are changed for it; seen by running this.
# Matters: microscopes, satellites and programs of older Macs write such files. The picture is black,
#   or noise, and looks as if it had been so in the file.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    'pillow==13.0.0'
venv/bin/python - <<'PYTHON'
import io
import struct
import zlib

from PIL import Image


def tiff(order: str, compressed: bool) -> bytes:
    """Two by two samples of 0.25, by the specification (TIFF 6.0)."""
    data = struct.pack(f"{order}4f", *[0.25] * 4)
    data = zlib.compress(data) if compressed else data
    data += b"\0" * (len(data) % 2)
    tags = {256: 2, 257: 2, 258: 32, 259: 8 if compressed else 1, 262: 1, 273: 8, 277: 1, 278: 2}
    tags |= {279: len(data), 339: 3}
    entries = [struct.pack(f"{order}HHII", tag, 4, 1, value) for tag, value in tags.items()]
    head = {"<": b"II", ">": b"MM"}[order] + struct.pack(f"{order}HI", 42, 8 + len(data))
    return head + data + struct.pack(f"{order}H", len(tags)) + b"".join(entries) + bytes(4)


seen = {}
for order, name in (("<", "little-endian"), (">", "big-endian")):
    for compressed, how in ((False, "plain"), (True, "deflate")):
        seen[name, how] = Image.open(io.BytesIO(tiff(order, compressed))).getpixel((0, 0))
        print(f"{name}, {how}: {seen[name, how]:.3g}")
right = [value for key, value in seen.items() if key != ("big-endian", "deflate")]
if right != [0.25] * 3 or seen["big-endian", "deflate"] == 0.25:
    raise SystemExit("changed: compressed floats in big-endian order")
PYTHON
