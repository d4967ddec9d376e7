"""The decoder's layers on their own weights, run without what a step does not need.

The stock forward is made for batches, training and every cache there is; written one token at a
time by a small model, more time goes into that than into the weights. This one reads one text into
a `Cache`: queries, keys and values come from one product where the weights lie side by side, one
norm and one rotation serve them all, masks are cut from a stored one, and cropping moves a number.
What it computes is what the stock forward computes, up to the last bits of floating point; the
tests hold it to that. The stock forward also misplaces the blocks of pictures that are read after
something else (transformers 5.22.2); here they may stand anywhere.
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
    """What came out: `states` (T, H) behind the last norm, and `before_mlp` (T, H), the last
    layer's states after its attention."""

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
        self._layers = [_DecoderLayer(one) for one in text.layers]
        own = [at for at, one in enumerate(text.layers) if not one.self_attn.is_kv_shared_layer]
        # Whose keys and values each kind of layer shares: the last layer that makes its own.
        self.shared_at = {kind: max(at for at in own if self.kinds[at] == kind)
                          for kind in {self.kinds[at] for at in own}}  # fmt: skip
        self._rotary = {kind: _Rotary(text.rotary_emb, kind) for kind in set(self.kinds)}
        self._masks: dict[tuple[int, int | None], torch.Tensor] = {}

    def new_cache(self) -> KVCache:
        return KVCache([self._sees(kind) for kind in self.kinds])

    def forward(
        self,
        embedded: torch.Tensor,
        cache: KVCache,
        blocks: torch.Tensor | None = None,
        aside: tuple[int, int] | None = None,
    ) -> LayerOutput:
        """Read (T, H) behind what `cache` holds. `blocks` (T,) numbers the pictures, -1 elsewhere;
        a picture's tokens see each other. With `aside` (fork, turn) the tokens from `turn` on
        follow those before `fork`, as if the ones between did not stand there."""
        count, start = len(embedded), cache.length
        rotations = {kind: one.at(start, count, embedded) for kind, one in self._rotary.items()}
        if aside is not None:
            rotations = {kind: _turned(one, *aside) for kind, one in rotations.items()}
        masks = {kind: self._mask(count, start, kind, blocks, aside, embedded)
                 for kind in set(self.kinds)} if count > 1 else {}  # fmt: skip
        states = before_mlp = embedded
        for at, (layer, kind) in enumerate(zip(self._layers, self.kinds, strict=True)):
            queries, made = layer.queries_keys_values(states, rotations[kind])
            if made is None:
                most = self.window - 1 + count if self._sees(kind) else None
                seen = cache.view(self.shared_at[kind], most)
            else:
                seen = cache.append(at, *made)
            states, before_mlp = layer.rest(states, queries, seen, masks.get(kind))
        cache.length = start + count
        return LayerOutput(self._norm(states), before_mlp)

    def draft_step(
        self, states: torch.Tensor, place: int, seen: dict[str, KeysValues]
    ) -> torch.Tensor:
        """A drafter's one step: (1, H) at position `place` attends to all of `seen`; gives (1, H)
        behind the last norm."""
        rotations = {kind: one.at(place, 1, states) for kind, one in self._rotary.items()}
        for layer, kind in zip(self._layers, self.kinds, strict=True):
            queries, _ = layer.queries_keys_values(states, rotations[kind])
            states, _ = layer.rest(states, queries, seen[kind], None)
        return self._norm(states)

    def _sees(self, kind: str) -> int | None:
        return self.window if kind == "sliding_attention" else None

    def _mask(
        self,
        count: int,
        start: int,
        kind: str,
        blocks: torch.Tensor | None,
        aside: tuple[int, int] | None,
        like: torch.Tensor,
    ) -> torch.Tensor:
        """(count, seen): 0 where a token sees, -inf where it does not. Told by how far a key lies
        behind the query, so that one stored mask serves every length of text."""
        window = self._sees(kind)
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
                fork, turn = (wide - count + one for one in aside)
                hidden |= (queries[:, None] >= turn) & (places >= fork) & (places < turn)
                places = torch.where(places >= turn, places - (turn - fork), places)
                behind = places[-count:][:, None] - places
            if window is not None:
                hidden |= behind >= window
            mask = like.new_zeros(count, wide).masked_fill_(hidden, -torch.inf)
            if count <= FEW and aside is None:
                self._masks[count, window] = mask
            mask = mask[:, -width:]
        if blocks is not None:
            together = (blocks[:, None] == blocks) & (blocks >= 0)
            mask = mask.clone()
            mask[:, -count:].masked_fill_(together, 0.0)
        return mask


def _turned(
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
    """Cosines and sines of positions, made once. The sine's first half is negated, so that a turned
    vector is `x * cos + roll(x) * sin`."""

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
    """One layer. Plain weights that are used together are laid side by side, in place."""

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
        self._project = _side_by_side(projections)
        self._scale = torch.cat(weights).detach().float()
        self._eps = float(attention.q_norm.eps)
        self._output = attention.o_proj
        self._gate_and_up = _side_by_side([mlp.gate_proj, mlp.up_proj])
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
        dim, turned = self._head_dim, self._queries + self._keys
        heads = self._project(self._before(states)).view(len(states), -1, dim)
        heads = rms_norm(heads.float(), None, self._eps)
        cosine, sine = rotation
        scaled = (heads[:, :turned] * self._scale).to(states.dtype)
        moved = torch.addcmul(scaled * cosine, scaled.roll(dim // 2, -1), sine)
        if not self._makes_keys:
            return moved, None
        values = heads[:, turned if self._values_apart else self._queries :].to(states.dtype)
        return moved[:, : self._queries], (moved[:, self._queries :], values)

    def rest(
        self,
        states: torch.Tensor,
        queries: torch.Tensor,
        seen: KeysValues,
        mask: torch.Tensor | None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """From the queries to the end of the layer; also the states before the MLP, (T, H)."""
        heard = attention(queries, *seen, mask)
        states = states + self._after(self._output(heard))
        gate, up = self._gate_and_up(self._before_mlp(states)).chunk(2, dim=-1)
        made = self._after_mlp(self._down(self._activation(gate) * up))
        return (states + made) * self._scalar, states


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


def _side_by_side(linears: list[Any]) -> Callable[[torch.Tensor], torch.Tensor]:
    """One product for several linear layers of the same input, their outputs side by side. Plain
    weights become views of one tensor, so no second copy stays; others are asked one by one."""
    if all(type(one) is nn.Linear and one.bias is None for one in linears):
        with torch.no_grad():
            whole = torch.cat([one.weight for one in linears])
            start = 0
            for one in linears:
                one.weight.data = whole[start : start + one.out_features]
                start += one.out_features
        return lambda states: functional.linear(states, whole)
    return lambda states: torch.cat([one(states) for one in linears], dim=-1)
