"""An open recording, block by block: by libsndfile where it reads all and seeks to the sample (WAV,
FLAC, AIFF, AU, CAF, plain Ogg), or by FFmpeg (MP3, M4A, WebM, WMA, AMR, the sound of films).

The length is that of the decoded samples, not the one in the header.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import Any, Protocol

from indexer.extract.containers.file_format import HEAD_BYTES
from indexer.extract.containers.media_signatures import detect_demuxer
from indexer.extract.containers.ogg import OggStreams, find_streams
from indexer.extract.containers.riff import has_lost_length, has_no_length
from indexer.extract.containers.truncation import breaks_off
from indexer.extract.media import ffmpeg
from indexer.extract.media.mixing import SampleBlock, to_mono
from indexer.extract.media.sound_tracks import SoundTracks, find_tracks
from indexer.types.attachments import File, MemoryFile
from indexer.types.notes import Note, NoteCode
from indexer.types.pieces import SoundTrack, UnreadableError
from indexer.types.text.characters import clean

BLOCK_FRAMES = 1 << 14
PREROLL_S = 0.5  # a decoder that begins in the middle begins with silence
SHORT_REST_S = 1.0  # what a file that was cut off gives after its damage
MIN_RATE_HZ, MAX_RATE_HZ = 1_000, 768_000
MAX_CHANNELS = 256

EMPTY = "The sound is empty (0 s); there is nothing in it to hear."
DAMAGED_PLACES = "The recording is damaged in places, and is silent there."
BROKEN_OFF = (
    "The file breaks off before its end; what there is was read. Copy it again if it was longer."
)

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
    def tracks(self) -> tuple[SoundTrack, ...]:
        """All sound tracks that can be heard, the default one first."""
        ...

    @property
    def unheard(self) -> tuple[Note, ...]:
        """Notes about tracks that cannot be heard."""
        ...

    @property
    def notes(self) -> Sequence[Note]:
        """What is not in the samples; complete when they have been read."""
        ...

    def sample_blocks(self, from_s: float = 0.0) -> Iterator[SampleBlock]:
        """The samples from a second on, in order and without gaps."""
        ...


@contextlib.contextmanager
def open_audio(path: File, track: int | None = None) -> Iterator[AudioSource]:
    """The open recording; of several sound tracks the one with that number, or the default one.
    Raises UnreadableError."""
    with path.open("rb") as file:
        first = file.read(HEAD_BYTES)
        demuxer = detect_demuxer(first, path.name)
        if demuxer is None and PurePath(path.name).suffix.lower() == ".mp3":
            demuxer = "mp3"  # whatever stands before its first frame
        is_endless = (demuxer == "wav" and has_lost_length(file)) or (
            demuxer == "au" and has_no_length(file)
        )
        # Of several streams libsndfile reads the first alone, and what is missing it leaves out.
        streams = find_streams(file) if demuxer == "ogg" else OggStreams()
    refused: UnreadableError | None = None
    source: AudioSource | None = None
    with contextlib.ExitStack() as opened:
        is_simple = streams.is_plain and not is_endless
        if (demuxer in _LIBSNDFILE or demuxer is None) and is_simple:
            try:
                sound_file = opened.enter_context(_open_sndfile(path, first))
            except UnreadableError as problem:
                if problem.reason == "empty" or demuxer is None:
                    raise
                refused = problem
            else:
                source = _SndFileSource(sound_file, path, demuxer or "")
                # FFmpeg seeks in GSM, where libsndfile cannot; others it takes for other codecs.
                if sound_file.seekable() or sound_file.subtype != "GSM610":
                    yield source
                    return
        try:
            container = opened.enter_context(ffmpeg.open_container(path, demuxer or "", is_endless))
            if (tracks := find_tracks(container)) is not None:
                source = _ContainerSource(container, tracks, track, streams)
        except UnreadableError:
            if source is None:
                raise
        if source is None:
            raise refused or UnreadableError("empty", "There is no sound in this file.")
        yield source


class _SndFileSource:
    """A recording read by libsndfile."""

    def __init__(self, file: Any, path: File, demuxer: str) -> None:
        self._file, self._path, self._demuxer = file, path, demuxer
        self.made_at: float | None = None
        self.tracks = (SoundTrack(1, ""),)
        self.unheard: tuple[Note, ...] = ()
        self.notes: list[Note] = []

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
            except (soundfile.SoundFileError, RuntimeError):
                yield from self._rest(from_s)
                return
        # Otherwise soundfile seeks after every block, which not every codec can.
        file.seekable = lambda: False
        block_frames = min(BLOCK_FRAMES, 2 * rate_hz)
        while True:
            try:
                block = file.read(block_frames, dtype="float32", always_2d=True)
            except (soundfile.SoundFileError, RuntimeError) as problem:
                if decoded == 0:
                    raise UnreadableError("corrupt", ffmpeg.DAMAGED) from problem
                yield from self._rest(max(from_s, (first - surplus + decoded) / rate_hz))
                return
            if len(block) == 0:
                return
            decoded += len(block)
            if surplus < len(block):
                yield rate_hz, to_mono(block[surplus:].T)
            surplus = max(0, surplus - len(block))

    def _rest(self, from_s: float) -> Iterator[SampleBlock]:
        """From where libsndfile stopped: FFmpeg goes on after damage, silence in its place. Raises
        UnreadableError where nothing was and can be decoded."""
        decoded_s = 0.0
        try:
            with ffmpeg.open_container(self._path, self._demuxer) as container:
                stream = ffmpeg.audio_stream(container, 1)
                for rate_hz, block in ffmpeg.decode_samples(container, stream, from_s):
                    decoded_s += block.size / rate_hz
                    yield rate_hz, block
        except UnreadableError:
            if from_s == 0:
                raise
        self.notes.append(damage_note(from_s, is_end=decoded_s < SHORT_REST_S))


class _ContainerSource:
    """A sound track of a recording or a film, read by FFmpeg."""

    def __init__(
        self, container: Any, tracks: SoundTracks, track: int | None, streams: OggStreams
    ) -> None:
        self._container, self._is_chain = container, streams.chained
        self._stream = ffmpeg.audio_stream(container, track or tracks.heard[0].number)
        self.tracks, self.unheard = tracks.heard, tracks.notes
        self.notes: list[Note] = []
        if streams.gaps:
            self.notes.append(Note(NoteCode.SOUND_DAMAGED, DAMAGED_PLACES))

    @property
    def title(self) -> str:
        return ffmpeg.container_title(self._container)

    @property
    def made_at(self) -> float | None:
        return ffmpeg.recorded_at(self._container)

    def sample_blocks(self, from_s: float = 0.0) -> Iterator[SampleBlock]:
        damages_s: list[float] = []
        samples = ffmpeg.decode_samples(
            self._container, self._stream, from_s, is_chain=self._is_chain, damages_s=damages_s
        )
        for rate_hz, block in samples:
            if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
                raise UnreadableError("corrupt", ffmpeg.DAMAGED)
            yield rate_hz, block
        if damages_s:
            self.notes.append(damage_note(damages_s[0], is_end=False, count=len(damages_s)))


def damage_note(second: float, is_end: bool, count: int = 1) -> Note:
    """The note of a recording with damage at a second, after which nothing could be decoded, or
    only some of it; and at so many places in all."""
    minutes, seconds = divmod(int(second), 60)
    damage = f"The recording is damaged after {minutes} min {seconds} s"
    if count > 1:
        damage += f" and at {count - 1:,} other places"
    if is_end:
        return Note(NoteCode.SOUND_CUT, f"{damage}; nothing after that was heard.")
    return Note(NoteCode.SOUND_DAMAGED, f"{damage}; what is damaged was not heard.")


def broken_off_notes(path: File) -> tuple[Note, ...]:
    """The note of a file that ends before its header says; none for a whole one."""
    with path.open("rb") as file:
        demuxer = detect_demuxer(file.read(HEAD_BYTES), path.name)
        is_broken_off = demuxer is not None and breaks_off(file, demuxer)
    return (Note(NoteCode.SOUND_CUT, BROKEN_OFF),) if is_broken_off else ()


def _open_sndfile(path: File, first: bytes) -> Any:
    import soundfile

    try:
        file = soundfile.SoundFile(path.open("rb") if isinstance(path, MemoryFile) else path)
    except (soundfile.SoundFileError, ValueError, TypeError) as problem:
        if b"data\0\0\0\0" in first[:256]:  # libsndfile calls some empty files broken
            raise UnreadableError("empty", EMPTY) from problem
        raise UnreadableError("corrupt", ffmpeg.DAMAGED) from problem
    if not MIN_RATE_HZ <= file.samplerate <= MAX_RATE_HZ or not 1 <= file.channels <= MAX_CHANNELS:
        file.close()
        raise UnreadableError("corrupt", ffmpeg.DAMAGED)
    return file
