"""The device and the precision of a model.

bfloat16 wherever it is native, float32 elsewhere; never float16, which overflows in the projection
of pictures (vLLM #48231). Small models stay in float32, which gives the same numbers everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

# Up to this size in float32 a model counts as small.
SMALL_BYTES = 512 * 1024**2


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the weights go; `reason` says in words why there and at this precision."""

    device: str
    dtype: str
    reason: str


def choose_placement(weight_count: int) -> Placement:
    """The device and precision on this machine for a model of so many weights; whether they fit
    is for `memory_plan` to say."""
    import torch

    small = weight_count * 4 <= SMALL_BYTES
    if torch.cuda.is_available():
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
    return chosen
