"""Which token is next: the best one, or one drawn by chance.

Both ways keep what the model alone would do when a drafter guesses ahead. The best token is simply
compared with the guess. A drawn one follows speculative sampling (arXiv 2211.17192): a guess drawn
from the drafter's chances q is kept with chance min(1, p / q), where p are the model's; else
another token is drawn from what p has over q. Whatever the drafter is like, what comes out is drawn
from p.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from model.decoding.constraint import Allowed

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SamplingParameters:
    """How to draw: `top_k` 0 and `top_p` 1.0 leave all tokens in; `seed` makes a text repeatable.
    The defaults are the published model's."""

    temperature: float = 1.0
    top_k: int = 64
    top_p: float = 0.95
    seed: int | None = None

    def __post_init__(self) -> None:
        if not self.temperature > 0:
            raise ValueError("a temperature is above 0; leave sampling out for the best token")
        if self.top_k < 0 or not 0 < self.top_p <= 1:
            raise ValueError("top_k is 0 or more, and top_p above 0 and at most 1")

    @classmethod
    def of(cls, settings: Any, seed: int | None = None) -> SamplingParameters:
        """What a checkpoint's generation_config.json asks for, where it asks."""
        usual = cls()
        told = (settings.temperature, settings.top_k, settings.top_p)
        return cls(
            temperature=usual.temperature if told[0] is None else float(told[0]),
            top_k=usual.top_k if told[1] is None else int(told[1]),
            top_p=usual.top_p if told[2] is None else float(told[2]),
            seed=seed,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Distribution:
    """The tokens that may come, `ids` (n,) ascending, each with its chance in `of` (n,)."""

    ids: Int64
    of: Float64

    def get(self, ids: Int64) -> Float64:
        """The chances of `ids`, 0 for tokens that are not among them."""
        at = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)
        return np.where(self.ids[at] == ids, self.of[at], 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class DraftToken:
    """A drafted token, and the chances it was drawn from; None where it was the best one."""

    token: int
    chances: Distribution | None = None


class Sampler(Protocol):
    """Decides on tokens by logits (V,)."""

    def choose(self, logits: torch.Tensor, allowed: Allowed) -> DraftToken: ...

    def verify(self, guess: DraftToken, logits: torch.Tensor, allowed: Allowed) -> int:
        """The token that comes: the guess, where it may stand, or another in its place."""
        ...


class GreedySampler:
    """Greedy: the most likely token."""

    def choose(self, logits: torch.Tensor, allowed: Allowed) -> DraftToken:
        return DraftToken(self._best(logits, allowed))

    def verify(self, guess: DraftToken, logits: torch.Tensor, allowed: Allowed) -> int:
        return self._best(logits, allowed)

    def _best(self, logits: torch.Tensor, allowed: Allowed) -> int:
        if allowed is None:
            return int(logits.argmax())
        ids, may = torch.from_numpy(allowed[0]).to(logits.device), allowed[1]
        if may:
            return int(ids[logits[ids].argmax()])
        return int(logits.index_fill(0, ids, -torch.inf).argmax())


class RandomSampler:
    """By chance, as `Sampling` says. One for each text: it holds the random numbers."""

    def __init__(self, sampling: SamplingParameters) -> None:
        self._sampling = sampling
        self._random = np.random.default_rng(sampling.seed)

    def choose(self, logits: torch.Tensor, allowed: Allowed) -> DraftToken:
        chances = self.chances(logits, allowed)
        return DraftToken(self._draw(chances.ids, chances.of), chances)

    def verify(self, guess: DraftToken, logits: torch.Tensor, allowed: Allowed) -> int:
        ours = self.chances(logits, allowed)
        token = np.array([guess.token])
        drafters = guess.chances or Distribution(token, np.ones(1))
        ratio = float(ours.get(token)[0] / drafters.get(token)[0])
        if self._random.random() < ratio:
            return guess.token
        left = self.residual(ours, drafters)
        return self._draw(ours.ids, left if left.any() else ours.of)

    def residual(self, ours: Distribution, drafters: Distribution) -> Float64:
        """What our chances have over the drafter's, (n,) for `ours.ids`; not summing to 1."""
        return np.maximum(ours.of - drafters.get(ours.ids), 0.0)

    def chances(self, logits: torch.Tensor, allowed: Allowed) -> Distribution:
        """First the constraint, then temperature, then the `top_k` best, then the best that
        together reach `top_p`: the order in which transformers does it."""
        ids = None
        if allowed is not None:
            listed, may = torch.from_numpy(allowed[0]).to(logits.device), allowed[1]
            if may:
                ids, logits = listed, logits[listed]
            else:
                logits = logits.index_fill(0, listed, -torch.inf)
        count = len(logits)
        if self._sampling.top_k:
            count = min(count, self._sampling.top_k)
        best, places = logits.topk(count)
        tokens = (places if ids is None else ids[places]).cpu().numpy()
        scores = best.double().cpu().numpy() / self._sampling.temperature
        weights = np.exp(scores - scores[0])
        weights /= weights.sum()
        # The token that crosses top_p stays.
        kept = 1 + int(np.searchsorted(np.cumsum(weights)[:-1], self._sampling.top_p))
        tokens, weights = tokens[:kept], weights[:kept] / weights[:kept].sum()
        order = np.argsort(tokens)
        return Distribution(tokens[order], weights[order])

    def _draw(self, ids: Int64, weights: Float64) -> int:
        total = np.cumsum(weights)
        at = int(np.searchsorted(total, self._random.random() * total[-1], side="right"))
        return int(ids[min(at, len(ids) - 1)])
