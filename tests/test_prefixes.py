"""Reading on from what is known: the same text as from a fresh start, whatever was read before."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from model.decoding.context import Context
from model.decoding.decoder import LEAST_PART_TOKENS, PART_TOKENS, Decoder, part_tokens
from model.decoding.draft_length import DraftLength
from model.decoding.generation import Generation, GenerationLimits
from model.decoding.kv_cache import SPARE, KVCache
from model.decoding.prefix_cache import MOST_CONTEXTS, PrefixCache
from model.gemma import Gemma
from model.interface import (
    AnswerCitation,
    AnswerEnd,
    AnswerEvent,
    AnswerText,
    ChatMessage,
    ConversationTurn,
    Evidence,
    Image,
    ModelError,
    Sound,
    Text,
)
from model.prompt import media_spans, prompts
from model.prompt.inputs import IMAGE_TOKEN, Inputs, MediaFormat, Patches
from model.prompt.patch_cache import MOST_PICTURES, PatchCache
from model.weights.installed import find_checkpoint
from model.weights.placement import Placement
from tests import tiny

FREE = GenerationLimits(tokens=24, stop_on_repetition=False)
WORDS = "The red bicycle costs 3.5 euro. It stands in the garden near the signal."
LONG = " ".join([WORDS] * 6)  # far beyond the window


class CountingCache(PrefixCache):
    """`reused` is how many tokens the last context that was taken had read already."""

    reused = 0

    def take(self, row: Inputs, fixed: int = 0) -> tuple[Context, Inputs]:
        context, rest = super().take(row, fixed)
        self.reused = len(row) - len(rest)
        return context, rest


@pytest.fixture(scope="module")
def gemma(tmp_path_factory: pytest.TempPathFactory) -> Gemma:
    folder = tiny.write(tmp_path_factory.mktemp("tiny"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("model.gemma.PrefixCache", CountingCache)
        return Gemma(find_checkpoint(folder), Placement("cpu", "float32", "a test"))


def reused(gemma: Gemma) -> int:
    """How many tokens the last prompt of the model had read already."""
    assert isinstance(gemma._prefixes, CountingCache)
    return gemma._prefixes.reused


def other_picture() -> Image:
    pixels = tiny.picture().pixels.copy()
    pixels[60, 40] ^= 255
    return Image(pixels)


def sources(*originals: Image | Sound | None, words: str = LONG) -> list[Evidence]:
    return [
        Evidence(n, f"{n}.txt", words, original) for n, original in enumerate(originals, start=1)
    ]


def asked(
    gemma: Gemma,
    question: str,
    evidence: list[Evidence],
    history: tuple[ConversationTurn, ...] = (),
) -> Inputs:
    return gemma._render(prompts.answer_prompt(question, evidence, history))


def text_of(decoder: Decoder, prefixes: PrefixCache, row: Inputs, fixed: int = 0) -> list[int]:
    context, rest = prefixes.take(row, fixed)
    written = list(Generation(decoder, decoder.prefill(rest, context), FREE))
    prefixes.keep(context)
    return written


@pytest.mark.parametrize(
    ("originals", "drafts"),
    [((None,), 0), ((tiny.picture(),), 3), ((None, tiny.picture(), tiny.picture(60, 140)), 3)],
)
def test_a_second_turn_writes_what_it_would_have_written_fresh(
    gemma: Gemma, originals: tuple[Image | None, ...], drafts: int
) -> None:
    own = gemma._decoder
    own.draft_length = DraftLength(drafts)
    prefixes, evidence = CountingCache(own), sources(*originals)
    first = asked(gemma, "Where is the bicycle?", evidence)
    assert text_of(own, prefixes, first) == list(Generation(own, own.prefill(first), FREE))
    history = (ConversationTurn("Where is the bicycle?", "In the garden [1]."),)
    second = asked(gemma, "And the signal?", evidence, history)
    assert text_of(own, prefixes, second) == list(Generation(own, own.prefill(second), FREE))
    assert prefixes.reused >= len(first)  # up to the first question's answer
    again = asked(gemma, "And the signal?", evidence, history)
    assert text_of(own, prefixes, again) == list(Generation(own, own.prefill(again), FREE))
    assert prefixes.reused == len(again) - 1
    own.draft_length = DraftLength()


def test_a_changed_pixel_or_sample_is_another_medium(gemma: Gemma) -> None:
    own = gemma._decoder
    for content, other in (
        (tiny.picture(), other_picture()),
        (tiny.sound(1.0), Sound(np.ascontiguousarray(tiny.sound(1.0).samples[::-1]), 16_000)),
    ):
        prefixes = CountingCache(own)
        row = gemma._render(prompts.description_prompt(content))
        same_ids = gemma._render(prompts.description_prompt(other))
        assert row.ids.tolist() == same_ids.ids.tolist()
        fresh = list(Generation(own, own.prefill(same_ids), FREE))
        text_of(own, prefixes, row)
        assert text_of(own, prefixes, same_ids) == fresh
        assert prefixes.reused == int(np.flatnonzero(row.kinds)[0])


def test_two_sizes_of_picture_are_told_apart(gemma: Gemma) -> None:
    """The longer picture's tokens begin like the shorter's; nothing of either may be shared."""
    own, prefixes = gemma._decoder, CountingCache(gemma._decoder)
    for content in (tiny.picture(120, 90), tiny.picture(48, 400), tiny.picture(120, 90)):
        row = gemma._render(prompts.description_prompt(content))
        fresh = list(Generation(own, own.prefill(row), FREE))
        assert text_of(own, prefixes, row) == fresh


def test_the_rules_are_read_once(gemma: Gemma) -> None:
    own, prefixes = gemma._decoder, CountingCache(gemma._decoder)
    rows = [asked(gemma, "Where?", sources(None, words=words)) for words in (WORDS, "A cyan one.")]
    fixed = gemma._answer_inputs.rules_length(rows[0])
    assert fixed > 200  # the small tokenizer spells the rules letter by letter
    for row in rows:
        fresh = list(Generation(own, own.prefill(row), FREE))
        prefixes._kept.clear()
        assert text_of(own, prefixes, row, fixed) == fresh
        assert prefixes.reused == fixed


def test_what_is_no_longer_held_is_read_again(gemma: Gemma) -> None:
    """Far back, the sliding layers have let go: then nothing is shared, and the text is right."""
    own, prefixes = gemma._decoder, CountingCache(gemma._decoder)
    rng = np.random.default_rng(5)
    head = "garden " * 30
    long, short = (
        asked(gemma, tail, sources(None, words=head))
        for tail in (tiny.words(rng, SPARE), "And the signal at ten near the red bicycle?")
    )
    text_of(own, prefixes, long)
    fresh = list(Generation(own, own.prefill(short), FREE))
    assert text_of(own, prefixes, short) == fresh
    assert prefixes.reused == 0


def test_a_short_common_beginning_leaves_the_longer_text_alone(gemma: Gemma) -> None:
    own, prefixes = gemma._decoder, CountingCache(gemma._decoder)
    longer = asked(gemma, "Where?", sources(None, words=WORDS))
    shorter = gemma._render(prompts.gist_prompt(Text("the red bicycle")))
    text_of(own, prefixes, longer)
    text_of(own, prefixes, shorter)
    assert 0 < prefixes.reused < 20
    text_of(own, prefixes, longer)
    assert prefixes.reused == len(longer) - 1


def test_only_so_much_is_kept(gemma: Gemma) -> None:
    own, prefixes = gemma._decoder, CountingCache(gemma._decoder)
    for n in range(2 * MOST_CONTEXTS):
        prefixes.keep(own.prefill(asked(gemma, f"{n}?", sources(None, words=f"{n} {WORDS}"))))
    assert len(prefixes._kept) <= MOST_CONTEXTS
    small = CountingCache(own, most_tokens=900)
    for n in range(4):
        row = asked(gemma, f"{n}?", sources(None, words=f"{n} {WORDS}"))
        context, rest = small.take(row)
        small.keep(own.prefill(rest, context))
        assert sum(kept.length for kept in small._kept) <= 900
    prefixes.clear()
    assert prefixes.take(asked(gemma, "0?", sources(None)))[0].length == 0


def test_a_conversation_too_long_loses_its_oldest_turns(gemma: Gemma) -> None:
    evidence = sources(None, words=WORDS)
    history = tuple(ConversationTurn(f"{n}?", f"Answer {n}. " * 20) for n in range(6))
    whole = gemma._answer_inputs.of("Where?", evidence, history)
    shorter = gemma._answer_inputs.of("Where?", evidence, history[2:])
    gemma._answer_inputs._most_tokens = len(shorter)
    assert gemma._answer_inputs.of("Where?", evidence, history).ids.tolist() == shorter.ids.tolist()
    gemma._answer_inputs._most_tokens = 300
    with pytest.raises(ModelError, match="room for 300"):
        list(gemma.answer("Where?", evidence, history))
    gemma._answer_inputs._most_tokens = len(whole)


def test_how_much_is_read_at_once_follows_the_free_memory() -> None:
    """The published model's sizes, in bfloat16, with room for 8,192 tokens."""
    shape = SimpleNamespace(hidden_size=3840, intermediate_size=15360)
    assert part_tokens(shape, 2, 8192, 16 * 1024**3) == PART_TOKENS
    assert 200 < part_tokens(shape, 2, 8192, 1024**3 // 2) < 600
    assert part_tokens(shape, 2, 8192, 0) == LEAST_PART_TOKENS


def events(
    gemma: Gemma,
    question: str,
    evidence: list[Evidence],
    history: tuple[ConversationTurn, ...] = (),
) -> tuple[str, list[AnswerCitation]]:
    shown: list[AnswerEvent] = list(gemma.answer(question, evidence, history))
    assert isinstance(shown[-1], AnswerEnd)
    text = "".join(event.text for event in shown if isinstance(event, AnswerText))
    return text, [event for event in shown if isinstance(event, AnswerCitation)]


def test_a_conversation_is_the_same_with_nothing_kept(
    gemma: Gemma, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Text, a picture and a clip, three turns."""
    monkeypatch.setattr("model.gemma.ANSWER_LIMITS", GenerationLimits(tokens=24))
    evidence = sources(None, tiny.picture(), tiny.sound(1.0), words=WORDS)

    def conversation(forgetful: bool) -> list[tuple[str, list[AnswerCitation]]]:
        turns: list[tuple[str, list[AnswerCitation]]] = []
        history: tuple[ConversationTurn, ...] = ()
        for question in ("Where is it?", "When?", "And the signal?"):
            if forgetful:
                gemma.release_caches()
            turns.append(events(gemma, question, evidence, history))
            if not forgetful and history:
                assert reused(gemma) > 300
            history += (ConversationTurn(question, turns[-1][0]),)
        return turns

    assert conversation(False) == conversation(True)


def test_an_answer_nobody_reads_to_its_end_does_no_harm(gemma: Gemma) -> None:
    evidence = sources(None, words=WORDS)
    gemma.release_caches()
    whole = events(gemma, "Where?", evidence)
    stream = gemma.answer("Where?", evidence)
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert events(gemma, "Where?", evidence) == whole


def test_reading_is_cancelled_between_two_parts_and_gone_on_from(gemma: Gemma) -> None:
    evidence = sources(None, words=WORDS)
    gemma.release_caches()
    whole = events(gemma, "Where?", evidence)
    gemma.release_caches()
    usual, gemma._decoder.part_tokens = gemma._decoder.part_tokens, 50
    answers = iter([False, False, True])
    (ended,) = gemma.answer("Where?", evidence, cancelled=lambda: next(answers))
    assert isinstance(ended, AnswerEnd)
    assert ended.reason == "cancelled"
    assert events(gemma, "Where?", evidence) == whole
    assert reused(gemma) >= 150  # three parts behind the rules
    gemma._decoder.part_tokens = usual


def test_one_question_is_asked_as_ever(gemma: Gemma) -> None:
    """The shipped model was trained on exactly this prompt; a conversation may look different, one
    question may not."""
    picture = tiny.picture()
    evidence = [Evidence(1, "a", "one"), Evidence(2, "b", "two", picture), Evidence(3, "c", "3")]
    turns = prompts.answer_prompt("Where?", evidence)
    assert turns == (
        ChatMessage("system", (prompts.ANSWER_RULES,)),
        ChatMessage(
            "user",
            (
                "Picture of source 2: ", picture, "\n",
                '<source 1 "a">\none\n</source>\n',
                '<source 2 "b">\ntwo\n</source>\n',
                '<source 3 "c">\n3\n</source>\n',
                "Question: Where?",
            ),
        ),
    )  # fmt: skip
    row = gemma._render(turns)
    later = asked(gemma, "And?", evidence, (ConversationTurn("Where?", "Here [1]."),))
    assert later.ids[: len(row)].tolist() == row.ids.tolist()


def test_a_picture_is_cut_once_and_known_by_its_pixels() -> None:
    cache, media = PatchCache(), MediaFormat()
    patches = cache(tiny.picture(), media)
    assert cache(tiny.picture(), media) is patches
    assert cache(other_picture(), media) is not patches
    assert cache(tiny.picture(), MediaFormat(picture_tokens=70)) is not patches
    for size in range(50, 60):
        cache(tiny.picture(size, 80), media)
    assert len(cache._known) == MOST_PICTURES
    np.testing.assert_array_equal(cache(tiny.picture(), media).values, patches.values)


def test_shared_beginnings_end_before_a_medium_that_differs() -> None:
    def row(*parts: int | str) -> Inputs:
        ids, kinds, pictures = [], [], []
        for part in parts:
            if isinstance(part, int):
                ids.append(part)
                kinds.append(0)
            else:
                count = len(part)
                ids += [9] * count
                kinds += [IMAGE_TOKEN] * count
                values = np.full((count, 3), ord(part[0]), dtype=np.float32)
                pictures.append(Patches(values, np.zeros((count, 2), dtype=np.int64)))
        return Inputs(np.array(ids), np.array(kinds), tuple(pictures))

    def common(first: Inputs, second: Inputs) -> int:
        return media_spans.shared_prefix_length(
            first,
            media_spans.media_spans(first),
            second.ids.tolist(),
            media_spans.media_spans(second),
        )

    whole = row(1, 2, "aaa", 3, "bb", 4)
    assert common(whole, whole) == len(whole)
    assert common(whole, row(1, 2, "aaa", 3, "cc", 4)) == 6
    assert common(whole, row(1, 2, "aa", 3, "bb", 4)) == 2
    assert common(row(1, 2, "aa", 3), whole) == 2
    assert common(whole, row(1, 2, "aaa", 5)) == 5
    assert common(whole, row(7)) == 0


def test_a_cache_refuses_to_go_back_further_than_it_holds() -> None:
    import torch

    cache = KVCache([8, None])
    for _ in range(3 * SPARE):
        for layer in range(2):
            cache.append(layer, torch.zeros(1, 1, 2), torch.zeros(1, 1, 2))
        cache.length += 1
    assert cache.reaches(cache.length - SPARE)
    with pytest.raises(ValueError, match="too many"):
        cache.crop(2 * SPARE)
    with pytest.raises(ValueError, match="no longer held"):
        cache.fork(10)
    assert cache.fork(cache.length - SPARE).length == 2 * SPARE
