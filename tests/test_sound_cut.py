"""Recordings that break off or are damaged: what there is is heard in its place, and told."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from indexer.extract.dispatch import extract
from indexer.extract.media.audio_source import BROKEN_OFF
from indexer.extract.media.sound import read_clip
from indexer.types.notes import Note, NoteCode
from indexer.types.pieces import Facts, UnreadableError
from indexer.types.places import Span
from tests.films import film, tracks_film, variable_mp3
from tests.pitches import rising, second_heard

LENGTH_S = 6
SOUND = rising(LENGTH_S, 48_000)


def facts_of(path: Path) -> Facts:
    return next(piece for piece in extract(path) if isinstance(piece, Facts))


def written(folder: Path, name: str) -> Path:
    """The sound in the format that the name says."""
    path = folder / name
    match path.suffix:
        case ".wav" | ".aiff" | ".au" | ".caf" | ".flac" | ".ogg":
            soundfile.write(path, SOUND, 48_000)
        case ".mp3":
            variable_mp3(path, SOUND, 48_000, header=True)
        case ".mka":
            tracks_film(path, [(SOUND, {})], video=None, audio="libopus")
        case ".mp4":
            film(path, sound=SOUND, scenes_s=(LENGTH_S,), size=(64, 48))
        case ".mkv" | ".avi":
            film(path, sound=SOUND, scenes_s=(LENGTH_S,), size=(64, 48), audio="mp3", video="mpeg4")
        case ".wma":
            film(path, sound=SOUND, scenes_s=(), audio="wmav2", container="asf")
    return path


@pytest.mark.parametrize(
    "name",
    ["a.wav", "a.ogg", "a.mp3", "a.mka"]
    + [
        pytest.param(name, marks=pytest.mark.slow)
        for name in ("a.aiff", "a.au", "a.caf", "a.mkv", "a.avi", "a.wma")
    ],
)
def test_a_file_that_breaks_off_says_so_and_a_whole_one_does_not(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, name)
    whole = facts_of(path)
    assert whole.notes == ()
    assert whole.duration_s == pytest.approx(LENGTH_S, abs=0.1)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    facts = facts_of(path)
    assert facts.notes == (Note(NoteCode.SOUND_CUT, BROKEN_OFF),)
    assert 2 < (facts.duration_s or 0) < 4.5


def test_a_film_without_its_table_of_contents_says_what_to_do(tmp_path: Path) -> None:
    path = written(tmp_path, "a.mp4")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(UnreadableError, match="copy it again") as problem:
        facts_of(path)
    assert problem.value.reason == "truncated"


@pytest.mark.parametrize("name", ["a.flac", "a.ogg"])
def test_after_damage_the_rest_is_heard_at_its_second(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    soundfile.write(path, rising(12, 48_000), 48_000)
    data = bytearray(path.read_bytes())
    start, end = len(data) * 4 // 10, len(data) * 5 // 10
    data[start:end] = bytes(end - start)
    path.write_bytes(data)
    facts = facts_of(path)
    assert facts.duration_s == pytest.approx(12, abs=0.1)
    assert [note.code for note in facts.notes] == [NoteCode.SOUND_DAMAGED]
    for second in (2.0, 11.0):
        clip = read_clip(path, Span(second - 0.1, second + 0.1))
        assert second_heard(clip.samples, clip.rate_hz) == pytest.approx(second, abs=0.05)


@pytest.mark.parametrize("joined", [False, True])
def test_an_mp3_with_a_hole_says_so_and_joined_ones_have_none(tmp_path: Path, joined: bool) -> None:
    path = written(tmp_path, "a.mp3")
    data = path.read_bytes()
    hole = np.random.default_rng(0).bytes(len(data) // 6)
    half = len(data) // 2
    path.write_bytes(data + data if joined else data[:half] + hole + data[half + len(hole) :])
    notes = facts_of(path).notes
    if joined:
        assert notes == ()
        return
    [note] = notes
    assert note.code is NoteCode.SOUND_DAMAGED
    assert "damaged after 0 min 2 s" in note.sentence or "damaged after 0 min 3 s" in note.sentence
    assert "what is damaged was not heard" in note.sentence


def test_an_au_whose_recorder_lost_its_power_has_its_samples(tmp_path: Path) -> None:
    file = io.BytesIO()
    soundfile.write(file, SOUND, 48_000, format="AU", subtype="PCM_16")
    data = bytearray(file.getvalue())
    data[8:12] = struct.pack(">I", 0)
    path = tmp_path / "a.au"
    path.write_bytes(data)
    facts = facts_of(path)
    assert facts.duration_s == pytest.approx(LENGTH_S, abs=0.01)
    assert facts.notes == ()


@pytest.mark.parametrize("length", [0, 0xFFFFFFFF, 0x7FFFF024])
def test_a_wav_from_a_pipe_is_whole(tmp_path: Path, length: int) -> None:
    path = written(tmp_path, "a.wav")
    data = bytearray(path.read_bytes())
    data[4:8] = data[40:44] = struct.pack("<I", length)
    path.write_bytes(data)
    facts = facts_of(path)
    assert facts.duration_s == pytest.approx(LENGTH_S, abs=0.01)
    assert facts.notes == ()
