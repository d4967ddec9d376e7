"""An open recording, block by block: by libsndfile where it reads all and seeks to the sample (WAV,
FLAC, AIFF, AU, CAF, plain Ogg), or by FFmpeg (MP3, M4A, WebM, WMA, AMR, the sound of films).

The length is that of the decoded samples, not the one in the header.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any, Protocol

from indexer.extract.containers.file_format import HEAD_BYTES
from indexer.extract.containers.media_signatures import detect_demuxer
from indexer.extract.containers.ogg import is_chained
from indexer.extract.containers.riff import has_lost_length
from indexer.extract.media.mixing import SampleBlock, mix, resample, to_mono
from indexer.types.attachments import File, MemoryFile
from indexer.types.characters import clean
from indexer.types.pieces import UnreadableError

BLOCK_FRAMES = 1 << 14
PREROLL_S = 0.5  # a decoder that begins in the middle begins with silence
MIN_RATE_HZ, MAX_RATE_HZ = 1_000, 768_000
MAX_CHANNELS = 256

EMPTY = "The sound is empty (0 s)."
DAMAGED = "The recording is damaged and cannot be opened."
CUT_NOTE = "The recording is damaged after {minutes} min {seconds} s; nothing after that was heard."

# Names of `media_signatures`. MP3 is not among them: libsndfile guesses its length where no header
# has it, and reads no further.
_LIBSNDFILE = frozenset(["wav", "flac", "ogg", "aiff", "au", "caf"])


class AudioSource(Protocol):
    """An open recording."""

    @property
    def title(self) -> str: ...

    @property
    def made_at(self) -> float | None: ...

    @property
    def note(self) -> str | None:
        """What is not in the samples, as a sentence; complete when they have been read."""
        ...

    def sample_blocks(self, from_s: float = 0.0) -> Iterator[SampleBlock]:
        """The samples from a second on, in order and without gaps."""
        ...


@contextlib.contextmanager
def open_audio(path: File) -> Iterator[AudioSource]:
    """The open recording. Raises UnreadableError."""
    with path.open("rb") as file:
        first = file.read(HEAD_BYTES)
        demuxer = detect_demuxer(first, path.name)
        if demuxer is None and PurePath(path.name).suffix.lower() == ".mp3":
            demuxer = "mp3"  # whatever stands before its first frame
        is_endless = demuxer == "wav" and has_lost_length(file)
        is_chain = demuxer == "ogg" and is_chained(file)
    refused, fallback = None, None
    with contextlib.ExitStack() as opened:
        if (demuxer in _LIBSNDFILE or demuxer is None) and not (is_endless or is_chain):
            try:
                sound_file = opened.enter_context(_open_sndfile(path, first))
            except UnreadableError as problem:
                if problem.reason == "empty" or demuxer is None:
                    raise
                refused = problem
            else:
                fallback = _SndFileSource(sound_file)
                # FFmpeg seeks in GSM, where libsndfile cannot; others it takes for other codecs.
                if sound_file.seekable() or sound_file.subtype != "GSM610":
                    yield fallback
                    return
        try:
            source = _open_tracks(opened, path, demuxer or "", is_endless, is_chain)
        except UnreadableError:
            if fallback is None:
                raise
            source = fallback
        if source is None:
            raise refused or UnreadableError("empty", "There is no sound in this file.")
        yield source


def _open_tracks(
    opened: contextlib.ExitStack, path: File, demuxer: str, is_endless: bool, is_chain: bool
) -> AudioSource | None:
    """The tracks of a file that FFmpeg reads; None where there is none."""
    from indexer.extract.media import ffmpeg

    def open_container() -> Any:
        return opened.enter_context(ffmpeg.open_container(path, demuxer, is_endless))

    container = open_container()
    tracks = ffmpeg.find_audio_tracks(container)
    if tracks is None:
        return None
    pairs = [(container, tracks.heard[0])]
    for stream in tracks.heard[1:]:  # each reads on its own, so that none has to wait in memory
        other = open_container()
        pairs.append((other, ffmpeg.prepare(other.streams[stream.index])))
    return _ContainerSource(pairs, tracks.note, is_chain)


class _SndFileSource:
    """A recording read by libsndfile."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.made_at: float | None = None
        self.note: str | None = None

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
            # Some codecs of telephony cannot seek; they are read from their start.
            early = min(first, file.frames) - round(PREROLL_S * rate_hz)
            begin = max(0, early) if file.seekable() else 0
            surplus = first - begin
            try:
                if begin:
                    file.seek(begin)
            except (soundfile.SoundFileError, RuntimeError) as problem:
                raise UnreadableError("corrupt", DAMAGED) from problem
        # Otherwise soundfile seeks after every block, which not every codec can.
        file.seekable = lambda: False
        block_frames = min(BLOCK_FRAMES, 2 * rate_hz)
        while True:
            try:
                block = file.read(block_frames, dtype="float32", always_2d=True)
            except (soundfile.SoundFileError, RuntimeError) as problem:
                if decoded == 0:
                    raise UnreadableError("corrupt", DAMAGED) from problem
                self.note = cut_note(from_s + max(0, decoded - first) / rate_hz)
                return
            if len(block) == 0:
                return
            decoded += len(block)
            if surplus < len(block):
                yield rate_hz, to_mono(block[surplus:].T)
            surplus = max(0, surplus - len(block))


class _ContainerSource:
    """A recording, or the sound of a film, read by FFmpeg: one track, or the sum of several, each
    with a container of its own."""

    def __init__(self, tracks: list[tuple[Any, Any]], note: str | None, is_chain: bool) -> None:
        self._tracks, self.note, self._is_chain = tracks, note, is_chain

    @property
    def title(self) -> str:
        from indexer.extract.media import ffmpeg

        return ffmpeg.container_title(self._tracks[0][0])

    @property
    def made_at(self) -> float | None:
        from indexer.extract.media import ffmpeg

        return ffmpeg.recorded_at(self._tracks[0][0])

    def sample_blocks(self, from_s: float = 0.0) -> Iterator[SampleBlock]:
        blocks = [self._track_blocks(*track, from_s) for track in self._tracks]
        if len(blocks) == 1:
            yield from blocks[0]
            return
        rate_hz = self._tracks[0][1].codec_context.sample_rate
        for block in mix([resample(track, rate_hz) for track in blocks]):
            yield rate_hz, block

    def _track_blocks(self, container: Any, stream: Any, from_s: float) -> Iterator[SampleBlock]:
        from indexer.extract.media import ffmpeg

        samples = ffmpeg.decode_samples(container, stream, from_s, is_chain=self._is_chain)
        for rate_hz, block in samples:
            if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
                raise UnreadableError("corrupt", DAMAGED)
            yield rate_hz, block


def cut_note(second: float) -> str:
    """The note of a recording that cannot be decoded from a second on."""
    minutes, seconds = divmod(int(second), 60)
    return CUT_NOTE.format(minutes=minutes, seconds=seconds)


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
