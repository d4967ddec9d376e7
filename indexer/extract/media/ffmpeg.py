"""The only importer of av (FFmpeg): containers and codecs from a list, read from an open file.

Playlists, and containers that name other files, are not on the list; and FFmpeg is given the bytes
of the file and no protocol, so that it can open nothing else.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from indexer.extract.containers.truncation import has_film_index
from indexer.extract.dates import parse_iso_s
from indexer.extract.media.mixing import SampleBlock, join_blocks, to_mono
from indexer.types.attachments import File
from indexer.types.pieces import UnreadableError
from indexer.types.text.characters import clean
from model.interface import Float32

# Names of FFmpeg's demuxers; see `media_signatures`.
CONTAINERS = frozenset("mp4 matroska avi asf aac amr ogg wav flac mp3 aiff au caf".split())
AUDIO_CODECS = frozenset(
    """aac aac_fixed alac ac3 eac3 mp1 mp1float mp2 mp2float mp3 mp3float opus libopus vorbis
    libvorbis flac speex libspeex wmav1 wmav2 wmapro wmavoice amrnb amrwb libopencore_amrnb
    libopencore_amrwb adpcm_ms adpcm_ima_wav adpcm_ima_qt adpcm_yamaha gsm gsm_ms
    g722 g723_1 g726 g726le g729 truehd dca wavpack tta ape""".split()
)
VIDEO_CODECS = frozenset(
    """h264 hevc vp8 libvpx vp9 libvpx-vp9 av1 libdav1d mpeg4 mpeg2video mpeg1video mjpeg theora
    h263 wmv1 wmv2 wmv3 vc1 msmpeg4 msmpeg4v1 msmpeg4v2 prores dvvideo""".split()
)
# The largest frame that is decoded; decoders keep up to sixteen of them.
MAX_FRAME_PX = 36_000_000
_COUNT_FROM_ZERO = ("mp4", "matroska")
LATEST_BEGIN_S = 600.0  # what begins later was cut out of a longer one, and has kept its times
GAP_S = 0.1  # a longer gap between two blocks is filled with silence; shorter ones are rounding
_TAGS = (b"ID3", b"TAG", b"APETAGEX", b"LYRICS")  # of an MP3
BEGIN_GAP_S = 0.005  # the same before the first block

UNKNOWN_CODEC = (
    "The sound in this file is of a kind Recollect cannot decode; convert it to FLAC, MP3 or MP4."
)
NO_INDEX = (
    "The recording breaks off before its table of contents, without which nothing can play it; "
    "copy it again from where it was made."
)
DAMAGED = "The recording is damaged and cannot be opened; get another copy of it."


@contextlib.contextmanager
def open_container(path: File, demuxer: str, is_endless: bool = False) -> Iterator[Any]:
    """The open container; `is_endless` has the samples of a WAV read to the end of the file,
    whatever length it says they have. Raises UnreadableError."""
    import av

    if demuxer not in CONTAINERS:
        raise UnreadableError("unsupported", UNKNOWN_CODEC)
    av.logging.set_level(None)
    options = {"protocol_whitelist": "none", **({"ignore_length": "1"} if is_endless else {})}
    with path.open("rb") as file:
        try:
            container = av.open(
                file,
                format=demuxer,
                options=options,
                metadata_errors="replace",
            )
        except MemoryError:
            raise
        except Exception as problem:  # av raises many classes, one for each error number of FFmpeg
            if demuxer == "mp4" and not has_film_index(file):
                raise UnreadableError("truncated", NO_INDEX) from problem
            raise UnreadableError("corrupt", DAMAGED) from problem
        with container:
            yield container


def audio_stream(container: Any, number: int) -> Any:
    """The audio stream with this number, from 1, to be decoded in one thread. Raises
    UnreadableError."""
    streams = container.streams.audio
    if not 1 <= number <= len(streams) or not is_decodable(streams[number - 1]):
        raise UnreadableError("empty", f"There is no sound track {number} in this recording.")
    stream = streams[number - 1]
    stream.codec_context.thread_count = 1
    return stream


def is_decodable(stream: Any) -> bool:
    """Whether the codec of an audio stream is on the list."""
    name = stream.codec_context.name if stream.codec_context is not None else ""
    return name in AUDIO_CODECS or name.startswith("pcm_")


def has_disposition(stream: Any, name: str) -> bool:
    """Whether a stream has a disposition, by its name in FFmpeg."""
    from av.stream import Disposition

    return bool(stream.disposition & Disposition[name])


def has_picture(container: Any) -> bool:
    """Whether it is a film: a cover picture is none."""
    return any(not has_disposition(stream, "attached_pic") for stream in container.streams.video)


def find_video_stream(container: Any) -> Any | None:
    """The first video stream that can be decoded; a cover picture is none."""
    for stream in container.streams.video:
        context = stream.codec_context
        if (
            context is None
            or context.name not in VIDEO_CODECS
            or has_disposition(stream, "attached_pic")
        ):
            continue
        if 0 < context.width * context.height <= MAX_FRAME_PX:
            context.thread_count = 1
            return stream
    return None


def begin_s(container: Any) -> float:
    """The time in the container, in seconds, that is second 0: that of its first sample, but where
    the format counts from 0 itself, so that what begins late keeps its gap."""
    first_s = float(container.start_time or 0) / 1e6
    counts_from_zero = container.format.name.startswith(_COUNT_FROM_ZERO)
    return 0.0 if counts_from_zero and 0 < first_s <= LATEST_BEGIN_S else first_s


def decode_samples(
    container: Any,
    stream: Any,
    from_s: float = 0.0,
    *,
    is_chain: bool = False,
    damages_s: list[float] | None = None,
) -> Iterator[SampleBlock]:
    """Blocks of mono samples (n,) in [-1, 1], each with its rate in Hz, from a second on. Gaps are
    filled with silence, so that every sample is at its time; in a chain of recordings, whose times
    begin anew with each, samples are counted instead. The seconds at which damaged samples were
    left out are added to `damages_s` on the way. Raises UnreadableError where nothing can be
    decoded; after damage that cannot be skipped the blocks end."""
    samples = _timed_samples(container, stream, from_s, is_chain, damages_s)
    yield from join_blocks(samples)


def _timed_samples(
    container: Any, stream: Any, from_s: float, is_chain: bool, damages_s: list[float] | None
) -> Iterator[SampleBlock]:
    if from_s > 0 and not is_chain:
        with contextlib.suppress(Exception):  # what cannot seek is read from its start
            container.seek(int((begin_s(container) + max(0.0, from_s - 1.0)) * 1e6))
    due_s, has_begun, counted_s = from_s, False, 0.0
    bad_sizes: list[int] = []
    for frame in decode_frames(container, stream, bad_sizes):
        if bad_sizes and damages_s is not None:
            damages_s.append(due_s)
        bad_sizes.clear()
        rate_hz = frame.sample_rate
        samples = _mono(frame)
        at_s = due_s if frame.time is None else frame.time - begin_s(container)
        if is_chain:
            at_s, counted_s = counted_s, counted_s + samples.size / rate_hz
        if at_s < from_s and not has_begun:  # seeking ends before the second
            early = round((from_s - at_s) * rate_hz)
            if early >= samples.size:
                continue
            samples, at_s = samples[early:], from_s
        missing_s = at_s - due_s
        shortest_s = GAP_S if has_begun else BEGIN_GAP_S
        while missing_s > shortest_s:
            silence_s = min(missing_s, 1.0)
            yield rate_hz, np.zeros(round(silence_s * rate_hz), np.float32)
            missing_s -= silence_s
            due_s += silence_s
        has_begun = True
        due_s += samples.size / rate_hz
        yield rate_hz, samples


def decode_frames(container: Any, stream: Any, bad_sizes: list[int] | None = None) -> Iterator[Any]:
    """The frames of a stream, until its end or the first damage that cannot be skipped. Between two
    frames, the size in bytes of each packet that cannot be decoded is added to `bad_sizes`."""
    has_frame = False
    try:
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except MemoryError:
                raise
            except Exception:  # one bad packet; the next may be good
                is_tag = bytes(packet).startswith(_TAGS)  # between two recordings that were joined
                if has_frame and bad_sizes is not None and not is_tag:
                    bad_sizes.append(packet.size)
                continue
            if packet.size == 0 and bad_sizes is not None:  # the end: what a decoder kept back
                bad_sizes.clear()
            for frame in frames:
                has_frame = True
                yield frame
    except (MemoryError, GeneratorExit):
        raise
    except Exception as problem:
        if not has_frame:
            raise UnreadableError("corrupt", DAMAGED) from problem


def _mono(frame: Any) -> Float32:
    """The mean of the channels of a frame, (n,) in [-1, 1]; values that are no numbers are 0."""
    data = frame.to_ndarray()
    if not frame.format.is_planar:
        data = data.reshape(-1, frame.layout.nb_channels).T
    if data.dtype == np.uint8:
        data = (data.astype(np.float32) - 128) / 128
    elif data.dtype.kind == "i":
        data = data.astype(np.float32) / -float(np.iinfo(data.dtype).min)
    return to_mono(data)


def container_title(container: Any) -> str:
    """The title in the metadata; empty where there is none."""
    try:
        return clean(str(container.metadata.get("title", ""))).strip()[:200]
    except Exception:
        return ""


def recorded_at(container: Any) -> float | None:
    """When it was recorded, in unix seconds; None where the metadata has no date."""
    moment = parse_iso_s(container.metadata.get("creation_time"))
    return moment if moment is not None and moment > 0 else None
