"""Weights of 4 bits: a linear layer on torch's own kernels, and the reference for them.

A weight is `scale * (code - 8)` with a code of 4 bits and one scale for every `group` inputs. The
plain method, which dequantizes a tile of weights and multiplies it, works everywhere and is the
reference. Where torch has a kernel that reads codes, it is compared with the reference on the
layer's shape before it is used.

An int8 word table halves what the embedding takes; the output layer reads the same one.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import nn
from torch.nn import functional

from model.weights.tensor_layout import GROUP, OFF_GRID

# Inputs that share a scale, as far as torch's kernels know.
GROUPS = (32, 64, 128, 256)
ZERO = 8
# A kernel that rounds to bfloat16 stays within this of the reference, as a share of its norm.
KERNEL_ERROR = 2e-2
# Weights dequantized at a time: what fits a processor's cache (2 MB in bfloat16).
TILE_WEIGHTS = 1 << 20
# From so many rows on, dequantized tiles beat the kernel on a processor that multiplies bfloat16
# itself: 83 against 210 GFLOP/s and 0.6 ns a weight (1 thread, AVX-512 BF16).
TILES_FROM_ROWS = 64

MatmulMethod = Literal["kernel", "plain"]


@dataclass(frozen=True, slots=True)
class MatmulChoice:
    """How packed weights are multiplied, and the `reason` in words."""

    method: MatmulMethod
    reason: str
    tiles_from_rows: int | None = None  # from so many rows on, dequantized tiles instead


def choose_matmul(device: str, dtype: torch.dtype) -> MatmulChoice:
    """The method for a device; each layer still checks the kernel before it uses it."""
    if dtype is not torch.bfloat16:
        return MatmulChoice("plain", f"torch's int4 kernels are made for bfloat16, not {dtype}.")
    if device == "cpu":
        if torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported():
            why = ("torch's int4 kernel for processors; many rows at once are spelled out, since "
                   "this processor multiplies bfloat16 itself.")  # fmt: skip
            return MatmulChoice("kernel", why, TILES_FROM_ROWS)
        return MatmulChoice("kernel", "torch's int4 kernel for processors.")
    if device == "cuda" and torch.cuda.get_device_capability() < (8, 0):
        return MatmulChoice("plain", "torch's int4 kernel needs a card of compute capability 8.0.")
    why = f"torch's int4 kernel for {device}, held against the plain way for each shape."
    return MatmulChoice("kernel", why)


def nibbles(codes: torch.Tensor) -> torch.Tensor:
    """Codes (N, K) of 0..15 -> (N, K/2) uint8, the even column in the low half: the bytes that the
    published files hold as int32 words."""
    codes = codes.to(torch.uint8)
    return codes[:, ::2] | (codes[:, 1::2] << 4)


def codes(packed: torch.Tensor) -> torch.Tensor:
    """The inverse of `nibbles`: (N, K/2) uint8 -> (N, K) uint8 of 0..15."""
    return torch.stack((packed & 15, packed >> 4), dim=-1).flatten(-2)


def dequantize(packed: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    """The weights (N, K) in the scales' precision, from nibbles (N, K/2) and scales (N, K/group):
    the reference."""
    rows, steps = scales.shape
    near = codes(packed).to(scales.dtype).sub_(ZERO)
    return near.view(rows, steps, -1).mul_(scales[..., None]).view(rows, -1)


def recover_grid(
    weight: torch.Tensor, group: int = GROUP
) -> tuple[torch.Tensor, torch.Tensor] | None:
    """Codes (N, K) and float32 scales (N, K/group) of a weight whose values lie on the grid it was
    trained for: in each group the value furthest from zero is -8 steps. None where they do not."""
    wide = weight.float().view(len(weight), -1, group)
    furthest = wide.gather(-1, wide.abs().argmax(-1, keepdim=True))
    step = furthest / -ZERO
    step = torch.where(step == 0, torch.ones_like(step), step)
    exact = wide / step
    near = exact.round().clamp_(-ZERO, ZERO - 1)
    if not bool(((exact - near).abs() <= OFF_GRID).all()):
        return None
    # The extreme was rounded to bfloat16; all values together tell the step better.
    squares = near.square().sum(-1, keepdim=True)
    step = torch.where(squares > 0, (wide * near).sum(-1, keepdim=True) / squares, step)
    return (near + ZERO).to(torch.uint8).view(weight.shape), step.squeeze(-1)


class PackedLinear(nn.Module):
    """A linear layer without bias on weights of 4 bits. `packed` is the kernel's own layout or the
    nibbles, as `method` says; `scales` (K/group, N, 2) with zeros beside them, or (N, K/group)."""

    packed: torch.Tensor
    scales: torch.Tensor

    def __init__(self, packed: torch.Tensor, scales: torch.Tensor, choice: MatmulChoice) -> None:
        """From nibbles (N, K/2) uint8 and scales (N, K/group), both on their final device."""
        super().__init__()
        self.out_features, steps = scales.shape
        self.in_features = packed.shape[1] * 2
        self.group = self.in_features // steps
        if self.group * steps != self.in_features or self.group not in GROUPS:
            raise ValueError(f"{self.in_features} inputs in {steps} groups cannot be packed")
        self.dtype = scales.dtype
        self.method: MatmulMethod = "plain"
        self.tiles_from_rows: int | None = None
        if choice.method == "kernel" and _kernel_fits(packed, scales, self.group):
            self.method = "kernel"
            if _layout_known(scales.device.type) and self.out_features % _BLOCK == 0:
                self.tiles_from_rows = choice.tiles_from_rows
            packed, scales = _packed(packed), _with_zeros(scales)
        self.register_buffer("packed", packed)
        self.register_buffer("scales", scales)

    def extra_repr(self) -> str:
        return f"{self.in_features}, {self.out_features}, group={self.group}, {self.method}"

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """(..., K) -> (..., N)."""
        rows = states.reshape(-1, self.in_features)
        if self.method == "plain":
            output = self._plain(rows)
        elif self.tiles_from_rows is not None and len(rows) >= self.tiles_from_rows:
            output = self._tiles(rows)
        else:
            output = _multiply(rows, self.packed, self.group, self.scales)
        return output.view(*states.shape[:-1], self.out_features)

    def _plain(self, rows: torch.Tensor) -> torch.Tensor:
        output = rows.new_empty(len(rows), self.out_features)
        step = max(1, TILE_WEIGHTS // self.in_features)
        for start in range(0, self.out_features, step):
            tile = slice(start, start + step)
            weight = dequantize(self.packed[tile], self.scales[tile])
            output[:, tile] = functional.linear(rows, weight.to(rows.dtype))
        return output

    def _tiles(self, rows: torch.Tensor) -> torch.Tensor:
        """As `_plain`, from the kernel's layout: blocks of 64 outputs, the first 32 in the low
        halves of (K, 32) bytes, so that a block comes out as (K, 64)."""
        blocks, half = self.out_features // _BLOCK, _BLOCK // 2
        output = rows.new_empty(len(rows), self.out_features)
        packed = self.packed.view(blocks, self.in_features, half)
        # Beside their zeros, the scales would be read one by one: 1.5 ns a weight.
        scales = self.scales[..., 0].reshape(-1, blocks, _BLOCK).transpose(0, 1).contiguous()
        weight = rows.new_empty(self.in_features, _BLOCK)
        for block in range(blocks):
            # A code less 8 is a number of 4 bits with a sign, once its highest bit is turned.
            signed = (packed[block] ^ 0x88).view(torch.int8)
            weight[:, half:] = signed >> 4
            weight[:, :half] = signed.bitwise_left_shift_(4).bitwise_right_shift_(4)
            weight.view(-1, self.group, _BLOCK).mul_(scales[block][:, None])
            output[:, block * _BLOCK : (block + 1) * _BLOCK] = torch.mm(rows, weight)
        return output


class Int8Table(nn.Module):
    """A word table in int8, one scale a word: `weight` (V, H) int8, `scales` (V,)."""

    weight: torch.Tensor
    scales: torch.Tensor

    def __init__(self, codes: torch.Tensor, scales: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("weight", codes)
        self.register_buffer("scales", scales)


class Int8Embedding(Int8Table):
    """Words -> states, as the stock embedding: looked up and multiplied by `embed_scale`."""

    embed_scale: torch.Tensor

    def __init__(self, codes: torch.Tensor, scales: torch.Tensor, embed_scale: float) -> None:
        super().__init__(codes, scales)
        scale = torch.tensor(embed_scale, device=scales.device, dtype=scales.dtype)
        self.register_buffer("embed_scale", scale)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        looked_up = functional.embedding(ids, self.weight).to(self.scales.dtype)
        return looked_up * self.scales[ids][..., None] * self.embed_scale


class Int8Head(Int8Table):
    """States -> logits over the words, from the embedding's own table."""

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        rows = states.reshape(-1, self.weight.shape[1])
        if self.scales.dtype is torch.bfloat16 and self.weight.device.type == "cpu":
            aten: Any = torch.ops.aten
            output: torch.Tensor = aten._weight_int8pack_mm(
                rows.contiguous(), self.weight, self.scales
            )
        else:
            output = rows.new_empty(len(rows), len(self.weight))
            step = TILE_WEIGHTS * 4 // self.weight.shape[1]
            for start in range(0, len(self.weight), step):
                words = slice(start, start + step)
                logits = functional.linear(rows, self.weight[words].to(rows.dtype))
                output[:, words] = logits * self.scales[words]
        return output.view(*states.shape[:-1], -1)


def quantize_int8(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Codes (V, H) int8 and scales (V,) of a table, row by row. The scale is rounded before the
    codes are taken, so that its rounding costs nothing."""
    scales = (weight.abs().amax(-1).float() / 127).clamp_(min=1e-12).to(weight.dtype)
    near = (weight.float() / scales.float()[:, None]).round_().clamp_(-127, 127)
    return near.to(torch.int8), scales


# --- torch's kernels

_BLOCK = 64  # outputs that its kernel for AVX-512 keeps together


def _packed(nibbles: torch.Tensor) -> torch.Tensor:
    """Nibbles (N, K/2) in the kernel's own layout: written as such where it is known, which takes
    half the time and none of the memory of the codes as int32 that torch's own packing takes."""
    if len(nibbles) % _BLOCK == 0 and _layout_known(nibbles.device.type):
        return _packed_in_blocks(nibbles)
    return _packed_by_torch(nibbles)


def _packed_in_blocks(nibbles: torch.Tensor) -> torch.Tensor:
    """Blocks of 64 outputs, (K, 32) bytes each: the codes of the first 32 in the low halves."""
    rows, half = nibbles.shape
    packed = nibbles.new_empty(rows // _BLOCK, half, 2, _BLOCK // 2)
    for block, sources in zip(packed, nibbles.view(-1, 2, _BLOCK // 2, half), strict=True):
        first, last = (source.t().contiguous() for source in sources)  # (K/2, 32) each
        torch.bitwise_or(first & 15, last << 4, out=block[:, 0])  # even columns
        torch.bitwise_or(first >> 4, last & 0xF0, out=block[:, 1])
    return packed.view(rows, half)


def _packed_by_torch(nibbles: torch.Tensor) -> torch.Tensor:
    """Some rows at a time: on a processor it takes codes as int32."""
    aten: Any = torch.ops.aten
    rows, half = nibbles.shape
    on_cpu = nibbles.device.type == "cpu"
    step = rows
    if on_cpu and rows % _BLOCK == 0:  # blocks are packed independently
        step = max(_BLOCK, (1 << 22) // (half * 2) // _BLOCK * _BLOCK)
    parts = []
    for start in range(0, rows, step):
        part = nibbles[start : start + step]
        if on_cpu:
            unpacked = codes(part).to(torch.int32)
            parts.append(aten._convert_weight_to_int4pack_for_cpu(unpacked, 1))
        else:  # these kernels take the even column in the high half
            turned = (part << 4) | (part >> 4)
            parts.append(aten._convert_weight_to_int4pack(turned.contiguous(), 8))
    return torch.cat(parts)


def _with_zeros(scales: torch.Tensor) -> torch.Tensor:
    """(N, K/group) -> (K/group, N, 2): each scale with the zero point that the kernels take."""
    return torch.stack((scales, torch.zeros_like(scales)), dim=-1).transpose(0, 1).contiguous()


def _multiply(
    rows: torch.Tensor, packed: torch.Tensor, group: int, scales: torch.Tensor
) -> torch.Tensor:
    aten: Any = torch.ops.aten
    kernel = aten._weight_int4pack_mm
    if rows.device.type == "cpu":
        kernel = aten._weight_int4pack_mm_for_cpu
    output: torch.Tensor = kernel(rows.contiguous(), packed, group, scales)
    return output


def _kernel_fits(nibbles: torch.Tensor, scales: torch.Tensor, group: int) -> bool:
    """Whether the kernel takes a layer of this shape and gives what the reference gives. It
    requires divisibility only, so a small layer with the same remainders stands for this one."""
    rows, half = nibbles.shape
    rows, half = rows % 1024 or 1024, half % 1024 or 1024
    return _kernel_agrees(nibbles.device.type, scales.dtype, rows, half, group)


@functools.cache
def _kernel_agrees(device: str, dtype: torch.dtype, rows: int, half: int, group: int) -> bool:
    if (half * 2) % group:
        return False
    generator = torch.Generator().manual_seed(0)
    packed = torch.randint(0, 256, (rows, half), dtype=torch.uint8, generator=generator).to(device)
    scales = (torch.rand(rows, half * 2 // group, generator=generator) + 0.5).to(device, dtype)
    states = torch.randn(3, half * 2, generator=generator).to(device, dtype)
    expected = functional.linear(states.float(), dequantize(packed, scales.float()))
    try:
        output = _multiply(states, _packed(packed), group, _with_zeros(scales)).float()
    except (RuntimeError, NotImplementedError):
        return False
    return bool((output - expected).norm() <= KERNEL_ERROR * expected.norm())


@functools.cache
def _layout_known(device: str) -> bool:
    """Whether torch packs on this machine as `_packed_in_blocks` does and `PackedLinear._tiles`
    reads; for some instruction sets it does not."""
    if device != "cpu":
        return False
    generator = torch.Generator().manual_seed(0)
    plain = torch.randint(0, 256, (2 * _BLOCK, 32), dtype=torch.uint8, generator=generator)
    try:
        return torch.equal(_packed_by_torch(plain), _packed_in_blocks(plain))
    except (RuntimeError, NotImplementedError):
        return False
