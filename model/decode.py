"""The decode loop: prefill, branch, draft, verify, stream, stop.

Our own, because the stock loop returns wrong tokens when it is given a prefilled cache together
with a drafter. Greedy and lossless: the drafter proposes, the model decides, and what comes out is
what the model alone would have written, token for token (up to the last bits of floating point, in
which one token at a time and several at a time may differ where two tokens are all but equal).

It knows token ids, never text. A `Constraint` may narrow each step; drafts are narrowed alike, so
that drafting pays inside a quote, too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from model.inputs import Inputs, batch
from model.interface import FinishReason
from model.pace import Pace, loops


class Constraint(Protocol):
    """What may come next. `allowed` gives (ids, True) for a list of all tokens that may, or (ids,
    False) for a list of those that may not; None where everything may."""

    def allowed(self) -> tuple[NDArray[np.int64], bool] | None: ...

    def push(self, token: int) -> None: ...

    def fork(self) -> Constraint: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """When to stop at the latest; `loops` also stops a text that only repeats itself."""

    tokens: int
    time_s: float = 600.0
    loops: bool = True


@dataclass(slots=True, eq=False)
class Context:
    """Everything read so far. `logits` (V,) float32 decide the next token; `state` (1, 1, H) and
    `shared` (keys and values of the last layer of each type) are what the drafter reads."""

    cache: Any
    length: int
    logits: torch.Tensor
    state: torch.Tensor
    shared: dict[str, tuple[torch.Tensor, torch.Tensor]]


class Decoder:
    """The model's forward, its cache and its drafter. `suppressed` tokens are never written."""

    def __init__(
        self,
        model: Any,
        drafter: Any | None,
        new_cache: Callable[[], Any],
        stop_ids: Collection[int],
        suppressed: Collection[int],
    ) -> None:
        self.model = model
        self.drafter = drafter
        self.stop_ids = frozenset(stop_ids)
        self.pace = Pace(None if drafter is not None else 0)
        self._new_cache = new_cache
        self._device = model.device
        self._suppressed = torch.tensor(sorted(suppressed), dtype=torch.long, device=self._device)

    @torch.inference_mode()
    def read(self, inputs: Inputs, context: Context | None = None) -> Context:
        """Prefill `inputs` after `context`, or from the start; the old context is used up."""
        if context is None:
            cache, length = self._new_cache(), 0
            # Sliding layers then keep what a crop needs, until that crop.
            cache.activate_past_recording()
        else:
            cache, length = context.cache, context.length
        if inputs.kinds.any():
            tensors = {name: one.to(self._device) for name, one in batch([inputs]).items()}
            out = self.model.model(
                **tensors, past_key_values=cache, use_cache=True, return_shared_kv_states=True
            )
        else:
            out = self._forward(torch.from_numpy(inputs.ids).to(self._device)[None], cache)
        state = out.last_hidden_state[:, -1:]
        shared = dict(out.shared_kv_states) if self.drafter is not None else {}
        return Context(cache, length + len(inputs), self._logits(state)[0, 0], state, shared)

    def forget(self, context: Context, count: int) -> Context:
        """Drop the last `count` tokens read: back to the branching point. The context that comes
        back can be read on from, not decoded from."""
        context.cache.crop(-count)
        context.length -= count
        return context

    def write(
        self,
        context: Context,
        limits: Limits,
        constraint: Constraint | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Writing:
        """Start to write on from `context`; iterate over the result for token ids."""
        return Writing(self, context, limits, constraint, cancelled)

    def _forward(self, ids: torch.Tensor, cache: Any) -> Any:
        """Words alone go to the decoder directly, which can then leave the mask out."""
        text = self.model.model.language_model
        return text(
            inputs_embeds=text.embed_tokens(ids),
            past_key_values=cache,
            use_cache=True,
            return_shared_kv_states=True,
        )

    def _logits(self, states: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.model.lm_head(states)
        cap = self.model.config.get_text_config().final_logit_softcapping
        if cap is not None:
            logits = torch.tanh(logits / cap) * cap
        logits = logits.float()
        logits[..., self._suppressed] = -torch.inf
        return logits

    def advance(self, context: Context, tokens: list[int]) -> tuple[torch.Tensor, Any]:
        """Read `tokens`; gives logits (len, V) and the forward's output for `settle`."""
        ids = torch.tensor([tokens], dtype=torch.long, device=self._device)
        out = self._forward(ids, context.cache)
        return self._logits(out.last_hidden_state)[0], out

    def settle(self, context: Context, logits: torch.Tensor, out: Any, kept: int) -> None:
        """Keep the first `kept` of the tokens just read, forget the rest."""
        dropped = len(logits) - kept
        context.cache.crop(-dropped)
        context.length += kept
        context.logits = logits[kept - 1]
        context.state = out.last_hidden_state[:, kept - 1 : kept]
        if self.drafter is not None:
            context.shared = {
                kind: (
                    keys[:, :, : keys.shape[2] - dropped],
                    values[:, :, : keys.shape[2] - dropped],
                )
                for kind, (keys, values) in out.shared_kv_states.items()
            }

    def draft(
        self, context: Context, token: int, count: int, constraint: Constraint | None
    ) -> list[int]:
        """Up to `count` guesses at what follows `token`, which the model has chosen but not read.

        The drafter sees the embedding of the last token beside the state before it, stays at one
        position, and attends to the model's own keys and values.
        """
        if count == 0 or self.drafter is None:
            return []
        embed = self.model.get_input_embeddings()
        ahead = constraint.fork() if constraint is not None else None
        place = torch.tensor([[context.length]], device=self._device)
        state, guesses = context.state, list[int]()
        for _ in range(count):
            last = embed(torch.tensor([[token]], device=self._device))
            out = self.drafter(
                inputs_embeds=torch.cat([last, state], dim=-1),
                position_ids=place,
                shared_kv_states=context.shared,
                use_cache=False,
            )
            state = out.last_hidden_state
            token = pick(out.logits[0, -1].float(), ahead)
            if token in self.stop_ids:
                break
            guesses.append(token)
            if ahead is not None:
                ahead.push(token)
        return guesses


def pick(logits: torch.Tensor, constraint: Constraint | None) -> int:
    """The best token (V,) that may come next."""
    narrowed = constraint.allowed() if constraint is not None else None
    if narrowed is None:
        return int(logits.argmax())
    ids, may = torch.from_numpy(narrowed[0]).to(logits.device), narrowed[1]
    if may:
        return int(ids[logits[ids].argmax()])
    return int(logits.index_fill(0, ids, -torch.inf).argmax())


class Writing:
    """One text being written. Iterating gives token ids; `reason` says why it ended. After it
    ended, `force` may put words into the model's mouth, and iterating goes on."""

    def __init__(
        self,
        decoder: Decoder,
        context: Context,
        limits: Limits,
        constraint: Constraint | None,
        cancelled: Callable[[], bool],
    ) -> None:
        self.tokens: list[int] = []
        self.drafted = 0
        self.kept = 0
        self.reason: FinishReason | None = None
        self._decoder = decoder
        self._context = context
        self._limits = limits
        self._constraint = constraint
        self._cancelled = cancelled
        self._unread: list[int] = []  # chosen or forced, but not yet read by the model
        self._until_s = time.monotonic() + limits.time_s

    def force(self, tokens: list[int], more: int) -> None:
        """Go on as if the model had written `tokens`, for `more` tokens at the most."""
        self._limits = replace(self._limits, tokens=len(self.tokens) + len(tokens) + more)
        for token in tokens:
            self._take(token)
        self._unread += tokens
        self.reason = None

    def __iter__(self) -> Iterator[int]:
        with torch.inference_mode():
            if self._unread:
                self._round([], time.perf_counter())
        while self.reason is None:
            if self._cancelled():
                self.reason = "cancelled"
            elif time.monotonic() > self._until_s:
                self.reason = "time"
            else:
                with torch.inference_mode():
                    yielded = self._step()
                yield from yielded

    def _step(self) -> list[int]:
        """Choose one token, draft and verify some more; what was written comes back."""
        begun = time.perf_counter()
        decoder, context = self._decoder, self._context
        token = pick(context.logits, self._constraint)
        if token in decoder.stop_ids:
            self.reason = "stop"
            return []
        self._take(token)
        self._unread.append(token)
        if self.reason is not None:
            return [token]
        count = decoder.pace.choose(self._limits.tokens - len(self.tokens))
        guesses = decoder.draft(context, token, count, self._constraint)
        return [token, *self._round(guesses, begun)]

    def _round(self, guesses: list[int], begun: float) -> list[int]:
        """Read what is unread and the guesses behind it; keep the guesses the model agrees to."""
        decoder, context = self._decoder, self._context
        first = len(self._unread)
        logits, out = decoder.advance(context, [*self._unread, *guesses])
        kept: list[int] = []
        for place, guess in enumerate(guesses):
            if self.reason or pick(logits[first - 1 + place], self._constraint) != guess:
                break
            self._take(guess)
            kept.append(guess)
        decoder.settle(context, logits, out, first + len(kept))
        self._unread = []
        self.drafted += len(guesses)
        self.kept += len(kept)
        if first == 1:
            decoder.pace.learn(len(guesses), len(kept), time.perf_counter() - begun)
        return kept

    def _take(self, token: int) -> None:
        self.tokens.append(token)
        if self._constraint is not None:
            self._constraint.push(token)
        if len(self.tokens) >= self._limits.tokens:
            self.reason = "length"
        elif self._limits.loops and loops(self.tokens):
            self.reason = "repetition"
