"""What a checkpoint takes in memory, part by part, computed before a weight is loaded.

`python -m bench run memory` compares the plan with what is measured. Where it does
not fit, loading is refused with the nearest choice that does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypedDict

from model.decoding.decoder import PART_TOKENS
from model.decoding.kv_cache import room_for, tokens_held
from model.interface import ModelError
from model.prompt.inputs import BATCH_TOKENS
from model.weights.checkpoint import LM_HEAD_NAME
from model.weights.placement import Placement, choose_placement
from model.weights.quantization import choose_matmul
from model.weights.shards import StoredTensor
from model.weights.system_memory import system_memory
from model.weights.tensor_layout import PACKED, SCALE, SHAPE, is_decoder_linear

if TYPE_CHECKING:
    from model.weights.checkpoint import Checkpoint

# Left free on the device: what allocators round up, and what else grows meanwhile.
MARGIN_SHARE = 0.03
SMALLEST_CONTEXT = 2048
# The rules of an answer, read once and kept; and what the tokenizer, the bytes of every token and
# the scores of a few steps take for each token of the vocabulary.
KEPT_TOKENS, WORD_BYTES = 256, 460
# What the allocator does not give back after tensors were packed one by one, as a share of the
# weights: set by one measurement of the whole 12B shape (`bench run memory`), on a processor.
LEFT_SHARE = 0.06


class PlanLine(TypedDict):
    """One line of the plan, as `doctor` prints it."""

    what: str
    bytes: int


@dataclass(frozen=True)
class MemoryPlan:
    """Where a checkpoint goes and what each part of it takes there. `free_bytes` of `total_bytes`
    can be had; `weight_bytes` of `needed_bytes` stay as long as the model does."""

    name: str
    placement: Placement
    context_tokens: int
    lines: tuple[PlanLine, ...]
    weight_bytes: int
    free_bytes: int
    total_bytes: int

    @property
    def needed_bytes(self) -> int:
        return sum(line["bytes"] for line in self.lines)

    @property
    def where(self) -> str:
        """Which device at which precision, and why, in words."""
        chosen = self.placement
        return f"{self.name} on {chosen.device} in {chosen.dtype}; {chosen.reason}"

    @property
    def fits(self) -> bool:
        return self.needed_bytes * (1 + MARGIN_SHARE) <= self.free_bytes


def plan_memory(checkpoint: Checkpoint, placement: Placement | None = None) -> MemoryPlan:
    """The plan for this machine, or for `placement`. Imports torch to ask for the devices."""
    import torch

    chosen = placement or choose_placement(checkpoint.weight_count)
    item_bytes = 4 if chosen.dtype == "float32" else 2
    matmul = choose_matmul(chosen.device, getattr(torch, chosen.dtype))
    # The kernel keeps a zero point beside each scale.
    scale_bytes = item_bytes * (2 if matmul.method == "kernel" else 1)
    weights = list(_weights(checkpoint, item_bytes, scale_bytes))
    text = checkpoint.config["text_config"]
    wide = max(int(text["intermediate_size"]), 4 * int(text["hidden_size"]))
    # Per token in flight: the states in and out of a layer, in float32 in its norms, and the MLP.
    work = BATCH_TOKENS * (int(text["hidden_size"]) * (4 * item_bytes + 8) + wide * 3 * item_bytes)
    reading = _keys_and_values_bytes(checkpoint, checkpoint.context_tokens, item_bytes)
    kept = _keys_and_values_bytes(checkpoint, KEPT_TOKENS, item_bytes)
    words = int(text["vocab_size"]) * WORD_BYTES
    packed = checkpoint.layout.kind != "plain" and chosen.device == "cpu"
    left = round(sum(line["bytes"] for line in weights) * LEFT_SHARE) if packed else 0
    free_bytes, total_bytes = free_memory(chosen.device)
    lines = [
        *weights,
        PlanLine(what=f"what is being read, {checkpoint.context_tokens:,} tokens", bytes=reading),
        PlanLine(what="the beginning that every prompt shares", bytes=kept),
        PlanLine(what="at work", bytes=work),
        PlanLine(what="spelling, and choosing among words", bytes=words),
        PlanLine(what="left over from loading", bytes=left),
    ]
    return MemoryPlan(
        checkpoint.name, chosen, checkpoint.context_tokens, tuple(lines),
        sum(line["bytes"] for line in weights), free_bytes, total_bytes,
    )  # fmt: skip


def require_plan(checkpoint: Checkpoint, placement: Placement | None = None) -> MemoryPlan:
    """The plan, if it fits. Raises ModelError that names the nearest choice that does."""
    plan = plan_memory(checkpoint, placement)
    problem = plan_problem(checkpoint, plan)
    if problem is not None:
        raise ModelError(problem)
    return plan


def plan_problem(checkpoint: Checkpoint, plan: MemoryPlan) -> str | None:
    """Why a plan cannot be carried out, with the nearest choice that can; None where it can."""
    if plan.fits:
        return None
    for choice, other in _lesser(checkpoint):
        smaller = plan_memory(other, plan.placement)
        if smaller.fits:
            cure = f"set {choice} in config.toml, which takes {_gb(smaller.needed_bytes)}"
            break
    else:
        cure = "use the small model: give --model pocket"
    return (
        f"{plan.name} needs {_gb(plan.needed_bytes)} of memory with room for "
        f"{plan.context_tokens:,} tokens, and {_gb(plan.free_bytes)} of "
        f"{_gb(plan.total_bytes)} are free on this machine; close other programs, or {cure}."
    )


def free_memory(device: str) -> tuple[int, int]:
    """Free and total bytes of a device, within what this process may use of it."""
    import torch

    if device == "cuda":
        free_bytes, total_bytes = torch.cuda.mem_get_info()
        return int(free_bytes), int(total_bytes)
    free_bytes, total_bytes = system_memory()
    if device == "mps":
        total_bytes = min(total_bytes, int(torch.mps.recommended_max_memory()))
        free_bytes = min(free_bytes, total_bytes - int(torch.mps.driver_allocated_memory()))
    return free_bytes, total_bytes


def _lesser(checkpoint: Checkpoint) -> Iterator[tuple[str, Checkpoint]]:
    """The same checkpoint asking for less, from the least loss to the greatest."""
    context = checkpoint.context_tokens
    while context // 2 >= SMALLEST_CONTEXT:
        context //= 2
        yield f"context = {context}", replace(checkpoint, context_tokens=context)
    small = min(checkpoint.context_tokens, SMALLEST_CONTEXT)
    smallest = f"context = {small}"
    for choice, other in (
        ('embedding = "int8"', replace(checkpoint, int8_embedding=True)),
        ("drafter = false", replace(checkpoint, drafter=None)),
        ('embedding = "int8" and drafter = false',
         replace(checkpoint, int8_embedding=True, drafter=None)),
    ):  # fmt: skip
        yield choice, other
        yield f"{choice} and {smallest}", replace(other, context_tokens=small)


def _weights(checkpoint: Checkpoint, item_bytes: int, scale_bytes: int) -> Iterator[PlanLine]:
    parts = dict.fromkeys(("decoder", "words", "rest"), 0)
    packed = checkpoint.layout.kind != "plain"
    group = checkpoint.layout.group
    for name, stored in checkpoint.tensors.items():
        if name.endswith(PACKED):
            parts["decoder"] += stored.count * 4 + stored.count * 8 // group * scale_bytes
        elif name.endswith((SCALE, SHAPE)) or (name == LM_HEAD_NAME and checkpoint.tied):
            continue
        elif is_decoder_linear(name):
            packed_bytes = stored.count // 2 + stored.count // group * scale_bytes
            packable = packed and not stored.shape[1] % group
            parts["decoder"] += packed_bytes if packable else stored.count * item_bytes
        elif name.endswith("embed_tokens.weight"):
            parts["words"] += _table_bytes(stored, item_bytes, checkpoint.int8_embedding)
        else:
            parts["rest"] += stored.count * item_bytes
    yield PlanLine(what="decoder layers" + (", 4 bits" if packed else ""), bytes=parts["decoder"])
    words = "word table" + (", int8" if checkpoint.int8_embedding else "")
    yield PlanLine(what=words, bytes=parts["words"])
    yield PlanLine(what="pictures, sounds, norms", bytes=parts["rest"])
    if checkpoint.drafter is not None:
        count = sum(stored.count for stored in checkpoint.drafter_tensors.values())
        yield PlanLine(what="drafter", bytes=count * item_bytes)


def _table_bytes(stored: StoredTensor, item_bytes: int, int8: bool) -> int:
    return stored.count + stored.shape[0] * item_bytes if int8 else stored.count * item_bytes


def _keys_and_values_bytes(checkpoint: Checkpoint, tokens: int, item_bytes: int) -> int:
    """Bytes that a cache allocates for one text of so many tokens."""
    text = checkpoint.config["text_config"]
    kinds = text.get("layer_types")
    total = 0
    for name, stored in checkpoint.tensors.items():
        if "language_model.layers." not in name or ".k_proj." not in name:
            continue
        if not name.endswith((".weight", PACKED)):
            continue
        layer = int(name.split("layers.")[1].split(".")[0])
        kind = (
            kinds[layer] if kinds else "full_attention" if layer % 6 == 5 else "sliding_attention"
        )
        window = int(text["sliding_window"]) if kind == "sliding_attention" else None
        total += cache_capacity(tokens, window) * stored.shape[0] * 2 * item_bytes
    return total


def cache_capacity(tokens: int, window: int | None) -> int:
    """Tokens that one layer's cache has room for after reading `tokens` in parts."""
    stored = capacity = 0
    while stored < tokens:
        count = min(PART_TOKENS, tokens - stored)
        if not capacity or stored + count > capacity:
            capacity = room_for(count, tokens_held(stored, window))
        stored += count
    return capacity


def _gb(count: int) -> str:
    return f"{count / 1e9:.1f} GB"
