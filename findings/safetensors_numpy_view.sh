#!/usr/bin/env bash
# In short: a transposed or sliced array is saved without complaint and loaded as other numbers
# Versions: safetensors 0.8.0 with numpy 2.4.6
# Expected: `safetensors.numpy.save` either copies a view into order, as `numpy.save` and
#   `tobytes` do, or refuses it, as the torch side of the same library does ("non contiguous
#   tensor").
# Instead: it writes bytes from the start of the view's memory, for as many bytes as the shape
#   needs, whatever the strides. The file is valid, the shape is right, and the numbers are
#   others. `numpy.ascontiguousarray` before saving avoids it.
# Seen:
#   itself: saved [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]], loaded [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
#   transposed: saved [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]], loaded [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]
#   every other: saved [[0.0, 2.0], [3.0, 5.0]], loaded [[0.0, 1.0], [2.0, 3.0]]
# Source: github.com/safetensors/safetensors/issues/825, open since August 2026 (0.7.0 copied
#   views); `_flatten` in safetensors/numpy.py passes the address and the length alone. Seen by
#   running this.
# Matters: weights and embeddings are often transposed or cut before they are stored. A checkpoint
#   that loads and is wrong costs days.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    'safetensors==0.8.0' 'numpy==2.4.6'
venv/bin/python - <<'PYTHON'
import io

import numpy as np
from safetensors.numpy import load, save

table = np.arange(6, dtype=np.float32).reshape(2, 3)
equal = {}
for name, view in (("itself", table), ("transposed", table.T), ("every other", table[:, ::2])):
    loaded = load(save({"x": view}))["x"]
    file = io.BytesIO()
    np.save(file, view)
    file.seek(0)
    assert np.array_equal(np.load(file), view)
    equal[name] = bool(np.array_equal(loaded, view))
    print(f"{name}: saved {view.tolist()}, loaded {loaded.tolist()}")
if equal != {"itself": True, "transposed": False, "every other": False}:
    raise SystemExit("changed: views in safetensors.numpy")
PYTHON
