"""Speech with its timing: which sound is heard when, and when each word is over.

espeak-ng knows this while it speaks and its library tells it. Only the training uses it: frames
that are told what they hear teach the first layers long before a whole sentence can be written.
"""

from __future__ import annotations

import ctypes
import functools
import random
from dataclasses import dataclass
from typing import Any

import numpy as np

from model.interface import Float32
from training.world.speech import RATE_HZ, Voice, hiss, pronounceable, resample

_SYNCHRONOUS, _TELL_PHONEMES = 2, 1
_END, _WORD, _PHONEME = 0, 1, 7
_RATE, _PITCH = 1, 3
_UTF8 = 1


@dataclass(frozen=True, slots=True, eq=False)
class Aligned:
    """`samples` (n,) float32 at 16 kHz; `phones` (start in ms, name) in order; `words` (end in ms,
    the word as it was spoken)."""

    samples: Float32
    phones: tuple[tuple[int, str], ...]
    words: tuple[tuple[int, str], ...]


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int), ("unique", ctypes.c_uint), ("position", ctypes.c_int),
        ("length", ctypes.c_int), ("at_ms", ctypes.c_int), ("sample", ctypes.c_int),
        ("user", ctypes.c_void_p), ("name", ctypes.c_char * 8),
    )  # fmt: skip


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


class _Espeak:
    """The library, opened once in a process. Raises OSError where espeak-ng is not installed."""

    def __init__(self) -> None:
        self.library = ctypes.CDLL("libespeak-ng.so.1")
        self.rate_hz = int(self.library.espeak_Initialize(_SYNCHRONOUS, 0, None, _TELL_PHONEMES))
        self.heard: list[Any] = []
        self.events: list[tuple[int, int, int, int, str]] = []
        self.callback = _Callback(self._take)
        self.library.espeak_SetSynthCallback(self.callback)

    def _take(self, wave: Any, count: int, events: Any) -> int:
        if wave and count > 0:
            self.heard.append(np.ctypeslib.as_array(wave, (count,)).copy())
        index = 0
        while events[index].type != _END:
            event = events[index]
            name = event.name.decode("utf-8", "replace") if event.type == _PHONEME else ""
            self.events.append((event.type, event.position, event.length, event.at_ms, name))
            index += 1
        return 0

    def say(self, text: str, voice: Voice) -> tuple[Float32, list[tuple[int, int, int, int, str]]]:
        self.heard.clear()
        self.events.clear()
        self.library.espeak_SetVoiceByName(voice.name.encode())
        self.library.espeak_SetParameter(_RATE, voice.speed_wpm, 0)
        self.library.espeak_SetParameter(_PITCH, voice.pitch, 0)
        encoded = text.encode()
        self.library.espeak_Synth(encoded, len(encoded) + 1, 0, 1, 0, _UTF8, None, None)
        self.library.espeak_Synchronize()
        pcm = np.concatenate(self.heard) if self.heard else np.zeros(1, np.int16)
        samples: Float32 = pcm.astype(np.float32) / np.float32(32768)
        return resample(samples, self.rate_hz), list(self.events)


@functools.cache
def _espeak() -> _Espeak:
    return _Espeak()


def speak(text: str, voice: Voice, rng: random.Random) -> Aligned:
    """`training.world.speech.speak`, with the timing."""
    spoken = pronounceable(text)
    samples, events = _espeak().say(spoken, voice)
    loud = np.flatnonzero(np.abs(samples) > 0.003)
    first, last = (int(loud[0]), int(loud[-1]) + 1) if loud.size else (0, samples.size)
    before, after = (int(rng.uniform(0.05, 0.3) * RATE_HZ) for _ in range(2))
    samples = np.pad(samples[first:last], (before, after))
    gain = rng.uniform(0.35, 0.9) / max(1e-3, float(np.abs(samples).max()))
    samples = np.clip(samples * gain + hiss(samples.size, rng), -1, 1).astype(np.float32)
    shift_ms = round((before - first) * 1000 / RATE_HZ)
    phones = [(at + shift_ms, name) for kind, _, _, at, name in events if kind == _PHONEME]
    starts = [(at, place, length) for kind, place, length, at, _ in events if kind == _WORD]
    ends = [*(at for at, _, _ in starts[1:]), events[-1][3] if events else 0]
    words = [
        (end + shift_ms, spoken[place - 1 : place - 1 + length])
        for (_, place, length), end in zip(starts, ends, strict=False)
    ]
    return Aligned(samples, tuple(phones), tuple(words))
