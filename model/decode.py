"""The decode loop: prefill, branch, draft, verify, stream, stop.

Our own, because the stock loop returns wrong tokens when it is given a prefilled cache together
with a drafter. Lossless: the drafter proposes, the model decides, and what comes out is what the
model alone would have written, token for token or chance for chance (up to the last bits of
floating point, in which one token at a time and several at a time may differ where two tokens are
all but equal).

It knows token ids, never text. A `Constraint` may narrow each step; drafts are narrowed alike, so
that drafting pays inside a quote, too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch

from model import spans
from model.cache import Cache
from model.inputs import AUDIO_TOKEN, IMAGE_TOKEN, Inputs, batch
from model.interface import FinishReason
from model.layers import KeysValues, Layers, Passed
from model.pace import Pace, loops
from model.sampling import Allowed, Best, Chooser, Drawn, Guess, Sampling

# Read at once, where memory does not ask for less; between two parts a person may cancel.
PART_TOKENS = 1024


class Constraint(Protocol):
    """What may come next, see `sampling.Allowed`."""

    def allowed(self) -> Allowed: ...

    def push(self, token: int) -> None: ...

    def fork(self) -> Constraint: ...


class Ending(Protocol):
    """Where a text ends by what it says."""

    def push(self, token: int) -> bool:
        """`token` was written; whether the text has come to its end."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """When to stop at the latest; `loops` also stops a text that only repeats itself."""

    tokens: int
    time_s: float = 600.0
    loops: bool = True


@dataclass(slots=True, eq=False)
class Context:
    """Everything read so far: `ids`, and the `media` among them. `logits` (V,) float32 decide the
    next token; `state` (1, H) is what the drafter reads; `before_mlp` (H,) is the last token's
    state behind the last layer's attention. The last three are None after `forget`."""

    cache: Cache
    ids: list[int]
    media: list[spans.Span]
    logits: torch.Tensor | None = None
    state: torch.Tensor | None = None
    before_mlp: torch.Tensor | None = None

    @property
    def length(self) -> int:
        return len(self.ids)


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
        self.pace = Pace(None if drafter is not None else 0)
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

    def read(self, inputs: Inputs, context: Context | None = None) -> Context:
        """Prefill `inputs` after `context`, or from the start; the old context is used up."""
        context = context or Context(self.layers.new_cache(), [], [])
        for _ in self.reading(inputs, context):
            pass
        return context

    def reading(self, inputs: Inputs, context: Context | None) -> Iterator[Context]:
        """The same, part by part; the context is whole after the last."""
        context = context or Context(self.layers.new_cache(), [], [])
        for start, stop in spans.cuts(inputs, self.part_tokens):
            with torch.inference_mode():
                self._read(spans.part(inputs, start, stop), context, last=stop == len(inputs))
            yield context

    def _read(self, part: Inputs, context: Context, last: bool) -> None:
        blocks = spans.blocks(part) if self.layers.sees_pictures_whole else None
        passed = self.layers.read(
            self._embedded(part),
            context.cache,
            torch.from_numpy(blocks).to(self._device) if blocks is not None else None,
        )
        before = context.length
        context.media += [
            spans.Span(before + one.start, before + one.stop, one.content)
            for one in spans.spans(part)
        ]
        context.ids += part.ids.tolist()
        if last:
            context.state = passed.states[-1:]
            context.before_mlp = passed.before_mlp[-1]
            context.logits = self._logits(context.state)[0]

    def _embedded(self, part: Inputs) -> torch.Tensor:
        """(T, H): words by the embedding table, patches and frames by their own projections."""
        embed = self.model.model.language_model.embed_tokens
        if not part.kinds.any():
            one: torch.Tensor = embed(torch.from_numpy(part.ids).to(self._device))
            return one
        tensors = {name: given.to(self._device) for name, given in batch([part]).items()}
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

    def forget(self, context: Context, count: int) -> Context:
        """Drop the last `count` tokens read: back to the branching point. The context that comes
        back can be read on from, not decoded from."""
        context.cache.crop(count)
        _shorten(context, context.length - count)
        return context

    def fork(self, context: Context, length: int) -> Context:
        """A copy of the first `length` tokens, to be read on from apart."""
        other = Context(context.cache.fork(length), [*context.ids], [*context.media])
        _shorten(other, length)
        return other

    def write(
        self,
        context: Context,
        limits: Limits,
        constraint: Constraint | None = None,
        cancelled: Callable[[], bool] = lambda: False,
        sampling: Sampling | None = None,
        ending: Ending | None = None,
    ) -> Writing:
        """Start to write on from `context`; iterate over the result for token ids. The best token
        is taken each time, or with `sampling` one drawn by chance."""
        chooser = Best() if sampling is None else Drawn(sampling)
        return Writing(self, context, limits, constraint, cancelled, chooser, ending)

    def _logits(self, states: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.model.lm_head(states)
        if self._cap is not None:
            logits = torch.tanh(logits / self._cap) * self._cap
        return logits.float() + self._never

    def advance(self, context: Context, tokens: list[int]) -> tuple[torch.Tensor, Passed]:
        """Read `tokens`; gives logits (len, V) and the states for `settle`."""
        ids = torch.tensor(tokens, dtype=torch.long, device=self._device)
        embedded = self.model.model.language_model.embed_tokens(ids)
        passed = self.layers.read(embedded, context.cache, None)
        return self._logits(passed.states), passed

    def settle(
        self, context: Context, tokens: list[int], logits: torch.Tensor, passed: Passed, kept: int
    ) -> None:
        """Keep the first `kept` of the `tokens` just read, forget the rest."""
        context.cache.crop(len(tokens) - kept)
        context.ids += tokens[:kept]
        context.logits = logits[kept - 1]
        context.state = passed.states[kept - 1 : kept]
        context.before_mlp = None

    def draft(
        self,
        context: Context,
        token: int,
        count: int,
        constraint: Constraint | None,
        chooser: Chooser,
    ) -> list[Guess]:
        """Up to `count` guesses at what follows `token`, which the model has chosen but not read.

        The drafter sees the embedding of the last token beside the state before it, stays at one
        position, and attends to the model's own keys and values.
        """
        if count == 0 or self._drafts is None or context.state is None:
            return []
        embed = self.model.model.language_model.embed_tokens
        ahead = constraint.fork() if constraint is not None else None
        seen = self._seen(context.cache)
        state, guesses = context.state, list[Guess]()
        for _ in range(count):
            last = embed(torch.tensor([token], device=self._device))
            drafter: Any = self.drafter
            inside = drafter.pre_projection(torch.cat([last, state], dim=-1))
            made = self._drafts.look(inside, context.length, seen)
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

    def _seen(self, cache: Cache) -> dict[str, KeysValues]:
        """The model's keys and values a drafter attends to: of the last layer of each kind, and no
        further back than its own window reaches."""
        assert self._drafts is not None  # noqa: S101 - the caller has a drafter
        most = {"sliding_attention": self._drafts.window + 1}
        return {
            kind: cache.view(self.layers.shared_at[kind], most.get(kind))
            for kind in set(self._drafts.kinds)
        }


def _shorten(context: Context, length: int) -> None:
    del context.ids[length:]
    context.media = [one for one in context.media if one.stop <= length]
    context.logits = context.state = context.before_mlp = None


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
        chooser: Chooser,
        ending: Ending | None,
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
        self._chooser = chooser
        self._ending = ending
        self._unread: list[int] = []  # chosen or forced, but not yet read by the model
        self._next: int | None = None  # what the model put in the place of a refused guess
        self._until_s = time.monotonic() + limits.time_s

    def force(self, tokens: list[int], more: int) -> None:
        """Go on as if the model had written `tokens`, for `more` tokens at the most."""
        self._limits = replace(self._limits, tokens=len(self.tokens) + len(tokens) + more)
        if tokens:
            self._next = None
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
        token, self._next = self._next, None
        if token is None:
            assert context.logits is not None  # noqa: S101 - a context to write from is read
            token = self._chooser.choose(context.logits, self._allowed()).token
        if token in decoder.stop_ids:
            self._next = token
            self.reason = "stop"
            return []
        self._take(token)
        self._unread.append(token)
        if self.reason is not None:
            return [token]
        count = decoder.pace.choose(self._limits.tokens - len(self.tokens))
        guesses = decoder.draft(context, token, count, self._constraint, self._chooser)
        return [token, *self._round(guesses, begun)]

    def _round(self, guesses: list[Guess], begun: float) -> list[int]:
        """Read what is unread and the guesses behind it; keep the guesses the model agrees to."""
        decoder, context = self._decoder, self._context
        first = len(self._unread)
        tokens = [*self._unread, *(guess.token for guess in guesses)]
        logits, passed = decoder.advance(context, tokens)
        kept: list[int] = []
        for place, guess in enumerate(guesses, start=first - 1):
            if self.reason:
                break
            chosen = self._chooser.verify(guess, logits[place], self._allowed())
            if chosen != guess.token:
                self._next = chosen
                break
            self._take(chosen)
            kept.append(chosen)
        decoder.settle(context, tokens, logits, passed, first + len(kept))
        self._unread = []
        self.drafted += len(guesses)
        self.kept += len(kept)
        if first == 1:
            decoder.pace.learn(len(guesses), len(kept), time.perf_counter() - begun)
        return kept

    def _allowed(self) -> Allowed:
        return self._constraint.allowed() if self._constraint is not None else None

    def _take(self, token: int) -> None:
        self.tokens.append(token)
        if self._constraint is not None:
            self._constraint.push(token)
        if self._ending is not None and self._ending.push(token):
            self.reason = "stop"
        elif len(self.tokens) >= self._limits.tokens:
            self.reason = "length"
        elif self._limits.loops and loops(self.tokens):
            self.reason = "repetition"
