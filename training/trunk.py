"""The decoder as training runs it: many examples in one row, some of them in two branches.

Small steps on a processor are dear, so rows are packed full: examples stand behind each other and
do not see one another. An example about a picture or a sound shares its prefix between two
branches, the words and the gist, exactly as the program branches off one prefill. Both are a
matter of masks and positions; the layers are transformers' own, compiled.
"""

from __future__ import annotations

from collections import UserDict
from dataclasses import dataclass
from typing import Any

import torch

from model.decoding.vectors import body_layer

Tensor = torch.Tensor


@dataclass(frozen=True, slots=True, eq=False)
class States:
    """Hidden states (batch, length, hidden): `body` after the middle layer, `early` after the
    fourth, `gist` after the last layer's attention, `last` ready for the head."""

    body: Tensor
    early: Tensor
    gist: Tensor
    last: Tensor


class Trunk:
    """Runs a model's decoder on packed rows."""

    def __init__(self, model: Any, compiled: bool = True) -> None:
        self.model = model
        self.text = model.model.language_model
        self._layer: Any = torch.compile(_layer, dynamic=False) if compiled else _layer
        self._last: Any = torch.compile(_last_layer, dynamic=False) if compiled else _last_layer

    def embed(self, ids: Tensor, patches: Tensor, places: Tensor, frames: Tensor) -> Tensor:
        """Token ids (b, n), all patches (p, 6912) with places (p, 2) and all frames (f, 640) of
        the batch, in reading order -> (b, n, hidden)."""
        config = self.model.config
        seen, heard = ids == config.image_token_id, ids == config.audio_token_id
        embeds: Tensor = self.text.embed_tokens(ids.masked_fill(seen | heard, 0))
        if len(patches):
            soft = self.model.model.embed_vision(patches[None], places[None], return_dict=True)
            embeds = _scatter(embeds, seen, soft.pooler_output[0])
        if len(frames):
            embeds = _scatter(embeds, heard, self.model.model.embed_audio(frames))
        return embeds

    def __call__(
        self,
        embeds: Tensor,
        positions: Tensor,
        masks: dict[str, Tensor],
        shared: UserDict[str, tuple[Tensor, Tensor]] | None = None,
    ) -> States:
        """`masks` are additive, (b, 1, n, n), one for each type of layer; `shared` takes up the
        keys and values that a drafter reads (not when compiled)."""
        types = self.text.config.layer_types
        turns = {
            kind: self.text.rotary_emb(embeds, positions, kind) for kind in dict.fromkeys(types)
        }
        states = embeds
        after: list[Tensor] = []
        for layer, kind in zip(self.text.layers[:-1], types[:-1], strict=True):
            states = self._layer(layer, states, *turns[kind], masks[kind], shared)
            after.append(states)
        last = self.text.layers[-1]
        gist, states = self._last(last, states, *turns[types[-1]], masks[types[-1]], shared)
        after.append(states)
        return States(after[body_layer(len(types)) - 1], after[3], gist, self.text.norm(states))

    def logits(self, states: Tensor) -> Tensor:
        """States (..., hidden) -> logits (..., vocabulary), float32."""
        cap = self.text.config.final_logit_softcapping
        logits: Tensor = self.model.lm_head(states).float()
        capped: Tensor = torch.tanh(logits / cap) * cap
        return capped


def masks(
    positions: Tensor, owners: Tensor, branches: Tensor, blocks: Tensor, window: int
) -> dict[str, Tensor]:
    """Additive masks of packed rows, all arguments (b, n): what position a token has in its own
    example, which example owns it (-1 is padding), which branch of it (0: the shared prefix), and
    which picture of the row it belongs to (-1: none), whose tokens see each other when sliding."""
    count = owners.shape[1]
    order = torch.arange(count, device=owners.device)
    mine = owners[:, :, None] == owners[:, None, :]
    reach = (branches[:, None, :] == 0) | (branches[:, :, None] == branches[:, None, :])
    causal = mine & reach & (order[:, None] >= order[None, :])
    together = (blocks[:, :, None] == blocks[:, None, :]) & (blocks[:, :, None] >= 0)
    near = (positions[:, :, None] - positions[:, None, :]) < window
    allowed = {"full_attention": causal, "sliding_attention": (causal | together) & near}
    own = torch.eye(count, dtype=torch.bool, device=owners.device)
    return {
        kind: torch.zeros(mask.shape, device=mask.device).masked_fill(~(mask | own), -1e9)[:, None]
        for kind, mask in allowed.items()
    }


def _scatter(embeds: Tensor, where: Tensor, soft: Tensor) -> Tensor:
    return embeds.masked_scatter(where[..., None].expand_as(embeds), soft.to(embeds.dtype))


def _layer(
    layer: Any, states: Tensor, cos: Tensor, sin: Tensor, mask: Tensor, shared: Any
) -> Tensor:
    output: Tensor = layer(
        states,
        shared_kv_states=UserDict() if shared is None else shared,
        position_embeddings=(cos, sin),
        attention_mask=mask.to(_kind(states)),
    )
    return output


def _last_layer(
    layer: Any, states: Tensor, cos: Tensor, sin: Tensor, mask: Tensor, shared: Any
) -> tuple[Tensor, Tensor]:
    """As the layer itself does it, but with the state between attention and feed-forward."""
    seen, _ = layer.self_attn(
        hidden_states=layer.input_layernorm(states),
        shared_kv_states=UserDict() if shared is None else shared,
        position_embeddings=(cos, sin),
        attention_mask=mask.to(_kind(states)),
    )
    gist = states + layer.post_attention_layernorm(seen)
    thought = layer.mlp(layer.pre_feedforward_layernorm(gist))
    output = gist + layer.post_feedforward_layernorm(thought)
    return gist, output * layer.layer_scalar


def _kind(states: Tensor) -> torch.dtype:
    return torch.bfloat16 if torch.is_autocast_enabled(states.device.type) else states.dtype
