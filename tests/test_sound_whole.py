"""Recordings are read to their end, whatever their headers say, each second at its place."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from indexer.extract.containers.file_format import detect_kind
from indexer.extract.containers.ogg import find_streams
from indexer.extract.dispatch import extract
from indexer.extract.media.playback import playable_type
from indexer.extract.media.sound import read_clip, read_pcm
from indexer.types.pieces import Facts, MediaPart
from indexer.types.places import Kind, Span
from model.interface import Float32
from tests.films import film, recording, stereo, variable_mp3
from tests.pitches import rising, second_heard

RATE_HZ = 44_100


def facts_of(path: Path) -> Facts:
    return next(piece for piece in extract(path) if isinstance(piece, Facts))


def is_in_time(path: Path, seconds: list[float], tolerance_s: float = 0.05) -> bool:
    """Whether each second, decoded from its place, is the one that is heard there, for the model
    and for the browser."""
    errors: list[float] = []
    for second in seconds:
        clip = read_clip(path, Span(second - 0.1, second + 0.1))
        played = np.frombuffer(read_pcm(path, second - 0.1, 0.2, 24_000), "<i2") / 32_768
        errors.append(second_heard(clip.samples, clip.rate_hz) - second)
        errors.append(second_heard(played.astype(np.float32), 24_000) - second)
    assert max(map(abs, errors)) <= tolerance_s, errors
    return True


def loud_then_simple(seconds: float) -> Float32:
    """A tone with noise in its first seconds, so that the bit rate begins high and falls."""
    sound = rising(seconds, RATE_HZ)
    noisy = 4 * RATE_HZ
    sound[:noisy] += np.random.default_rng(0).normal(0, 0.2, noisy).astype(np.float32)
    return sound.clip(-1, 1)


@pytest.mark.parametrize("header", [True, False])
def test_an_mp3_of_variable_bit_rate_is_read_to_its_end(tmp_path: Path, header: bool) -> None:
    path = variable_mp3(tmp_path / "a.mp3", loud_then_simple(60), RATE_HZ, header)
    assert facts_of(path).duration_s == pytest.approx(60, abs=0.1)
    assert is_in_time(path, [10, 33.3, 59])


def encoded(sound: Float32, container: str, subtype: str, rate_hz: int = RATE_HZ) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, sound, rate_hz, format=container, subtype=subtype)
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "container", "subtype", "rate_hz"),
    [
        ("a.mp3", "MP3", "MPEG_LAYER_III", 44_100),
        ("a.ogg", "OGG", "VORBIS", 44_100),
        ("a.opus", "OGG", "OPUS", 48_000),
    ],
)
def test_recordings_joined_in_one_file_are_all_read(
    tmp_path: Path, name: str, container: str, subtype: str, rate_hz: int
) -> None:
    parts = [rising(8, rate_hz), rising(8, rate_hz, from_s=8), rising(8, rate_hz, from_s=16)]
    path = tmp_path / name
    path.write_bytes(b"".join(encoded(part, container, subtype, rate_hz) for part in parts))
    assert facts_of(path).duration_s == pytest.approx(24, abs=0.3)
    assert is_in_time(path, [3, 12, 23], tolerance_s=0.2)  # each encoder adds some silence
    if container == "OGG":
        whole = tmp_path / "whole.ogg"
        whole.write_bytes(encoded(parts[0], container, subtype, rate_hz))
        with path.open("rb") as joined, whole.open("rb") as one:
            assert find_streams(joined).chained
            assert find_streams(one).is_plain


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
@pytest.mark.parametrize("length", ["zero", "of the first second"])
def test_a_wav_whose_recorder_lost_its_power_has_its_samples(
    tmp_path: Path, subtype: str, length: str
) -> None:
    data = bytearray(encoded(rising(20, RATE_HZ), "WAV", subtype))
    at = data.index(b"data") + 4
    first_second = RATE_HZ * {"PCM_16": 2, "PCM_24": 3, "FLOAT": 4}[subtype]
    data[at : at + 4] = struct.pack("<I", 0 if length == "zero" else first_second)
    data[4:8] = bytes(4)
    path = tmp_path / "a.wav"
    path.write_bytes(data)
    assert facts_of(path).duration_s == pytest.approx(20, abs=0.01)
    assert is_in_time(path, [1, 10, 19])


def test_what_follows_the_samples_of_a_wav_is_no_sound(tmp_path: Path) -> None:
    whole = encoded(rising(5, RATE_HZ), "WAV", "PCM_16")
    path = tmp_path / "a.wav"
    for rest in (b"LIST" + struct.pack("<I", 200_000) + bytes(200_000), bytes(300_000)):
        path.write_bytes(whole + rest)
        assert facts_of(path).duration_s == 5


TELEPHONY = [
    ("a.wav", "WAV", "GSM610", 8_000),
    ("a.wav", "WAV", "G721_32", 8_000),
    ("a.wav", "WAV", "NMS_ADPCM_24", 8_000),
    ("a.wav", "WAV", "ULAW", 8_000),
    ("a.wav", "WAV", "MS_ADPCM", 44_100),
    ("a.wav", "WAV", "IMA_ADPCM", 44_100),
    ("a.au", "AU", "G721_32", 8_000),
    ("a.snd", "AU", "ULAW", 8_000),
    ("a.au", "AU", "PCM_16", 44_100),
    ("a.caf", "CAF", "PCM_16", 44_100),
    ("a.caf", "CAF", "ALAC_16", 44_100),
    ("a.aifc", "AIFF", "GSM610", 8_000),
    ("a.aiff", "AIFF", "PCM_24", 44_100),
]


@pytest.mark.parametrize(("name", "container", "subtype", "rate_hz"), TELEPHONY)
def test_the_codecs_of_telephones_and_old_systems(
    tmp_path: Path, name: str, container: str, subtype: str, rate_hz: int
) -> None:
    path = tmp_path / name
    path.write_bytes(encoded(rising(20, rate_hz), container, subtype, rate_hz))
    assert detect_kind(path) is Kind.RECORDING
    assert facts_of(path).duration_s == pytest.approx(20, abs=0.1)
    assert is_in_time(path, [1, 12, 18.5])


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.mp3", "a.m4a", "a.ogg"])
@pytest.mark.parametrize("other", [-1.0, -0.7])
def test_channels_in_antiphase_are_heard(tmp_path: Path, name: str, other: float) -> None:
    sound = rising(4, 48_000)
    path = tmp_path / name
    channels = np.stack([sound, other * sound], axis=1)
    if name == "a.m4a":
        stereo(path, channels.T)
    else:
        soundfile.write(path, channels, 48_000)
    assert len([piece for piece in extract(path) if isinstance(piece, MediaPart)]) == 1
    assert is_in_time(path, [1, 3])
    assert np.abs(read_clip(path, Span(1, 2)).samples).max() == pytest.approx(0.3, abs=0.05)


@pytest.mark.parametrize("later_s", [0.15, 3.0])
@pytest.mark.parametrize(
    ("name", "audio", "video"),
    [
        ("a.mkv", "aac", "mpeg4"),
        ("a.m4a", "aac", None),
        ("a.mka", "libopus", None),
        pytest.param("a.mp4", "aac", "mpeg4", marks=pytest.mark.slow),
        pytest.param("a.mov", "pcm_s16le", "mpeg4", marks=pytest.mark.slow),
        pytest.param("a.webm", "libopus", "libvpx", marks=pytest.mark.slow),
        pytest.param("a.mp4", "aac", None, marks=pytest.mark.slow),
    ],
)
def test_a_track_that_begins_late_keeps_its_gap(
    tmp_path: Path, name: str, audio: str, video: str | None, later_s: float
) -> None:
    container = {"a.m4a": "ipod", "a.mka": "matroska"}.get(name)
    path = film(
        tmp_path / name,
        sound=rising(4, 48_000, from_s=later_s), later_s=later_s, audio=audio,
        scenes_s=(8,) if video else (), video=video or "", size=(64, 48), container=container,
    )  # fmt: skip
    assert facts_of(path).duration_s == pytest.approx(8 if video else later_s + 4, abs=0.1)
    assert is_in_time(path, [later_s + 1, later_s + 3])


def test_layer_two_under_the_name_of_an_mp3(tmp_path: Path) -> None:
    path = recording(tmp_path / "a.mp3", rising(20, 48_000), 48_000, "mp2", container="mp2")
    assert detect_kind(path) is Kind.RECORDING
    assert facts_of(path).duration_s == pytest.approx(20, abs=0.1)
    assert is_in_time(path, [1, 12])


@pytest.mark.parametrize(
    ("name", "container", "subtype", "kind"),
    [
        ("a.wav", "WAV", "PCM_16", "audio/wav"),
        ("a.mp3", "WAV", "PCM_16", "audio/wav"),
        ("a.wav", "WAV", "DOUBLE", None),
        ("a.wav", "WAV", "MS_ADPCM", None),
        ("a.wav", "WAV", "GSM610", None),
        ("a.wav", "MP3", "MPEG_LAYER_III", None),
        ("a.mp3", "MP3", "MPEG_LAYER_III", None),
        ("a.flac", "FLAC", "PCM_16", "audio/flac"),
        ("a.ogg", "OGG", "VORBIS", "audio/ogg"),
        ("a.aiff", "AIFF", "PCM_16", None),
    ],
)
def test_a_browser_is_sent_the_file_only_where_it_plays_each_second_right(
    tmp_path: Path, name: str, container: str, subtype: str, kind: str | None
) -> None:
    path = tmp_path / name
    path.write_bytes(encoded(rising(2, 8_000), container, subtype, 8_000))
    assert playable_type(path) == kind
    if container == "OGG":
        path.write_bytes(2 * path.read_bytes())
        assert playable_type(path) is None
    if subtype == "PCM_16" and container == "WAV":
        soundfile.write(path, rising(2, 8_000), 8_000, format="WAV", endian="BIG")
        assert playable_type(path) is None
