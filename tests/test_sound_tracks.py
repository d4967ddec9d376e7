"""Every sound track of a film or recording is heard on its own, named, found and played."""

from __future__ import annotations

from pathlib import Path

import pytest

from indexer.extract.dispatch import extract
from indexer.extract.media.sound import read_clip
from indexer.extract.media.sound_tracks import language_name, unheard_notes
from indexer.types.passages import Passage, Source
from indexer.types.pieces import Facts, MediaPart, SoundTrack
from indexer.types.places import Kind, Span, place_from, place_json
from indexer.vectors.rows import passage_digest, passage_of, words_table
from tests.films import tracks_film
from tests.pitches import rising, second_heard

LATER_S = 40.0  # the second track says so many seconds more: the sound tells which track it is
ENGLISH, GERMAN = {"language": "eng"}, {"language": "ger", "title": "Surround"}
LOUD, QUIET, SILENT = (
    rising(6, 48_000),
    0.2 * rising(6, 48_000, from_s=LATER_S),
    0 * rising(6, 48_000),
)


def pieces_of(path: Path) -> tuple[Facts, list[Span]]:
    pieces = list(extract(path))
    parts = [piece.place for piece in pieces if isinstance(piece, MediaPart)]
    spans = [place for place in parts if isinstance(place, Span) and not place.is_moment]
    return next(piece for piece in pieces if isinstance(piece, Facts)), spans


CONTAINERS = [
    ("a.mp4", "aac", "mpeg4"),
    ("a.mka", "libopus", None),
    pytest.param("a.mkv", "aac", "mpeg4", marks=pytest.mark.slow),
    pytest.param("a.avi", "mp3", "mpeg4", marks=pytest.mark.slow),
    pytest.param("a.mov", "aac", "mpeg4", marks=pytest.mark.slow),
    pytest.param("a.webm", "libopus", "libvpx", marks=pytest.mark.slow),
    pytest.param("a.m4a", "aac", None, marks=pytest.mark.slow),
    pytest.param("a.ogg", "libopus", None, marks=pytest.mark.slow),
    pytest.param("a.wmv", "wmav2", "wmv2", marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("name", "audio", "video"), CONTAINERS)
def test_each_track_is_heard_by_itself(
    tmp_path: Path, name: str, audio: str, video: str | None
) -> None:
    container = "ipod" if name == "a.m4a" else "matroska" if name == "a.mka" else None
    path = tracks_film(
        tmp_path / name, [(LOUD, ENGLISH), (QUIET, GERMAN)], video=video, audio=audio,
        container=container,
    )  # fmt: skip
    facts, spans = pieces_of(path)
    assert [track.number for track in facts.tracks] == [1, 2]
    if name not in ("a.avi", "a.mov"):  # AVI writes no languages; MOV only with its own codes
        assert [track.label.split(" ")[0] for track in facts.tracks] == ["English", "German"]
    assert facts.notes == ()
    assert [span.track for span in spans] == [1, 2]
    assert facts.duration_s == pytest.approx(6, abs=0.1)
    for track, later_s in ((None, 0.0), (1, 0.0), (2, LATER_S)):
        clip = read_clip(path, Span(3.9, 4.1, track))
        assert second_heard(clip.samples, clip.rate_hz) == pytest.approx(4 + later_s, abs=0.1)


def test_the_default_track_is_heard_first_whatever_its_number(tmp_path: Path) -> None:
    path = tracks_film(
        tmp_path / "a.mkv", [(LOUD, ENGLISH), (QUIET, GERMAN)], default=1, video=None
    )
    facts, spans = pieces_of(path)
    assert facts.tracks == (SoundTrack(2, "German (Surround)"), SoundTrack(1, "English"))
    assert [span.track for span in spans] == [2, 1]
    clip = read_clip(path, Span(3.9, 4.1))
    assert second_heard(clip.samples, clip.rate_hz) == pytest.approx(4 + LATER_S, abs=0.1)


def test_the_first_track_may_be_silent(tmp_path: Path) -> None:
    path = tracks_film(tmp_path / "a.mp4", [(0 * LOUD, {}), (LOUD, {})], video=None)
    facts, spans = pieces_of(path)
    assert facts.tracks == (SoundTrack(1, ""), SoundTrack(2, ""))
    assert facts.notes == ()
    assert {span.track for span in spans} == {2}


def test_a_recording_of_one_track_has_no_number(tmp_path: Path) -> None:
    facts, spans = pieces_of(tracks_film(tmp_path / "a.mka", [(LOUD, GERMAN)], video=None))
    assert facts.tracks == ()
    assert [span.track for span in spans] == [None]


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("eng", "English"),
        ("ger", "German"),
        ("deu", "German"),
        ("de-CH", "German"),
        ("gre", "Greek"),
        ("und", ""),
        ("", ""),
        ("tlh-x", "Klingon"),
        ("xx", "xx"),
    ],
)
def test_a_language_by_its_code(code: str, name: str) -> None:
    assert language_name(code) == name


def test_a_place_with_its_track_is_written_and_read_back() -> None:
    place, plain = Span(1.5, 2.0, 2), Span(1.5, 2.0)
    assert place_from(dict(place_json(place) or {})) == place
    assert place_json(plain) == {"start_s": 1.5, "end_s": 2.0}
    passages = [Passage(n, "words", at, Source.TRANSCRIPT) for n, at in enumerate([place, plain])]
    rows = words_table([("g", "c", Kind.RECORDING, passages)]).to_pylist()
    assert [passage_of(row) for row in rows] == passages
    assert passage_digest("recording", passages[0]) != passage_digest(
        "recording", Passage(0, "words", plain, Source.TRANSCRIPT)
    )
    for track in (0, True, "2", 1e9):
        with pytest.raises(ValueError, match="no number"):
            place_from({"start_s": 0, "end_s": 1, "track": track})


def test_tracks_that_are_not_heard_are_told() -> None:
    unheard = [SoundTrack(2, "German"), *(SoundTrack(n, "") for n in range(3, 8))]
    assert unheard_notes(2, []) == ()
    assert [note.sentence for note in unheard_notes(2, unheard[:1])] == [
        "Of 2 sound tracks, 1 was not heard: German."
    ]
    assert [note.sentence for note in unheard_notes(9, unheard)] == [
        "Of 9 sound tracks, 6 were not heard: German, number 3, number 4, number 5 and 2 more."
    ]
