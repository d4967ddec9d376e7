"""Drawing by chance: the model's own distribution, with and without a drafter, whatever it drafts.

The test of chance is chi-square on fixed seeds; drafts that are kept too often, or replaced
from the wrong distribution, fail it, which is tested too.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

from model.decoding.constraint import Allowed, Constraint
from model.decoding.draft_length import DraftLength
from model.decoding.generation import Generation, GenerationLimits
from model.decoding.sampling import (
    Distribution,
    DraftToken,
    GreedySampler,
    RandomSampler,
    Sampler,
    SamplingParameters,
)
from model.gemma import Gemma
from model.interface import Text
from model.prompt import prompts
from model.weights.installed import find_checkpoint
from model.weights.placement import Placement
from tests import tiny

if TYPE_CHECKING:
    import torch

VOCABULARY, DRAWS = 6, 3_000
ALL = SamplingParameters(top_k=0, top_p=1.0, seed=11)


class Table:
    """Stands where the decoder stands: the next token's logits depend on the last one alone, and
    the drafter has a table of its own. Logits (V, V)."""

    def __init__(self, drafts: int) -> None:
        import torch

        rng = np.random.default_rng(3)
        self.ours = torch.from_numpy(rng.normal(0, 1.2, (VOCABULARY, VOCABULARY))).float()
        self.theirs = torch.from_numpy(rng.normal(0, 1.2, (VOCABULARY, VOCABULARY))).float()
        self.draft_length = DraftLength(drafts)
        self.stop_ids = frozenset[int]()

    def draft(
        self, context: Any, token: int, count: int, constraint: Constraint | None, sampler: Sampler
    ) -> list[DraftToken]:
        drafted = []
        ahead = constraint.fork() if constraint is not None else None
        for _ in range(count):
            allowed = ahead.allowed() if ahead is not None else None
            drafted.append(sampler.choose(self.theirs[token], allowed))
            token = drafted[-1].token
            if ahead is not None:
                ahead.push(token)
        return drafted

    def forward(self, context: Any, tokens: list[int]) -> tuple[torch.Tensor, None]:
        return self.ours[tokens], None

    def commit(
        self, context: Any, tokens: list[int], logits: torch.Tensor, passed: Any, kept: int
    ) -> None:
        context.logits = logits[kept - 1]


class NotTwice:
    """No token may follow itself, and nothing but 0, 2 and 4 an odd one."""

    def __init__(self, last: int = -1) -> None:
        self.last = last

    def allowed(self) -> Allowed:
        if self.last % 2 == 1:
            return np.array([0, 2, 4]), True
        return (np.array([self.last]), False) if self.last >= 0 else None

    def push(self, token: int) -> None:
        self.last = token

    def fork(self) -> NotTwice:
        return NotTwice(self.last)


def written(
    drafts: int, sampler: Sampler, constraint: Constraint | None = None, draws: int = DRAWS
) -> Generation:
    table = Table(drafts)
    context: Any = SimpleNamespace(logits=table.ours[0])
    limits = GenerationLimits(tokens=draws, stop_on_repetition=False)
    decoder: Any = table
    writing = Generation(decoder, context, limits, constraint, lambda: False, sampler, None)
    assert len(list(writing)) == draws
    return writing


def chi_square(tokens: list[int], constrained: bool = False) -> tuple[float, int]:
    """How far the tokens that followed each token are from its chances, and the degrees of freedom;
    the chances are worked out here, not asked of what is tested."""
    table = Table(0).ours.double().softmax(dim=-1).numpy()
    statistic, degrees = 0.0, 0
    pairs = Counter(pairwise(tokens))
    for last in range(VOCABULARY):
        chances = table[last].copy()
        if constrained:
            may = [0, 2, 4] if last % 2 else [token for token in range(VOCABULARY) if token != last]
            chances = np.array(
                [chances[token] if token in may else 0 for token in range(VOCABULARY)]
            )
            chances /= chances.sum()
        seen = np.array([pairs[last, token] for token in range(VOCABULARY)])
        possible = chances > 0
        assert not seen[~possible].any()
        expected = chances[possible] * seen.sum()
        statistic += float(((seen[possible] - expected) ** 2 / expected).sum())
        degrees += int(possible.sum()) - 1
    return statistic, degrees


def bound(degrees: int) -> float:
    """Exceeded once in ten thousand (Wilson and Hilferty's approximation)."""
    part = 2 / (9 * degrees)
    return float(degrees * (1 - part + 3.719 * part**0.5) ** 3)


@pytest.mark.parametrize("constrained", [False, True])
@pytest.mark.parametrize("drafts", [0, 1, 4])
def test_the_distribution_is_the_models(drafts: int, constrained: bool) -> None:
    writing = written(drafts, RandomSampler(ALL), NotTwice() if constrained else None)
    statistic, degrees = chi_square(writing.tokens, constrained)
    assert statistic < bound(degrees)
    if drafts:
        assert 0.05 < writing.kept / writing.drafted < 0.9


class NoResidual(RandomSampler):
    """Replaces a refused draft by a plain draw."""

    def residual(self, ours: Distribution, drafters: Distribution) -> NDArray[np.float64]:
        return ours.probabilities


class AcceptsAll(RandomSampler):
    """Keeps whatever could have come."""

    def verify(self, draft: DraftToken, logits: torch.Tensor, allowed: Allowed) -> int:
        return draft.token


@pytest.mark.parametrize("broken", [NoResidual, AcceptsAll])
def test_a_broken_step_is_noticed(broken: type[RandomSampler]) -> None:
    statistic, degrees = chi_square(written(2, broken(ALL)).tokens)
    assert statistic > bound(degrees)


def test_a_drafter_without_chances_keeps_the_distribution_too() -> None:
    """A draft that was the drafter's best token counts as drawn with chance 1."""

    class GreedyDrafter(RandomSampler):
        def verify(self, draft: DraftToken, logits: torch.Tensor, allowed: Allowed) -> int:
            return super().verify(DraftToken(draft.token), logits, allowed)

        def choose(self, logits: torch.Tensor, allowed: Allowed) -> DraftToken:
            draft = super().choose(logits, allowed)
            if logits.data_ptr() in theirs:
                return GreedySampler().choose(logits, allowed)
            return draft

    table = Table(2)
    theirs = {row.data_ptr() for row in table.theirs}
    context: Any = SimpleNamespace(logits=table.ours[0])
    decoder: Any = table
    limits = GenerationLimits(tokens=DRAWS, stop_on_repetition=False)
    writing = Generation(decoder, context, limits, None, lambda: False, GreedyDrafter(ALL), None)
    statistic, degrees = chi_square(list(writing))
    assert statistic < bound(degrees)
    assert 0 < writing.kept < writing.drafted


@pytest.mark.parametrize(
    "sampling",
    [
        SamplingParameters(),
        SamplingParameters(0.3, 5, 0.5),
        SamplingParameters(2.0, 0, 0.9),
        SamplingParameters(0.7, 3, 1.0),
        ALL,
    ],
)
def test_chances_are_those_of_transformers(sampling: SamplingParameters) -> None:
    import torch
    from transformers.generation import logits_process as stock_steps

    rng = np.random.default_rng(1)
    for _ in range(20):
        logits = torch.from_numpy(rng.normal(0, 3, 300)).float()
        logits[rng.integers(0, 300, 20)] = -torch.inf
        scores = stock_steps.TemperatureLogitsWarper(sampling.temperature)(
            torch.empty(1, 0), logits[None]
        )
        if sampling.top_k:
            scores = stock_steps.TopKLogitsWarper(sampling.top_k)(torch.empty(1, 0), scores)
        if sampling.top_p < 1:
            scores = stock_steps.TopPLogitsWarper(sampling.top_p)(torch.empty(1, 0), scores)
        stock = scores.softmax(dim=-1)[0].numpy()
        ours = RandomSampler(sampling).distribution(logits, None)
        np.testing.assert_allclose(ours.probabilities_of(np.arange(300)), stock, atol=1e-6)


def test_a_seed_repeats_a_text_and_none_does_not() -> None:
    def text(sampling: SamplingParameters) -> list[int]:
        return written(2, RandomSampler(sampling), draws=100).tokens

    assert text(ALL) == text(ALL)
    free = SamplingParameters(top_k=0, top_p=1.0)
    assert text(free) != text(free)


@pytest.mark.parametrize(
    ("temperature", "top_k", "top_p"),
    [(0.0, 1, 1.0), (-1.0, 1, 1.0), (1.0, -1, 1.0), (1.0, 1, 0.0)],
)
def test_settings_that_mean_nothing_are_refused(
    temperature: float, top_k: int, top_p: float
) -> None:
    with pytest.raises(ValueError, match=r"temperature|top_k"):
        SamplingParameters(temperature, top_k, top_p)


@pytest.fixture(scope="module")
def gemma(tmp_path_factory: pytest.TempPathFactory) -> Gemma:
    folder = tiny.write(tmp_path_factory.mktemp("tiny"))
    return Gemma(find_checkpoint(folder), Placement("cpu", "float32", "a test"))


class Four:
    """Only four tokens of the whole vocabulary."""

    ids = np.array([40, 90, 150, 260])

    def allowed(self) -> Allowed:
        return self.ids, True

    def push(self, token: int) -> None:
        pass

    def fork(self) -> Four:
        return self


@pytest.mark.slow
@pytest.mark.parametrize("drafts", [0, 2])
def test_the_real_loop_draws_what_the_layers_say(gemma: Gemma, drafts: int) -> None:
    """Two tokens drawn many times over from one read prompt, on the real architecture."""
    own = gemma._decoder
    own.draft_length = DraftLength(drafts)
    row = gemma._render(prompts.gist_prompt(Text("the red bicycle")))
    prefilled = own.prefill(row)
    drawn = RandomSampler(SamplingParameters(temperature=8.0, top_k=0, top_p=1.0))
    expected: dict[tuple[int, int], float] = {}
    assert prefilled.logits is not None
    first = drawn.distribution(prefilled.logits, Four().allowed())
    for token, chance in zip(first.ids.tolist(), first.probabilities.tolist(), strict=True):
        logits, _ = own.forward(own.fork(prefilled, len(row)), [token])
        second = drawn.distribution(logits[0], Four().allowed())
        for next_token, next_chance in zip(
            second.ids.tolist(), second.probabilities.tolist(), strict=True
        ):
            expected[token, next_token] = chance * next_chance
    times = 1_500
    seen: Counter[tuple[int, ...]] = Counter()
    kept = 0
    for seed in range(times):
        context = own.fork(prefilled, len(row))
        context.logits, context.state = prefilled.logits, prefilled.state
        sampling = SamplingParameters(temperature=8.0, top_k=0, top_p=1.0, seed=seed)
        writing = Generation(
            own, context, GenerationLimits(tokens=2), Four(), sampler=RandomSampler(sampling)
        )
        seen[tuple(writing)] += 1
        kept += writing.kept
    statistic = sum((seen[pair] - times * of) ** 2 / (times * of) for pair, of in expected.items())
    assert statistic < bound(len(expected) - 1)
    assert (kept > 0) == (drafts > 0)
    own.draft_length = DraftLength()


def test_settings_come_from_the_checkpoint(tmp_path: Path) -> None:
    from transformers import GenerationConfig

    assert SamplingParameters.of(
        GenerationConfig.from_pretrained("model/pocket")
    ) == SamplingParameters(1.0, 64, 0.95)
    (tmp_path / "generation_config.json").write_text('{"temperature": 0.5, "top_k": 7}')
    asked = SamplingParameters.of(GenerationConfig.from_pretrained(tmp_path), seed=3)
    assert asked == SamplingParameters(0.5, 7, 0.95, seed=3)
