"""Films and recordings written for the tests, by PyAV itself."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from model.interface import Float32, Uint8

COLOURS = ["#c0392b", "#2471a3", "#1e8449", "#b7950b", "#6c3483", "#1b2631"]


def scene(number: int, size: tuple[int, int] = (320, 180)) -> Uint8:
    """A picture that tells which one it is, by its colour and by where its bar stands."""
    picture = Image.new("RGB", size, COLOURS[number % len(COLOURS)])
    step = size[0] // 8
    left = step * (number % 7) + step // 4
    bar = (left, size[1] // 8, left + step - 2, size[1] - size[1] // 8)
    ImageDraw.Draw(picture).rectangle(bar, fill="white")
    return np.asarray(picture)


def film(
    path: Path,
    *,
    scenes_s: Sequence[float] = (6, 6, 6),
    sound: Float32 | None = None,
    video: str = "libx264",
    audio: str = "aac",
    rate_hz: int = 48_000,
    fps: int = 10,
    size: tuple[int, int] = (320, 180),
    keys_every: int | None = 20,
    container: str | None = None,
    metadata: dict[str, str] | None = None,
    rotate: int = 0,
    later_s: float = 0.0,
) -> Path:
    """A film of scenes that last so long, with `sound` (mono, at `rate_hz`) from `later_s` on."""
    import av

    with av.open(str(path), "w", format=container) as out:
        out.metadata.update(metadata or {})
        stream: Any = None
        if scenes_s:
            stream = out.add_stream(video, rate=fps)
            stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
            if keys_every:
                stream.codec_context.gop_size = keys_every
                if video == "libx264":
                    stream.options = {"sc_threshold": "0", "preset": "ultrafast"}
            if rotate:
                stream.set_display_rotation(rotate) if hasattr(
                    stream, "set_display_rotation"
                ) else None
        track: Any = None
        if sound is not None:
            track = _sound_stream(out, audio, rate_hz)
        number = 0
        for which, length_s in enumerate(scenes_s):
            for _ in range(round(length_s * fps)):
                frame = av.VideoFrame.from_ndarray(scene(which, size), format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, fps)
                number += 1
                out.mux(stream.encode(frame))
        if sound is not None:
            for packet in _encoded(track, sound, rate_hz, later_s):
                out.mux(packet)
        if stream is not None:
            out.mux(stream.encode(None))
    return path


def recording(path: Path, sound: Float32, rate_hz: int, codec: str, **more: Any) -> Path:
    """A recording without pictures."""
    return film(path, scenes_s=(), sound=sound, audio=codec, rate_hz=rate_hz, **more)


def variable_mp3(path: Path, sound: Float32, rate_hz: int, header: bool) -> Path:
    """An MP3 of variable bit rate; without its header nothing says how long it is."""
    import av

    with av.open(str(path), "w", options={"write_xing": "1" if header else "0"}) as container:
        stream: Any = container.add_stream("libmp3lame", rate=rate_hz, layout="mono")
        stream.codec_context.flags |= av.codec.context.Flags.qscale
        stream.codec_context.global_quality = 4 * 118
        frame = av.AudioFrame.from_ndarray(sound[None], format="fltp", layout="mono")
        frame.sample_rate = rate_hz
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return path


def tracks_film(
    path: Path,
    tracks: Sequence[tuple[Float32, dict[str, str]]],
    *,
    default: int = 0,
    video: str | None = "mpeg4",
    audio: str = "aac",
    container: str | None = None,
) -> Path:
    """A film with several tracks of sound at 48 kHz, each with metadata, one of them the default;
    without `video` a recording."""
    import av
    from av.stream import Disposition

    with av.open(str(path), "w", format=container) as out:
        packets: list[Any] = []
        if video is not None:
            film_stream: Any = out.add_stream(video, rate=10)
            film_stream.width, film_stream.height, film_stream.pix_fmt = 64, 48, "yuv420p"
        streams: list[Any] = []
        for number, (_, metadata) in enumerate(tracks):
            stream: Any = _sound_stream(out, audio, 48_000)
            stream.metadata.update(metadata)
            stream.disposition = Disposition.default if number == default else Disposition(0)
            streams.append(stream)
        if video is not None:
            for number in range(60):
                pixels = np.full((48, 64, 3), number, np.uint8)
                picture = av.VideoFrame.from_ndarray(pixels, "rgb24")
                picture.pts = number
                packets += film_stream.encode(picture)
            packets += film_stream.encode(None)
        for stream, (sound, _) in zip(streams, tracks, strict=True):
            packets += _encoded(stream, sound, 48_000, 0.0)
        for packet in packets:
            out.mux(packet)
    return path


def stereo(path: Path, channels: Float32) -> Path:
    """A recording of two channels (2, n) at 48 kHz, as AAC."""
    import av

    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("aac", rate=48_000, layout="stereo")
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(channels), "fltp", "stereo")
        frame.sample_rate = 48_000
        out.mux([*stream.encode(frame), *stream.encode(None)])
    return path


def _sound_stream(out: Any, codec: str, rate_hz: int) -> Any:
    stream = out.add_stream(codec, rate=rate_hz, layout="mono")
    if codec.startswith("wma"):
        stream.bit_rate = 96_000  # it has no usual one
    return stream


def _encoded(stream: Any, sound: Float32, rate_hz: int, later_s: float) -> list[Any]:
    import av

    context = stream.codec_context
    wanted = context.format.name
    resampler = av.AudioResampler(format=wanted, layout="mono", rate=context.sample_rate)
    packets: list[Any] = []
    at = round(later_s * rate_hz)
    for start in range(0, sound.size, 960):
        block = sound[start : start + 960][None]
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), "flt", "mono")
        frame.sample_rate, frame.pts, frame.time_base = rate_hz, at + start, Fraction(1, rate_hz)
        for made in resampler.resample(frame):
            packets += stream.encode(made)
    for made in resampler.resample(None):
        packets += stream.encode(made)
    return [*packets, *stream.encode(None)]


def subtitles(path: Path) -> list[tuple[float, str]]:
    """The cues of a file of subtitles as FFmpeg reads them: second and text."""
    import av

    with av.open(str(path)) as container:
        return [
            (float(packet.pts * packet.time_base), bytes(packet).decode())
            for packet in container.demux()
            if packet.pts is not None and packet.time_base is not None
        ]
