"""Prefill, branch, draft and verify: the steps of the decode loop, which `writing.Writing` runs.

Our own, because the stock loop returns wrong tokens when it is given a prefilled cache together
with a drafter. Lossless: the drafter proposes, the model decides, and what comes out is what the
model alone would have written, token for token or chance for chance (up to the last bits of
floating point, in which one token at a time and several at a time may differ where two tokens are
all but equal).

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
from model.decoding.sampling import (
    DraftToken,
    Sampler,
)
from model.prompt import media_spans
from model.prompt.inputs import AUDIO_TOKEN, IMAGE_TOKEN, Inputs, collate

# Read at once, where memory does not ask for less; between two parts a person may cancel.
PART_TOKENS, LEAST_PART_TOKENS = 1024, 64
# Of the memory that is free, one part may take so much.
PART_SHARE = 1 / 8


def part_tokens(text_config: Any, item_bytes: int, context_tokens: int, free_bytes: int) -> int:
    """How many tokens of a prompt to read at once in so much free memory: for each its states, what
    the MLP makes of them, and its row in the masks, of `item_bytes` a number."""
    numbers = 12 * int(text_config.hidden_size) + 4 * int(text_config.intermediate_size)
    numbers += 2 * context_tokens
    most = int(free_bytes * PART_SHARE) // (numbers * item_bytes)
    return max(LEAST_PART_TOKENS, min(PART_TOKENS, most))


class Decoder:
    """The model's layers, their cache and the drafter. `suppressed` tokens are never written;
    prompts are read in parts of `part_tokens`."""

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
        self._drafts = Layers(drafter.model) if drafter is not None else None
        self._device = model.device
        text_config = model.config.get_text_config()
        self._cap = text_config.final_logit_softcapping
        self._pad_id = int(text_config.pad_token_id or 0)
        self.suppressed = sorted(suppressed)
        never = torch.zeros(text_config.vocab_size, device=self._device)
        never[self.suppressed] = -torch.inf
        self._never = never

    def prefill(self, inputs: Inputs, context: Context | None = None) -> Context:
        """Prefill `inputs` after `context`, or from the start; the old context is used up."""
        context = context or self.new_context()
        for _ in self.prefill_parts(inputs, context):
            pass
        return context

    def new_context(self) -> Context:
        """A context that has read nothing yet."""
        return Context(self.layers.new_cache(), [], [])

    def prefill_parts(self, inputs: Inputs, context: Context) -> Iterator[int]:
        """The same, part by part, with how many tokens were read; `context` can be written from
        after the last."""
        for start, stop in media_spans.part_bounds(inputs, self.part_tokens):
            with torch.inference_mode():
                passed = self._read(media_spans.inputs_part(inputs, start, stop), context)
                if stop == len(inputs):
                    context.state = passed.states[-1:]
                    context.logits = self._logits(context.state)[0]
            yield stop

    @torch.inference_mode()
    def branch(self, head: Inputs, kept: Inputs, aside: Inputs) -> tuple[Context, torch.Tensor]:
        """Two texts that begin with `head`, from one prefill: the context of `head` and `kept`, to
        be written from, and the state (H,) of the last token of `aside` behind the last layer's
        attention. Neither has seen the other. `kept` and `aside` are words alone."""
        context = self.new_context()
        if len(head) + len(kept) + len(aside) > self.part_tokens:
            self.prefill(head, context)
            head = media_spans.inputs_part(head, 0, 0)
        row = Inputs(
            np.concatenate([head.ids, kept.ids, aside.ids]),
            np.concatenate([head.kinds, kept.kinds, aside.kinds]),
            head.pictures,
            head.sounds,
        )
        turn = len(head) + len(kept)
        passed = self._read(row, context, aside=(len(head), turn))
        self.roll_back(context, len(aside))
        context.state = passed.states[turn - 1 : turn]
        context.logits = self._logits(context.state)[0]
        return context, passed.before_mlp[-1]

    def _read(
        self, part: Inputs, context: Context, aside: tuple[int, int] | None = None
    ) -> LayerOutput:
        blocks = media_spans.picture_numbers(part) if self.layers.sees_pictures_whole else None
        passed = self.layers.forward(
            self._embedded(part),
            context.cache,
            torch.from_numpy(blocks).to(self._device) if blocks is not None else None,
            aside,
        )
        before = context.length
        context.media += [
            media_spans.MediaSpan(before + one.start, before + one.stop, one.content)
            for one in media_spans.media_spans(part)
        ]
        context.ids += part.ids.tolist()
        return passed

    def _embedded(self, part: Inputs) -> torch.Tensor:
        """(T, H): words by the embedding table, patches and frames by their own projections."""
        embed = self.model.model.language_model.embed_tokens
        if not part.kinds.any():
            one: torch.Tensor = embed(torch.from_numpy(part.ids).to(self._device))
            return one
        tensors = {name: given.to(self._device) for name, given in collate([part]).items()}
        kinds = tensors["mm_token_type_ids"][0]
        ids = tensors["input_ids"][0].masked_fill(kinds != 0, self._pad_id)
        embedded: torch.Tensor = embed(ids)
        if part.pictures:
            shown = self.model.model.get_image_features(
                tensors["pixel_values"], tensors["image_position_ids"], return_dict=True
            )
            embedded[kinds == IMAGE_TOKEN] = torch.cat(shown.pooler_output).to(embedded.dtype)
        if part.sounds:
            heard = self.model.model.get_audio_features(
                tensors["input_features"], tensors["input_features_mask"], return_dict=True
            )
            frames = heard.pooler_output[tensors["input_features_mask"]]
            embedded[kinds == AUDIO_TOKEN] = frames.to(embedded.dtype)
        return embedded

    def roll_back(self, context: Context, count: int) -> Context:
        """Drop the last `count` tokens read: back to the branching point. The context that comes
        back can be read on from, not decoded from."""
        context.cache.crop(count)
        context.truncate(context.length - count)
        return context

    def fork(self, context: Context, length: int) -> Context:
        """A copy of the first `length` tokens, to be read on from apart."""
        other = Context(context.cache.fork(length), [*context.ids], [*context.media])
        other.truncate(length)
        return other

    def _logits(self, states: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.model.lm_head(states)
        if self._cap is not None:
            logits = torch.tanh(logits / self._cap) * self._cap
        return logits.float() + self._never

    def forward(self, context: Context, tokens: list[int]) -> tuple[torch.Tensor, LayerOutput]:
        """Read `tokens`; gives logits (len, V) and the states for `settle`."""
        ids = torch.tensor(tokens, dtype=torch.long, device=self._device)
        embedded = self.model.model.language_model.embed_tokens(ids)
        passed = self.layers.forward(embedded, context.cache)
        return self._logits(passed.states), passed

    def commit(
        self,
        context: Context,
        tokens: list[int],
        logits: torch.Tensor,
        passed: LayerOutput,
        kept: int,
    ) -> None:
        """Keep the first `kept` of the `tokens` just read, forget the rest."""
        context.cache.crop(len(tokens) - kept)
        context.ids += tokens[:kept]
        context.logits = logits[kept - 1]
        context.state = passed.states[kept - 1 : kept]

    def draft(
        self,
        context: Context,
        token: int,
        count: int,
        constraint: Constraint | None,
        chooser: Sampler,
    ) -> list[DraftToken]:
        """Up to `count` guesses at what follows `token`, which the model has chosen but not read.

        The drafter sees the embedding of the last token beside the state before it, stays at one
        position, and attends to the model's own keys and values.
        """
        if count == 0 or self._drafts is None or context.state is None:
            return []
        embed = self.model.model.language_model.embed_tokens
        ahead = constraint.fork() if constraint is not None else None
        seen = self._seen(context.cache)
        state, guesses = context.state, list[DraftToken]()
        for _ in range(count):
            last = embed(torch.tensor([token], device=self._device))
            drafter: Any = self.drafter
            inside = drafter.pre_projection(torch.cat([last, state], dim=-1))
            made = self._drafts.draft_step(inside, context.length, seen)
            state = drafter.post_projection(made)
            if drafter.masked_embedding is not None:
                logits = drafter.masked_embedding(made[None], drafter.lm_head.weight)[0, 0]
            else:
                logits = drafter.lm_head(made)[0]
            guess = chooser.choose(logits.float(), ahead.allowed() if ahead is not None else None)
            token = guess.token
            if token in self.stop_ids:
                break
            guesses.append(guess)
            if ahead is not None:
                ahead.push(token)
        return guesses

    def _seen(self, cache: KVCache) -> dict[str, KeysValues]:
        """The model's keys and values a drafter attends to: of the last layer of each kind, and no
        further back than its own window reaches."""
        assert self._drafts is not None  # noqa: S101 - the caller has a drafter
        most = {"sliding_attention": self._drafts.window + 1}
        return {
            kind: cache.view(self.layers.shared_at[kind], most.get(kind))
            for kind in set(self._drafts.kinds)
        }
