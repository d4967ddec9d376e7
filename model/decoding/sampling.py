"""Which token comes next: the most likely one, or one drawn at random.

Both samplers keep what the model alone would do when a drafter guesses ahead. Greedy sampling
compares the most likely token with the draft. Random sampling is speculative sampling (arXiv
2211.17192): a token drafted from the drafter's distribution q is accepted with probability
min(1, p / q), where p is the model's; else another one is drawn from what p has over q. Whatever
the drafter is like, the result is distributed as p.
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
        """What a checkpoint's generation_config.json sets, the defaults for the rest."""
        defaults = cls()
        temperature, top_k, top_p = settings.temperature, settings.top_k, settings.top_p
        return cls(
            temperature=defaults.temperature if temperature is None else float(temperature),
            top_k=defaults.top_k if top_k is None else int(top_k),
            top_p=defaults.top_p if top_p is None else float(top_p),
            seed=seed,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Distribution:
    """The tokens that may come, `ids` (n,) ascending, each with its probability in
    `probabilities` (n,)."""

    ids: Int64
    probabilities: Float64

    def probabilities_of(self, ids: Int64) -> Float64:
        """The probabilities of `ids` (m,), 0 for tokens that are not among them."""
        at = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)
        return np.where(self.ids[at] == ids, self.probabilities[at], 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class DraftToken:
    """A drafted token, and the distribution it was drawn from; None where it was the most likely
    one."""

    token: int
    distribution: Distribution | None = None


class Sampler(Protocol):
    """Chooses tokens by logits (V,)."""

    def choose(self, logits: torch.Tensor, allowed: Allowed) -> DraftToken: ...

    def verify(self, draft: DraftToken, logits: torch.Tensor, allowed: Allowed) -> int:
        """The token that comes: the drafted one where it is accepted, or another in its place."""
        ...


class GreedySampler:
    """The most likely token."""

    def choose(self, logits: torch.Tensor, allowed: Allowed) -> DraftToken:
        return DraftToken(self._most_likely(logits, allowed))

    def verify(self, draft: DraftToken, logits: torch.Tensor, allowed: Allowed) -> int:
        return self._most_likely(logits, allowed)

    def _most_likely(self, logits: torch.Tensor, allowed: Allowed) -> int:
        if allowed is None:
            return int(logits.argmax())
        ids, listed_may_come = torch.from_numpy(allowed[0]).to(logits.device), allowed[1]
        if listed_may_come:
            return int(ids[logits[ids].argmax()])
        return int(logits.index_fill(0, ids, -torch.inf).argmax())


class RandomSampler:
    """Draws as its parameters say. One for each text: it holds the random number generator."""

    def __init__(self, parameters: SamplingParameters) -> None:
        self._parameters = parameters
        self._random = np.random.default_rng(parameters.seed)

    def choose(self, logits: torch.Tensor, allowed: Allowed) -> DraftToken:
        distribution = self.distribution(logits, allowed)
        token = self._draw(distribution.ids, distribution.probabilities)
        return DraftToken(token, distribution)

    def verify(self, draft: DraftToken, logits: torch.Tensor, allowed: Allowed) -> int:
        ours = self.distribution(logits, allowed)
        token = np.array([draft.token])
        drafters = draft.distribution or Distribution(token, np.ones(1))
        ratio = float(ours.probabilities_of(token)[0] / drafters.probabilities_of(token)[0])
        if self._random.random() < ratio:
            return draft.token
        left = self.residual(ours, drafters)
        return self._draw(ours.ids, left if left.any() else ours.probabilities)

    def residual(self, ours: Distribution, drafters: Distribution) -> Float64:
        """What our probabilities have over the drafter's, (n,) for `ours.ids`; not summing to 1."""
        return np.maximum(ours.probabilities - drafters.probabilities_of(ours.ids), 0.0)

    def distribution(self, logits: torch.Tensor, allowed: Allowed) -> Distribution:
        """First the constraint, then temperature, then the `top_k` most likely, then the most
        likely that together reach `top_p`: the order of transformers."""
        ids = None
        if allowed is not None:
            listed, listed_may_come = torch.from_numpy(allowed[0]).to(logits.device), allowed[1]
            if listed_may_come:
                ids, logits = listed, logits[listed]
            else:
                logits = logits.index_fill(0, listed, -torch.inf)
        count = len(logits)
        if self._parameters.top_k:
            count = min(count, self._parameters.top_k)
        top, positions = logits.topk(count)  # (count,) each
        tokens = (positions if ids is None else ids[positions]).cpu().numpy()
        scores = top.double().cpu().numpy() / self._parameters.temperature
        weights = np.exp(scores - scores[0])
        weights /= weights.sum()
        # The token that crosses top_p stays.
        kept = 1 + int(np.searchsorted(np.cumsum(weights)[:-1], self._parameters.top_p))
        tokens, weights = tokens[:kept], weights[:kept] / weights[:kept].sum()
        order = np.argsort(tokens)
        return Distribution(tokens[order], weights[order])

    def _draw(self, ids: Int64, weights: Float64) -> int:
        total = np.cumsum(weights)
        at = int(np.searchsorted(total, self._random.random() * total[-1], side="right"))
        return int(ids[min(at, len(ids) - 1)])
