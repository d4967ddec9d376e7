"""Onto which device, and at which precision.

bfloat16 wherever it is native, float32 elsewhere; never float16, which overflows where pictures are
read (vLLM #48231). Small models stay in float32: it costs them nothing and keeps their numbers the
same everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from model.interface import ModelProblem

# Up to this size in float32 a model counts as small.
SMALL_BYTES = 512 * 1024**2


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the weights go; `reason` says in words why there and at this precision."""

    device: str
    dtype: str
    reason: str

    def weight_bytes(self, weight_count: int) -> int:
        return weight_count * (4 if self.dtype == "float32" else 2)


def place(weight_count: int, name: str) -> Placement:
    """The device and precision on this machine for a model of so many weights. Raises ModelProblem
    where they do not fit what is free right now."""
    import psutil
    import torch

    small = weight_count * 4 <= SMALL_BYTES
    free_bytes = psutil.virtual_memory().available
    if torch.cuda.is_available():
        free_bytes = torch.cuda.mem_get_info()[0]
        card = torch.cuda.get_device_name()
        if small:
            chosen = Placement("cuda", "float32", f"{card}; the model is small, so exact float32.")
        elif torch.cuda.is_bf16_supported(including_emulation=False):
            chosen = Placement("cuda", "bfloat16", f"{card} computes in bfloat16 natively.")
        else:
            why = f"{card} has no bfloat16, and float16 overflows where pictures are read."
            chosen = Placement("cuda", "float32", why)
    elif torch.backends.mps.is_available():
        kind = "float32" if small else "bfloat16"
        chosen = Placement("mps", kind, "This machine's graphics processor shares its memory.")
    elif small:
        chosen = Placement("cpu", "float32", "No graphics processor; the model is small.")
    else:
        why = "No graphics processor; bfloat16 halves what is read for every word."
        chosen = Placement("cpu", "bfloat16", why)
    needed_bytes = chosen.weight_bytes(weight_count)
    if needed_bytes * 1.1 > free_bytes:
        raise ModelProblem(
            f"{name} needs {needed_bytes / 1e9:.1f} GB for its weights and this machine "
            f"has {free_bytes / 1e9:.1f} GB free; close other programs, or use the small model: "
            "give --model pocket."
        )
    return chosen
