"""Prefill, branch, draft and verify: the steps of the decode loop, which `Generation` runs.

Our own, because the stock loop returns wrong tokens when it is given a prefilled cache together
with a drafter. Lossless: the drafter proposes, the model decides, and the result is what the model
alone would have written, token for token or in distribution (up to the last bits of floating point,
in which one token at a time and several at a time may differ where two tokens are all but equal).

It knows token ids, never text.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
import torch

from model.decoding.constraint import Constraint
from model.decoding.context import Context
from model.decoding.draft_length import DraftLength
from model.decoding.kv_cache import KVCache
from model.decoding.layers import KeysValues, LayerOutput, Layers
from model.decoding.sampling import DraftToken, Sampler
from model.prompt.inputs import AUDIO_TOKEN, IMAGE_TOKEN, Inputs, collate
from model.prompt.media_spans import (
    MediaSpan,
    inputs_part,
    media_spans,
    part_bounds,
    picture_numbers,
)

# Prefilled at once, where memory does not ask for less; between two parts a person may cancel.
PART_TOKENS, LEAST_PART_TOKENS = 1024, 64
# Of the memory that is free, one part may take so much.
PART_SHARE = 1 / 8


def part_tokens(text_config: Any, item_bytes: int, context_tokens: int, free_bytes: int) -> int:
    """How many tokens of a prompt to prefill at once in so much free memory: each takes its states,
    the MLP's, and its row in the masks, of `item_bytes` a number."""
    numbers = 12 * int(text_config.hidden_size) + 4 * int(text_config.intermediate_size)
    numbers += 2 * context_tokens
    most = int(free_bytes * PART_SHARE) // (numbers * item_bytes)
    return max(LEAST_PART_TOKENS, min(PART_TOKENS, most))


class Decoder:
    """The model's layers, their cache and the drafter. `suppressed` tokens are never written;
    prompts are prefilled in parts of `part_tokens`."""

    def __init__(
        self,
        model: Any,
        drafter: Any | None,
        stop_ids: Collection[int],
        suppressed: Collection[int],
        part_tokens: int = PART_TOKENS,
    ) -> None:
        self.model = model
        self.drafter = drafter
        self.stop_ids = frozenset(stop_ids)
        self.draft_length = DraftLength(None if drafter is not None else 0)
        self.part_tokens = part_tokens
        self.layers = Layers(model.model.language_model)
        self._drafter_layers = Layers(drafter.model) if drafter is not None else None
        self._device = model.device
        text_config = model.config.get_text_config()
        self._softcap = text_config.final_logit_softcapping
        self._pad_id = int(text_config.pad_token_id or 0)
        self.suppressed = sorted(suppressed)
        suppression = torch.zeros(text_config.vocab_size, device=self._device)  # (V,)
        suppression[self.suppressed] = -torch.inf
        self._suppression = suppression

    def new_context(self) -> Context:
        """A context that has read nothing yet."""
        return Context(self.layers.new_cache(), [], [])

    def prefill(self, inputs: Inputs, context: Context | None = None) -> Context:
        """Read `inputs` after `context`, which is changed, or from the start."""
        context = context or self.new_context()
        for _ in self.prefill_parts(inputs, context):
            pass
        return context

    def prefill_parts(self, inputs: Inputs, context: Context) -> Iterator[int]:
        """The same part by part; gives how many tokens were read so far. After the last part
        `context` can be generated from."""
        for start, stop in part_bounds(inputs, self.part_tokens):
            with torch.inference_mode():
                output = self._read(inputs_part(inputs, start, stop), context)
                if stop == len(inputs):
                    context.state = output.states[-1:]
                    context.logits = self._logits(context.state)[0]
            yield stop

    @torch.inference_mode()
    def branch(self, head: Inputs, kept: Inputs, aside: Inputs) -> tuple[Context, torch.Tensor]:
        """Two texts that begin with `head`, from one prefill: the context of `head` and `kept`, to
        be generated from, and the state (H,) of the last token of `aside` behind the last layer's
        attention. Neither attends to the other. `kept` and `aside` hold no media."""
        context = self.new_context()
        if len(head) + len(kept) + len(aside) > self.part_tokens:
            self.prefill(head, context)
            head = inputs_part(head, 0, 0)
        row = Inputs(
            np.concatenate([head.ids, kept.ids, aside.ids]),
            np.concatenate([head.kinds, kept.kinds, aside.kinds]),
            head.pictures,
            head.sounds,
        )
        turn = len(head) + len(kept)
        output = self._read(row, context, aside=(len(head), turn))
        self.roll_back(context, len(aside))
        context.state = output.states[turn - 1 : turn]
        context.logits = self._logits(context.state)[0]
        return context, output.before_mlp[-1]

    def roll_back(self, context: Context, count: int) -> Context:
        """Drop the last `count` tokens read. The context that is returned can be prefilled further,
        not generated from."""
        context.cache.crop(count)
        context.truncate(context.length - count)
        return context

    def fork(self, context: Context, length: int) -> Context:
        """A copy of the first `length` tokens, to be prefilled further on its own."""
        copy = Context(context.cache.fork(length), [*context.ids], [*context.media])
        copy.truncate(length)
        return copy

    def forward(self, context: Context, tokens: list[int]) -> tuple[torch.Tensor, LayerOutput]:
        """Read `tokens`; gives logits (len(tokens), V) and the output for `commit`."""
        ids = torch.tensor(tokens, dtype=torch.long, device=self._device)
        embedded = self.model.model.language_model.embed_tokens(ids)
        output = self.layers.forward(embedded, context.cache)
        return self._logits(output.states), output

    def commit(
        self,
        context: Context,
        tokens: list[int],
        logits: torch.Tensor,
        output: LayerOutput,
        kept: int,
    ) -> None:
        """Keep the first `kept` of the `tokens` just read, drop the rest."""
        context.cache.crop(len(tokens) - kept)
        context.ids += tokens[:kept]
        context.logits = logits[kept - 1]
        context.state = output.states[kept - 1 : kept]

    def draft(
        self,
        context: Context,
        token: int,
        count: int,
        constraint: Constraint | None,
        sampler: Sampler,
    ) -> list[DraftToken]:
        """Up to `count` guesses at what follows `token`, which the model has chosen but not read.

        The drafter is given the embedding of the last token beside the state before it, stays at
        one position, and attends to the model's own keys and values.
        """
        if count == 0 or self._drafter_layers is None or context.state is None:
            return []
        embed = self.model.model.language_model.embed_tokens
        lookahead = constraint.fork() if constraint is not None else None
        keys_values = self._keys_values(self._drafter_layers, context.cache)
        drafter: Any = self.drafter
        state, drafts = context.state, list[DraftToken]()
        for _ in range(count):
            last = embed(torch.tensor([token], device=self._device))  # (1, H)
            projected = drafter.pre_projection(torch.cat([last, state], dim=-1))
            output = self._drafter_layers.draft_step(projected, context.length, keys_values)
            state = drafter.post_projection(output)
            if drafter.masked_embedding is not None:
                logits = drafter.masked_embedding(output[None], drafter.lm_head.weight)[0, 0]
            else:
                logits = drafter.lm_head(output)[0]
            allowed = lookahead.allowed() if lookahead is not None else None
            draft = sampler.choose(logits.float(), allowed)
            token = draft.token
            if token in self.stop_ids:
                break
            drafts.append(draft)
            if lookahead is not None:
                lookahead.push(token)
        return drafts

    def _keys_values(self, drafter: Layers, cache: KVCache) -> dict[str, KeysValues]:
        """The model's keys and values the drafter attends to: of the last layer of each kind, and
        no further back than its own window reaches."""
        most = {"sliding_attention": drafter.window + 1}
        return {
            kind: cache.view(self.layers.shared_at[kind], most.get(kind))
            for kind in set(drafter.kinds)
        }

    def _read(
        self, part: Inputs, context: Context, aside: tuple[int, int] | None = None
    ) -> LayerOutput:
        pictures = picture_numbers(part) if self.layers.sees_pictures_whole else None
        output = self.layers.forward(
            self._embedded(part),
            context.cache,
            torch.from_numpy(pictures).to(self._device) if pictures is not None else None,
            aside,
        )
        before = context.length
        context.media += [
            MediaSpan(before + span.start, before + span.stop, span.content)
            for span in media_spans(part)
        ]
        context.ids += part.ids.tolist()
        return output

    def _embedded(self, part: Inputs) -> torch.Tensor:
        """(T, H): text by the embedding table, patches and frames by their own projections."""
        embed = self.model.model.language_model.embed_tokens
        if not part.kinds.any():
            text: torch.Tensor = embed(torch.from_numpy(part.ids).to(self._device))
            return text
        tensors = {name: tensor.to(self._device) for name, tensor in collate([part]).items()}
        kinds = tensors["mm_token_type_ids"][0]  # (T,)
        ids = tensors["input_ids"][0].masked_fill(kinds != 0, self._pad_id)
        embedded: torch.Tensor = embed(ids)
        if part.pictures:
            images = self.model.model.get_image_features(
                tensors["pixel_values"], tensors["image_position_ids"], return_dict=True
            )
            embedded[kinds == IMAGE_TOKEN] = torch.cat(images.pooler_output).to(embedded.dtype)
        if part.sounds:
            audio = self.model.model.get_audio_features(
                tensors["input_features"], tensors["input_features_mask"], return_dict=True
            )
            frames = audio.pooler_output[tensors["input_features_mask"]]
            embedded[kinds == AUDIO_TOKEN] = frames.to(embedded.dtype)
        return embedded

    def _logits(self, states: torch.Tensor) -> torch.Tensor:
        """(T, H) -> (T, V) float32, -inf for suppressed tokens."""
        logits: torch.Tensor = self.model.lm_head(states)
        if self._softcap is not None:
            logits = torch.tanh(logits / self._softcap) * self._softcap
        return logits.float() + self._suppression
