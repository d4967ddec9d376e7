#!/usr/bin/env bash
# In short: the sum of 4,096 ones in float16 is 4,096 over the array and 2,048 over its columns
# Versions: numpy 2.4.6
# Expected: `sum()`, `sum(axis=0)` and `mean(axis=0)` add in the same way, and float16 holds 4,096
#   exactly.
# Instead: along the last axis and over the whole array numpy adds in pairs, which keeps the error
#   small. Along the first axis of a table it adds row after row to a float16 total, which stops
#   at 2,048, where 1 is less than half of the next step. `mean` is right on both axes, because it
#   adds float16 in float32; `sum(axis=0) / n` is not.
# Seen:
#   one column as an array of its own: 4.096e+03
#   along the first axis: [2.048e+03 2.048e+03 2.048e+03]
#   along the last axis of the transposed copy: [4.096e+03 4.096e+03 4.096e+03]
#   mean along the first axis: [1. 1. 1.]
# Source: numpy's documentation of `sum` says that pairwise summation is used along the fast axis
#   only, and that of `mean` that float16 is added in float32.
# Matters: embeddings are kept in float16 and pooled over tokens by exactly this sum. The mean of
#   4,096 equal vectors comes out at half their length.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    'numpy==2.4.6'
venv/bin/python - <<'PYTHON'
import numpy as np

tokens = np.ones((4096, 3), dtype=np.float16)  # 4,096 token vectors of three numbers
column = tokens[:, 0].copy()
print("one column as an array of its own:", column.sum())
print("along the first axis:", tokens.sum(axis=0))
print("along the last axis of the transposed copy:", tokens.T.copy().sum(axis=1))
print("mean along the first axis:", tokens.mean(axis=0))
if column.sum() != 4096 or tokens.sum(axis=0)[0] != 2048 or tokens.mean(axis=0)[0] != 1:
    raise SystemExit("changed: float16 sums")
PYTHON
