"""The shipped model sees, hears, finds, answers and drafts, on seeds it never saw; and a path that
is broken anywhere cannot hide.

Each floor lies between what the shipped model reaches on so few examples and what is left of it
when that path is broken: the second half of this file breaks them one by one.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bench import pocket
from bench.report import Row
from model.gemma import Gemma
from model.interface import Image, Sound
from model.prompt import inputs, patch_cache
from model.weights.installed import find_checkpoint

torch = pytest.importorskip("torch")
speaking = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng speaks; apt")

# What has to be reached, by the keys of the bench; of an error rate, what must not be passed.
FLOORS = {
    "caption": 0.8,
    "read": 0.75,
    "wer": 0.12,
    "photo_r1": 0.75,
    "sound_r1": 0.75,
    "like_r5": 0.9,
    "paraphrase_r5": 0.8,
    "answer": 0.75,
    "refuse": 0.8,
    "no_false_refuse": 0.8,
    "draft_acceptance": 0.7,
}
PICTURES, SIGNS, NOTES, FOUND, TEXTS, ASKED = 16, 16, 8, 24, 60, 24


@pytest.fixture(scope="module")
def model() -> Gemma:
    torch.set_num_threads(1)
    return Gemma(find_checkpoint("pocket"))


def fallen(rows: Sequence[Row]) -> list[str]:
    """The keys whose figure is on the wrong side of its floor."""
    held = [row for row in rows if row.key in FLOORS]
    return [row.key for row in held if (row.ours > FLOORS[row.key]) == bool(row.at_most)]


def test_captions_name_things_and_colours(model: Gemma) -> None:
    assert fallen(pocket.captions(model, PICTURES)) == []


def test_signs_are_read(model: Gemma) -> None:
    assert fallen(pocket.readings(model, SIGNS)) == []


@speaking
def test_notes_are_written_down(model: Gemma) -> None:
    assert fallen(pocket.hearings(model, NOTES)) == []


@speaking
def test_pictures_and_notes_are_found(model: Gemma) -> None:
    assert fallen(pocket.findings(model, FOUND, FOUND)) == []


def test_paragraphs_are_found_without_their_words(model: Gemma) -> None:
    assert fallen(pocket.paraphrases(model, TEXTS, TEXTS // 2)) == []


def test_questions_are_answered_and_drafted(model: Gemma) -> None:
    assert fallen(pocket.answers(model, find_checkpoint("pocket"), ASKED)) == []


def test_broken_patch_positions_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns taken for rows."""
    whole = inputs.cut_patches

    def turned(image: Image, media: inputs.MediaFormat) -> inputs.Patches:
        cut = whole(image, media)
        return replace(cut, positions=np.ascontiguousarray(cut.positions[:, ::-1]))

    monkeypatch.setattr(patch_cache, "cut_patches", turned)
    fresh = Gemma(find_checkpoint("pocket"))  # one that has not cut these pictures before
    assert fallen(pocket.readings(fresh, SIGNS)) == ["read"]


@speaking
def test_broken_audio_framing_shows(model: Gemma, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every frame's samples dealt out over all frames."""
    whole = inputs.cut_frames

    def dealt(sound: Sound, media: inputs.MediaFormat) -> Any:
        cut = whole(sound, media)
        return np.ascontiguousarray(cut.reshape(-1).reshape(cut.shape[::-1]).T)

    monkeypatch.setattr(inputs, "cut_frames", dealt)
    assert fallen(pocket.hearings(model, NOTES)) == ["wer"]


@pytest.mark.slow
def test_a_gist_from_the_wrong_layer_shows(model: Gemma, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Gemma._states

    def middle(self: Gemma, rows: Sequence[inputs.Inputs]) -> Any:
        _, body = whole(self, rows)
        return body, body

    monkeypatch.setattr(Gemma, "_states", middle)
    assert {"photo_r1", "sound_r1"} <= {*fallen(pocket.findings(model, FOUND, FOUND))}


@pytest.mark.slow
def test_a_drafter_given_the_wrong_input_shows(
    model: Gemma, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state before the embedding, not behind it: nothing fails, drafts are just useless."""

    def swapped(_: Any, given: tuple[Any, ...]) -> tuple[Any, ...]:
        embedded, state = given[0].chunk(2, dim=-1)
        return (torch.cat([state, embedded], dim=-1),)

    monkeypatch.setattr(pocket, "_loaded", lambda *_, **__: model)
    drafter: Any = model._decoder.drafter
    hook = drafter.pre_projection.register_forward_pre_hook(swapped)
    try:
        assert "draft_acceptance" in fallen(pocket.answers(model, find_checkpoint("pocket"), ASKED))
    finally:
        hook.remove()
