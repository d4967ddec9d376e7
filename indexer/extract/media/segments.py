"""What is worth hearing in a recording, and the pieces it is cut into.

Where anybody speaks, the pieces are speech. A recording in which nobody does (music, a bird, the
sea) is cut by its level instead: silence is what lies near its own background. A piece is at most
15 s, because the resident model understands little of what lies further back in a sound.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from model.interface import Float32

FRAME_S = 0.02
SPEECH_FRAME_S = 0.032  # what one probability of speech is for
LONGEST_S = 15.0
SHORTEST_S = 8.0  # a piece that has to be cut is at least this long, where a silence allows it

QUIET_DB = -60.0  # below this, nothing is heard at all
SPREAD_DB = 6.0  # a recording that varies less is the same all through
ABOVE_DB = 10.0  # how far sound begins over the background, at most
HYSTERESIS_DB = 3.0
MIN_SILENCE_S = 0.3
MIN_SOUND_S = 0.06  # shorter is a click
MIN_SPEECH_S = 0.25  # so much of it in all, or nobody spoke
SPEECH_BEGINS, SPEECH_ENDS = 0.5, 0.35  # probabilities, as the model's makers advise
SNAP_S = 0.3  # speech begins and ends where the level does, where that is so near
LEFT_OUT_S = 1.5  # a silence from here on is never part of a piece
MARGIN_S = 0.15  # kept on both sides of a sound: soft beginnings and ends


def cut_segments(levels_db: Float32, speech: Float32 | None = None) -> list[tuple[float, float]]:
    """Cut a recording, given its level (n,) in dB below full scale for frames of 20 ms and the
    probability (m,) that somebody speaks for frames of 32 ms: (start, end) of each piece in
    seconds, in order, without overlap, silence left out."""
    sounds = _sounds(levels_db)
    if speech is not None and speech.size and (spoken := _spoken(speech, len(levels_db))):
        sounds = _snapped(spoken, sounds)
    found: list[tuple[int, int]] = []
    group: list[tuple[int, int]] = []
    for sound in sounds:
        if group and sound[0] - group[-1][1] >= _frames(LEFT_OUT_S):
            found += _cut(group, levels_db)
            group = []
        group.append(sound)
    found += _cut(group, levels_db)
    return _with_margins(found, len(levels_db))


def _spoken(speech: Float32, frames: int) -> list[tuple[int, int]]:
    """The frames where somebody speaks; none where it is too little to be true."""
    at = (np.arange(frames) * (FRAME_S / SPEECH_FRAME_S)).astype(np.int64)
    likely = speech[np.minimum(at, speech.size - 1)]
    runs = _runs(likely > SPEECH_ENDS)
    runs = _joined([run for run in runs if likely[run[0] : run[1]].max() > SPEECH_BEGINS])
    total = sum(end - first for first, end in runs)
    return runs if total >= _frames(MIN_SPEECH_S) else []


def _snapped(spoken: list[tuple[int, int]], sounds: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Speech with its ends where the level rises and falls, where that is near: a detector is right
    about what is speech, and the level about when it begins."""
    starts = np.array([first for first, _ in sounds], np.int64)
    ends = np.array([end for _, end in sounds], np.int64)
    found: list[tuple[int, int]] = []
    for first, end in spoken:
        first, end = _nearest(first, starts), _nearest(end, ends)
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        elif first < end:
            found.append((first, end))
    return found


def _nearest(frame: int, edges: NDArray[np.int64]) -> int:
    if edges.size == 0:
        return frame
    edge = int(edges[np.argmin(np.abs(edges - frame))])
    return edge if abs(edge - frame) <= _frames(SNAP_S) else frame


def _sounds(levels_db: Float32) -> list[tuple[int, int]]:
    """The frames where there is sound: (first, one after the last)."""
    heard = levels_db[levels_db > QUIET_DB]
    if heard.size == 0:
        return []
    background = max(float(np.percentile(levels_db, 3)), QUIET_DB)
    loud = float(np.percentile(heard, 95))
    if loud - background < SPREAD_DB:
        begins = QUIET_DB
    else:
        begins = background + min(ABOVE_DB, max(SPREAD_DB / 2, (loud - background) * 0.3))
    ends = max(begins - HYSTERESIS_DB, QUIET_DB)
    inside = levels_db > ends
    runs = _runs(inside)
    return _joined([run for run in runs if levels_db[run[0] : run[1]].max() > begins])


def _joined(runs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Runs with the short silences between them; what is still as short as a click is left out."""
    joined: list[tuple[int, int]] = []
    for first, end in runs:
        if joined and first - joined[-1][1] < _frames(MIN_SILENCE_S):
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((first, end))
    return [run for run in joined if run[1] - run[0] >= _frames(MIN_SOUND_S)]


def _runs(inside: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def _cut(group: list[tuple[int, int]], levels_db: Float32) -> list[tuple[int, int]]:
    """Pieces of at most 15 s (margins included) from sounds that lie close together."""
    if not group:
        return []
    longest = _frames(LONGEST_S - 2 * MARGIN_S)
    gaps = [(a[1], b[0]) for a, b in pairwise(group)]
    start, end = group[0][0], group[-1][1]
    found: list[tuple[int, int]] = []
    while end - start > longest:
        within = [gap for gap in gaps if start < gap[0] <= start + longest]
        late = [gap for gap in within if gap[0] >= start + _frames(SHORTEST_S)]
        if late:  # the longest silence, the later of two equal ones
            gap = max(late, key=lambda gap: (gap[1] - gap[0], gap[0]))
        elif within:
            gap = within[-1]
        else:  # nobody draws breath: cut where it is quietest
            earliest = start + longest - _frames(3.0)
            at = earliest + int(np.argmin(levels_db[earliest : start + longest]))
            gap = (at, at)
        found.append((start, gap[0]))
        start = gap[1]
    return [*found, (start, end)]


def _with_margins(found: list[tuple[int, int]], frames: int) -> list[tuple[float, float]]:
    """In seconds, with a little of the silence around each; never over into the next piece."""
    margin = _frames(MARGIN_S)
    made: list[tuple[float, float]] = []
    for n, (first, end) in enumerate(found):
        before = found[n - 1][1] if n else 0
        after = found[n + 1][0] if n + 1 < len(found) else frames
        first -= min(margin, (first - before) // 2)
        end += min(margin, (after - end) // 2) if n + 1 < len(found) else min(margin, after - end)
        made.append((round(first * FRAME_S, 3), round(end * FRAME_S, 3)))
    return made


def _frames(seconds: float) -> int:
    return round(seconds / FRAME_S)
