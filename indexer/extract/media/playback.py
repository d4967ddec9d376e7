"""Whether a browser plays a recording as it is: all of it, and each second where it is.

Decided by container and codec. Not MP3: browsers seek in it by a table of a hundred places, or by
its mean bit rate. Anything else is decoded for the browser.
"""

from __future__ import annotations

from indexer.extract.containers.file_format import HEAD_BYTES
from indexer.extract.containers.media_signatures import detect_demuxer
from indexer.extract.containers.ogg import find_streams
from indexer.extract.containers.riff import has_lost_length
from indexer.types.attachments import File, MemoryFile

# By libsndfile's names of them.
_WAV_CODECS = frozenset(["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "ULAW", "ALAW"])
_OGG_CODECS = (b"\x01vorbis", b"OpusHead")
_OGG_CODEC_AT = 28  # behind the header of the first page, which has one segment
MIN_RATE_HZ, MAX_RATE_HZ, MAX_CHANNELS = 8_000, 192_000, 2


def playable_type(path: File) -> str | None:
    """The media type under which a browser plays the file exactly; None where it may not."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        match detect_demuxer(head, path.name):
            case "wav" if head[:4] == b"RIFF" and not has_lost_length(file):
                return "audio/wav" if _is_plain(path, _WAV_CODECS) else None
            case "flac" if head.startswith(b"fLaC"):
                return "audio/flac" if _is_plain(path) else None
            case "ogg" if (
                head[_OGG_CODEC_AT:].startswith(_OGG_CODECS) and find_streams(file).is_plain
            ):
                return "audio/ogg" if _is_plain(path) else None
    return None


def _is_plain(path: File, codecs: frozenset[str] | None = None) -> bool:
    """Whether libsndfile reads the file, with one of these codecs and usual numbers."""
    import soundfile

    try:
        sound = soundfile.SoundFile(path.open("rb") if isinstance(path, MemoryFile) else path)
    except (soundfile.SoundFileError, ValueError, TypeError):
        return False
    with sound:
        return (
            (codecs is None or sound.subtype in codecs)
            and MIN_RATE_HZ <= sound.samplerate <= MAX_RATE_HZ
            and sound.channels <= MAX_CHANNELS
            and sound.frames > 0
        )
