"""Where somebody speaks: against Silero's own way to run it, and on spoken recordings."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from indexer.extract.media.segments import LONGEST_S
from indexer.extract.media.sound import find_segments, levels_db
from indexer.extract.media.speech import CHUNK, SpeechDetector
from model.interface import Float32
from training.demonstration.library import SHIPPED

CALL = SHIPPED / "Recordings" / "Call with the landlord.ogg"


def spoken() -> Float32:
    samples, rate_hz = soundfile.read(CALL, dtype="float32")
    assert rate_hz == 16_000
    return np.asarray(samples, np.float32)


def probabilities(samples: Float32, block: int | None = None) -> Float32:
    detector = SpeechDetector()
    step = block or samples.size
    probabilities = [detector.feed(samples[at : at + step]) for at in range(0, samples.size, step)]
    return np.concatenate([*probabilities, detector.finish()])


def test_blocks_of_any_size_give_the_same() -> None:
    samples = spoken()[: 5 * 16_000 + 77]
    whole = probabilities(samples)
    assert whole.size == -(-samples.size // CHUNK)
    for block in (100, 512, 1_000, 16_384):
        assert np.abs(probabilities(samples, block) - whole).max() < 1e-5


@pytest.mark.slow
def test_the_sums_are_those_of_silero_on_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the weights of the wheel's own program in place, both say the same of every chunk."""
    import torch
    from silero_vad import load_silero_vad

    theirs = load_silero_vad()
    named = {name: value.detach().numpy() for name, value in theirs._model.named_parameters()}
    names = {f"encoder.{n}.reparam_conv": f"conv{n + 1}" for n in range(4)}
    names |= {"decoder.rnn": "lstm_cell", "decoder.decoder.2": "final_conv"}
    weights = dict(SpeechDetector()._weights)
    for name, value in named.items():
        layer, _, which = name.rpartition(".")
        if layer in names:
            weights[f"{names[layer]}.{which}"] = value
    monkeypatch.setattr("indexer.extract.media.speech._weights", lambda: weights)
    rng = np.random.default_rng(2)
    for loud in (0.0, 0.03):
        samples = spoken() + loud * rng.standard_normal(spoken().size).astype(np.float32)
        padded = np.pad(samples, (0, -samples.size % CHUNK)).astype(np.float32)
        theirs.reset_states()
        wanted = [
            theirs(torch.from_numpy(padded[at : at + CHUNK]), 16_000).item()
            for at in range(0, padded.size, CHUNK)
        ]
        assert np.abs(probabilities(padded) - np.array(wanted)).max() < 1e-3


def test_noises_between_sentences_are_left_out() -> None:
    """A knock, a whistle and a hiss are loud, and nobody says anything in them."""
    rng = np.random.default_rng(1)
    t = np.arange(3 * 16_000) / 16_000
    hiss = 0.2 * rng.standard_normal(t.size)
    whistle = 0.3 * np.sin(2 * np.pi * (900 + 300 * t) * t)
    knock = rng.standard_normal(t.size) * np.exp(-12 * (t % 0.75))
    words, still = spoken()[: 6 * 16_000], np.zeros(2 * 16_000)
    whole = np.concatenate([hiss, still, words, still, whistle, still, knock, still, words])
    seconds, _ = find_segments(iter([(16_000, whole.astype(np.float32))]))
    talk = [(5.0, 11.0), (24.0, 30.0)]
    inside = sum(max(0, min(b, y) - max(a, x)) for a, b in seconds for x, y in talk)
    total = sum(b - a for a, b in seconds)
    assert inside / total > 0.9
    assert inside > 0.7 * 12
    assert all(b - a <= LONGEST_S for a, b in seconds)


def test_a_recording_in_which_nobody_speaks_is_cut_by_its_level() -> None:
    t = np.arange(3 * 16_000) / 16_000
    bird = 0.3 * np.sin(2 * np.pi * 3_000 * t) * (t % 0.4 < 0.2)
    whole = np.concatenate([bird, np.zeros(4 * 16_000), bird]).astype(np.float32)
    seconds, _ = find_segments(iter([(16_000, whole)]))
    assert [round(start_s) for start_s, _ in seconds] == [0, 7]


def test_levels_are_in_decibels() -> None:
    square = np.tile([0.1, -0.1], 16_000).astype(np.float32)
    assert levels_db(square[: 62 * 320]) == pytest.approx(-20, abs=0.01)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng speaks; apt")
@pytest.mark.parametrize("noise_db", [-60, -35])
def test_speech_is_found_and_silence_is_not(tmp_path: Path, noise_db: float) -> None:
    rng = np.random.default_rng(7)
    parts: list[Float32] = []
    truth: list[tuple[float, float]] = []
    at = 0
    for number in range(6):
        gap = np.zeros(int(rng.uniform(2, 5) * 16_000), np.float32)
        voice = tmp_path / f"{number}.wav"
        sentence = "The meeting on Tuesday was moved to the blue room. Please bring the contract."
        subprocess.run(
            ["espeak-ng", "-v", f"en+m{number + 1}", "-w", str(voice), sentence], check=True
        )
        samples, rate_hz = soundfile.read(voice, dtype="float32")
        import soxr

        samples = soxr.resample(samples, rate_hz, 16_000).astype(np.float32)
        loud = np.flatnonzero(np.abs(samples) > 0.01)
        at += gap.size
        truth.append(((at + loud[0]) / 16_000, (at + loud[-1]) / 16_000))
        at += samples.size
        parts += [gap, samples]
    whole = np.concatenate(parts)
    whole += (10 ** (noise_db / 20) * rng.standard_normal(whole.size)).astype(np.float32)
    spans, _ = find_segments(iter([(16_000, whole)]))
    covered = [sum(max(0, min(b, y) - max(a, x)) for a, b in spans) / (y - x) for x, y in truth]
    assert min(covered) > 0.97
    assert sum(b - a for a, b in spans) < 1.25 * sum(y - x for x, y in truth)
