"""The decoder's layers: a forward of the stock weights without the work that one step can omit.

The stock forward serves batches, training and every kind of cache; for a small model that writes
one token at a time, that costs more time than the weights. This one reads one text into a
`KVCache`: queries, keys and values come from one product of concatenated weights, one norm and one
rotation serve them all, masks are slices of a stored one, and cropping changes a length. The
result is the stock forward's up to the last bits of floating point, which the tests check. The
stock forward also misplaces the bidirectional mask of pictures that are read after something else
(transformers 5.22.2); this one accepts them anywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from model.decoding.attention import AttentionMasks, attention
from model.decoding.kv_cache import KVCache

KeysValues = tuple[torch.Tensor, torch.Tensor]

# From so many numbers on, a norm is quicker by the vector's length (13 times at 150,000, on a
# processor), below it in one call.
MANY_NUMBERS = 20_000


@dataclass(frozen=True, slots=True)
class LayerOutput:
    """`states` (T, H) behind the last norm, and `before_mlp` (T, H), the last layer's states after
    its attention."""

    states: torch.Tensor
    before_mlp: torch.Tensor


class Layers:
    """The layers of a text model, or of a drafter, which reads its target's keys and values."""

    def __init__(self, text: Any) -> None:
        config = text.config
        self.kinds: tuple[str, ...] = tuple(config.layer_types)
        self.window = int(config.sliding_window)
        self.sees_pictures_whole = config.use_bidirectional_attention == "vision"
        self._norm = _norm(text.norm)
        self._layers = [_DecoderLayer(layer) for layer in text.layers]
        own = [
            index
            for index, layer in enumerate(text.layers)
            if not layer.self_attn.is_kv_shared_layer
        ]
        # Whose keys and values each kind of layer shares: the last layer that makes its own.
        self.shared_at = {kind: max(index for index in own if self.kinds[index] == kind)
                          for kind in {self.kinds[index] for index in own}}  # fmt: skip
        self._rotary = {kind: _Rotary(text.rotary_emb, kind) for kind in set(self.kinds)}
        self._masks = AttentionMasks()

    def new_cache(self) -> KVCache:
        return KVCache([self._window_of(kind) for kind in self.kinds])

    def forward(
        self,
        embedded: torch.Tensor,
        cache: KVCache,
        pictures: torch.Tensor | None = None,
        aside: tuple[int, int] | None = None,
    ) -> LayerOutput:
        """Read (T, H) behind what `cache` holds. `pictures` (T,) numbers the pictures, -1
        elsewhere; a picture's tokens attend to each other. With `aside` (fork, turn) the tokens
        from `turn` on follow those before `fork`, and do not attend to the ones between."""
        count, start = len(embedded), cache.length
        rotations = {
            kind: rotary.at(start, count, embedded) for kind, rotary in self._rotary.items()
        }
        if aside is not None:
            rotations = {
                kind: _rotations_aside(rotation, *aside) for kind, rotation in rotations.items()
            }
        masks = {
            kind: self._masks.of(count, start, self._window_of(kind), pictures, aside, embedded)
            for kind in set(self.kinds)
        } if count > 1 else {}  # fmt: skip
        states = before_mlp = embedded
        for index, (layer, kind) in enumerate(zip(self._layers, self.kinds, strict=True)):
            queries, keys_values = layer.queries_keys_values(states, rotations[kind])
            if keys_values is None:
                most = self.window - 1 + count if self._window_of(kind) else None
                seen = cache.view(self.shared_at[kind], most)
            else:
                seen = cache.append(index, *keys_values)
            states, before_mlp = layer.rest(states, queries, seen, masks.get(kind))
        cache.length = start + count
        return LayerOutput(self._norm(states), before_mlp)

    def draft_step(
        self, states: torch.Tensor, place: int, keys_values: dict[str, KeysValues]
    ) -> torch.Tensor:
        """A drafter's one step: (1, H) at position `place` attends to all of `keys_values`; gives
        (1, H) behind the last norm."""
        rotations = {kind: rotary.at(place, 1, states) for kind, rotary in self._rotary.items()}
        for layer, kind in zip(self._layers, self.kinds, strict=True):
            queries, _ = layer.queries_keys_values(states, rotations[kind])
            states, _ = layer.rest(states, queries, keys_values[kind], None)
        return self._norm(states)

    def _window_of(self, kind: str) -> int | None:
        return self.window if kind == "sliding_attention" else None


def _rotations_aside(
    rotation: tuple[torch.Tensor, torch.Tensor], fork: int, turn: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """The rotations of (count, 1, head_dim) where those from `turn` on start again at `fork`."""
    cosine, sine = rotation
    back = len(cosine) - (turn - fork)
    return (
        torch.cat([cosine[:turn], cosine[fork:back]]),
        torch.cat([sine[:turn], sine[fork:back]]),
    )


class _Rotary:
    """Cosines and sines of positions, made once. The sine's first half is negated, so that a
    rotated vector is `x * cos + roll(x) * sin`."""

    def __init__(self, stock: Any, kind: str) -> None:
        self._stock = stock
        self._kind = kind
        self._cosine = self._sine = torch.empty(0)

    def at(self, start: int, count: int, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(count, 1, head_dim) each."""
        end = start + count
        if end > len(self._cosine):
            places = torch.arange(max(1024, 2 * end), device=like.device)[None]
            cosine, sine = self._stock(like, places, self._kind)
            sine = sine[0].clone()
            sine[:, : sine.shape[1] // 2].neg_()
            self._cosine, self._sine = cosine[0][:, None], sine[:, None]
        return self._cosine[start:end], self._sine[start:end]


class _DecoderLayer:
    """One layer. Plain weights of the same input are concatenated, in place."""

    def __init__(self, stock: Any) -> None:
        self_attention, mlp = stock.self_attn, stock.mlp
        self._head_dim = int(self_attention.head_dim)
        self._makes_keys = not self_attention.is_kv_shared_layer
        self._queries = int(self_attention.config.num_attention_heads)
        projections = [self_attention.q_proj]
        weights = [self_attention.q_norm.weight.expand(self._queries, self._head_dim)]
        self._keys = 0
        self._values_apart = False
        if self._makes_keys:
            self._keys = self._queries // int(self_attention.num_key_value_groups)
            projections.append(self_attention.k_proj)
            weights.append(self_attention.k_norm.weight.expand(self._keys, self._head_dim))
            if self_attention.v_proj is not None:
                projections.append(self_attention.v_proj)
                self._values_apart = True
        self._project = _concatenated(projections)
        self._scale = torch.cat(weights).detach().float()
        self._eps = float(self_attention.q_norm.eps)
        self._output = self_attention.o_proj
        self._gate_and_up = _concatenated([mlp.gate_proj, mlp.up_proj])
        self._activation, self._down = mlp.act_fn, mlp.down_proj
        self._before, self._after = (
            _norm(stock.input_layernorm),
            _norm(stock.post_attention_layernorm),
        )
        self._before_mlp = _norm(stock.pre_feedforward_layernorm)
        self._after_mlp = _norm(stock.post_feedforward_layernorm)
        self._scalar = stock.layer_scalar

    def queries_keys_values(
        self, states: torch.Tensor, rotation: tuple[torch.Tensor, torch.Tensor]
    ) -> tuple[torch.Tensor, KeysValues | None]:
        """Queries, keys and values, (T, heads, head_dim) each; None for a layer that shares."""
        dim, rotated = self._head_dim, self._queries + self._keys
        heads = self._project(self._before(states)).view(len(states), -1, dim)
        heads = rms_norm(heads.float(), None, self._eps)
        cosine, sine = rotation
        scaled = (heads[:, :rotated] * self._scale).to(states.dtype)
        moved = torch.addcmul(scaled * cosine, scaled.roll(dim // 2, -1), sine)
        if not self._makes_keys:
            return moved, None
        values = heads[:, rotated if self._values_apart else self._queries :].to(states.dtype)
        return moved[:, : self._queries], (moved[:, self._queries :], values)

    def rest(
        self,
        states: torch.Tensor,
        queries: torch.Tensor,
        seen: KeysValues,
        mask: torch.Tensor | None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """From the queries to the end of the layer; also the states before the MLP, (T, H)."""
        attended = attention(queries, *seen, mask)
        states = states + self._after(self._output(attended))
        gate, up = self._gate_and_up(self._before_mlp(states)).chunk(2, dim=-1)
        change = self._after_mlp(self._down(self._activation(gate) * up))
        return (states + change) * self._scalar, states


def rms_norm(states: torch.Tensor, weight: torch.Tensor | None, eps: float) -> torch.Tensor:
    """`states` (..., D) in float32 at a mean square of 1, times `weight` (D,)."""
    dim = states.shape[-1]
    if states.numel() < MANY_NUMBERS or states.device.type != "cpu":
        return torch.rms_norm(states, (dim,), weight, eps)
    length = torch.linalg.vector_norm(states, dim=-1, keepdim=True)
    scaled = states * torch.rsqrt(length.square_().div_(dim).add_(eps))
    return scaled if weight is None else scaled.mul_(weight)


def _norm(stock: Any) -> Callable[[torch.Tensor], torch.Tensor]:
    weight, eps = stock.weight, float(stock.eps)
    if weight.dtype == torch.float32:
        return lambda states: rms_norm(states, weight, eps)
    return stock  # type: ignore[no-any-return]


def _concatenated(linears: list[Any]) -> Callable[[torch.Tensor], torch.Tensor]:
    """One product for several linear layers of the same input, their outputs concatenated. Plain
    weights become views of one tensor, so no second copy stays; other layers are called in turn."""
    if all(type(linear) is nn.Linear and linear.bias is None for linear in linears):
        with torch.no_grad():
            whole = torch.cat([linear.weight for linear in linears])
            start = 0
            for linear in linears:
                linear.weight.data = whole[start : start + linear.out_features]
                start += linear.out_features
        return lambda states: functional.linear(states, whole)
    return lambda states: torch.cat([linear(states) for linear in linears], dim=-1)
