"""The only importer of av (FFmpeg): containers and codecs from a list, read from an open file.

A playlist, or a container that names other files, is not on the list; and since FFmpeg gets the
bytes from us and no protocol at all, there is nothing it could open besides.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from indexer.extract.dates import parse_iso_s
from indexer.types.attachments import File
from indexer.types.characters import clean
from indexer.types.pieces import UnreadableError
from model.interface import Float32

# By their first bytes, see `signatures`; the names are FFmpeg's demuxers.
CONTAINERS = frozenset("mp4 matroska avi asf aac amr ogg wav flac mp3 aiff".split())
AUDIO_CODECS = frozenset(
    """aac aac_fixed alac ac3 eac3 mp1 mp1float mp2 mp2float mp3 mp3float opus libopus vorbis
    libvorbis flac speex libspeex wmav1 wmav2 wmapro wmavoice amrnb amrwb libopencore_amrnb
    libopencore_amrwb adpcm_ms adpcm_ima_wav adpcm_ima_qt gsm_ms""".split()
)
VIDEO_CODECS = frozenset(
    """h264 hevc vp8 libvpx vp9 libvpx-vp9 av1 libdav1d mpeg4 mpeg2video mpeg1video mjpeg theora
    h263 wmv1 wmv2 wmv3 vc1 msmpeg4 msmpeg4v1 msmpeg4v2 prores dvvideo""".split()
)
# A frame is at most this large; decoders keep up to sixteen of them.
MAX_FRAME_PX = 36_000_000
GAP_S = 0.2  # what is missing between two blocks is silence; less is how encoders round

UNKNOWN = "The sound in this file is of a kind Recollect cannot decode."
DAMAGED = "The recording is damaged and cannot be opened."


@contextlib.contextmanager
def open_container(path: File, demuxer: str) -> Iterator[Any]:
    """The open container. Raises UnreadableError."""
    import av

    if demuxer not in CONTAINERS:
        raise UnreadableError("unsupported", UNKNOWN)
    av.logging.set_level(None)
    with path.open("rb") as file:
        try:
            container = av.open(
                file,
                format=demuxer,
                options={"protocol_whitelist": "none"},
                metadata_errors="replace",
            )
        except MemoryError:
            raise
        except Exception as problem:  # av raises one class for each of FFmpeg's numbers, and others
            raise UnreadableError("corrupt", DAMAGED) from problem
        with container:
            yield container


def find_audio_stream(container: Any) -> Any | None:
    """Its first stream of sound that can be decoded, None where it has no sound. Raises
    UnreadableError where it has only others."""
    found = list(container.streams.audio)
    for stream in found:
        name = stream.codec_context.name if stream.codec_context is not None else ""
        if name in AUDIO_CODECS or name.startswith("pcm_"):
            stream.codec_context.thread_count = 1
            return stream
    if found:
        raise UnreadableError("unsupported", UNKNOWN)
    return None


def find_video_stream(container: Any) -> Any | None:
    """Its first stream of moving pictures that can be decoded; a cover is none."""
    for stream in container.streams.video:
        context = stream.codec_context
        if context is None or context.name not in VIDEO_CODECS or _is_cover(stream):
            continue
        if 0 < context.width * context.height <= MAX_FRAME_PX:
            context.thread_count = 1
            return stream
    return None


def _is_cover(stream: Any) -> bool:
    return "attached_pic" in str(stream.disposition).lower()


def begin_s(container: Any) -> float:
    """What the container calls its first second."""
    return (container.start_time or 0) / 1e6


def decode_samples(
    container: Any, stream: Any, from_s: float = 0.0
) -> Iterator[tuple[int, Float32]]:
    """Mono samples in [-1, 1] with their rate in Hz, from a second on; what is missing between
    them is silence, so that every sample is at its time. Raises UnreadableError where nothing can
    be decoded; what can be, until the first damage, counts."""
    if from_s > 0:
        with contextlib.suppress(Exception):  # where it cannot seek, it is read from its start
            container.seek(int((begin_s(container) + max(0.0, from_s - 1.0)) * 1e6))
    due_s, some = from_s, False
    for frame in decode_frames(container, stream):
        rate_hz = frame.sample_rate
        samples = _mono(frame)
        at_s = due_s if frame.time is None else frame.time - begin_s(container)
        if at_s < from_s and not some:  # it stood before the second, as it had to
            early = round((from_s - at_s) * rate_hz)
            if early >= samples.size:
                continue
            samples, at_s = samples[early:], from_s
        missing_s = at_s - due_s
        while missing_s > GAP_S:
            some_s = min(missing_s, 1.0)
            yield rate_hz, np.zeros(round(some_s * rate_hz), np.float32)
            missing_s -= some_s
            due_s += some_s
        some = True
        due_s += samples.size / rate_hz
        yield rate_hz, samples


def decode_frames(container: Any, stream: Any) -> Iterator[Any]:
    """The frames of a stream until its end or the first damage that cannot be stepped over."""
    some = False
    try:
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except MemoryError:
                raise
            except Exception:  # noqa: S112  one bad packet; the next may be good
                continue
            for frame in frames:
                some = True
                yield frame
    except (MemoryError, GeneratorExit):
        raise
    except Exception as problem:
        if not some:
            raise UnreadableError("corrupt", DAMAGED) from problem


def _mono(frame: Any) -> Float32:
    """The mean of the channels of a frame; what is no number is silence."""
    data = frame.to_ndarray()
    if not frame.format.is_planar:
        data = data.reshape(-1, frame.layout.nb_channels).T
    if data.dtype == np.uint8:
        data = (data.astype(np.float32) - 128) / 128
    elif data.dtype.kind == "i":
        data = data.astype(np.float32) / -float(np.iinfo(data.dtype).min)
    numbers = np.nan_to_num(data, nan=0.0, posinf=0.0, neginf=0.0).clip(-1.0, 1.0)
    mono: Float32 = numbers.mean(axis=0, dtype=np.float32)
    return mono


def container_title(container: Any) -> str:
    """The title its makers gave it, or none."""
    try:
        return clean(str(container.metadata.get("title", ""))).strip()[:200]
    except Exception:
        return ""


def recorded_at(container: Any) -> float | None:
    """When it was recorded, in unix seconds, where that is written in it."""
    moment = parse_iso_s(container.metadata.get("creation_time"))
    return moment if moment is not None and moment > 0 else None
