#!/usr/bin/env bash
# In short: a TIFF is upright when opened and still says it must be turned, until its pixels are
#   loaded
# Versions: Pillow 13.0.0
# Expected: the Exif tag Orientation describes the pixels one gets; whoever sees the value 6 turns
#   the picture, for every format alike.
# Instead: for TIFF Pillow turns the pixels itself when they are loaded, and `size` is already
#   that of the turned picture at opening, while `getexif()` still says 6. Read the tag, load,
#   turn: now the picture lies on its side. For JPEG, PNG and WebP the same steps are right.
#   `ImageOps.exif_transpose` is right for all, because it loads first.
# Seen:
#   JPEG: opened as (40, 20) with tag 6; turned by hand (20, 40), tag then 6
#   PNG: opened as (40, 20) with tag 6; turned by hand (20, 40), tag then 6
#   WEBP: opened as (40, 20) with tag 6; turned by hand (20, 40), tag then 6
#   TIFF: opened as (20, 40) with tag 6; turned by hand (40, 20), tag then None
# Source: `TiffImageFile.load_end` in PIL/TiffImagePlugin.py; seen by running this.
# Matters: scans are TIFF. Their facts (tag, size) are read from the header to save time, and the
#   picture comes out turned twice.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    'pillow==13.0.0'
venv/bin/python - <<'PYTHON'
import io

from PIL import Image, ImageOps

picture = Image.new("RGB", (40, 20), "red")
exif = Image.Exif()
exif[0x112] = 6  # Orientation: turn clockwise by 90 degrees
upright = {}
for form in ("JPEG", "PNG", "WEBP", "TIFF"):
    file = io.BytesIO()
    picture.save(file, form, exif=exif)
    opened = Image.open(file)
    size, tag = opened.size, opened.getexif()[0x112]
    by_hand = opened.transpose(Image.Transpose.ROTATE_270) if tag == 6 else opened
    by_pillow = ImageOps.exif_transpose(Image.open(file))
    upright[form] = by_hand.size == by_pillow.size == (20, 40)
    after = opened.getexif().get(0x112)
    print(f"{form}: opened as {size} with tag {tag}; turned by hand {by_hand.size}, tag then {after}")
if upright != {"JPEG": True, "PNG": True, "WEBP": True, "TIFF": False}:
    raise SystemExit(f"changed: upright are {upright}")
PYTHON
