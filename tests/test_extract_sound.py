from __future__ import annotations

import struct
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from indexer.extract.containers.file_format import detect_kind
from indexer.extract.dispatch import extract
from indexer.extract.media.audio_source import EMPTY
from indexer.extract.media.segments import FRAME_S, LONGEST_S, cut_segments
from indexer.extract.media.sound import read_clip, read_peaks
from indexer.types.pieces import Extracted, Facts, MediaPart, UnreadableError
from indexer.types.places import Kind, Span
from model.interface import Float32

RATE_HZ = 16_000


def tone(seconds: float, rate_hz: int = RATE_HZ, hz: float = 440.0, loud: float = 0.3) -> Float32:
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    return (loud * np.sin(2 * np.pi * hz * t)).astype(np.float32)


def quiet(seconds: float, rate_hz: int = RATE_HZ, loud: float = 0.001) -> Float32:
    noise = np.random.default_rng(3).standard_normal(round(seconds * rate_hz))
    return (loud * noise).astype(np.float32)


def talk(*lengths_s: float, rate_hz: int = RATE_HZ) -> Float32:
    """Tones and background by turns, beginning with a tone."""
    return np.concatenate(
        [(quiet if n % 2 else tone)(s, rate_hz) for n, s in enumerate(lengths_s)], dtype=np.float32
    )


def read(path: Path) -> list[Extracted]:
    return list(extract(path))


def spans_of(path: Path) -> list[Span]:
    return [
        piece.place
        for piece in read(path)
        if isinstance(piece, MediaPart) and isinstance(piece.place, Span)
    ]


def facts_of(path: Path) -> Facts:
    return next(piece for piece in read(path) if isinstance(piece, Facts))


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3"])
@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
def test_a_recording_is_cut_at_its_silences(tmp_path: Path, name: str, rate_hz: int) -> None:
    path = tmp_path / name
    soundfile.write(path, talk(2, 3, 4, 2, 1, rate_hz=rate_hz), rate_hz)
    assert detect_kind(path) is Kind.RECORDING
    facts = facts_of(path)
    assert facts.title == "a"
    assert facts.duration_s == pytest.approx(12, abs=0.1)
    spans = spans_of(path)
    expected = [(0, 2), (5, 9), (11, 12)]
    assert len(spans) == 3
    for span, (start_s, end_s) in zip(spans, expected, strict=True):
        assert start_s - 0.25 <= span.start_s <= start_s + 0.08
        assert end_s - 0.08 <= span.end_s <= end_s + 0.25


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3"])
def test_a_clip_is_the_sound_at_its_second(tmp_path: Path, name: str) -> None:
    """A clip decoded from its place is the same as that stretch of the whole."""
    rate_hz = 44_100
    t = np.arange(20 * rate_hz) / rate_hz
    sweep = (0.5 * np.sin(2 * np.pi * (200 + 40 * t) * t)).astype(np.float32)
    path = tmp_path / name
    soundfile.write(path, np.stack([sweep, sweep], axis=1), rate_hz)
    whole = read_clip(path, Span(0, 20)).samples
    part = read_clip(path, Span(12.5, 14.0))
    assert (part.rate_hz, part.samples.size) == (16_000, 24_000)
    inside = slice(400, -400)
    again = whole[200_000:224_000]
    assert np.abs(part.samples[inside] - again[inside]).max() < 0.01
    late = read_clip(path, Span(19.0, 45.0))
    assert late.duration_s == pytest.approx(1, abs=0.1)
    with pytest.raises(UnreadableError, match="no sound at this place"):
        read_clip(path, Span(30, 40))


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg"])
def test_a_recording_of_no_samples_is_empty(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    soundfile.write(path, np.zeros(0, np.float32), RATE_HZ)
    with pytest.raises(UnreadableError) as refused:
        read(path)
    assert refused.value.reason == "empty"
    assert refused.value.sentence in (EMPTY, "The file is empty.")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_recording_of_nan_is_silent(tmp_path: Path, bad: float) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.full(RATE_HZ * 2, bad, np.float32), RATE_HZ, subtype="FLOAT")
    assert facts_of(path).duration_s == 2
    assert spans_of(path) == []
    assert np.abs(read_clip(path, Span(0, 1)).samples).max() == 0
    assert read_peaks(path, 10) == [0.0] * 10


def test_nan_among_samples_is_silence(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    samples = talk(2, 2, 2)
    samples[RATE_HZ : RATE_HZ + 10] = np.nan
    samples[100] = 1e30
    soundfile.write(path, samples, RATE_HZ, subtype="FLOAT")
    assert len(spans_of(path)) == 2
    samples = read_clip(path, Span(0, 6)).samples
    assert np.isfinite(samples).all()
    assert np.abs(samples).max() <= 1


def test_silence_has_no_parts(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros(RATE_HZ * 30, np.float32), RATE_HZ)
    assert [type(piece) for piece in read(path)] == [Facts]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.wav", b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0"),
        ("a.flac", b"fLaC" + bytes(100)),
        ("a.ogg", b"OggS" + bytes(range(200))),
        ("a.mp3", b"ID3\x04\0\0\0\0\0\0" + bytes(300)),
        ("a.wav", bytes(range(256)) * 4),
    ],
)
def test_a_damaged_recording_says_so(tmp_path: Path, name: str, data: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    assert detect_kind(path) is Kind.RECORDING
    with pytest.raises(UnreadableError, match=r"damaged and cannot be opened|empty"):
        read(path)


@pytest.mark.parametrize("name", ["a.flac", "a.ogg", "a.mp3", "a.wav"])
def test_what_is_left_of_a_cut_recording_is_read(tmp_path: Path, name: str) -> None:
    whole = tmp_path / f"whole{Path(name).suffix}"
    soundfile.write(whole, talk(3, 2, 3, 2, 3), RATE_HZ)
    data = whole.read_bytes()
    path = tmp_path / name
    path.write_bytes(data[: len(data) * 6 // 10])
    assert 5 < (facts_of(path).duration_s or 0) < 11
    assert len(spans_of(path)) >= 2


def test_the_samples_count_not_the_header(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(2), RATE_HZ, subtype="PCM_16")
    data = bytearray(path.read_bytes())
    at = data.index(b"data") + 4
    data[at : at + 4] = struct.pack("<I", 0x7FFFFFF0)
    path.write_bytes(data)
    assert facts_of(path).duration_s == 2


def test_many_channels_and_a_high_rate(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    sound = tone(1.5, 192_000)
    soundfile.write(path, np.stack([sound] * 8, axis=1), 192_000)
    assert facts_of(path).duration_s == pytest.approx(1.5, abs=0.01)
    samples = read_clip(path, Span(0.5, 1.0)).samples
    assert np.sqrt((samples**2).mean()) == pytest.approx(0.3 / np.sqrt(2), rel=0.03)


def test_an_mp3_without_tag_or_name_is_known(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    soundfile.write(path, tone(2), RATE_HZ)
    nameless = tmp_path / "download"
    nameless.write_bytes(path.read_bytes())
    assert detect_kind(nameless) is Kind.RECORDING


def test_peaks_show_where_it_is_loud(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, talk(2, 2, 2, 2), RATE_HZ)
    loudest = read_peaks(path, 8)
    assert loudest[:2] == loudest[4:6] == pytest.approx([0.3, 0.3], abs=0.01)
    assert max(loudest[2:4]) < 0.02
    assert len(read_peaks(path, 5000)) == 5000


# Cutting


def levels(*runs: tuple[float, float]) -> Float32:
    """(seconds, dB) one after the other."""
    return np.concatenate(
        [np.full(round(s / FRAME_S), db, np.float32) for s, db in runs], dtype=np.float32
    )


def test_a_long_talk_is_cut_at_its_longest_silence_between_8_and_15_s() -> None:
    talk_db, pause_db = -20.0, -55.0
    segments = cut_segments(
        levels(
            (5, talk_db), (0.6, pause_db), (4, talk_db), (0.4, pause_db), (2, talk_db),
            (0.8, pause_db), (1, talk_db), (0.4, pause_db), (8, talk_db),
        )
    )  # fmt: skip
    assert [start for start, _ in segments] == pytest.approx([0, 12.65], abs=0.05)
    assert all(end - start <= LONGEST_S for start, end in segments)


def test_a_talk_without_a_breath_is_cut_where_it_is_quietest() -> None:
    segments = cut_segments(levels((13, -20), (0.1, -30), (20, -20), (3, -60)))
    assert segments[0][1] == pytest.approx(13.05, abs=0.1)
    assert all(end - start <= LONGEST_S for start, end in segments)
    assert segments[0][1] == segments[1][0]


def test_a_steady_noise_is_sound_and_a_hum_far_below_is_none() -> None:
    [(start_s, end_s)] = cut_segments(levels((10, -30)))
    assert (start_s, end_s) == pytest.approx((0.0, 10.0), abs=FRAME_S)
    assert cut_segments(levels((10, -75))) == []


def test_a_click_is_no_sound() -> None:
    assert cut_segments(levels((3, -70), (FRAME_S, -10), (3, -70))) == []


def test_a_quiet_voice_and_a_voice_in_noise_are_heard() -> None:
    assert len(cut_segments(levels((2, -70), (2, -48), (3, -70)))) == 1
    segments = cut_segments(levels((3, -30), (2, -15), (4, -30), (2, -15), (3, -30)))
    assert [round(start) for start, _ in segments] == [3, 9]


@pytest.mark.parametrize("seed", range(20))
def test_pieces_are_in_order_and_short(seed: int) -> None:
    rng = np.random.default_rng(seed)
    runs = [(float(rng.exponential(3)), float(rng.choice([-20, -25, -60, -70]))) for _ in range(60)]
    signal = levels(*runs)
    segments = cut_segments(signal + rng.normal(0, 2, signal.size).astype(np.float32))
    assert segments == sorted(segments)
    assert all(0 <= start < end for start, end in segments)
    assert all(end - start <= LONGEST_S + 1e-6 for start, end in segments)
    assert all(a[1] <= b[0] + 1e-6 for a, b in pairwise(segments))
