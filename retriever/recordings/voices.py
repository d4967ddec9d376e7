"""Who speaks: the sentences of one recording grouped by the sound of the voice.

Each sentence has 25 features: the mean of twelve mel-frequency cepstral coefficients (Davis and
Mermelstein, 1980) over its louder half and half their spread, and the pitch. They are grouped by
average linkage: the two nearest groups are joined until even these are too far apart. Nothing here
is learned or random; the same recording gives the same groups. It is small enough to be our own: a
library for it would bring a hundred megabytes of scipy or a network with weights.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from model.interface import Float32, Sound

Float64 = NDArray[np.float64]

_WINDOW_S, _HOP_S, _FFT = 0.025, 0.01, 512
_BANDS, _COEFFICIENTS = 26, 12
_LOWEST_HZ, _HIGHEST_HZ = 80.0, 7600.0
_LOWEST_PITCH_HZ, _HIGHEST_PITCH_HZ = 70, 400
_VOICED = 0.35  # of the autocorrelation at the period
_LEAST_VOICED = 4  # windows, for a pitch

# By how much the features of two sentences of one voice differ (SPREAD), and how much further two
# voices are apart than that (TOLD): measured on synthetic voices of espeak-ng.
_SPREAD = np.array(
    [6.1, 3.3, 4.2, 3.6, 2.7, 3.1, 2.3, 2.3, 1.8, 1.6, 1.5, 1.2,
     2.5, 0.91, 1.2, 1.1, 0.75, 1.1, 0.74, 0.57, 0.53, 0.49, 0.4, 0.37, 0.34]
)  # fmt: skip
_TOLD = np.array(
    [1.1, 1.2, 1.2, 1.9, 2.0, 1.3, 1.6, 1.7, 1.4, 1.2, 1.4, 1.8,
     0.8, 1.1, 1.0, 0.8, 1.2, 0.8, 0.9, 1.0, 1.1, 1.2, 1.4, 1.2, 1.1]
)  # fmt: skip
_FURTHEST = 1.5 * float(np.sqrt(2 * np.sum(_TOLD**2)))  # two groups of one voice
LONG_S, LEAST_S = 2.0, 4.0  # of a sentence, and of all that a speaker says
MOST_GROUPED = 1200  # sentences; those beyond are given to the nearest group


def voice_features(clip: Sound) -> Float64:
    """The features (25,) of one sentence; the pitch is NaN where none is heard."""
    frames = _frames(clip)
    power = np.abs(np.fft.rfft(frames, _FFT)) ** 2
    bands = np.log(power @ _mel_bands(clip.rate_hz).T + 1e-8)
    level = bands.mean(axis=1)
    loud = level > np.percentile(level, 40) if len(level) > 1 else np.ones(1, bool)
    numbers = np.outer(np.arange(1, _COEFFICIENTS + 1), np.arange(_BANDS) + 0.5)
    cepstra = bands[loud] @ np.cos(np.pi / _BANDS * numbers).T
    pitch = _pitch(frames[loud][::2], clip.rate_hz)
    features: Float64 = np.concatenate([cepstra.mean(axis=0), cepstra.std(axis=0) / 2, [pitch]])
    return features


def group_voices(sentences: Sequence[Float64], lengths_s: Sequence[float]) -> list[int]:
    """The speaker of each sentence, given the features and the seconds of each: numbers from 1 in
    the order in which they first speak. Short sentences tell little of a voice: they, and groups
    that speak for a few seconds in all, are given to the nearest of the others."""
    if not sentences:
        return []
    features = np.array(sentences)
    pitches = features[:, -1]
    known = pitches[~np.isnan(pitches)]
    features[np.isnan(pitches), -1] = np.median(known) if known.size else 0.0
    scaled = features * (_TOLD / _SPREAD)
    lengths = np.array(lengths_s)
    long = np.flatnonzero(lengths >= min(LONG_S, float(np.median(lengths))))[:MOST_GROUPED]
    groups = [long[group] for group in _linked(scaled[long])]
    groups.sort(key=lambda group: -float(lengths[group].sum()))
    groups = [group for n, group in enumerate(groups) if n == 0 or lengths[group].sum() > LEAST_S]
    centres = np.array([scaled[group].mean(axis=0) for group in groups])
    labels = np.linalg.norm(scaled[:, None] - centres[None], axis=2).argmin(axis=1)
    for number, group in enumerate(groups):
        labels[group] = number
    order = {int(label): rank for rank, label in enumerate(dict.fromkeys(labels.tolist()), start=1)}
    return [order[int(label)] for label in labels]


def _linked(points: Float64) -> list[list[int]]:
    """The indices of points in groups, by average linkage."""
    groups = [[index] for index in range(len(points))]
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    while len(groups) > 1:
        first, second = divmod(int(distances.argmin()), len(groups))
        if distances[first, second] > _FURTHEST:
            break
        first, second = sorted((first, second))
        sizes = len(groups[first]), len(groups[second])
        joined = (sizes[0] * distances[first] + sizes[1] * distances[second]) / sum(sizes)
        distances[first], distances[:, first] = joined, joined
        distances[first, first] = np.inf
        distances = np.delete(np.delete(distances, second, axis=0), second, axis=1)
        groups[first] += groups.pop(second)
    return groups


def _frames(clip: Sound) -> Float32:
    """(n, window) samples, one window every 10 ms, at least one."""
    window, hop = round(_WINDOW_S * clip.rate_hz), round(_HOP_S * clip.rate_hz)
    samples = clip.samples
    if samples.size < window:
        samples = np.pad(samples, (0, window - samples.size))
    frames = np.lib.stride_tricks.sliding_window_view(samples, window)[::hop]
    shaped: Float32 = frames * np.hanning(window).astype(np.float32)
    return shaped


def _mel_bands(rate_hz: int) -> Float64:
    """(bands, bins) triangles, evenly spaced on the mel scale."""
    lowest, highest = (2595 * np.log10(1 + hz / 700) for hz in (_LOWEST_HZ, _HIGHEST_HZ))
    edges_hz = 700 * (10 ** (np.linspace(lowest, highest, _BANDS + 2) / 2595) - 1)
    edges = edges_hz / (rate_hz / _FFT)
    bins = np.arange(_FFT // 2 + 1)
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    return np.maximum(0.0, np.minimum(rising, falling))


def _pitch(frames: Float32, rate_hz: int) -> float:
    """The median pitch, as a logarithm of base 2; NaN where nothing is voiced."""
    shortest, longest = rate_hz // _HIGHEST_PITCH_HZ, rate_hz // _LOWEST_PITCH_HZ
    correlation = np.fft.irfft(np.abs(np.fft.rfft(frames, 1024)) ** 2)[:, : longest + 1]
    correlation = correlation / (correlation[:, :1] + 1e-9)
    periods = shortest + correlation[:, shortest:longest].argmax(axis=1)
    voiced = correlation[np.arange(len(periods)), periods] > _VOICED
    if np.count_nonzero(voiced) < _LEAST_VOICED:
        return float("nan")
    return float(np.median(np.log2(rate_hz / periods[voiced])))
