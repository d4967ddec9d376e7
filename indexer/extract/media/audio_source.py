"""An open recording, block by block: by libsndfile (WAV, FLAC, OGG, Opus, MP3, AIFF), or by FFmpeg
(M4A, WebM, WMA, AMR, the sound of films).

The length is that of the decoded samples, not the one in the header.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from indexer.extract.containers.file_format import HEAD_BYTES
from indexer.extract.containers.media_signatures import detect_demuxer
from indexer.types.attachments import File, MemoryFile
from indexer.types.characters import clean
from indexer.types.pieces import UnreadableError
from model.interface import Float32

BLOCK_FRAMES = 1 << 14
PREROLL_S = 0.5  # an MP3 that is decoded from its middle begins with silence
MIN_RATE_HZ, MAX_RATE_HZ = 1_000, 768_000
MAX_CHANNELS = 256

EMPTY = "The sound is empty (0 s)."
DAMAGED = "The recording is damaged and cannot be opened."

# Names of `media_signatures`.
_LIBSNDFILE = frozenset(["wav", "flac", "ogg", "mp3", "aiff"])

SampleBlock = tuple[int, Float32]  # rate in Hz, and mono samples (n,) in [-1, 1]


class AudioSource(Protocol):
    """An open recording."""

    @property
    def title(self) -> str: ...

    @property
    def made_at(self) -> float | None: ...

    def sample_blocks(self, from_s: float = 0.0) -> Iterator[SampleBlock]:
        """The samples from a second on, in order and without gaps."""
        ...


@contextlib.contextmanager
def open_audio(path: File) -> Iterator[AudioSource]:
    """The open recording. Raises UnreadableError."""
    with path.open("rb") as file:
        first = file.read(HEAD_BYTES)
    demuxer = detect_demuxer(first, path.name)
    if demuxer in _LIBSNDFILE or demuxer is None:
        try:
            opened_file = _open_sndfile(path, first)
        except UnreadableError as problem:
            if problem.reason == "empty" or demuxer is None:
                raise
            refused = problem
        else:
            with opened_file:
                yield _SndFileSource(opened_file)
                return
    else:
        refused = None
    from indexer.extract.media import ffmpeg

    with ffmpeg.open_container(path, demuxer) as container:
        stream = ffmpeg.find_audio_stream(container)
        if stream is None:
            raise refused or UnreadableError("empty", "There is no sound in this file.")
        yield _ContainerSource(container, stream)


class _SndFileSource:
    """A recording read by libsndfile."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.made_at: float | None = None

    @property
    def title(self) -> str:
        try:
            return clean(str(self._file.title or "")).strip()[:200]
        except Exception:
            return ""

    def sample_blocks(self, from_s: float = 0.0) -> Iterator[SampleBlock]:
        import soundfile

        file, rate_hz = self._file, int(self._file.samplerate)
        first = round(from_s * rate_hz)
        surplus, decoded = 0, 0  # frames before `first`, and all
        if first:
            begin = max(0, min(first, file.frames) - round(PREROLL_S * rate_hz))
            surplus = first - begin
            try:
                file.seek(begin)
            except (soundfile.SoundFileError, RuntimeError) as problem:
                raise UnreadableError("corrupt", DAMAGED) from problem
        # Otherwise soundfile seeks after every block, and an MP3 is damaged at each seam.
        file.seekable = lambda: False
        block_frames = min(BLOCK_FRAMES, 2 * rate_hz)
        while True:
            try:
                block = file.read(block_frames, dtype="float32", always_2d=True)
            except (soundfile.SoundFileError, RuntimeError) as problem:
                if decoded == 0:
                    raise UnreadableError("corrupt", DAMAGED) from problem
                return  # cut off or damaged further on: the samples before count
            if len(block) == 0:
                return
            decoded += len(block)
            if surplus < len(block):
                yield rate_hz, _mono(block[surplus:])
            surplus = max(0, surplus - len(block))


class _ContainerSource:
    """A recording, or the sound of a film, read by FFmpeg."""

    def __init__(self, container: Any, stream: Any) -> None:
        self._container, self._stream = container, stream

    @property
    def title(self) -> str:
        from indexer.extract.media import ffmpeg

        return ffmpeg.container_title(self._container)

    @property
    def made_at(self) -> float | None:
        from indexer.extract.media import ffmpeg

        return ffmpeg.recorded_at(self._container)

    def sample_blocks(self, from_s: float = 0.0) -> Iterator[SampleBlock]:
        from indexer.extract.media import ffmpeg

        for rate_hz, block in ffmpeg.decode_samples(self._container, self._stream, from_s):
            if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
                raise UnreadableError("corrupt", DAMAGED)
            yield rate_hz, block


def _open_sndfile(path: File, first: bytes) -> Any:
    import soundfile

    try:
        file = soundfile.SoundFile(path.open("rb") if isinstance(path, MemoryFile) else path)
    except (soundfile.SoundFileError, ValueError, TypeError) as problem:
        if b"data\0\0\0\0" in first[:256]:  # libsndfile calls some empty files broken
            raise UnreadableError("empty", EMPTY) from problem
        raise UnreadableError("corrupt", DAMAGED) from problem
    if not MIN_RATE_HZ <= file.samplerate <= MAX_RATE_HZ or not 1 <= file.channels <= MAX_CHANNELS:
        file.close()
        raise UnreadableError("corrupt", DAMAGED)
    return file


def _mono(block: Float32) -> Float32:
    """The mean of the channels, (n,) in [-1, 1]; values that are no numbers are 0."""
    numbers = np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0)
    mono: Float32 = numbers.clip(-1.0, 1.0).mean(axis=1, dtype=np.float32)
    return mono
