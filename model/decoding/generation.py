"""One text being generated: choose a token, draft some, verify them, and stop when it is time.

A `Constraint` may narrow each step. Drafts are narrowed alike, so that drafting pays inside a
quote, too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import torch

from model.decoding.constraint import Allowed, Constraint
from model.decoding.context import Context
from model.decoding.decoder import Decoder
from model.decoding.repetition import repetition_period
from model.decoding.sampling import DraftToken, GreedySampler, Sampler
from model.interface import FinishReason


class StopCondition(Protocol):
    """Decides by the text itself where it ends."""

    def push(self, token: int) -> bool:
        """`token` was written; true where the text ends with it."""
        ...


@dataclass(frozen=True, slots=True)
class GenerationLimits:
    """When to stop at the latest; with `stop_on_repetition` also a text that repeats itself."""

    tokens: int
    time_s: float = 600.0
    stop_on_repetition: bool = True


class Generation:
    """One text being generated after `context`. Iterating gives token ids; `reason` says why it
    ended. `drafted` tokens were guessed by the drafter, and `kept` of them accepted. After the end,
    `force` may append tokens, and iterating goes on. The default sampler is greedy. Without
    `drafting` a seeded sampler draws the same text again: how many tokens are drafted depends on
    the clock, and each one takes a draw."""

    def __init__(
        self,
        decoder: Decoder,
        context: Context,
        limits: GenerationLimits,
        constraint: Constraint | None = None,
        cancelled: Callable[[], bool] = lambda: False,
        sampler: Sampler | None = None,
        stop_condition: StopCondition | None = None,
        drafting: bool = True,
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
        self._sampler = sampler or GreedySampler()
        self._stop_condition = stop_condition
        self._drafting = drafting
        self._unread: list[int] = []  # chosen or forced, but not yet in the cache
        self._next: int | None = None  # what the model chose in place of a rejected draft token
        self._until_s = time.monotonic() + limits.time_s

    def force(self, tokens: list[int], more: int) -> None:
        """Go on as if the model had written `tokens`, for `more` tokens at the most."""
        self._limits = replace(self._limits, tokens=len(self.tokens) + len(tokens) + more)
        if tokens:
            self._next = None
        for token in tokens:
            self._append(token)
        self._unread += tokens
        self.reason = None

    def __iter__(self) -> Iterator[int]:
        with torch.inference_mode():
            if self._unread:
                self._verify([], time.perf_counter())
        while self.reason is None:
            if self._cancelled():
                self.reason = "cancelled"
            elif time.monotonic() > self._until_s:
                self.reason = "time"
            else:
                with torch.inference_mode():
                    tokens = self._step()
                yield from tokens

    def _step(self) -> list[int]:
        """Choose one token, draft and verify some more; returns what was written."""
        began = time.perf_counter()
        decoder, context = self._decoder, self._context
        token, self._next = self._next, None
        if token is None:
            assert context.logits is not None  # noqa: S101 - the context was prefilled to its end
            token = self._sampler.choose(context.logits, self._allowed()).token
        if token in decoder.stop_ids:
            self._next = token
            self.reason = "stop"
            return []
        self._append(token)
        self._unread.append(token)
        if self.reason is not None:
            return [token]
        left = self._limits.tokens - len(self.tokens)
        count = decoder.draft_length.choose(left) if self._drafting else 0
        drafts = decoder.draft(context, token, count, self._constraint, self._sampler)
        return [token, *self._verify(drafts, began)]

    def _verify(self, drafts: list[DraftToken], began: float) -> list[int]:
        """Read the unread tokens and the drafts behind them in one forward pass; returns the drafts
        that the model accepts."""
        decoder, context = self._decoder, self._context
        first = len(self._unread)
        tokens = [*self._unread, *(draft.token for draft in drafts)]
        logits, output = decoder.forward(context, tokens)  # logits (len(tokens), V)
        kept: list[int] = []
        for row, draft in enumerate(drafts, start=first - 1):
            if self.reason:
                break
            chosen = self._sampler.verify(draft, logits[row], self._allowed())
            if chosen != draft.token:
                self._next = chosen
                break
            self._append(chosen)
            kept.append(chosen)
        decoder.commit(context, tokens, logits, output, first + len(kept))
        self._unread = []
        self.drafted += len(drafts)
        self.kept += len(kept)
        if first == 1:
            decoder.draft_length.learn(len(drafts), len(kept), time.perf_counter() - began)
        return kept

    def _allowed(self) -> Allowed:
        return self._constraint.allowed() if self._constraint is not None else None

    def _append(self, token: int) -> None:
        self.tokens.append(token)
        if self._constraint is not None:
            self._constraint.push(token)
        if self._stop_condition is not None and self._stop_condition.push(token):
            self.reason = "stop"
        elif len(self.tokens) >= self._limits.tokens:
            self.reason = "length"
        elif self._limits.stop_on_repetition and repetition_period(self.tokens):
            self.reason = "repetition"
