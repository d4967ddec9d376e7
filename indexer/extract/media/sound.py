"""Recordings as mono at 16 kHz: their segments with sound, and the samples of any span.

soxr resamples, as for the input of the model: band-limited, and exact over the seams of blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from indexer.extract import heartbeat
from indexer.extract.media.audio_source import EMPTY, AudioSource, broken_off_notes, open_audio
from indexer.extract.media.mixing import SampleBlock, resample
from indexer.extract.media.segments import FRAME_S, cut_segments
from indexer.extract.media.sound_tracks import unheard_notes
from indexer.types.attachments import File
from indexer.types.notes import NoteCode, Notes
from indexer.types.pieces import (
    Extracted,
    Facts,
    MediaPart,
    SoundTrack,
    UnreadableError,
    title_from_name,
)
from indexer.types.places import Span
from model.interface import Float32, Sound

RATE_HZ = 16_000
MAX_S = 24 * 3600.0
MAX_SPAN_S = 60.0

_FRAME_SAMPLES = round(RATE_HZ * FRAME_S)


@dataclass(slots=True)
class SoundSurvey:
    """The segments of a recording with sound, by track, the default one first; its tracks, where
    there are several; its length, and notes about what was not heard."""

    spans: list[Span] = field(default_factory=list)
    duration_s: float = 0.0
    notes: Notes = field(default_factory=Notes)
    tracks: tuple[SoundTrack, ...] = ()
    title: str = ""
    made_at: float | None = None

    def add(self, source: AudioSource, track: SoundTrack) -> None:
        """Hears an open track to its end. Raises UnreadableError."""
        segments, duration_s = find_segments(source.sample_blocks())
        number = track.number if self.tracks else None
        self.spans += [Span(start_s, end_s, number) for start_s, end_s in segments]
        self.duration_s = max(self.duration_s, duration_s)
        self.notes.extend(source.notes)
        if duration_s > MAX_S:
            sentence = f"Only the first {MAX_S / 3600:.0f} hours were heard."
            self.notes.add(NoteCode.SOUND_CUT, sentence)


def extract(path: File) -> Iterator[Extracted]:
    """Facts, and a MediaPart for every segment; a silent recording has none."""
    survey = survey_tracks(path)
    if survey.duration_s == 0:
        raise UnreadableError("empty", EMPTY)
    survey.notes.extend(broken_off_notes(path))
    yield Facts(
        survey.title if len(survey.title) >= 3 else title_from_name(path),
        duration_s=survey.duration_s,
        made_at=survey.made_at,
        notes=survey.notes.all(),
        tracks=survey.tracks,
    )
    for span in survey.spans:
        yield MediaPart(span)


def survey_tracks(path: File) -> SoundSurvey:
    """Every sound track, heard on its own. Raises UnreadableError where none can be heard."""
    survey = SoundSurvey()
    problems: dict[SoundTrack, UnreadableError] = {}
    with open_audio(path) as source:
        tracks = source.tracks
        survey.title, survey.made_at = source.title, source.made_at
        survey.notes.extend(source.unheard)
        survey.tracks = tracks if len(tracks) > 1 else ()
        try:
            survey.add(source, tracks[0])
        except UnreadableError as problem:
            problems[tracks[0]] = problem
    for track in tracks[1:]:
        try:
            with open_audio(path, track.number) as source:
                survey.add(source, track)
        except UnreadableError as problem:
            problems[track] = problem
    if len(problems) == len(tracks):
        raise problems[tracks[0]]
    survey.tracks = tuple(track for track in survey.tracks if track not in problems)
    survey.notes.extend(unheard_notes(len(tracks), list(problems)))
    return survey


def find_segments(blocks: Iterator[SampleBlock]) -> tuple[list[tuple[float, float]], float]:
    """The segments with sound, as start and end, and the length, in seconds. Memory grows by a few
    numbers a second of the recording."""
    from indexer.extract.media.speech import SpeechDetector

    detector = SpeechDetector()
    levels: list[Float32] = []
    speech: list[Float32] = []
    rest = np.zeros(0, np.float32)
    samples = 0
    for block in resample(blocks, RATE_HZ):
        heartbeat.send()
        samples += block.size
        speech.append(detector.feed(block))
        rest = np.concatenate([rest, block])
        full = rest.size - rest.size % _FRAME_SAMPLES
        levels.append(levels_db(rest[:full]))
        rest = rest[full:]
        if samples > MAX_S * RATE_HZ:
            break
    if samples == 0:
        return [], 0.0
    if rest.size:
        levels.append(levels_db(np.pad(rest, (0, _FRAME_SAMPLES - rest.size))))
        speech.append(detector.finish())
    duration_s = round(samples / RATE_HZ, 3)
    segments = cut_segments(np.concatenate(levels), np.concatenate(speech))
    return [(start_s, min(end_s, duration_s)) for start_s, end_s in segments], duration_s


def read_clip(path: File, span: Span) -> Sound:
    """The samples (n,) of a span, at most a minute. Raises UnreadableError when there are none."""
    length_s = min(span.end_s - span.start_s, MAX_SPAN_S)
    samples = read_samples(path, span.start_s, length_s, RATE_HZ, span.track)
    if samples.size == 0:
        raise UnreadableError("empty", "There is no sound at this place of the recording.")
    return Sound(samples, RATE_HZ)


def read_samples(
    path: File, start_s: float, length_s: float, rate_hz: int, track: int | None = None
) -> Float32:
    """Mono samples (n,) of a track from a second on; fewer where the recording ends."""
    with open_audio(path, track) as source:
        blocks: list[Float32] = []
        decoded_s, own_rate_hz = 0.0, rate_hz
        for own_rate_hz, block in source.sample_blocks(max(0.0, start_s)):
            blocks.append(block)
            decoded_s += block.size / own_rate_hz
            if decoded_s >= length_s:
                break
    if not blocks:
        return np.zeros(0, np.float32)
    samples = np.concatenate(blocks)[: round(length_s * own_rate_hz)]
    if own_rate_hz != rate_hz and samples.size:
        import soxr

        samples = soxr.resample(samples, own_rate_hz, rate_hz, quality="HQ").clip(-1.0, 1.0)
    return np.ascontiguousarray(samples, dtype=np.float32)


def read_pcm(
    path: File, start_s: float, length_s: float, rate_hz: int, track: int | None = None
) -> bytes:
    """A span as little-endian 16-bit samples, padded with silence to exactly its length."""
    count = round(length_s * rate_hz)
    try:
        samples = read_samples(path, start_s, length_s, rate_hz, track)[:count]
    except UnreadableError as problem:
        if problem.reason != "empty":
            raise
        samples = np.zeros(0, np.float32)
    whole = np.pad(samples, (0, count - samples.size))
    return np.rint(whole * 32_767).astype("<i2").tobytes()


def read_peaks(path: File, count: int, track: int | None = None) -> list[float]:
    """The loudest sample, 0 to 1, of each of `count` equal parts."""
    highest: list[Float32] = []
    with open_audio(path, track) as source:
        rest = np.zeros(0, np.float32)
        for rate_hz, block in source.sample_blocks():
            heartbeat.send()
            step = max(1, rate_hz // 100)
            rest = np.concatenate([rest, np.abs(block)])
            full = rest.size - rest.size % step
            highest.append(rest[:full].reshape(-1, step).max(axis=1))
            rest = rest[full:]
        if rest.size:
            highest.append(rest.max(keepdims=True))
    fine = np.concatenate([*highest, np.zeros(0, np.float32)])
    if fine.size == 0:
        raise UnreadableError("empty", EMPTY)
    edges = np.linspace(0, fine.size, count + 1)
    return [
        round(min(1.0, float(fine[int(a) : max(int(a) + 1, int(np.ceil(b)))].max())), 3)
        for a, b in pairwise(edges)
    ]


def levels_db(samples: Float32) -> Float32:
    """The level of each 20 ms: 0 dB is a full-scale square wave."""
    power = (samples.reshape(-1, _FRAME_SAMPLES).astype(np.float32) ** 2).mean(axis=1)
    levels: Float32 = (10 * np.log10(power + 1e-12)).astype(np.float32)
    return levels
