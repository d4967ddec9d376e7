"""Sounds that carry their own second in their pitch, and the second that is heard in a sound."""

from __future__ import annotations

import numpy as np

from model.interface import Float32

BEGIN_HZ, HZ_A_SECOND = 300.0, 20.0


def rising(seconds: float, rate_hz: int, loud: float = 0.3, from_s: float = 0.0) -> Float32:
    """A tone (n,) whose pitch says at which second it is."""
    t = from_s + np.arange(round(seconds * rate_hz)) / rate_hz
    phase = 2 * np.pi * (BEGIN_HZ * t + HZ_A_SECOND / 2 * t * t)
    return (loud * np.sin(phase)).astype(np.float32)


def second_heard(samples: Float32, rate_hz: int) -> float:
    """The second in the middle of samples (n,), about a fifth of a second of them."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(samples.size), 1 << 16))
    return (float(np.argmax(spectrum)) * rate_hz / (1 << 16) - BEGIN_HZ) / HZ_A_SECOND
