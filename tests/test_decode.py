"""The decode loop against the stock one: token for token, with drafts and without, past the window,
with pictures and sounds, from a fresh prompt and from a branch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from model.decoding.decoder import Decoder
from model.decoding.draft_length import DraftLength
from model.decoding.generation import Generation, GenerationLimits
from model.decoding.repetition import repetition_period, trim_repetition
from model.decoding.stop_strings import StopStrings
from model.gemma import Gemma
from model.interface import ChatMessage, Image, Sound, Text
from model.prompt import prompts
from model.prompt.inputs import Inputs, Patches, collate, common_prefix_length, split_inputs
from model.prompt.inputs import render_prompt as render_prompt
from model.prompt.media_spans import media_spans, part_bounds
from model.weights.installed import find_checkpoint
from model.weights.placement import Placement
from tests import tiny
from tests.scripted_drafter import ScriptedDrafter

FREE = GenerationLimits(tokens=48, stop_on_repetition=False)


@pytest.fixture(scope="module")
def gemma(tmp_path_factory: pytest.TempPathFactory) -> Gemma:
    folder = tiny.write(tmp_path_factory.mktemp("tiny"))
    return Gemma(find_checkpoint(folder), Placement("cpu", "float32", "a test"))


def decoder(gemma: Gemma, drafts: int | None) -> Decoder:
    """The model's own decoder with the draft length held still."""
    own = gemma._decoder
    own.draft_length = DraftLength(drafts)
    return own


@pytest.fixture(scope="module")
def expected(gemma: Gemma) -> list[tuple[Inputs, list[int]]]:
    """Prompts, and what `generate` of transformers writes after them."""
    return [(row, stock(gemma, row, FREE.tokens)) for row in rows(gemma)]


def rows(gemma: Gemma) -> Iterator[Inputs]:
    rng = np.random.default_rng(1)
    for count in (1, 7, 30, 60, 64, 65, 90, 200):
        yield gemma._render(prompts.gist_prompt(Text(tiny.words(rng, count))))
    yield gemma._render(prompts.description_prompt(tiny.picture()))
    yield gemma._render(prompts.description_prompt(tiny.sound(1.3)))
    yield gemma._render(prompts.description_prompt(tiny.sound(4.0)))


def stock(gemma: Gemma, row: Inputs, tokens: int, **more: Any) -> list[int]:
    """What `generate` of transformers writes, greedily."""
    written = gemma._model.generate(
        **collate([row]),
        max_new_tokens=tokens,
        do_sample=False,
        suppress_tokens=gemma._decoder.suppressed,
        eos_token_id=sorted(gemma._decoder.stop_ids),
        **more,
    )[0, len(row) :].tolist()
    return [token for token in written if token not in gemma._decoder.stop_ids]


@pytest.mark.parametrize("drafts", [None, 0, 4])
def test_greedy_text_is_the_stock_text(
    gemma: Gemma, expected: list[tuple[Inputs, list[int]]], drafts: int | None
) -> None:
    own = decoder(gemma, drafts)
    for row, text in expected:
        assert list(Generation(own, own.prefill(row), FREE)) == text


def test_the_stock_loop_with_the_stock_drafter_agrees(gemma: Gemma) -> None:
    row = next(rows(gemma))
    own = decoder(gemma, 4)
    written = stock(gemma, row, FREE.tokens, assistant_model=own.drafter)
    assert list(Generation(own, own.prefill(row), FREE)) == written


@pytest.mark.parametrize("drafts", [1, 4])
def test_accepted_and_refused_drafts_change_nothing(
    gemma: Gemma, expected: list[tuple[Inputs, list[int]]], drafts: int
) -> None:
    own = decoder(gemma, None)
    for row, truth in expected:
        drafted = ScriptedDrafter.beside(own, drafts)
        drafted.truth, drafted.start = tuple(truth), len(row)
        writing = Generation(drafted, drafted.prefill(row), FREE)
        assert list(writing) == truth
        assert len(truth) < 20 or 0 < writing.kept < writing.drafted


@pytest.mark.parametrize("medium", ["picture", "sound", "long sound"])
def test_a_branch_writes_what_a_fresh_prompt_writes(gemma: Gemma, medium: str) -> None:
    own = decoder(gemma, 2)
    media: dict[str, Image | Sound] = {
        "picture": tiny.picture(), "sound": tiny.sound(), "long sound": tiny.sound(5.0),
    }  # fmt: skip
    content = media[medium]
    gist_row = gemma._render(prompts.gist_prompt(content))
    words_row = gemma._render(prompts.description_prompt(content))
    shared = common_prefix_length(gist_row, words_row)
    head, tail = split_inputs(gist_row, shared)
    context = own.roll_back(own.prefill(tail, own.prefill(head)), len(tail))
    context = own.prefill(split_inputs(words_row, shared)[1], context)
    fresh = own.prefill(words_row)
    assert context.logits is not None
    assert fresh.logits is not None
    assert float((context.logits - fresh.logits).abs().nan_to_num().max()) < 2e-5
    assert list(Generation(own, context, FREE)) == list(Generation(own, fresh, FREE))


@pytest.mark.parametrize("medium", ["picture", "sound", "long sound", "words"])
@pytest.mark.parametrize("size", [40, 1024])
def test_two_branches_of_one_prefill_are_two_fresh_prefills(
    gemma: Gemma, medium: str, size: int
) -> None:
    """Hidden states, logits and text; with a prompt that is read at once and one that is not."""
    rng = np.random.default_rng(4)
    contents: dict[str, str | Image | Sound] = {
        "picture": tiny.picture(), "sound": tiny.sound(), "long sound": tiny.sound(5.0),
        "words": tiny.words(rng, 150),
    }  # fmt: skip
    content = contents[medium]
    kept, aside = (
        gemma._render((ChatMessage("user", (content, tail)),))
        for tail in ("\n" + tiny.words(rng, 30), "\nIn one word:")
    )
    at = common_prefix_length(kept, aside)
    own = Decoder(gemma._model, None, gemma._decoder.stop_ids, gemma._decoder.suppressed, size)
    context, state = own.branch(*split_inputs(kept, at), split_inputs(aside, at)[1])
    fresh = own.prefill(kept)
    assert context.ids == fresh.ids
    assert context.logits is not None
    assert context.state is not None
    assert fresh.logits is not None
    assert fresh.state is not None
    assert float((context.state - fresh.state).abs().max()) < 5e-5
    assert float((context.logits - fresh.logits).abs().nan_to_num().max()) < 5e-5
    assert float((state - gemma._states([aside])[0][0, -1]).abs().max()) < 5e-5
    assert list(Generation(own, context, FREE)) == list(Generation(own, fresh, FREE))


def test_a_picture_is_never_parted(gemma: Gemma) -> None:
    row = gemma._render(prompts.gist_prompt(tiny.picture()))
    with pytest.raises(ValueError, match="behind its last medium"):
        split_inputs(row, int(np.flatnonzero(row.kinds)[0]) + 1)


def with_media(gemma: Gemma, *parts: str | Image | Sound) -> Inputs:
    return gemma._render((ChatMessage("user", parts),))


def mixed(gemma: Gemma) -> Inputs:
    """Words, pictures and sounds in turn, far beyond the window."""
    rng = np.random.default_rng(9)
    return with_media(
        gemma, tiny.words(rng, 20), tiny.picture(), tiny.words(rng, 3), tiny.picture(48, 400),
        tiny.sound(3.0), tiny.words(rng, 40), tiny.picture(200, 60), tiny.words(rng, 8),
    )  # fmt: skip


@pytest.mark.parametrize("size", [1, 12, 64, 100])
def test_a_prompt_read_in_parts_is_read_as_in_one_go(gemma: Gemma, size: int) -> None:
    row = mixed(gemma)
    parts = list(part_bounds(row, size))
    assert [start for start, _ in parts[1:]] == [stop for _, stop in parts[:-1]]
    for span in media_spans(row):
        if isinstance(span.content, Patches):  # never parted, wherever the cuts would fall
            assert not any(span.start < stop < span.stop for _, stop in parts)
    own = Decoder(gemma._model, None, gemma._decoder.stop_ids, gemma._decoder.suppressed, size)
    whole = gemma._decoder.prefill(row)
    context = own.prefill(row)
    assert context.ids == whole.ids == row.ids.tolist()
    assert context.logits is not None
    assert whole.logits is not None
    assert float((context.logits - whole.logits).abs().nan_to_num().max()) < 5e-5
    assert list(Generation(own, context, FREE)) == list(Generation(gemma._decoder, whole, FREE))


def test_the_layers_compute_what_the_stock_forward_computes(gemma: Gemma) -> None:
    import torch

    for row in [*rows(gemma), mixed(gemma)]:
        context = gemma._decoder.prefill(row)
        with torch.inference_mode():
            stock_logits = gemma._model(**collate([row])).logits[0, -1].float()
        assert context.logits is not None
        ours = context.logits + 0.0
        may = ours > -torch.inf
        assert float((ours - stock_logits)[may].abs().max()) < 5e-5


def test_bfloat16_is_as_near_to_float32_as_the_stock_forward(gemma: Gemma) -> None:
    """Read at once and written token by token, with drafts, as the published model runs."""
    import torch

    half = Gemma(gemma._checkpoint, Placement("cpu", "bfloat16", "a test"))
    half._decoder.draft_length = DraftLength(3)
    for row in (mixed(gemma), next(rows(gemma))):
        exact = gemma._decoder.prefill(row).logits
        ours = half._decoder.prefill(row)
        with torch.inference_mode():
            given = {k: v.bfloat16() if v.is_floating_point() else v
                     for k, v in collate([row]).items()}  # fmt: skip
            stock_logits = half._model(**given).logits[0, -1].float()
        assert exact is not None
        assert ours.logits is not None
        may = exact > -torch.inf
        off = (ours.logits - exact)[may].square().mean().sqrt()
        stock_off = (stock_logits - exact)[may].square().mean().sqrt()
        assert float(off) < 1.5 * float(stock_off) + 0.02
        writing = Generation(
            half._decoder, ours, GenerationLimits(tokens=12, stop_on_repetition=False)
        )
        assert len(list(writing)) == 12
        assert writing.drafted


class Words:
    """A spelling for the test: every token is a piece of text."""

    thought_open, thought_close = 90, 91

    def __init__(self, *pieces: str) -> None:
        self.of = [piece.encode() for piece in pieces] + [b""] * 90


@pytest.mark.parametrize(
    ("pieces", "strings", "shown", "match"),
    [
        (["one ", "S", "TO", "P now"], ["STOP"], "one ", "STOP"),
        (["one ST", "OR two"], ["STOP"], "one STOR two", None),
        (["a\n", "\nb"], ["\n\n"], "a", "\n\n"),
        (["x STOP y"], ["y", "STOP"], "x ", "STOP"),
        (["aab", "c"], ["abc"], "a", "abc"),
        (["ends in ST"], ["STOP"], "ends in ST", None),
    ],
)
def test_a_stop_string_ends_the_text_wherever_its_tokens_begin(
    pieces: list[str], strings: list[str], shown: str, match: str | None
) -> None:
    spelling: Any = Words(*pieces)
    stops = StopStrings(spelling, strings)
    text = ""
    for token in range(len(pieces)):
        ended = stops.push(token)
        text += stops.take()
        assert shown.startswith(text)  # nothing is shown that has to be taken back
        if ended:
            break
    assert text + stops.take(last=True) == shown
    assert stops.match == match


@pytest.mark.parametrize("drafts", [0, 3])
def test_a_text_ends_at_a_stop_string(gemma: Gemma, drafts: int) -> None:
    row = gemma._render(prompts.gist_prompt(Text(tiny.words(np.random.default_rng(1), 30))))
    own = decoder(gemma, drafts)
    free = list(Generation(own, own.prefill(row), FREE))
    spelt = [gemma._vocabulary.of[token] or b"" for token in free]
    at = next(n for n in range(8, 40) if spelt[n].strip() and spelt[n + 1].strip())
    string = (spelt[at] + spelt[at + 1]).decode(errors="replace")
    stops = StopStrings(gemma._vocabulary, [string])
    writing = Generation(own, own.prefill(row), FREE, stop_condition=stops)
    written = list(writing)
    assert writing.reason == "stop"
    assert stops.match == string
    assert written == free[: len(written)]
    assert len(written) <= at + 2
    assert string not in stops.take(last=True)


@dataclass
class OnlyEven:
    """After an even token only multiples of four may come, else only even ones: a constraint that
    depends on what was written."""

    last: int = 0

    def allowed(self) -> tuple[NDArray[np.int64], bool]:
        step = 4 if self.last % 4 == 0 else 2
        return np.arange(24, 300, step), True

    def push(self, token: int) -> None:
        self.last = token

    def fork(self) -> OnlyEven:
        return OnlyEven(self.last)


@dataclass
class OnlyTwo:
    """Two tokens in turns."""

    last: int = 0

    def allowed(self) -> tuple[NDArray[np.int64], bool]:
        return np.array([25 if self.last == 24 else 24]), True

    def push(self, token: int) -> None:
        self.last = token

    def fork(self) -> OnlyTwo:
        return OnlyTwo(self.last)


def test_a_constraint_holds_with_and_without_drafts(gemma: Gemma) -> None:
    row = next(rows(gemma))
    texts = []
    for drafts in (0, 3):
        own = decoder(gemma, drafts)
        texts.append(list(Generation(own, own.prefill(row), FREE, OnlyEven())))
    assert texts[0] == texts[1]
    assert len(texts[0]) == FREE.tokens
    assert all(token % 2 == 0 for token in texts[0])


def test_forced_words_are_read_before_writing_on(gemma: Gemma) -> None:
    row = next(rows(gemma))
    own = decoder(gemma, 2)
    writing = Generation(
        own, own.prefill(row), GenerationLimits(tokens=5, stop_on_repetition=False)
    )
    first = list(writing)
    writing.force([40, 41, 42], more=6)
    rest = list(writing)
    forced = Inputs(
        np.array([*row.ids, *first, 40, 41, 42], dtype=np.int64),
        np.zeros(len(row) + len(first) + 3, dtype=np.int64),
    )
    assert rest == stock(gemma, forced, 6)
    assert writing.tokens == [*first, 40, 41, 42, *rest]


def test_cancelling_and_running_out_of_time(gemma: Gemma) -> None:
    row = next(rows(gemma))
    own = decoder(gemma, 0)
    answers = iter([False] * 5 + [True] * 100)
    writing = Generation(own, own.prefill(row), FREE, cancelled=lambda: next(answers))
    assert len(list(writing)) == 5
    assert writing.reason == "cancelled"
    writing = Generation(own, own.prefill(row), GenerationLimits(tokens=9, time_s=-1.0))
    assert list(writing) == []
    assert writing.reason == "time"


def test_a_looping_text_ends(gemma: Gemma) -> None:
    assert repetition_period([1, 2, 3] + [7, 8] * 16)
    assert repetition_period([5] * 32)
    assert repetition_period(list(range(10)) * 4)
    assert not repetition_period([5] * 31)
    assert not repetition_period([7, 8] * 15 + [9])
    assert not repetition_period(list(range(100)))
    own = decoder(gemma, 0)
    limits = GenerationLimits(tokens=100)
    writing = Generation(own, own.prefill(next(rows(gemma))), limits, OnlyTwo())
    assert len(list(writing)) < 60
    assert writing.reason == "repetition"


def test_a_loop_is_kept_once() -> None:
    assert trim_repetition([1, 2, 3] + [7, 8] * 16) == [1, 2, 3, 7, 8]
    assert trim_repetition([5] * 32) == [5]
    assert trim_repetition([1, 2, 3]) == [1, 2, 3]
    assert trim_repetition([]) == []


def test_drafting_stops_where_it_does_not_pay_and_is_tried_again() -> None:
    pace = DraftLength()
    assert pace.choose(10) == 0

    def rounds(right: bool, cost_s: float) -> list[int]:
        chosen = []
        for _ in range(60):
            chosen.append(pace.choose(10))
            pace.learn(chosen[-1], chosen[-1] if right else 0, 1.0 + cost_s * chosen[-1])
        return chosen

    refused = rounds(right=False, cost_s=0.5)
    assert refused[-20:].count(0) >= 18
    assert 2 in refused[20:]  # tried again
    assert rounds(right=True, cost_s=0.05)[-20:] == [4] * 20
    assert pace.choose(1) == 1
    assert rounds(right=True, cost_s=1.5)[-20:].count(0) >= 18  # right, but too dear


def test_the_tokens_of_one_prompt_render_alike_everywhere(gemma: Gemma) -> None:
    prompt = prompts.gist_prompt(Text("the red bicycle"))
    again = render_prompt(prompt, gemma._tokenizer, gemma._media)
    assert gemma._render(prompt).ids.tolist() == again.ids.tolist()


def test_a_missing_drafter_is_no_fault(tmp_path: Path) -> None:
    folder = tiny.write(tmp_path, drafter=False)
    lone = Gemma(find_checkpoint(folder), Placement("cpu", "float32", "a test"))
    assert not lone.card.drafter
    row = lone._render(prompts.gist_prompt(Text("the")))
    own = lone._decoder
    assert list(Generation(own, own.prefill(row), FREE)) == stock(lone, row, FREE.tokens)
