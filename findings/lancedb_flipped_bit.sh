#!/usr/bin/env bash
# In short: one flipped bit in a data file is read back as another number, without an error
# Versions: lancedb 0.40.0
# Expected: a storage format notices a damaged page, as Parquet can by the CRC in its page headers, and
#   reading it is an error.
# Instead: nothing is checked. The table opens, counts its rows, answers searches, and one vector
#   is another one.
# Seen:
#   rows: 100 numbers that changed: [[42, 0]]
#   written -0.38209161162376404 read -1.3001903798397039e+38
#   the nearest row of vector 42 is row 54
# Source: seen by running this.
# Matters: a local library lives for years on one disk without redundancy. A program that wants to
#   notice rot has to keep sums of these files itself.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    'lancedb==0.40.0' 'numpy==2.4.6'
venv/bin/python - <<'PYTHON'
import pathlib

import lancedb
import numpy as np

vectors = np.random.default_rng(0).normal(size=(100, 64)).astype("f4")
rows = [{"id": number, "vector": vector} for number, vector in enumerate(vectors)]
lancedb.connect("library").create_table("passages", rows)

(data_file,) = pathlib.Path("library/passages.lance/data").iterdir()
data = bytearray(data_file.read_bytes())
place = bytes(data).index(vectors[42].tobytes())
data[place + 3] ^= 0x40  # the highest bit of the exponent of number 0 of vector 42
data_file.write_bytes(data)

table = lancedb.connect("library").open_table("passages")
read = np.stack(table.to_arrow().sort_by("id")["vector"].to_numpy(zero_copy_only=False))
changed = np.argwhere(read != vectors)
print("rows:", table.count_rows(), "numbers that changed:", changed.tolist())
print("written", float(vectors[42, 0]), "read", float(read[42, 0]))
nearest = table.search(vectors[42]).limit(1).to_list()[0]["id"]
print("the nearest row of vector 42 is row", nearest)
if changed.tolist() != [[42, 0]] or nearest == 42:
    raise SystemExit("changed: a flipped bit in a data file")
PYTHON
