"""Films: their sound as any recording, and a frame every few seconds as a picture with its second.

The frames are key frames, where most scenes begin; one that looks like the one before is left out.
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
from indexer.extract.media.audio_source import EMPTY, broken_off_notes
from indexer.extract.media.sound import MAX_S, SoundSurvey, survey_tracks
from indexer.extract.pages.rasters import make_thumb, shrink
from indexer.types.attachments import File
from indexer.types.notes import NoteCode
from indexer.types.pieces import Extracted, Facts, MediaPart, UnreadableError, title_from_name
from indexer.types.places import Span
from model.interface import Uint8

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

MIN_INTERVAL_S = 4.0  # between two frames
MAX_FRAMES = 240  # of one film; those of a long one are further apart
MAX_KEY_INTERVAL_S = (
    3 * MIN_INTERVAL_S
)  # where key frames are rarer than this, every frame is decoded
MAX_DECODED = 200_000
COMPARED_PX = 32  # frames are compared as pictures of this size
SAME_DIFFERENCE = 4.0  # mean difference, of 255, under which two frames look the same
PLAIN_SPREAD = 8.0  # standard deviation, of 255, under which a frame is of one colour
FRAME_PX = 1_600

UNSEEN = "Its picture cannot be decoded and was not looked at; convert it to MP4 to have it seen."
NO_MEDIA = "There is neither sound nor a picture in this film that Recollect can decode."


def extract(path: File) -> Iterator[Extracted]:
    """Facts, a Thumb, and in the order of time a MediaPart for every segment of the sound and for
    every frame, then those of other sound tracks; the place of a frame is a Span without length."""
    demuxer = _demuxer(path)
    refused: UnreadableError | None = None
    survey = SoundSurvey()
    with ffmpeg.open_container(path, demuxer) as container:
        title, made_at = ffmpeg.container_title(container), ffmpeg.recorded_at(container)
        has_picture = ffmpeg.has_picture(container)
    try:
        survey = survey_tracks(path)
    except UnreadableError as problem:
        refused = problem if problem.reason != "empty" else None
    seconds, size, cover, film_s = _select_frames(path, demuxer)
    duration_s = max(survey.duration_s, film_s)
    if cover is None and survey.duration_s == 0:
        raise refused or UnreadableError("empty", EMPTY if duration_s == 0 else NO_MEDIA)
    if refused is not None:
        survey.notes.add(NoteCode.TRACKS_UNHEARD, refused.sentence)
    if cover is None and has_picture:
        survey.notes.add(NoteCode.FILM_UNSEEN, UNSEEN)
    survey.notes.extend(broken_off_notes(path))
    small, colour = (None, None) if cover is None else make_thumb(cover)
    yield Facts(
        title if len(title) >= 3 else title_from_name(path),
        duration_s=round(duration_s, 3),
        width_px=size[0] if size else None,
        height_px=size[1] if size else None,
        made_at=made_at,
        colour=colour,
        notes=survey.notes.all(),
        tracks=survey.tracks,
    )
    if small is not None:
        yield small
    # What is seen, and heard in the default track, comes first.
    default = survey.tracks[0].number if survey.tracks else None
    first = [span for span in survey.spans if span.track == default]
    first += [Span(second, second) for second in seconds]
    first.sort(key=lambda span: (span.start_s, span.end_s))
    for place in [*first, *(span for span in survey.spans if span.track != default)]:
        yield MediaPart(place)


def read_frame(path: File, at_s: float, longest_px: int) -> Picture:
    """The frame of a film at a second, upright. Raises UnreadableError."""
    with ffmpeg.open_container(path, _demuxer(path)) as container:
        stream = ffmpeg.find_video_stream(container)
        if stream is None:
            raise UnreadableError("empty", "There is no picture in this recording.")
        begin_s, last = ffmpeg.begin_s(container), None
        container.seek(max(0, int((begin_s + at_s) / stream.time_base)), stream=stream)
        for number, frame in enumerate(ffmpeg.decode_frames(container, stream)):
            last = frame if last is None or (frame.time or 0) - begin_s <= at_s + 0.001 else last
            if (frame.time or 0) - begin_s >= at_s - 0.001 or number > MAX_DECODED:
                break
        if last is None:
            raise UnreadableError("empty", "There is no picture at this second of the film.")
        return _picture(last, longest_px)


def _demuxer(path: File) -> str:
    with path.open("rb") as file:
        return detect_demuxer(file.read(HEAD_BYTES), path.name) or ""


def _select_frames(
    path: File, demuxer: str
) -> tuple[list[float], tuple[int, int] | None, Picture | None, float]:
    """The seconds of the frames for the model, the size of the film in pixels, a frame for its
    thumbnail, and its length in seconds."""
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
        if film_s / len(keys) <= MAX_KEY_INTERVAL_S:
            stream.codec_context.skip_frame = "NONKEY"
        interval_s = max(MIN_INTERVAL_S, film_s / MAX_FRAMES)
        seconds: list[float] = []
        size, cover, last_levels, next_s = None, None, None, -math.inf
        for number, frame in enumerate(ffmpeg.decode_frames(container, stream)):
            heartbeat.send()
            second = round(max(0.0, (frame.time or 0.0) - begin_s), 3)
            if number > MAX_DECODED or second > MAX_S:
                break
            if second < next_s:
                continue
            levels = _levels(frame)
            if _spread(levels) < PLAIN_SPREAD and cover is not None:
                continue
            if last_levels is not None and np.abs(levels - last_levels).mean() < SAME_DIFFERENCE:
                continue
            if cover is None or not seconds:
                cover = _picture(frame, FRAME_PX)
                size = _size(frame)
            if _spread(levels) >= PLAIN_SPREAD:
                seconds.append(second)
                last_levels, next_s = levels, second + interval_s
            if len(seconds) >= MAX_FRAMES:
                break
    return seconds, size, cover, film_s


def _key_seconds(container: Any, stream: Any) -> tuple[list[float], float]:
    """The seconds of the key frames, and the length of the film; nothing is decoded."""
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
    except Exception:  # cut off: the packets before count
        return keys, min(end_s, MAX_S)
    return keys, min(end_s, MAX_S)


def _levels(frame: Any) -> np.ndarray[Any, np.dtype[np.float32]]:
    """A frame as (32, 32, 3) levels of 255, to be compared."""
    small = frame.reformat(width=COMPARED_PX, height=COMPARED_PX, format="rgb24").to_ndarray()
    return np.asarray(small, np.float32)


def _spread(levels: np.ndarray[Any, np.dtype[np.float32]]) -> float:
    return float(levels.std(axis=(0, 1)).max())


def _size(frame: Any) -> tuple[int, int]:
    """(width, height) of the upright frame in pixels."""
    return (frame.height, frame.width) if frame.rotation % 180 else (frame.width, frame.height)


def _picture(frame: Any, longest_px: int) -> Picture:
    """A frame as an upright picture, its longest side at most `longest_px`."""
    from PIL import Image

    scale = min(1.0, longest_px / max(frame.width, frame.height))
    width, height = max(2, round(frame.width * scale)), max(2, round(frame.height * scale))
    pixels: Uint8 = frame.reformat(width=width, height=height, format="rgb24").to_ndarray()
    picture = Image.fromarray(pixels)
    turn = {90: "ROTATE_90", 180: "ROTATE_180", 270: "ROTATE_270"}.get(round(frame.rotation) % 360)
    return shrink(picture.transpose(Image.Transpose[turn]) if turn else picture, longest_px)
