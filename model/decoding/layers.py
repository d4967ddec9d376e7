"""The decoder's layers on their own weights, run without what a step does not need.

The stock forward serves batches, training and every kind of cache; for a small model that writes
one token at a time, that costs more time than the weights. This one reads one text into a
`KVCache`: queries, keys and values come from one product of concatenated weights, one norm and one
rotation serve them all, masks are sliced from a stored one, and cropping changes a length. The
result is the stock forward's up to the last bits of floating point, which the tests check. The
stock forward also misplaces the bidirectional mask of pictures that are read after something else
(transformers 5.22.2); here they may stand anywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from model.decoding.kv_cache import KVCache

KeysValues = tuple[torch.Tensor, torch.Tensor]

# Up to so many tokens at once, masks are kept and attention is two plain products.
FEW = 16
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
    """The layers of a text model, or of a drafter, which reads another's keys and values."""

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
        self._masks: dict[tuple[int, int | None], torch.Tensor] = {}

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
        masks = {kind: self._mask(count, start, kind, pictures, aside, embedded)
                 for kind in set(self.kinds)} if count > 1 else {}  # fmt: skip
        states = before_mlp = embedded
        for index, (layer, kind) in enumerate(zip(self._layers, self.kinds, strict=True)):
            queries, own = layer.queries_keys_values(states, rotations[kind])
            if own is None:
                most = self.window - 1 + count if self._window_of(kind) else None
                seen = cache.view(self.shared_at[kind], most)
            else:
                seen = cache.append(index, *own)
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

    def _mask(
        self,
        count: int,
        start: int,
        kind: str,
        pictures: torch.Tensor | None,
        aside: tuple[int, int] | None,
        like: torch.Tensor,
    ) -> torch.Tensor:
        """(count, attended): 0 where a token attends, -inf where it does not. That depends only on
        how far a key lies behind the query, so one stored mask serves every length of text."""
        window = self._window_of(kind)
        width = start + count
        if window is not None:
            width = min(width, window - 1 + count)
        stored = self._masks.get((count, window)) if aside is None else None
        if stored is not None and stored.shape[1] >= width:
            mask = stored[:, -width:]
        else:
            wide = width + 1024 if count <= FEW and aside is None else width
            places = torch.arange(wide, device=like.device)
            queries = places[-count:]
            behind = queries[:, None] - places
            hidden = behind < 0
            if aside is not None:
                fork, turn = (wide - count + position for position in aside)
                hidden |= (queries[:, None] >= turn) & (places >= fork) & (places < turn)
                places = torch.where(places >= turn, places - (turn - fork), places)
                behind = places[-count:][:, None] - places
            if window is not None:
                hidden |= behind >= window
            mask = like.new_zeros(count, wide).masked_fill_(hidden, -torch.inf)
            if count <= FEW and aside is None:
                self._masks[count, window] = mask
            mask = mask[:, -width:]
        if pictures is not None:
            together = (pictures[:, None] == pictures) & (pictures >= 0)
            mask = mask.clone()
            mask[:, -count:].masked_fill_(together, 0.0)
        return mask


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
        attention, mlp = stock.self_attn, stock.mlp
        self._head_dim = int(attention.head_dim)
        self._makes_keys = not attention.is_kv_shared_layer
        self._queries = int(attention.config.num_attention_heads)
        projections = [attention.q_proj]
        weights = [attention.q_norm.weight.expand(self._queries, self._head_dim)]
        self._keys = 0
        self._values_apart = False
        if self._makes_keys:
            self._keys = self._queries // int(attention.num_key_value_groups)
            projections.append(attention.k_proj)
            weights.append(attention.k_norm.weight.expand(self._keys, self._head_dim))
            if attention.v_proj is not None:
                projections.append(attention.v_proj)
                self._values_apart = True
        self._project = _concatenated(projections)
        self._scale = torch.cat(weights).detach().float()
        self._eps = float(attention.q_norm.eps)
        self._output = attention.o_proj
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


def attention(
    queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, mask: torch.Tensor | None
) -> torch.Tensor:
    """Queries (T, heads, D) over keys and values (kv_heads, S, D) under `mask` (T, S); gives (T,
    heads * D). Scores are not scaled: the norms of queries and keys have learned it."""
    count, heads, dim = queries.shape
    kv_heads, seen, _ = keys.shape
    queries = queries.transpose(0, 1)
    if count <= FEW and queries.dtype == torch.float32:
        grouped = queries.reshape(kv_heads, -1, dim)
        scores = torch.bmm(grouped, keys.transpose(1, 2))
        if mask is not None:
            scores = (scores.view(heads, count, seen) + mask).view(kv_heads, -1, seen)
        mixed = torch.bmm(scores.softmax(dim=-1), values)
        return mixed.view(heads, count, dim).transpose(0, 1).reshape(count, -1)
    # Elsewhere the fast kernels group heads only without a mask and up to this width.
    grouping = queries.device.type == "cpu" or (mask is None and dim <= 256)
    if not grouping:
        keys = keys.repeat_interleave(heads // kv_heads, dim=0)
        values = values.repeat_interleave(heads // kv_heads, dim=0)
    mixed = functional.scaled_dot_product_attention(
        queries[None], keys[None], values[None], attn_mask=mask, scale=1.0, enable_gqa=grouping
    )
    return mixed[0].transpose(0, 1).reshape(count, -1)


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
    weights become views of one tensor, so no second copy stays; others are called one by one."""
    if all(type(linear) is nn.Linear and linear.bias is None for linear in linears):
        with torch.no_grad():
            whole = torch.cat([linear.weight for linear in linears])
            start = 0
            for linear in linears:
                linear.weight.data = whole[start : start + linear.out_features]
                start += linear.out_features
        return lambda states: functional.linear(states, whole)
    return lambda states: torch.cat([linear(states) for linear in linears], dim=-1)
