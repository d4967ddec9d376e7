"""Films and recordings in containers: their sound at its seconds, their frames at theirs."""

from __future__ import annotations

import contextlib
import itertools
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexer.extract.containers.file_format import detect_kind
from indexer.extract.dispatch import extract
from indexer.extract.media import ffmpeg
from indexer.extract.media.sound import read_clip, read_pcm, read_peaks
from indexer.extract.media.video import MAX_FRAMES, MIN_INTERVAL_S, read_frame
from indexer.types.pieces import Extracted, Facts, MediaPart, Thumb, UnreadableError
from indexer.types.places import Kind, Span
from model.interface import Float32
from tests.films import film, recording, scene

RATE_HZ = 48_000


def beeps(seconds: float = 18.0, rate_hz: int = RATE_HZ) -> Float32:
    """Three seconds of a tone, three of silence, and so on; each tone is of its own height."""
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    hz = 300 + 100 * (t // 6)
    return np.where(t % 6 < 3, 0.3 * np.sin(2 * np.pi * hz * t), 0).astype(np.float32)


def height_hz(samples: Float32, rate_hz: int = 16_000) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(samples.size)))
    return float(np.argmax(spectrum)) * rate_hz / samples.size


def parts(pieces: list[Extracted]) -> tuple[list[Span], list[float]]:
    """The stretches of sound, and the seconds of the frames."""
    spans = [p.place for p in pieces if isinstance(p, MediaPart) and isinstance(p.place, Span)]
    return [s for s in spans if not s.is_moment], [s.start_s for s in spans if s.is_moment]


def facts(pieces: list[Extracted]) -> Facts:
    return next(piece for piece in pieces if isinstance(piece, Facts))


FILMS: dict[str, dict[str, Any]] = {
    "a.mp4": {},
    "a.mov": {"audio": "pcm_s16le"},
    "a.mkv": {},
    "a.webm": {"video": "libvpx-vp9", "audio": "libopus"},
    "a.avi": {"video": "mpeg4", "audio": "mp3"},
    "few keys.mp4": {"keys_every": 1000},
}


def some_slow(names: dict[str, Any], fast: set[str]) -> list[Any]:
    return [name if name in fast else pytest.param(name, marks=pytest.mark.slow) for name in names]


@pytest.mark.parametrize("name", some_slow(FILMS, {"a.mp4"}))
def test_a_film_is_its_sound_and_a_frame_of_each_scene(tmp_path: Path, name: str) -> None:
    path = film(tmp_path / name, sound=beeps(), size=(128, 72), **FILMS[name])
    assert detect_kind(path) is Kind.RECORDING
    pieces = list(extract(path))
    spans, seconds = parts(pieces)
    assert seconds == pytest.approx([0, 6, 12], abs=0.11)
    assert [span.start_s for span in spans] == pytest.approx([0, 6, 12], abs=0.25)
    assert [span.end_s for span in spans] == pytest.approx([3, 9, 15], abs=0.25)
    described = facts(pieces)
    assert (described.width_px, described.height_px) == (128, 72)
    assert described.duration_s == pytest.approx(18, abs=0.1)
    assert any(isinstance(piece, Thumb) for piece in pieces)
    places = [p.place for p in pieces if isinstance(p, MediaPart) and isinstance(p.place, Span)]
    assert places == sorted(places, key=lambda span: span.start_s)
    for number, second in enumerate(seconds):
        pixels = np.asarray(read_frame(path, second, 320)).astype(int)
        wanted = scene(number, (128, 72)).astype(int)
        assert np.abs(pixels[3:9, 3:9] - wanted[3:9, 3:9]).mean() < 12
    assert height_hz(read_clip(path, Span(6.5, 8.5)).samples) == pytest.approx(400, abs=5)
    loud = read_peaks(path, 6)
    assert min(loud[::2]) > 0.25


SOUNDS: dict[str, dict[str, Any]] = {
    "a.m4a": {"codec": "aac"},
    "alac.m4a": {"codec": "alac"},
    "a.aac": {"codec": "aac", "container": "adts"},
    "a.weba": {"codec": "libopus", "container": "webm"},
    "a.opus": {"codec": "libopus", "container": "ogg"},
    "a.mka": {"codec": "flac", "container": "matroska"},
    "a.amr": {"codec": "libopencore_amrnb", "rate_hz": 8_000},
    "a.wma": {"codec": "wmav2", "container": "asf", "rate_hz": 44_100},
    "a.aiff": {"codec": "pcm_s16be"},
    "adpcm.wav": {"codec": "adpcm_ima_wav"},
}


@pytest.mark.parametrize("name", some_slow(SOUNDS, {"a.m4a", "a.weba"}))
def test_a_recording_in_any_container_is_cut_at_its_silences(tmp_path: Path, name: str) -> None:
    how = {"rate_hz": RATE_HZ, **SOUNDS[name]}
    path = tmp_path / name
    try:
        recording(path, beeps(rate_hz=how["rate_hz"]), how.pop("rate_hz"), how.pop("codec"), **how)
    except Exception as problem:
        if name == "a.wma":
            pytest.skip(f"this FFmpeg does not write WMA: {problem}")
        raise
    assert detect_kind(path) is Kind.RECORDING
    pieces = list(extract(path))
    spans, seconds = parts(pieces)
    assert seconds == []
    assert [span.start_s for span in spans] == pytest.approx([0, 6, 12], abs=0.25)
    assert [span.end_s for span in spans] == pytest.approx([3, 9, 15], abs=0.25)
    assert facts(pieces).duration_s == pytest.approx(18, abs=0.15)
    assert height_hz(read_clip(path, Span(12.5, 14.5)).samples) == pytest.approx(500, abs=5)


def test_sound_that_begins_later_keeps_its_seconds(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mkv", sound=beeps(6), later_s=4.0, scenes_s=(10,), size=(64, 48))
    spans, _ = parts(list(extract(path)))
    assert [span.start_s for span in spans] == pytest.approx([4], abs=0.25)
    assert height_hz(read_clip(path, Span(4.5, 6.5)).samples) == pytest.approx(300, abs=5)
    assert np.abs(read_clip(path, Span(1, 3)).samples).max() < 0.01


@pytest.mark.slow
def test_a_long_still_gives_one_frame_and_a_long_film_a_bounded_number(tmp_path: Path) -> None:
    still = film(tmp_path / "still.mp4", scenes_s=(60,), fps=2, size=(64, 48))
    assert parts(list(extract(still)))[1] == [0]
    many = film(tmp_path / "many.mp4", scenes_s=(2,) * 700, fps=1, size=(64, 48), keys_every=1)
    _, seconds = parts(list(extract(many)))
    assert len(seconds) <= MAX_FRAMES
    assert len(seconds) > MAX_FRAMES / 2
    assert min(b - a for a, b in itertools.pairwise(seconds)) >= MIN_INTERVAL_S
    assert seconds[-1] > 1_300


def test_a_film_without_sound_and_one_without_pictures(tmp_path: Path) -> None:
    silent = film(tmp_path / "silent.mp4", size=(64, 48))
    spans, seconds = parts(list(extract(silent)))
    assert spans == []
    assert len(seconds) == 3
    with pytest.raises(UnreadableError, match="no sound"):
        read_clip(silent, Span(0, 2))
    assert read_pcm(silent, 0, 0.5, 24_000) == bytes(24_000)
    blind = recording(tmp_path / "blind.mp4", beeps(6), RATE_HZ, "aac")
    pieces = list(extract(blind))
    assert facts(pieces).width_px is None
    assert len(parts(pieces)[0]) == 1
    with pytest.raises(UnreadableError, match="no picture"):
        read_frame(blind, 1, 320)


def test_what_a_film_says_of_itself(tmp_path: Path) -> None:
    path = film(
        tmp_path / "a.mp4",
        size=(64, 48),
        scenes_s=(1,),
        metadata={
            "title": "Sea\u202e at dusk" + " and dawn" * 60 + "\u0000",
            "creation_time": "2021-05-04T10:00:00Z",
        },
    )
    described = facts(list(extract(path)))
    assert described.title.startswith("Sea")
    assert "\u202e" not in described.title
    assert len(described.title) == 200
    assert described.made_at == 1_620_122_400


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.webm", "a.avi"])
def test_fault_45_a_film_cut_off_anywhere_is_read_or_refused(tmp_path: Path, name: str) -> None:
    whole = film(
        tmp_path / name, sound=beeps(4), scenes_s=(2, 2), size=(64, 48), **FILMS[name]
    ).read_bytes()
    rng = np.random.default_rng(1)
    for number, share in enumerate((0.02, 0.6, 0.95)):
        cut = tmp_path / f"cut{number}{name}"
        cut.write_bytes(whole[: int(share * len(whole))])
        bent = tmp_path / f"bent{number}{name}"
        data = bytearray(whole)
        for at in rng.integers(64, len(data), 20):
            data[at] ^= int(rng.integers(1, 256))
        bent.write_bytes(data)
        for path in (cut, bent):
            try:
                pieces = list(extract(path))
            except UnreadableError:
                continue  # with a sentence
            assert facts(pieces).duration_s is not None


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '/etc/passwd'\n",
        "[InternetShortcut]\nURL=http://127.0.0.1:9/a.mp4\n",
    ],
)
@pytest.mark.parametrize("name", ["a.mp4", "a.m4a"])
def test_fault_61_a_playlist_is_never_followed(tmp_path: Path, text: str, name: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    try:
        pieces = list(extract(path))
    except UnreadableError:
        pass
    else:  # content decides: it is a text, and says what stands in it
        assert not any(isinstance(piece, MediaPart) for piece in pieces)
    for demuxer in ("hls", "concat", "dash", "image2", "lavfi", "rtsp", "tee"):
        with pytest.raises(UnreadableError), ffmpeg.open_container(path, demuxer):
            pass
    for demuxer in ("mp4", "matroska", "avi", "asf"):
        with pytest.raises(UnreadableError), ffmpeg.open_container(path, demuxer):
            pass


def test_fault_61_a_film_that_keeps_its_sound_in_another_file_opens_none(tmp_path: Path) -> None:
    """QuickTime may name another file (`dref`); that file is not read."""
    secret = recording(tmp_path / "secret.wav", beeps(6), RATE_HZ, "pcm_s16le")
    whole = film(tmp_path / "a.mov", sound=beeps(6), scenes_s=(6,), size=(64, 48)).read_bytes()
    address = f"file://{secret}".encode()
    alias = b"\0" * 12 + address
    at = whole.index(b"dref")
    assert whole[at + 16 : at + 20] == b"url "
    bent = bytearray(whole)
    bent[at + 16 : at + 24] = b"url \0\0\0\0"  # the flag said: in this file
    path = tmp_path / "b.mov"
    path.write_bytes(bytes(bent) + alias)
    opened: list[str] = []
    sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
    with contextlib.suppress(UnreadableError):
        list(extract(path))
    assert not any("secret" in name for name in opened)


def test_seconds_are_finite(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", sound=beeps(6), scenes_s=(6,), size=(64, 48))
    for span in parts(list(extract(path)))[0]:
        assert math.isfinite(span.start_s)
        assert 0 <= span.start_s < span.end_s
