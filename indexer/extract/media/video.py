"""Films: their sound as any recording, and a frame every few seconds as a picture with its second.

Frames are taken where the film can be entered (its key frames), which is also where scenes begin;
one that shows what the one before it showed is left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.extract import heartbeat
from indexer.extract.containers.file_format import HEAD_BYTES
from indexer.extract.containers.media_signatures import detect_demuxer
from indexer.extract.media import ffmpeg
from indexer.extract.media.audio_source import EMPTY
from indexer.extract.media.sound import MAX_S, SoundSurvey, survey_sound
from indexer.extract.pages.rasters import make_thumb, shrink
from indexer.types.attachments import File
from indexer.types.pieces import Extracted, Facts, MediaPart, UnreadableError, title_from_name
from indexer.types.places import Span
from model.interface import Uint8

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

EVERY_S = 4.0  # frames are at least so far apart
MAX_FRAMES = 240  # of one film; a long one gives them further apart
RARE_S = 3 * EVERY_S  # where key frames are rarer than this, every frame is decoded
MAX_DECODED = 200_000
PRINT_PX = 32  # frames are compared as pictures of this size
SAME = 4.0  # mean difference, of 255, under which two frames show the same
PLAIN = 8.0  # a frame whose levels spread less is one colour, and says nothing
FRAME_PX = 1_600

NOTHING = "There is neither sound nor a picture in this film that Recollect can decode."


def extract(path: File) -> Iterator[Extracted]:
    """Facts, a thumbnail, and in the order of their seconds a Part for every piece of the sound and
    for every frame: a frame is a Span without length."""
    demuxer = _demuxer(path)
    refused: UnreadableError | None = None
    heard = SoundSurvey()
    with ffmpeg.open_container(path, demuxer) as container:
        title, made_at = ffmpeg.container_title(container), ffmpeg.recorded_at(container)
        try:
            if (stream := ffmpeg.find_audio_stream(container)) is not None:
                heard = survey_sound(ffmpeg.decode_samples(container, stream))
        except UnreadableError as problem:
            refused = problem
    seconds, size, shown, film_s = _looked_through(path, demuxer)
    duration_s = max(heard.duration_s, film_s)
    if shown is None and heard.duration_s == 0:
        raise refused or UnreadableError("empty", EMPTY if duration_s == 0 else NOTHING)
    small, colour = (None, None) if shown is None else make_thumb(shown)
    yield Facts(
        title if len(title) >= 3 else title_from_name(path),
        duration_s=round(duration_s, 3),
        width_px=size[0] if size else None,
        height_px=size[1] if size else None,
        made_at=made_at,
        colour=colour,
        note=refused.sentence if refused else _note(heard),
    )
    if small is not None:
        yield small
    places = [*heard.spans, *(Span(second, second) for second in seconds)]
    for place in sorted(places, key=lambda span: (span.start_s, span.end_s)):
        yield MediaPart(place)


def read_frame(path: File, at_s: float, longest_px: int) -> Picture:
    """What is seen at a second of a film, upright. Raises UnreadableError."""
    with ffmpeg.open_container(path, _demuxer(path)) as container:
        stream = ffmpeg.find_video_stream(container)
        if stream is None:
            raise UnreadableError("empty", "There is no picture in this recording.")
        begin_s, last = ffmpeg.begin_s(container), None
        container.seek(max(0, int((begin_s + at_s) / stream.time_base)), stream=stream)
        for number, found in enumerate(ffmpeg.decode_frames(container, stream)):
            last = found if last is None or (found.time or 0) - begin_s <= at_s + 0.001 else last
            if (found.time or 0) - begin_s >= at_s - 0.001 or number > MAX_DECODED:
                break
        if last is None:
            raise UnreadableError("empty", "There is no picture at this second of the film.")
        return _picture(last, longest_px)


def _demuxer(path: File) -> str:
    with path.open("rb") as file:
        return detect_demuxer(file.read(HEAD_BYTES), path.name) or ""


def _looked_through(
    path: File, demuxer: str
) -> tuple[list[float], tuple[int, int] | None, Picture | None, float]:
    """The seconds of the frames worth seeing, the size of the film in pixels, a frame to know it
    by, and its length in seconds."""
    with ffmpeg.open_container(path, demuxer) as container:
        stream = ffmpeg.find_video_stream(container)
        if stream is None:
            return [], None, None, 0.0
        keys, film_s = _key_seconds(container, stream)
    if not keys:
        return [], None, None, film_s
    with ffmpeg.open_container(path, demuxer) as container:
        stream = ffmpeg.find_video_stream(container)
        assert stream is not None  # noqa: S101  it was there a moment ago
        begin_s = ffmpeg.begin_s(container)
        if film_s / len(keys) <= RARE_S:
            stream.codec_context.skip_frame = "NONKEY"
        apart_s = max(EVERY_S, film_s / MAX_FRAMES)
        seconds: list[float] = []
        size, shown, before, next_s = None, None, None, -math.inf
        for number, found in enumerate(ffmpeg.decode_frames(container, stream)):
            heartbeat.send()
            second = round(max(0.0, (found.time or 0.0) - begin_s), 3)
            if number > MAX_DECODED or second > MAX_S:
                break
            if second < next_s:
                continue
            seen = _print(found)
            if _spread(seen) < PLAIN and shown is not None:
                continue
            if before is not None and np.abs(seen - before).mean() < SAME:
                continue
            if shown is None or not seconds:
                shown = _picture(found, FRAME_PX)
                size = _size(found)
            if _spread(seen) >= PLAIN:
                seconds.append(second)
                before, next_s = seen, second + apart_s
            if len(seconds) >= MAX_FRAMES:
                break
    return seconds, size, shown, film_s


def _key_seconds(container: Any, stream: Any) -> tuple[list[float], float]:
    """Where the film can be entered, and how long it is; only the container is read."""
    begin_s = ffmpeg.begin_s(container)
    keys: list[float] = []
    end_s = 0.0
    try:
        for packet in container.demux(stream):
            heartbeat.send()
            if packet.pts is None:
                continue
            second = float(packet.pts * stream.time_base) - begin_s
            end_s = max(end_s, second + float((packet.duration or 0) * stream.time_base))
            if packet.is_keyframe:
                keys.append(second)
    except MemoryError:
        raise
    except Exception:  # cut off: what came before it counts
        return keys, min(end_s, MAX_S)
    return keys, min(end_s, MAX_S)


def _print(found: Any) -> np.ndarray[Any, np.dtype[np.float32]]:
    """A frame as (32, 32, 3) levels, to tell scenes apart."""
    small = found.reformat(width=PRINT_PX, height=PRINT_PX, format="rgb24").to_ndarray()
    return np.asarray(small, np.float32)


def _spread(seen: np.ndarray[Any, np.dtype[np.float32]]) -> float:
    return float(seen.std(axis=(0, 1)).max())


def _size(found: Any) -> tuple[int, int]:
    """Its size in pixels, upright."""
    return (found.height, found.width) if found.rotation % 180 else (found.width, found.height)


def _picture(found: Any, longest_px: int) -> Picture:
    """A frame as an upright picture, its longest side at most `longest_px`."""
    from PIL import Image

    scale = min(1.0, longest_px / max(found.width, found.height))
    wide, high = max(2, round(found.width * scale)), max(2, round(found.height * scale))
    pixels: Uint8 = found.reformat(width=wide, height=high, format="rgb24").to_ndarray()
    picture = Image.fromarray(pixels)
    turn = {90: "ROTATE_90", 180: "ROTATE_180", 270: "ROTATE_270"}.get(round(found.rotation) % 360)
    return shrink(picture.transpose(Image.Transpose[turn]) if turn else picture, longest_px)


def _note(heard: SoundSurvey) -> str | None:
    return None if heard.whole else f"Only the first {MAX_S / 3600:.0f} hours were read."
