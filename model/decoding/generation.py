"""One text being written: choose a token, draft some, verify them, and stop when it is time.

A `Constraint` may narrow each step; drafts are narrowed alike, so that drafting pays inside a
quote, too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import torch

from model.decoding.draft_length import repetition_period
from model.decoding.sampling import Allowed, DraftToken, Sampler
from model.interface import FinishReason

if TYPE_CHECKING:
    from model.decoding.decoder import Context, Decoder


class Constraint(Protocol):
    """What may come next, see `sampling.Allowed`."""

    def allowed(self) -> Allowed: ...

    def push(self, token: int) -> None: ...

    def fork(self) -> Constraint: ...


class StopCondition(Protocol):
    """Where a text ends by what it says."""

    def push(self, token: int) -> bool:
        """`token` was written; whether the text has come to its end."""
        ...


@dataclass(frozen=True, slots=True)
class GenerationLimits:
    """When to stop at the latest; with `stop_on_repetition` also a text that repeats itself."""

    tokens: int
    time_s: float = 600.0
    stop_on_repetition: bool = True


class Generation:
    """One text being written. Iterating gives token ids; `reason` says why it ended. After it
    ended, `force` may put words into the model's mouth, and iterating goes on."""

    def __init__(
        self,
        decoder: Decoder,
        context: Context,
        limits: GenerationLimits,
        constraint: Constraint | None,
        cancelled: Callable[[], bool],
        chooser: Sampler,
        ending: StopCondition | None,
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

    def _round(self, guesses: list[DraftToken], begun: float) -> list[int]:
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
        elif self._limits.stop_on_repetition and repetition_period(self.tokens):
            self.reason = "repetition"
