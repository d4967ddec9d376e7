"""The segments that a recording is cut into for the model, silence left out.

In a recording with speech the segments are speech. One without (music, a bird, the sea) is cut by
its level: silence is what is near its own background level. A segment is at most 15 s long, because
the model makes little of longer sounds.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from model.interface import Float32

FRAME_S = 0.02
SPEECH_FRAME_S = 0.032  # of one probability of speech
LONGEST_S = 15.0
SHORTEST_S = 8.0  # of a segment that had to be cut, where a silence allows it

QUIET_DB = -60.0  # below this, nothing is audible
SPREAD_DB = 6.0  # a recording that varies less has no silence
ABOVE_DB = 10.0  # sound begins at most so far above the background
HYSTERESIS_DB = 3.0
MIN_SILENCE_S = 0.3
SHORTEST_PAUSE_S = 0.1  # between two sentences
MIN_SOUND_S = 0.06  # shorter is a click
MIN_SPEECH_S = 0.25  # in all; with less there is no speech
SPEECH_BEGINS, SPEECH_ENDS = 0.5, 0.35  # probabilities, as the authors of the model advise
SNAP_S = 0.3  # an edge of speech moves to an edge of sound that is so near
LEFT_OUT_S = 1.5  # a silence of this length is never within a segment
MARGIN_S = 0.15  # kept on both sides of a sound: soft beginnings and ends


def cut_segments(levels_db: Float32, speech: Float32 | None = None) -> list[tuple[float, float]]:
    """Cut a recording into segments: (start, end) in seconds, in order, without overlap.
    `levels_db` (n,) is its level against full scale in frames of 20 ms, `speech` (m,) the
    probability of speech in frames of 32 ms."""
    segments: list[tuple[int, int]] = []
    group: list[tuple[int, int]] = []
    for sound in _audible_runs(levels_db, speech):
        if group and sound[0] - group[-1][1] >= _frames(LEFT_OUT_S):
            segments += _cut(group, levels_db)
            group = []
        group.append(sound)
    segments += _cut(group, levels_db)
    return _add_margins(segments, len(levels_db))


def cut_clip(
    levels_db: Float32, speech: Float32 | None, longest_s: float
) -> list[tuple[float, float]]:
    """Cut one segment, levels and speech as in `cut_segments`, into pieces of at most `longest_s`:
    in pauses, where there are any."""
    sounds = _audible_runs(levels_db, speech)
    return _add_margins(_cut(sounds, levels_db, longest_s), len(levels_db))


def sound_spans(levels_db: Float32, speech: Float32 | None = None) -> list[tuple[float, float]]:
    """Where there is speech, or sound in what has none, as (start, end) in seconds; between two of
    them is a pause of at least 0.1 s."""
    runs = _audible_runs(levels_db, speech, SHORTEST_PAUSE_S)
    return [(round(first * FRAME_S, 3), round(end * FRAME_S, 3)) for first, end in runs]


def _audible_runs(
    levels_db: Float32, speech: Float32 | None, shortest_pause_s: float = MIN_SILENCE_S
) -> list[tuple[int, int]]:
    sounds = _sound_runs(levels_db, shortest_pause_s)
    if speech is not None and speech.size and (spoken := _speech_runs(speech, len(levels_db))):
        if shortest_pause_s < MIN_SILENCE_S:  # what is speech, parted where it is silent
            return [
                (max(first, begun), min(end, ended))
                for first, end in sounds
                for begun, ended in spoken
                if min(end, ended) - max(first, begun) >= _frames(MIN_SOUND_S)
            ]
        return _snap_to(spoken, sounds)
    return sounds


def _speech_runs(speech: Float32, frames: int) -> list[tuple[int, int]]:
    """The runs of frames with speech; none where they are too short in all."""
    indices = (np.arange(frames) * (FRAME_S / SPEECH_FRAME_S)).astype(np.int64)
    likely = speech[np.minimum(indices, speech.size - 1)]
    runs = _runs(likely > SPEECH_ENDS)
    runs = _join([run for run in runs if likely[run[0] : run[1]].max() > SPEECH_BEGINS])
    total = sum(end - first for first, end in runs)
    return runs if total >= _frames(MIN_SPEECH_S) else []


def _snap_to(spoken: list[tuple[int, int]], sounds: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Speech with its edges moved to near edges of sound: the detector knows what is speech, the
    level knows when it begins and ends."""
    starts = np.array([first for first, _ in sounds], np.int64)
    ends = np.array([end for _, end in sounds], np.int64)
    runs: list[tuple[int, int]] = []
    for first, end in spoken:
        first, end = _nearest(first, starts), _nearest(end, ends)
        if runs and first <= runs[-1][1]:
            runs[-1] = (runs[-1][0], max(end, runs[-1][1]))
        elif first < end:
            runs.append((first, end))
    return runs


def _nearest(frame: int, edges: NDArray[np.int64]) -> int:
    if edges.size == 0:
        return frame
    edge = int(edges[np.argmin(np.abs(edges - frame))])
    return edge if abs(edge - frame) <= _frames(SNAP_S) else frame


def _sound_runs(
    levels_db: Float32, shortest_pause_s: float = MIN_SILENCE_S
) -> list[tuple[int, int]]:
    """The runs of frames with sound: (first, one after the last)."""
    audible = levels_db[levels_db > QUIET_DB]
    if audible.size == 0:
        return []
    background = max(float(np.percentile(levels_db, 3)), QUIET_DB)
    loud = float(np.percentile(audible, 95))
    if loud - background < SPREAD_DB:
        begins = QUIET_DB
    else:
        begins = background + min(ABOVE_DB, max(SPREAD_DB / 2, (loud - background) * 0.3))
    ends = max(begins - HYSTERESIS_DB, QUIET_DB)
    inside = levels_db > ends
    runs = _runs(inside)
    loud_runs = [run for run in runs if levels_db[run[0] : run[1]].max() > begins]
    return _join(loud_runs, shortest_pause_s)


def _join(
    runs: list[tuple[int, int]], shortest_pause_s: float = MIN_SILENCE_S
) -> list[tuple[int, int]]:
    """Runs joined over short silences; those that are still as short as a click are left out."""
    joined: list[tuple[int, int]] = []
    for first, end in runs:
        if joined and first - joined[-1][1] < _frames(shortest_pause_s):
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((first, end))
    return [run for run in joined if run[1] - run[0] >= _frames(MIN_SOUND_S)]


def _runs(inside: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def _cut(
    group: list[tuple[int, int]], levels_db: Float32, longest_s: float = LONGEST_S
) -> list[tuple[int, int]]:
    """Segments of at most `longest_s`, margins included, from sounds that are close together."""
    if not group:
        return []
    longest = _frames(longest_s - 2 * MARGIN_S)
    shortest = _frames(SHORTEST_S * longest_s / LONGEST_S)
    gaps = [(a[1], b[0]) for a, b in pairwise(group)]
    start, end = group[0][0], group[-1][1]
    segments: list[tuple[int, int]] = []
    while end - start > longest:
        within = [gap for gap in gaps if start < gap[0] <= start + longest]
        late = [gap for gap in within if gap[0] >= start + shortest]
        if late:  # the longest silence, the later of two equal ones
            gap = max(late, key=lambda gap: (gap[1] - gap[0], gap[0]))
        elif within:
            gap = within[-1]
        else:  # no silence at all: cut where it is quietest
            earliest = start + longest - _frames(min(3.0, longest_s / 2))
            at = earliest + int(np.argmin(levels_db[earliest : start + longest]))
            gap = (at, at)
        segments.append((start, gap[0]))
        start = gap[1]
    return [*segments, (start, end)]


def _add_margins(segments: list[tuple[int, int]], frames: int) -> list[tuple[float, float]]:
    """The segments in seconds, each with a margin of silence that stays clear of the next one."""
    margin = _frames(MARGIN_S)
    spans: list[tuple[float, float]] = []
    for n, (first, end) in enumerate(segments):
        before = segments[n - 1][1] if n else 0
        after = segments[n + 1][0] if n + 1 < len(segments) else frames
        first -= min(margin, (first - before) // 2)
        end += (
            min(margin, (after - end) // 2) if n + 1 < len(segments) else min(margin, after - end)
        )
        spans.append((round(first * FRAME_S, 3), round(end * FRAME_S, 3)))
    return spans


def _frames(seconds: float) -> int:
    return round(seconds / FRAME_S)
