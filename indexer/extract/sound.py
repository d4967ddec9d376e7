"""Recordings: WAV, FLAC, OGG and MP3 through libsndfile, as mono at 16 kHz, block by block.

What is decoded counts, not what the header says. Resampling is soxr's, as for the model's own
input: band-limited, exact over blocks, and small.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from indexer.extract import Extracted, Facts, Part, Unreadable, title_of
from indexer.extract.characters import clean
from indexer.extract.silences import FRAME_S, pieces
from indexer.passages import Span
from model.interface import Float32, Sound

RATE_HZ = 16_000
BLOCK_FRAMES = 1 << 14
MAX_S = 24 * 3600.0
MAX_SPAN_S = 60.0
RUN_UP_S = 0.5  # an MP3 is silent at first where one begins in its middle
MAX_RATE_HZ = 768_000

EMPTY = "The sound is empty (0 s)."
DAMAGED = "The recording is damaged and cannot be opened."

_FRAME = round(RATE_HZ * FRAME_S)


def extract(path: Path) -> Iterator[Extracted]:
    """Facts, and a Part for every piece with sound in it; a silent recording has none."""
    levels: list[Float32] = []
    rest = np.zeros(0, np.float32)
    samples = 0
    with _opened(path) as file:
        title = _title(file, path)
        whole = True
        for block in _mono_16k(file):
            samples += block.size
            rest = np.concatenate([rest, block])
            full = rest.size - rest.size % _FRAME
            levels.append(_levels_db(rest[:full]))
            rest = rest[full:]
            if samples > MAX_S * RATE_HZ:
                whole = False
                break
    if samples == 0:
        raise Unreadable("empty", EMPTY)
    if rest.size:
        levels.append(_levels_db(np.pad(rest, (0, _FRAME - rest.size))))
    duration_s = samples / RATE_HZ
    note = None if whole else f"Only the first {MAX_S / 3600:.0f} hours were read."
    yield Facts(title, duration_s=round(duration_s, 3), note=note)
    for start_s, end_s in pieces(np.concatenate(levels)):
        yield Part(Span(start_s, min(end_s, round(duration_s, 3))))


def clip(path: Path, span: Span) -> Sound:
    """The samples of a stretch, at most a minute. Raises Unreadable when there is none."""
    with _opened(path) as file:
        rate_hz = file.samplerate
        first = max(0, round(span.start_s * rate_hz))
        count = round(min(span.end_s - span.start_s, MAX_SPAN_S) * rate_hz)
        begin = max(0, min(first, file.frames) - round(RUN_UP_S * rate_hz))
        try:
            file.seek(begin)
            samples = _mono(file.read(first - begin + max(0, count), "float32", always_2d=True))
            samples = samples[first - begin :]
        except Exception as problem:
            raise Unreadable("corrupt", DAMAGED) from problem
    if samples.size == 0:
        raise Unreadable("empty", "There is no sound at this place of the recording.")
    if rate_hz != RATE_HZ:
        import soxr

        samples = soxr.resample(samples, rate_hz, RATE_HZ, quality="HQ").clip(-1.0, 1.0)
    return Sound(np.ascontiguousarray(samples, dtype=np.float32), RATE_HZ)


def peaks(path: Path, count: int) -> list[float]:
    """The loudest sample, 0 to 1, of each of `count` equal stretches."""
    highest: list[Float32] = []
    with _opened(path) as file:
        step = max(1, file.samplerate // 100)
        rest = np.zeros(0, np.float32)
        for block in _blocks(file):
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


def _opened(path: Path) -> Any:
    import soundfile

    try:
        file = soundfile.SoundFile(path)
    except (soundfile.SoundFileError, ValueError, TypeError) as problem:
        if b"data\0\0\0\0" in _head(path):  # libsndfile takes some empty ones for broken
            raise Unreadable("empty", EMPTY) from problem
        raise Unreadable("corrupt", DAMAGED) from problem
    if not 1 <= file.samplerate <= MAX_RATE_HZ or file.channels < 1:
        file.close()
        raise Unreadable("corrupt", DAMAGED)
    return file


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(256)


def _blocks(file: Any) -> Iterator[Float32]:
    """Mono samples (n,) in [-1, 1], as many as can be decoded."""
    import soundfile

    decoded = 0
    while True:
        try:
            block = file.read(BLOCK_FRAMES, dtype="float32", always_2d=True)
        except (soundfile.SoundFileError, RuntimeError) as problem:
            if decoded == 0:
                raise Unreadable("corrupt", DAMAGED) from problem
            return  # cut off or damaged further on: what was heard so far counts
        if len(block) == 0:
            return
        decoded += len(block)
        yield _mono(block)


def _mono(block: Float32) -> Float32:
    """The mean of the channels; what is no number is silence."""
    numbers = np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0)
    mono: Float32 = numbers.clip(-1.0, 1.0).mean(axis=1, dtype=np.float32)
    return mono


def _mono_16k(file: Any) -> Iterator[Float32]:
    if file.samplerate == RATE_HZ:
        yield from _blocks(file)
        return
    import soxr

    stream = soxr.ResampleStream(file.samplerate, RATE_HZ, 1, dtype="float32", quality="HQ")
    for block in _blocks(file):
        yield stream.resample_chunk(block)
    yield stream.resample_chunk(np.zeros(0, np.float32), last=True)


def _levels_db(samples: Float32) -> Float32:
    """The level of each 20 ms: 0 dB is a full-scale square wave."""
    power = (samples.reshape(-1, _FRAME).astype(np.float32) ** 2).mean(axis=1)
    levels: Float32 = (10 * np.log10(power + 1e-12)).astype(np.float32)
    return levels


def _title(file: Any, path: Path) -> str:
    try:
        title = clean(str(file.title or "")).strip()
    except Exception:
        title = ""
    return title[:200] if len(title) >= 3 else title_of(path)
