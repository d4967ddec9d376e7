"""What a checkpoint takes in memory, part by part, told before a weight is loaded.

A plan is a promise: `python -m bench run memory` holds it against what is measured. Where it does
not fit, loading is refused with the nearest choice that does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from model.decoding.decoder import PART_TOKENS
from model.decoding.kv_cache import room_for, tokens_held
from model.interface import ModelError
from model.prompt.inputs import BATCH_TOKENS
from model.weights.checkpoint import LM_HEAD_NAME
from model.weights.placement import Placement, choose_placement
from model.weights.quantization import choose_matmul
from model.weights.shards import StoredTensor
from model.weights.tensor_layout import PACKED, SCALE, SHAPE, is_decoder_linear

if TYPE_CHECKING:
    from model.weights.checkpoint import Checkpoint

# Left to others on the device: what allocators round up, and what else grows meanwhile.
MARGIN_SHARE = 0.03
SMALLEST_CONTEXT = 2048
# The rules of an answer, read once and kept; and what the tokenizer, the spelling of every word and
# the scores of a few steps take for each word known.
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
    """The plan for this machine, or for `placement`. Imports torch to look around."""
    import torch

    chosen = placement or choose_placement(checkpoint.weight_count)
    item = 4 if chosen.dtype == "float32" else 2
    beside = 2 if choose_matmul(chosen.device, getattr(torch, chosen.dtype)).way == "kernel" else 1
    weights = list(_weights(checkpoint, item, beside))
    text = checkpoint.config["text_config"]
    wide = max(int(text["intermediate_size"]), 4 * int(text["hidden_size"]))
    # Per token in flight: the states in and out of a layer, in float32 in its norms, and the MLP.
    work = BATCH_TOKENS * (int(text["hidden_size"]) * (4 * item + 8) + wide * 3 * item)
    reading = _keys_and_values(checkpoint, checkpoint.context_tokens, item)
    kept = _keys_and_values(checkpoint, KEPT_TOKENS, item)
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
    made = plan_memory(checkpoint, placement)
    said = plan_problem(checkpoint, made)
    if said is not None:
        raise ModelError(said)
    return made


def plan_problem(checkpoint: Checkpoint, made: MemoryPlan) -> str | None:
    """Why a plan cannot be carried out, with the nearest choice that can; None where it can."""
    if made.fits:
        return None
    for choice, other in _lesser(checkpoint):
        smaller = plan_memory(other, made.placement)
        if smaller.fits:
            cure = f"set {choice} in config.toml, which takes {_gb(smaller.needed_bytes)}"
            break
    else:
        cure = "use the small model: give --model pocket"
    return (
        f"{made.name} needs {_gb(made.needed_bytes)} of memory with room for "
        f"{made.context_tokens:,} tokens, and {_gb(made.free_bytes)} of "
        f"{_gb(made.total_bytes)} are free on this machine; close other programs, or {cure}."
    )


def free_memory(device: str) -> tuple[int, int]:
    """Bytes that can be had on a device, and bytes it has: what is free, and what this process may
    have of it."""
    import psutil
    import torch

    if device == "cuda":
        free_bytes, total_bytes = torch.cuda.mem_get_info()
        return int(free_bytes), int(total_bytes)
    memory = psutil.virtual_memory()
    free_bytes, total_bytes = int(memory.available), int(memory.total)
    if device == "mps":
        total_bytes = min(total_bytes, int(torch.mps.recommended_max_memory()))
        free_bytes = min(free_bytes, total_bytes - int(torch.mps.driver_allocated_memory()))
        return free_bytes, total_bytes
    for limit_bytes, used_bytes in _limits():
        total_bytes = min(total_bytes, limit_bytes)
        free_bytes = min(free_bytes, max(0, limit_bytes - used_bytes))
    return free_bytes, total_bytes


def _limits() -> Iterator[tuple[int, int]]:
    """What this process may have at most, and has: its own limit, and its container's."""
    import psutil

    try:
        import resource

        most = resource.getrlimit(resource.RLIMIT_AS)[0]
        if most != resource.RLIM_INFINITY:
            yield most, psutil.Process().memory_info().vms
    except ImportError:  # not on Windows
        pass
    group = Path("/sys/fs/cgroup")
    try:
        own = Path("/proc/self/cgroup").read_text(encoding="ascii").rpartition("::/")[2].strip()
        for folder in {group, group / own}:
            said = (folder / "memory.max").read_text(encoding="ascii").strip()
            if said != "max":
                used = (folder / "memory.current").read_text(encoding="ascii")
                yield int(said), int(used)
    except (OSError, ValueError):
        return


def _lesser(checkpoint: Checkpoint) -> Iterator[tuple[str, Checkpoint]]:
    """The same checkpoint asking for less, from the least loss to the greatest."""
    context = checkpoint.context_tokens
    while context // 2 >= SMALLEST_CONTEXT:
        context //= 2
        yield f"context = {context}", replace(checkpoint, context_tokens=context)
    small = min(checkpoint.context_tokens, SMALLEST_CONTEXT)
    said = f"context = {small}"
    for choice, other in (
        ('embedding = "int8"', replace(checkpoint, int8_embedding=True)),
        ("drafter = false", replace(checkpoint, drafter=None)),
        ('embedding = "int8" and drafter = false',
         replace(checkpoint, int8_embedding=True, drafter=None)),
    ):  # fmt: skip
        yield choice, other
        yield f"{choice} and {said}", replace(other, context_tokens=small)


def _weights(checkpoint: Checkpoint, item: int, beside: int) -> Iterator[PlanLine]:
    parts = dict.fromkeys(("decoder", "words", "rest"), 0)
    packed = checkpoint.layout.kind != "plain"
    group = checkpoint.layout.group
    for name, one in checkpoint.tensors.items():
        if name.endswith(PACKED):
            parts["decoder"] += one.count * 4 + one.count * 8 // group * item * beside
        elif name.endswith((SCALE, SHAPE)) or (name == LM_HEAD_NAME and checkpoint.tied):
            continue
        elif is_decoder_linear(name):
            bits = one.count // 2 + one.count // group * item * beside
            parts["decoder"] += bits if packed and not one.shape[1] % group else one.count * item
        elif name.endswith("embed_tokens.weight"):
            parts["words"] += _table(one, item, checkpoint.int8_embedding)
        else:
            parts["rest"] += one.count * item
    yield PlanLine(what="decoder layers" + (", 4 bits" if packed else ""), bytes=parts["decoder"])
    words = "word table" + (", int8" if checkpoint.int8_embedding else "")
    yield PlanLine(what=words, bytes=parts["words"])
    yield PlanLine(what="pictures, sounds, norms", bytes=parts["rest"])
    if checkpoint.drafter is not None:
        count = sum(one.count for one in checkpoint.drafter_tensors.values())
        yield PlanLine(what="drafter", bytes=count * item)


def _table(one: StoredTensor, item: int, int8: bool) -> int:
    return one.count + one.shape[0] * item if int8 else one.count * item


def _keys_and_values(checkpoint: Checkpoint, tokens: int, item: int) -> int:
    """The room that a cache makes for one text of so many tokens."""
    text = checkpoint.config["text_config"]
    kinds = text.get("layer_types")
    total = 0
    for name, one in checkpoint.tensors.items():
        if "language_model.layers." not in name or ".k_proj." not in name:
            continue
        if not name.endswith((".weight", PACKED)):
            continue
        layer = int(name.split("layers.")[1].split(".")[0])
        kind = (
            kinds[layer] if kinds else "full_attention" if layer % 6 == 5 else "sliding_attention"
        )
        window = int(text["sliding_window"]) if kind == "sliding_attention" else None
        total += room(tokens, window) * one.shape[0] * 2 * item
    return total


def room(tokens: int, window: int | None) -> int:
    """Tokens that one layer's cache has room for after reading so many in parts."""
    stored = made = 0
    while stored < tokens:
        count = min(PART_TOKENS, tokens - stored)
        if not made or stored + count > made:
            made = room_for(count, tokens_held(stored, window))
        stored += count
    return made


def _gb(count: int) -> str:
    return f"{count / 1e9:.1f} GB"
