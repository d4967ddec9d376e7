"""Recordings as mono at 16 kHz, block by block: through libsndfile where it reads them (WAV, FLAC,
OGG, Opus, MP3, AIFF), through FFmpeg where it does not (M4A, WebM, WMA, AMR, the sound of films).

What is decoded counts, not what the header says. Resampling is soxr's, as for the model's own
input: band-limited, exact over blocks, and small.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from indexer.extract import HEAD_BYTES, Extracted, Facts, Part, Unreadable, pulse, title_of
from indexer.extract.characters import clean
from indexer.extract.media import demuxer_of
from indexer.extract.silences import FRAME_S, pieces
from indexer.passages import Span
from model.interface import Float32, Sound

RATE_HZ = 16_000
BLOCK_FRAMES = 1 << 14
MAX_S = 24 * 3600.0
MAX_SPAN_S = 60.0
RUN_UP_S = 0.5  # an MP3 is silent at first where one begins in its middle
MIN_RATE_HZ, MAX_RATE_HZ = 1_000, 768_000
MAX_CHANNELS = 256

EMPTY = "The sound is empty (0 s)."
DAMAGED = "The recording is damaged and cannot be opened."

_FRAME = round(RATE_HZ * FRAME_S)

Block = tuple[int, Float32]  # samples a second, and mono samples in [-1, 1]


class Source(Protocol):
    """An open recording."""

    @property
    def title(self) -> str: ...

    @property
    def made_at(self) -> float | None: ...

    def blocks(self, from_s: float = 0.0) -> Iterator[Block]:
        """What can be decoded from a second on, in order and without gaps."""
        ...


@dataclass(slots=True)
class Heard:
    """What listening to a whole recording found: its pieces, and how long it is."""

    spans: list[Span] = field(default_factory=list)
    duration_s: float = 0.0
    whole: bool = True


def extract(path: Path) -> Iterator[Extracted]:
    """Facts, and a Part for every piece with sound in it; a silent recording has none."""
    with opened(path) as source:
        title, made_at = source.title, source.made_at
        heard = listened(source.blocks())
    if heard.duration_s == 0:
        raise Unreadable("empty", EMPTY)
    yield Facts(
        title if len(title) >= 3 else title_of(path),
        duration_s=heard.duration_s,
        made_at=made_at,
        note=None if heard.whole else f"Only the first {MAX_S / 3600:.0f} hours were read.",
    )
    for span in heard.spans:
        yield Part(span)


def listened(blocks: Iterator[Block]) -> Heard:
    """Where there is something to hear, in constant memory but for a few numbers a second."""
    from indexer.extract.speech import SpeechDetector

    detector = SpeechDetector()
    levels: list[Float32] = []
    speech: list[Float32] = []
    rest = np.zeros(0, np.float32)
    samples, whole = 0, True
    for block in resampled(blocks, RATE_HZ):
        pulse.beat()
        samples += block.size
        speech.append(detector.listen(block))
        rest = np.concatenate([rest, block])
        full = rest.size - rest.size % _FRAME
        levels.append(_levels_db(rest[:full]))
        rest = rest[full:]
        if samples > MAX_S * RATE_HZ:
            whole = False
            break
    if samples == 0:
        return Heard()
    if rest.size:
        levels.append(_levels_db(np.pad(rest, (0, _FRAME - rest.size))))
        speech.append(detector.finish())
    duration_s = round(samples / RATE_HZ, 3)
    found = pieces(np.concatenate(levels), np.concatenate(speech))
    spans = [Span(start_s, min(end_s, duration_s)) for start_s, end_s in found]
    return Heard(spans, duration_s, whole)


def clip(path: Path, span: Span) -> Sound:
    """The samples of a stretch, at most a minute. Raises Unreadable when there is none."""
    length_s = min(span.end_s - span.start_s, MAX_SPAN_S)
    samples = stretch(path, span.start_s, length_s, RATE_HZ)
    if samples.size == 0:
        raise Unreadable("empty", "There is no sound at this place of the recording.")
    return Sound(samples, RATE_HZ)


def stretch(path: Path, start_s: float, length_s: float, rate_hz: int) -> Float32:
    """Mono samples from a second on; fewer where the recording ends."""
    with opened(path) as source:
        held: list[Float32] = []
        held_s, own_rate_hz = 0.0, rate_hz
        for own_rate_hz, block in source.blocks(max(0.0, start_s)):
            held.append(block)
            held_s += block.size / own_rate_hz
            if held_s >= length_s:
                break
    if not held:
        return np.zeros(0, np.float32)
    samples = np.concatenate(held)[: round(length_s * own_rate_hz)]
    if own_rate_hz != rate_hz and samples.size:
        import soxr

        samples = soxr.resample(samples, own_rate_hz, rate_hz, quality="HQ").clip(-1.0, 1.0)
    return np.ascontiguousarray(samples, dtype=np.float32)


def wave(path: Path, start_s: float, length_s: float, rate_hz: int) -> bytes:
    """A stretch as 16-bit samples, exactly so many; where there is no sound, silence."""
    wanted = round(length_s * rate_hz)
    try:
        samples = stretch(path, start_s, length_s, rate_hz)[:wanted]
    except Unreadable as problem:
        if problem.reason != "empty":
            raise
        samples = np.zeros(0, np.float32)
    whole = np.pad(samples, (0, wanted - samples.size))
    return np.rint(whole * 32_767).astype("<i2").tobytes()


def peaks(path: Path, count: int) -> list[float]:
    """The loudest sample, 0 to 1, of each of `count` equal stretches."""
    highest: list[Float32] = []
    with opened(path) as source:
        rest = np.zeros(0, np.float32)
        for rate_hz, block in source.blocks():
            pulse.beat()
            step = max(1, rate_hz // 100)
            rest = np.concatenate([rest, np.abs(block)])
            full = rest.size - rest.size % step
            highest.append(rest[:full].reshape(-1, step).max(axis=1))
            rest = rest[full:]
        if rest.size:
            highest.append(rest.max(keepdims=True))
    fine = np.concatenate([*highest, np.zeros(0, np.float32)])
    if fine.size == 0:
        raise Unreadable("empty", EMPTY)
    edges = np.linspace(0, fine.size, count + 1)
    return [
        round(min(1.0, float(fine[int(a) : max(int(a) + 1, int(np.ceil(b)))].max())), 3)
        for a, b in pairwise(edges)
    ]


def resampled(blocks: Iterator[Block], rate_hz: int) -> Iterator[Float32]:
    """The same sound at one rate; a stream may change its own on the way."""
    stream, own_hz = None, rate_hz
    for hz, block in blocks:
        if hz != own_hz:
            if stream is not None:
                yield stream.resample_chunk(block[:0], last=True)
            own_hz, stream = hz, None
            if hz != rate_hz:
                import soxr

                stream = soxr.ResampleStream(hz, rate_hz, 1, dtype="float32", quality="HQ")
        yield block if stream is None else stream.resample_chunk(block).clip(-1.0, 1.0)
    if stream is not None:
        yield stream.resample_chunk(np.zeros(0, np.float32), last=True)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Source]:
    """The open recording, by whichever library reads it. Raises Unreadable."""
    with path.open("rb") as file:
        first = file.read(HEAD_BYTES)
    demuxer = demuxer_of(first, path.name)
    if demuxer in _LIBSNDFILE or demuxer is None:
        try:
            opened_file = _sndfile(path, first)
        except Unreadable as problem:
            if problem.reason == "empty" or demuxer is None:
                raise
            refused = problem
        else:
            with opened_file:
                yield _SndFile(opened_file)
                return
    else:
        refused = None
    from indexer.extract import ffmpeg

    with ffmpeg.opened(path, demuxer) as container:
        stream = ffmpeg.sound_of(container)
        if stream is None:
            raise refused or Unreadable("empty", "There is no sound in this file.")
        yield _Container(container, stream)


_LIBSNDFILE = frozenset(["wav", "flac", "ogg", "mp3", "aiff"])


class _SndFile:
    """A recording read by libsndfile, where any frame can be sought."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.made_at: float | None = None

    @property
    def title(self) -> str:
        try:
            return clean(str(self._file.title or "")).strip()[:200]
        except Exception:
            return ""

    def blocks(self, from_s: float = 0.0) -> Iterator[Block]:
        import soundfile

        file, rate_hz = self._file, int(self._file.samplerate)
        first = round(from_s * rate_hz)
        early, decoded = 0, 0
        if first:
            begin = max(0, min(first, file.frames) - round(RUN_UP_S * rate_hz))
            early = first - begin
            try:
                file.seek(begin)
            except (soundfile.SoundFileError, RuntimeError) as problem:
                raise Unreadable("corrupt", DAMAGED) from problem
        # Else soundfile seeks after every block, and an MP3 is garbled at each seam.
        file.seekable = lambda: False
        most = min(BLOCK_FRAMES, 2 * rate_hz)
        while True:
            try:
                block = file.read(most, dtype="float32", always_2d=True)
            except (soundfile.SoundFileError, RuntimeError) as problem:
                if decoded == 0:
                    raise Unreadable("corrupt", DAMAGED) from problem
                return  # cut off or damaged further on: what was heard so far counts
            if len(block) == 0:
                return
            decoded += len(block)
            if early < len(block):
                yield rate_hz, _mono(block[early:])
            early = max(0, early - len(block))


class _Container:
    """A recording, or the sound of a film, read by FFmpeg."""

    def __init__(self, container: Any, stream: Any) -> None:
        self._container, self._stream = container, stream

    @property
    def title(self) -> str:
        from indexer.extract import ffmpeg

        return ffmpeg.title_of(self._container)

    @property
    def made_at(self) -> float | None:
        from indexer.extract import ffmpeg

        return ffmpeg.made_at(self._container)

    def blocks(self, from_s: float = 0.0) -> Iterator[Block]:
        from indexer.extract import ffmpeg

        for rate_hz, block in ffmpeg.blocks(self._container, self._stream, from_s):
            if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
                raise Unreadable("corrupt", DAMAGED)
            yield rate_hz, block


def _sndfile(path: Path, first: bytes) -> Any:
    import soundfile

    try:
        file = soundfile.SoundFile(path)
    except (soundfile.SoundFileError, ValueError, TypeError) as problem:
        if b"data\0\0\0\0" in first[:256]:  # libsndfile takes some empty ones for broken
            raise Unreadable("empty", EMPTY) from problem
        raise Unreadable("corrupt", DAMAGED) from problem
    if not MIN_RATE_HZ <= file.samplerate <= MAX_RATE_HZ or not 1 <= file.channels <= MAX_CHANNELS:
        file.close()
        raise Unreadable("corrupt", DAMAGED)
    return file


def _mono(block: Float32) -> Float32:
    """The mean of the channels; what is no number is silence."""
    numbers = np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0)
    mono: Float32 = numbers.clip(-1.0, 1.0).mean(axis=1, dtype=np.float32)
    return mono


def _levels_db(samples: Float32) -> Float32:
    """The level of each 20 ms: 0 dB is a full-scale square wave."""
    power = (samples.reshape(-1, _FRAME).astype(np.float32) ** 2).mean(axis=1)
    levels: Float32 = (10 * np.log10(power + 1e-12)).astype(np.float32)
    return levels
