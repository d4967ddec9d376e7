#!/usr/bin/env bash
# In short: torch's packed int4 product in float32 takes many times as long as the plain product
#   it is there to replace
# Versions: torch 2.13.0 on an x86-64 processor with AVX-512
# Expected: reading an eighth of the bytes, a product of one row with 4-bit weights is faster than
#   with float32 weights, or at least as fast; the operator accepts float32 and says nothing.
# Instead: the fast kernel exists for bfloat16, where it beats the plain product. In float32 the
#   same call gives the right numbers and takes about ten times as long as the plain product.
# Seen:
#   torch.bfloat16, one row, one thread: int4 0.3 ms, plain 0.7 ms
#   torch.float32, one row, one thread: int4 9.8 ms, plain 1.1 ms
# Source: the times are seen by running this; `_weight_int4pack_mm_for_cpu` is an operator of aten
#   without a page in the documentation.
# Matters: a quantized model that is run in float32 to be exact takes minutes for a sentence. The
#   figures depend on the processor and on what else it does; only the order is checked.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    'torch==2.13.0' 'numpy==2.4.6'
venv/bin/python - <<'PYTHON'
import time

import torch

torch.manual_seed(0)
torch.set_num_threads(1)
OUT, IN, GROUP = 2048, 2048, 32
codes = torch.randint(0, 16, (OUT, IN), dtype=torch.int32)
packed = torch.ops.aten._convert_weight_to_int4pack_for_cpu(codes, 1)


def best_ms(call):
    call()
    times = []
    for _ in range(15):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times) * 1000


for dtype in (torch.bfloat16, torch.float32):
    scales = torch.zeros(IN // GROUP, OUT, 2, dtype=dtype)
    scales[..., 0] = 0.01
    plain = ((codes - 8) * 0.01).to(dtype)
    row = torch.randn(1, IN, dtype=dtype)
    product = torch.ops.aten._weight_int4pack_mm_for_cpu(row, packed, GROUP, scales)
    assert torch.allclose(product, row @ plain.T, rtol=0.05, atol=0.2)
    four = best_ms(lambda: torch.ops.aten._weight_int4pack_mm_for_cpu(row, packed, GROUP, scales))
    full = best_ms(lambda: row @ plain.T)
    print(f"{dtype}, one row, one thread: int4 {four:.1f} ms, plain {full:.1f} ms")
if four < 3 * full:
    raise SystemExit("changed: the int4 product in float32")
PYTHON
