"""When each sentence of a clip is said: its pauses are matched with the ends of the sentences.

A sentence takes about as long as it has letters, and a pause follows most of them. Of all ways to
put the ends of the sentences into the pauses, the one is taken whose sentences are spoken at the
steadiest pace and whose pauses are longest; it is found by dynamic programming over both orders. A
sentence without a pause of its own ends where its share of the letters does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from indexer.extract.media.segments import FRAME_S, cut_clip, sound_spans
from indexer.extract.media.sound import RATE_HZ, levels_db
from indexer.extract.media.speech import SpeechDetector
from indexer.types.sentences import Sentence, sentence_bounds
from model.interface import Float32, Sound

Float64 = NDArray[np.float64]

_FRAME_SAMPLES = round(RATE_HZ * FRAME_S)
LEAST_LETTERS = 4  # "No." takes longer than its letters
PACE_WEIGHT = 4.0  # of the squared logarithm of how much quicker or slower one sentence is
PAUSE_WEIGHT = 1.0  # of the logarithm of how long a pause is
NO_PAUSE = -2.5  # the same for an end within speech: as a pause of 80 ms


def clip_pieces(clip: Sound, longest_s: float) -> list[tuple[float, float]]:
    """Start and end, in seconds of the clip, of the pieces it is heard in: itself where it is
    short enough, else cut in its pauses. A clip without a sound in it is one piece."""
    if clip.duration_s <= longest_s:
        return [(0.0, clip.duration_s)]
    pieces = cut_clip(*_levels_and_speech(clip), longest_s)
    return pieces or [(0.0, clip.duration_s)]


def time_sentences(text: str, clip: Sound) -> list[Sentence]:
    """The sentences of the transcript of a clip, their seconds counted from its start."""
    bounds = sentence_bounds(text)
    if not bounds:
        return []
    spans = sound_spans(*_levels_and_speech(clip)) or [(0.0, clip.duration_s)]
    letters = [_letters(text[start:end]) for start, end in bounds]
    cuts = _cuts(spans, letters)
    starts = [spans[0][0], *(begins for _, begins in cuts)]
    ends = [*(ended for ended, _ in cuts), spans[-1][1]]
    return [
        Sentence(start, end, round(start_s, 2), round(max(start_s, end_s), 2))
        for (start, end), start_s, end_s in zip(bounds, starts, ends, strict=True)
    ]


def _cuts(
    spans: Sequence[tuple[float, float]], letters: Sequence[int]
) -> list[tuple[float, float]]:
    """Between each two sentences, when the first ends and when the second begins (s)."""
    total_s = sum(end_s - start_s for start_s, end_s in spans)
    pace = total_s / sum(letters)  # seconds a letter, pauses left out
    spoken = list(accumulate(letters))[:-1]
    # A place to cut: seconds spoken until there, when it begins and ends, what it is worth.
    heard_s = list(accumulate(end_s - start_s for start_s, end_s in spans))
    places = [
        (heard, first[1], second[0], PAUSE_WEIGHT * math.log(max(0.01, second[0] - first[1])))
        for heard, (first, second) in zip(heard_s, pairwise(spans), strict=False)
    ]
    for count in spoken:  # where there is no pause
        at_s = _second_after(count * pace, spans)
        places.append((count * pace, at_s, at_s, PAUSE_WEIGHT * NO_PAUSE))
    places.sort()
    worth = np.array([place[3] for place in places], np.float64)
    heard = np.array([place[0] for place in places], np.float64)
    best: list[Float64] = [_pace_worth(heard, letters[0], pace) + worth] if places else []
    came_from: list[NDArray[np.int64]] = []
    for count in letters[1:-1]:
        # best[-1][i] + the worth of a sentence from place i to place j
        between = best[-1][:, None] + _pace_worth(heard[None, :] - heard[:, None], count, pace)
        came_from.append(between.argmax(axis=0))
        best.append(between.max(axis=0) + worth)
    if not best or len(letters) == 1:
        return []
    last = int(np.argmax(best[-1] + _pace_worth(total_s - heard, letters[-1], pace)))
    chosen = [last]
    for previous in reversed(came_from):
        chosen.append(int(previous[chosen[-1]]))
    return [(places[place][1], places[place][2]) for place in reversed(chosen)]


def _pace_worth(seconds: Float64, letters: int, pace: float) -> Float64:
    """How near the length of a sentence is to what its letters take: 0 at best."""
    ratio = np.log(np.maximum(seconds, 1e-3) / (letters * pace))
    worth: Float64 = -PACE_WEIGHT * ratio**2
    return worth


def _second_after(spoken_s: float, spans: Sequence[tuple[float, float]]) -> float:
    for start_s, end_s in spans:
        if spoken_s <= end_s - start_s:
            return start_s + spoken_s
        spoken_s -= end_s - start_s
    return spans[-1][1]


def _letters(sentence: str) -> int:
    """Letters as they are spoken: a digit is a word."""
    return max(LEAST_LETTERS, sum(4 if c.isdigit() else c.isalpha() for c in sentence))


def _levels_and_speech(clip: Sound) -> tuple[Float32, Float32]:
    """The level of each 20 ms and the probability of speech in each 32 ms. Raises ValueError where
    the clip is not at 16 kHz."""
    if clip.rate_hz != RATE_HZ:
        raise ValueError(f"a clip is {RATE_HZ} samples a second, not {clip.rate_hz}")
    samples = clip.samples
    missing = -samples.size % _FRAME_SAMPLES
    detector = SpeechDetector()
    speech = np.concatenate([detector.feed(samples), detector.finish()])
    return levels_db(np.pad(samples, (0, missing))), speech
