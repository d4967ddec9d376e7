"""Greedy text is the same with a drafter and without, on a beginning kept from before and on a
fresh one, and it is the text of `generate` of transformers: text, pictures, sounds, far beyond the
window, on random weights with a global layer early in the stack and on the shipped model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from bench.decode import both, write
from bench.prompts import Asked, asked, media
from model.decoding.decoder import Decoder
from model.decoding.draft_length import DraftLength
from model.decoding.generation import Generation, GenerationLimits
from model.decoding.prefix_cache import PrefixCache
from model.gemma import Gemma
from model.interface import ChatMessage, ConversationTurn, Image, Sound
from model.prompt import prompts
from model.prompt.inputs import Inputs, collate
from model.weights.installed import find_checkpoint
from model.weights.placement import Placement
from tests import tiny
from tests.scripted_drafter import ScriptedDrafter

LIMITS = GenerationLimits(tokens=24, stop_on_repetition=False)
# Logits are capped at 30; so near to each other, rounding decides.
ALL_BUT_EQUAL = 1e-4


def conversations(gemma: Gemma, count: int, seed: int) -> Iterator[Inputs]:
    """`count` prompts; every other one goes on from the one before it."""
    rng = np.random.default_rng(seed)
    pictures = [tiny.picture(*size) for size in ((120, 90), (48, 400), (200, 60), (9, 9))]
    while count > 0:
        parts: list[str | Image | Sound] = [tiny.words(rng, int(rng.integers(1, 60)))]
        for kind in rng.choice(["words", "picture", "sound"], int(rng.integers(0, 4))):
            if kind == "picture":
                parts.append(pictures[int(rng.integers(len(pictures)))])
            elif kind == "sound":
                parts.append(tiny.sound(float(rng.uniform(0.1, 4.0))))
            parts.append(tiny.words(rng, int(rng.integers(1, 30))))
        turns = (ChatMessage("user", tuple(parts)),)
        yield gemma._render(turns)
        answer = tiny.words(rng, int(rng.integers(1, 20)))
        asked_then = ChatMessage("user", (tiny.words(rng, int(rng.integers(1, 40))),))
        yield gemma._render((*turns, ChatMessage("model", (answer,)), asked_then))
        count -= 2


def stock(gemma: Gemma, row: Inputs) -> list[int]:
    own = gemma._decoder
    written = gemma._model.generate(
        **collate([row]), max_new_tokens=LIMITS.tokens, do_sample=False,
        suppress_tokens=own.suppressed, eos_token_id=sorted(own.stop_ids),
    )[0, len(row) :].tolist()  # fmt: skip
    return [token for token in written if token not in own.stop_ids]


def ours(own: Decoder, row: Inputs) -> list[int]:
    return list(Generation(own, own.prefill(row), LIMITS))


def continued(own: Decoder, row: Inputs, prefixes: PrefixCache) -> tuple[list[int], int]:
    """The text after a prefix that was kept, and how long that prefix was."""
    context, rest = prefixes.take(row)
    text = list(Generation(own, own.prefill(rest, context), LIMITS))
    prefixes.keep(context)
    return text, len(row) - len(rest)


def is_same(gemma: Gemma, row: Inputs, text: list[int], truth: list[int]) -> bool:
    """Equal, or up to a place where the two tokens are the same to the model: one token at a time
    and several at a time differ in the last bits of floating point. Says whether it was equal."""
    at = next((n for n, (a, b) in enumerate(zip(text, truth, strict=False)) if a != b), None)
    if at is None:
        assert len(text) == len(truth)
        return True
    ids = np.array([*row.ids, *truth[:at]])
    kinds = np.concatenate([row.kinds, np.zeros(at, dtype=np.int64)])
    logits = gemma._decoder.prefill(Inputs(ids, kinds, row.pictures, row.sounds)).logits
    assert logits is not None
    assert abs(float(logits[text[at]] - logits[truth[at]])) < ALL_BUT_EQUAL
    return False


def check(gemma: Gemma, rows: Iterator[Inputs]) -> int:
    """Every way to write against every other; how many prompts went on from a kept beginning."""
    own = gemma._decoder
    scripted = ScriptedDrafter.beside(own, 4)
    drafted, plain = PrefixCache(own), PrefixCache(own)
    reused = kept = ties = texts = 0
    for row in rows:
        truth = stock(gemma, row)
        own.draft_length = DraftLength(0)
        written = [ours(own, row), continued(own, row, plain)[0]]
        own.draft_length = DraftLength(4)
        text, prefix_length = continued(own, row, drafted)
        written += [ours(own, row), text]
        reused += prefix_length > 20
        scripted.truth, scripted.start = tuple(truth), len(row)
        writing = Generation(scripted, scripted.prefill(row), LIMITS)
        written.append(list(writing))
        kept += writing.kept
        ties += sum(not is_same(gemma, row, text, truth) for text in written)
        texts += len(written)
    own.draft_length = DraftLength()
    assert kept, "nothing was ever drafted and kept, so nothing was tested"
    assert ties <= texts // 50
    return reused


@pytest.fixture(scope="module")
def random_weights(tmp_path_factory: pytest.TempPathFactory) -> Gemma:
    folder = tiny.write(tmp_path_factory.mktemp("tiny"))
    return Gemma(find_checkpoint(folder), Placement("cpu", "float32", "a test"))


@pytest.fixture(scope="module")
def models() -> tuple[Gemma, Gemma]:
    return both()


def test_ten_prompts_on_random_weights(random_weights: Gemma) -> None:
    assert check(random_weights, conversations(random_weights, 10, seed=1)) >= 4


@pytest.mark.slow
def test_two_hundred_prompts_on_random_weights(random_weights: Gemma) -> None:
    rows = list(conversations(random_weights, 200, seed=2))
    assert len(rows) == 200
    assert sum(len(row) > 2 * tiny.WINDOW for row in rows) > 100
    assert sum(bool(row.pictures) for row in rows) > 60
    assert sum(bool(row.sounds) for row in rows) > 60
    assert check(random_weights, iter(rows)) >= 90


@pytest.mark.slow
def test_the_shipped_model_writes_what_generate_writes(models: tuple[Gemma, Gemma]) -> None:
    gemma = models[0]
    rows = []
    for prompt in asked()[:10]:
        rows.append(
            gemma._render(prompts.answer_prompt(prompt.question, _without_sound(prompt).evidence))
        )
        past = (ConversationTurn(prompt.question, "It says so there [1]."),)
        later = prompts.answer_prompt("And who said so?", _without_sound(prompt).evidence, past)
        rows.append(gemma._render(later))
    rows += [gemma._render(prompts.description_prompt(content)) for content in media()[:8]]
    assert check(gemma, iter(rows)) >= 10


def _without_sound(prompt: Asked) -> Asked:
    kept = tuple(
        replace(source, original=None) if isinstance(source.original, Sound) else source
        for source in prompt.evidence
    )
    return replace(prompt, evidence=kept)


def check_answers(models: tuple[Gemma, Gemma], prompts_: list[Asked]) -> None:
    drafted, plain = models
    accepted = []
    for prompt in prompts_:
        with_drafts, without_drafts = write(drafted, prompt), write(plain, prompt)
        assert with_drafts.text == without_drafts.text
        assert without_drafts.finished.draft_acceptance is None
        accepted.append(with_drafts.finished.draft_acceptance)
    assert any(accepted), "nothing was ever drafted and kept, so nothing was tested"


def test_some_answers_are_the_same_with_and_without_the_drafter(
    models: tuple[Gemma, Gemma],
) -> None:
    check_answers(models, asked()[:3])


@pytest.mark.slow
def test_all_answers_are_the_same_with_and_without_the_drafter(
    models: tuple[Gemma, Gemma],
) -> None:
    originals = [source.original for prompt in asked() for source in prompt.evidence]
    assert any(isinstance(original, Image) for original in originals)
    assert any(isinstance(original, Sound) for original in originals)
    check_answers(models, asked())
    assert len(asked()) + len(media()) >= 50


@pytest.mark.slow
def test_captions_and_transcripts_are_the_same(models: tuple[Gemma, Gemma]) -> None:
    drafted, plain = models
    for content in media():
        assert drafted.describe(content).words == plain.describe(content).words
