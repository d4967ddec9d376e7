#!/usr/bin/env bash
# In short: a scan of 16-bit grey converted to 8 bits is white, but for one part in 256
# Versions: Pillow 13.0.0
# Expected: `convert("L")` or `convert("RGB")` maps the range of one mode to that of the other, as
#   it does from 8-bit grey to RGB: 65535 is white, 32768 is middle grey.
# Instead: values are clipped at 255. All that is brighter than 1/256 of the range becomes white.
#   Such a PNG opens and converts without an error.
# Seen:
#   I;16 to L: middle 255, white 99.6% of the picture
#   I;16 to RGB: middle [255 255 255], white 99.6% of the picture
#   divided by 256: middle 128, white 0.4%
# Source: github.com/python-pillow/Pillow/issues/3011, "Converting this 16-bit grayscale image to
#   'L' mode destroys it"; seen by running this.
# Matters: microscopes, scanners and astronomy cameras write 16-bit grey. The thumbnail is a white
#   square, and a model that is shown it sees nothing. Divide by 256 first.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    'pillow==13.0.0' 'numpy==2.4.6'
venv/bin/python - <<'PYTHON'
import io

import numpy as np
from PIL import Image

ramp = np.linspace(0, 65535, 256 * 256).astype(np.uint16).reshape(256, 256)
file = io.BytesIO()
Image.fromarray(ramp).save(file, "PNG")
scan = Image.open(file)
shares = {}
for mode in ("L", "RGB"):
    converted = np.asarray(scan.convert(mode))
    shares[mode] = float((converted == 255).mean())
    print(f"{scan.mode} to {mode}: middle {converted[128, 0]}, white {shares[mode]:.1%} of the picture")
right = (ramp // 256).astype(np.uint8)
print(f"divided by 256: middle {right[128, 0]}, white {(right == 255).mean():.1%}")
if min(shares.values()) < 0.99:
    raise SystemExit("changed: 16-bit grey")
PYTHON
