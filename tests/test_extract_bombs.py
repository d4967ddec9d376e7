"""Files that lie, and files made to swell."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from bench.bombs import BOMBS, PARENT_MB, SLOW_S, measured
from indexer.extract.dispatch import extract
from indexer.extract.media import sound
from indexer.extract.media.sound import read_clip, read_peaks
from indexer.types.pieces import Facts, MediaPart, UnreadableError
from indexer.types.places import Span


@pytest.mark.slow
@pytest.mark.parametrize("name", BOMBS)
def test_fault_46_a_bomb_is_a_matter_of_the_child_alone(tmp_path: Path, name: str) -> None:
    BOMBS[name](tmp_path / name, True)
    result = measured(tmp_path / name, tmp_path / "library")
    assert result["parent_mb"] < PARENT_MB
    assert result["child_mb"] < result["cap_mb"]
    # one that is refused from its header may be done with before the first search begins
    assert result["served"] > 0 or result["took_s"] < 0.2
    assert result["slowest_s"] < 10 * SLOW_S  # on a busy machine; the bench says how fast it is
    assert result["state"] in ("understood", "failed", "skipped")


def wav(path: Path, samples: bytes, *, rate_hz: int = 16_000, claims: int | None = None) -> Path:
    """A WAV whose header says it has `claims` bytes of sound."""
    size = len(samples) if claims is None else claims
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate_hz, 2 * rate_hz, 2, 16)
    head = struct.pack("<4sI4s", b"RIFF", min(size + 36, 0xFFFFFFFF), b"WAVE")
    path.write_bytes(head + form + struct.pack("<4sI", b"data", size) + samples)
    return path


def tone(seconds: float, rate_hz: int = 16_000) -> bytes:
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    return (10_000 * np.sin(2 * np.pi * 400 * t)).astype("<i2").tobytes()


@pytest.mark.parametrize("claims", [0xFFFFFFFF, 0x7FFFFFFF, 64_000 * 50])
def test_fault_60_what_is_decoded_counts_and_not_what_the_header_says(
    tmp_path: Path, claims: int
) -> None:
    path = wav(tmp_path / "a.wav", tone(2), claims=claims)
    facts, *parts = list(extract(path))
    assert isinstance(facts, Facts)
    assert facts.duration_s == pytest.approx(2, abs=0.05)
    assert len(parts) == 1
    assert len(read_peaks(path, 10)) == 10
    with pytest.raises(UnreadableError):
        read_clip(path, Span(100, 110))


def test_fault_60_a_header_that_says_less_is_believed(tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav", tone(2), claims=32_000)
    facts = next(piece for piece in extract(path) if isinstance(piece, Facts))
    assert facts.duration_s == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("rate_hz", [0, 1, 8, 999, 2_000_000_000])
def test_fault_60_a_rate_that_is_no_sound_is_refused(tmp_path: Path, rate_hz: int) -> None:
    path = wav(tmp_path / "a.wav", tone(1), rate_hz=rate_hz)
    with pytest.raises(UnreadableError) as refused:
        list(extract(path))
    assert refused.value.reason == "corrupt"


@pytest.mark.parametrize(("rate_hz", "channels"), [(192_000, 8), (8_000, 32), (384_000, 1)])
def test_fault_60_many_channels_and_high_rates_are_mixed_down(
    tmp_path: Path, rate_hz: int, channels: int
) -> None:
    t = np.arange(rate_hz) / rate_hz
    loud = 0.3 * np.sin(2 * np.pi * 400 * t)
    path = tmp_path / "a.wav"
    soundfile.write(path, np.repeat(loud[:, None], channels, axis=1), rate_hz, "FLOAT")
    assert sum(isinstance(piece, MediaPart) for piece in extract(path)) == 1
    clip = read_clip(path, Span(0, 1))
    assert clip.rate_hz == 16_000
    assert np.abs(clip.samples).max() == pytest.approx(0.3, abs=0.02)


@pytest.mark.parametrize("count", [16, 511, 512, 513])
def test_fault_56_a_few_samples_are_a_recording(tmp_path: Path, count: int) -> None:
    path = wav(tmp_path / "a.wav", tone(1)[: 2 * count])
    facts = next(piece for piece in extract(path) if isinstance(piece, Facts))
    assert facts.duration_s == pytest.approx(count / 16_000, abs=0.001)
    assert len(read_peaks(path, 400)) == 400


def test_fault_56_a_header_alone_is_empty(tmp_path: Path) -> None:
    for claims, samples in ((0, 0), (1_000, 0), (2, 1)):
        path = wav(tmp_path / f"{claims}.wav", tone(1)[: 2 * samples], claims=claims)
        with pytest.raises(UnreadableError) as refused:
            list(extract(path))
        assert refused.value.reason in ("empty", "corrupt")


def test_fault_59_what_is_no_number_is_silence(tmp_path: Path) -> None:
    samples = np.frombuffer(tone(2), "<i2") / 32_768
    bad = samples.astype(np.float32)
    bad[1_000::97] = np.nan
    bad[2_000::101] = np.inf
    bad[3_000::103] = 1e-42
    bad[4_000::107] = 1e30
    path = tmp_path / "a.wav"
    soundfile.write(path, bad, 16_000, "FLOAT")
    assert any(isinstance(piece, MediaPart) for piece in extract(path))
    decoded = read_clip(path, Span(0, 2)).samples
    assert np.isfinite(decoded).all()
    assert np.abs(decoded).max() <= 1


def test_fault_58_the_length_is_bounded_while_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sound, "MAX_S", 3.0)
    path = wav(tmp_path / "a.wav", tone(20))
    facts = next(piece for piece in extract(path) if isinstance(piece, Facts))
    assert facts.duration_s is not None
    assert facts.duration_s < 5
    assert facts.notes[0].sentence.startswith("Only the first")
