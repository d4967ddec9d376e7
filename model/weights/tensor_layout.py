"""How a checkpoint's weights lie in their files, and what they will take in memory.

Three layouts are read: plain; packed to 4 bits as compressed-tensors writes it; and plain values
that lie on the grid of 4 bits, which are packed while they are read. Imports no torch.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from model.interface import ModelError
from model.weights.shards import StoredTensor

Kind = Literal["plain", "packed", "grid"]

PACKED, SCALE, SHAPE = "weight_packed", "weight_scale", "weight_shape"
# The published files share a scale among so many inputs, and their values lie so near to the grid,
# in steps.
GROUP, OFF_GRID = 32, 0.1
# Decoder layers hold nearly all weights; everything else stays as it is.
_DECODER = re.compile(r"language_model\.layers\.\d+\.(?:self_attn|mlp)\.\w+_proj\.weight$")
_SAMPLE_ROWS = 64


@dataclass(frozen=True, slots=True)
class TensorLayout:
    """`group` inputs share a scale where weights are packed; `count` numbers in all."""

    kind: Kind
    group: int
    count: int


def is_decoder_linear(name: str) -> bool:
    """Whether a tensor is the weight of one of the decoder's linear layers."""
    return _DECODER.search(name) is not None


def detect_layout(
    directory: Path, config: dict[str, Any], tensors: dict[str, StoredTensor]
) -> TensorLayout:
    """The layout of what lies in `directory`. Raises ModelError for one that is not read."""
    packing = config.get("quantization_config")
    if packing is not None:
        group = _group(directory, packing)
        _check_packed(directory, tensors, group)
        count = sum(_count(name, tensor) for name, tensor in tensors.items())
        return TensorLayout("packed", group, count)
    count = sum(tensor.count for tensor in tensors.values())
    return TensorLayout("grid" if _on_grid(tensors) else "plain", GROUP, count)


def _count(name: str, tensor: StoredTensor) -> int:
    if name.endswith(PACKED):
        return tensor.count * 8
    return 0 if name.endswith((SCALE, SHAPE)) else tensor.count


def _group(directory: Path, packing: dict[str, Any]) -> int:
    """The group size of a packing we read: 4 bits, symmetric, in groups, nothing else packed."""
    groups = list((packing.get("config_groups") or {}).values())
    sizes = set()
    for scheme in groups:
        weights = scheme.get("weights") or {}
        good = (
            weights.get("num_bits") == 4
            and weights.get("type", "int") == "int"
            and weights.get("symmetric") is True
            and weights.get("strategy") == "group"
            and not weights.get("actorder")
            and scheme.get("input_activations") is None
            and scheme.get("output_activations") is None
            and scheme.get("format") in (None, "pack-quantized")
        )
        sizes.add(int(weights.get("group_size") or 0) if good else 0)
    method = (packing.get("quant_method"), packing.get("format"))
    more = any(packing.get(f"{kind}_config") for kind in ("sparsity", "transform"))
    known = method == ("compressed-tensors", "pack-quantized") and not more
    if not known or packing.get("kv_cache_scheme") or len(sizes) != 1 or 0 in sizes:
        raise ModelError(
            f"The weights in {directory} are packed in a way that is not read here "
            f"({method[0] or 'unknown'}, {method[1] or 'unknown'}); use 4-bit weights of "
            "compressed-tensors, such as google/gemma-4-12B-it-qat-w4a16-ct, or plain ones."
        )
    return sizes.pop()


def _check_packed(directory: Path, tensors: dict[str, StoredTensor], group: int) -> None:
    for name, tensor in tensors.items():
        if not name.endswith(PACKED):
            continue
        base = name.removesuffix(PACKED)
        scale, shape = tensors.get(base + SCALE), tensors.get(base + SHAPE)
        whole = (
            tensor.dtype == "I32"
            and len(tensor.shape) == 2
            and shape is not None
            and scale is not None
            and scale.shape == (tensor.shape[0], tensor.shape[1] * 8 // group)
            and scale.dtype in ("BF16", "F32", "F16")
            and base + "weight_zero_point" not in tensors
            and base + "weight_g_idx" not in tensors
        )
        if not whole:
            raise ModelError(
                f"{base.removesuffix('.')} in {tensor.file} is not packed as its config.json says; "
                "download the checkpoint again."
            )


def _on_grid(tensors: dict[str, StoredTensor]) -> bool:
    """Whether a sample of a decoder layer's bfloat16 weights lies on the grid of 4 bits."""
    for name, tensor in tensors.items():
        if not is_decoder_linear(name) or tensor.dtype != "BF16" or tensor.shape[1] % GROUP:
            continue
        sample = bytearray(2 * tensor.shape[1] * min(_SAMPLE_ROWS, tensor.shape[0]))
        replace(tensor, end=tensor.start + len(sample)).read(memoryview(sample))
        return lies_on_grid(np.frombuffer(sample, dtype="<u2"))
    return False


def lies_on_grid(bits: npt.NDArray[np.uint16]) -> bool:
    """The test of `quantization.recover_grid` without torch, on the bits of bfloat16 numbers (n,),
    n a multiple of GROUP."""
    groups = (bits.astype(np.uint32) << 16).view(np.float32).reshape(-1, GROUP)
    furthest = np.abs(groups).argmax(axis=1)
    step = np.take_along_axis(groups, furthest[:, None], axis=1) / -8
    step[step == 0] = 1
    exact = groups / step
    nearest = np.clip(np.round(exact), -8, 7)
    return bool((np.abs(exact - nearest) <= OFF_GRID).all())
