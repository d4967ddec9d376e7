"""The generated world: one seed gives one thing, and every answer stands in its source."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from model.answer_format import REFUSAL
from training.world import seeds
from training.world.documents import FORMS, document, paragraph
from training.world.kinds import KINDS, drawing
from training.world.pages import WrittenPicture, chart, page, table
from training.world.questions import exchange, judgement, pair
from training.world.scenes import draw, plan, scene
from training.world.signs import sign
from training.world.speech import (
    NEW_VOICES,
    RATE_HZ,
    TRAIN_VOICES,
    meeting,
    note,
    pronounceable,
    resample,
    script,
    speak,
    voice,
)
from training.world.statements import families, reported, statement
from training.world.stems import content_words
from training.world.words import COLOURS, PEOPLE

speaking = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng speaks; apt")


def test_seed_ranges_never_meet() -> None:
    ranges = [seeds.TRAIN, seeds.EVAL, seeds.DEMONSTRATION]
    for first in ranges:
        for second in ranges:
            assert first is second or first[-1] < second[0] or second[-1] < first[0]
    assert (
        seeds.dice(seeds.TRAIN, 7, "note").random() == seeds.dice(seeds.TRAIN, 7, "note").random()
    )
    assert seeds.dice(seeds.TRAIN, 7, "note").random() != seeds.dice(seeds.EVAL, 7, "note").random()
    with pytest.raises(IndexError):
        seeds.dice(seeds.EVAL, 10**6)


@pytest.mark.parametrize("name", sorted(families()))
def test_statement_quotes_its_value_and_is_asked_in_other_words(name: str) -> None:
    rng = random.Random(name)
    for _ in range(40):
        stated = statement(rng, families()[name])
        assert stated.quote in stated.text
        assert stated.value in stated.quote
        assert stated.value in stated.answer
        assert not content_words(stated.paraphrase) & content_words(stated.text), stated
        assert (
            "{"
            not in f"{stated.text}{stated.question}{stated.paraphrase}{stated.answer}{stated.find}"
        )
        retold = reported(stated, "Anna")
        assert retold.quote in retold.text
        assert retold.value in retold.quote


def test_grammar_is_no_handful_of_sentences() -> None:
    rng = random.Random(1)
    texts = [statement(rng).text for _ in range(5_000)]
    assert len(families()) >= 90
    assert len(set(texts)) > 4_000
    assert len({word for text in texts for word in content_words(text) if word.isalpha()}) > 300


@pytest.mark.parametrize("form", FORMS)
def test_document_holds_its_facts(form: str) -> None:
    for number in range(30):
        written = document(seeds.dice(seeds.TRAIN, number, form), form)
        assert written.facts
        assert len({fact.topic for fact in written.facts}) > 0
        for fact in written.facts:
            text = written.paragraphs[fact.paragraph_index]
            assert fact.quote in text
            assert not content_words(fact.paraphrase) & content_words(text)
    assert document(random.Random(3), form) == document(random.Random(3), form)


def test_paragraph_paraphrases_share_no_content_word() -> None:
    rng = random.Random(2)
    for _ in range(500):
        text, stated = paragraph(rng)
        for entry in stated:
            assert not content_words(entry.paraphrase) & content_words(text)


def test_exchange_is_answered_from_its_sources_or_not_at_all() -> None:
    rng = random.Random(4)
    present = 0
    for _ in range(300):
        case = exchange(rng)
        assert 2 <= len(case.sources) <= 5
        if not case.present:
            assert case.answer == REFUSAL
            assert case.cited == 0
            continue
        present += 1
        quote = case.answer.split(f'[{case.cited}: "')[1].split('"]')[0]
        assert quote in case.sources[case.cited - 1].words
        assert case.value.lower() in case.answer.lower()
    assert 190 < present < 260


def test_judgement_is_balanced() -> None:
    rng = random.Random(5)
    matches = sum(judgement(rng)[2] for _ in range(400))
    assert 140 < matches < 260


def test_pairs_are_texts() -> None:
    rng = random.Random(6)
    for _ in range(200):
        query, text = pair(rng)
        assert query
        assert text


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_thing_fills_its_picture_in_its_colour(kind: str) -> None:
    seen = np.asarray(drawing(kind, COLOURS["purple"], 200).image, np.int16)
    solid = seen[..., 3] > 0
    purple = (np.abs(seen[..., :3] - COLOURS["purple"]).sum(axis=2) < 110) & solid
    assert solid.any(axis=1).mean() > 0.7
    assert solid.any(axis=0).mean() > 0.7
    assert purple.sum() > 0.1 * solid.sum()


def test_scene_is_the_same_for_the_same_seed_and_says_what_it_shows() -> None:
    for number in range(60):
        rng = seeds.dice(seeds.EVAL, number, "scene")
        again = seeds.dice(seeds.EVAL, number, "scene")
        first, second = scene(rng), scene(again)
        assert first.caption == second.caption
        assert np.array_equal(first.image, second.image)
        assert first.image.dtype == np.uint8
        assert first.image.ndim == 3
        for thing in first.objects:
            assert thing.name in first.caption
        for fact in first.facts:
            assert fact.quote in first.caption


def test_colour_of_a_thing_is_in_the_picture() -> None:
    rng = random.Random(8)
    for _ in range(40):
        planned = plan(rng)
        clean = draw(planned, rng, (384, 288))
        for thing in planned.things:
            near = np.abs(clean.image.astype(np.int16) - COLOURS[thing.colour]).sum(axis=2) < 60
            assert near.sum() > 40, clean.caption


@pytest.mark.parametrize("write", [sign, page, chart, table])
def test_written_picture_says_its_words(write: Callable[[random.Random], WrittenPicture]) -> None:
    first, second = write(random.Random(9)), write(random.Random(9))
    assert first.caption == second.caption
    assert np.array_equal(first.image, second.image)
    assert first.words in first.caption
    assert first.image.std() > 5


def test_notes_are_short_and_hold_their_facts() -> None:
    rng = random.Random(10)
    for _ in range(300):
        spoken = note(rng)
        assert 3 <= len(spoken.text.split()) <= 34
        assert all(fact.quote in spoken.text for fact in spoken.facts)


def test_script_places_its_facts_in_turns() -> None:
    for number in range(50):
        held = script(random.Random(number))
        assert len({turn.speaker for turn in held.turns}) >= 2
        assert all(turn.speaker in PEOPLE for turn in held.turns)
        for fact in held.facts:
            assert fact.quote in held.turns[fact.paragraph_index].text


def test_voices_of_training_and_of_strangers_are_different() -> None:
    assert not {speaker.name for speaker in TRAIN_VOICES} & {speaker.name for speaker in NEW_VOICES}
    assert voice(random.Random(1), NEW_VOICES).name in {speaker.name for speaker in NEW_VOICES}


def test_times_are_read_as_people_say_them() -> None:
    assert pronounceable("at 9:30") == "at 9 30"
    assert pronounceable("at 14:00") == "at 14 o'clock"
    assert pronounceable("The door code is 1234.") == "The door code is 1 2 3 4."


def test_resampling_keeps_a_tone_and_its_length() -> None:
    at = np.arange(22_050, dtype=np.float32) / 22_050
    heard = resample(np.sin(2 * np.pi * 440 * at).astype(np.float32), 22_050)
    assert heard.shape == (RATE_HZ,)
    wanted = np.sin(2 * np.pi * 440 * np.arange(RATE_HZ) / RATE_HZ)
    assert np.abs(heard[500:-500] - wanted[500:-500]).max() < 0.02


@speaking
def test_speech_is_heard_and_repeatable() -> None:
    text = "The plumber repairs the boiler on Monday."
    first = speak(text, TRAIN_VOICES[0], random.Random(1))
    second = speak(text, TRAIN_VOICES[0], random.Random(1))
    assert first.dtype == np.float32
    assert np.array_equal(first, second)
    assert 1.5 < first.size / RATE_HZ < 6
    assert 0.2 < np.abs(first).max() <= 1


@speaking
def test_meeting_has_its_turns_where_it_says() -> None:
    held = meeting(random.Random(2))
    assert held.turns[-1].end_s < held.samples.size / RATE_HZ
    for before, after in pairwise(held.turns):
        assert after.start_s - before.end_s > 0.4
        between = held.samples[int(before.end_s * RATE_HZ) + 800 : int(after.start_s * RATE_HZ)]
        within = held.samples[int(after.start_s * RATE_HZ) : int(after.end_s * RATE_HZ)]
        assert np.sqrt((between**2).mean()) < 0.2 * np.sqrt((within**2).mean())
