"""The world's voices: text spoken by espeak-ng, in several accents, at several speeds and pitches.

espeak-ng (Debian's package of that name) is needed to make sounds, so only where the model is
trained and where the demonstration library is written. Voices of `NEW_VOICES` are never trained
on; they measure how well the model hears a stranger.
"""

from __future__ import annotations

import io
import random
import re
import subprocess
import wave
from dataclasses import dataclass

import numpy as np

from model.interface import Float32

RATE_HZ = 16_000


@dataclass(frozen=True, slots=True)
class Voice:
    """One speaker: an espeak-ng voice, words a minute, and a pitch from 0 to 99."""

    name: str
    speed_wpm: int = 160
    pitch: int = 50


def _voices(names: str) -> tuple[Voice, ...]:
    """`voice:speed:pitch` entries as voices."""
    parts = [entry.split(":") for entry in names.split()]
    return tuple(Voice(name, int(speed), int(pitch)) for name, speed, pitch in parts)


TRAIN_VOICES = _voices(
    "en-gb:160:50 en-us:155:45 en-gb+f2:160:60 en-us+f4:165:55 en-gb-x-rp+m3:150:40"
    " en-gb+m1:170:50 en-us+f3:150:65 en-gb-x-rp+Alicia:160:50 en-us+Adam:155:40"
    " en-gb-scotland+m4:150:45 en-gb+Linda:160:55 en-us+m7:165:50 en-us+Annie:160:55"
    " en-gb-x-rp+f5:155:60"
)
NEW_VOICES = _voices(
    "en-gb+f1:160:55 en-us+m2:155:45 en-gb-x-rp+Andrea:160:55 en-us+Michael:160:45"
)


def voice(rng: random.Random, voices: tuple[Voice, ...] = TRAIN_VOICES) -> Voice:
    """One of the voices, a little slower or quicker, higher or lower than usual."""
    usual = rng.choice(voices)
    speed_wpm = round(usual.speed_wpm * rng.uniform(0.88, 1.15))
    return Voice(usual.name, speed_wpm, max(0, min(99, usual.pitch + rng.randrange(-8, 9))))


def speak(text: str, voice: Voice, rng: random.Random, noise: float = 1.0) -> Float32:
    """The text as (n,) float32 samples in [-1, 1] at 16 kHz, with a short silence on both sides,
    a gain and a mild noise; `noise` 0 leaves it clean. Raises FileNotFoundError without espeak-ng.
    """
    samples = utter(text, voice)
    before, after = (int(rng.uniform(0.05, 0.3) * RATE_HZ) for _ in range(2))
    samples = np.pad(samples, (before, after))
    gain = rng.uniform(0.35, 0.9) / max(1e-3, float(np.abs(samples).max()))
    return np.clip(samples * gain + hiss(samples.size, rng, noise), -1, 1).astype(np.float32)


def utter(text: str, voice: Voice) -> Float32:
    """The bare voice: (n,) float32 at 16 kHz, as espeak-ng says it, no silence around it."""
    manner = ["-v", voice.name, "-s", str(voice.speed_wpm), "-p", str(voice.pitch)]
    command = ["espeak-ng", "--stdout", *manner, "--", pronounceable(text)]
    done = subprocess.run(command, capture_output=True, check=True)
    with wave.open(io.BytesIO(done.stdout)) as sound:
        rate_hz = sound.getframerate()
        pcm = np.frombuffer(sound.readframes(sound.getnframes()), np.int16)
    loud = np.flatnonzero(np.abs(pcm) > 100)
    spoken = pcm[loud[0] : loud[-1] + 1] if loud.size else pcm
    return resample(spoken.astype(np.float32) / 32768, rate_hz)


def hiss(count: int, rng: random.Random, loudness: float = 1.0) -> Float32:
    """A quiet room: (count,) float32 noise, white and rumbling in changing parts."""
    noise = np.random.default_rng(rng.getrandbits(64))
    level = loudness * 10 ** rng.uniform(-3.6, -2.2)
    white = noise.standard_normal(count)
    rumble = np.convolve(noise.standard_normal(count + 31), np.ones(32) / 6, mode="valid")
    part = rng.random()
    return (level * (part * white + (1 - part) * rumble)).astype(np.float32)


def resample(samples: Float32, rate_hz: int) -> Float32:
    """(n,) samples to 16 kHz, by cutting the spectrum off above 8 kHz: exact for a whole sound at
    once, which is what a generator has."""
    if rate_hz == RATE_HZ or samples.size == 0:
        return samples
    wanted = round(samples.size * RATE_HZ / rate_hz)
    # a smooth length makes the transform quick; the padding is cut away again
    padded = (samples.size // rate_hz + 1) * rate_hz
    spectrum = np.fft.rfft(samples, padded)
    count = padded * RATE_HZ // rate_hz
    kept = np.zeros(count // 2 + 1, spectrum.dtype)
    shared = min(kept.size, spectrum.size)
    kept[:shared] = spectrum[:shared]
    return (np.fft.irfft(kept, count) * (count / padded)).astype(np.float32)[:wanted]


def pronounceable(text: str) -> str:
    """The text as it is to be read aloud: `9:30` is "nine thirty", `14:00` "fourteen o'clock",
    codes of four digits are read digit by digit where "code" or "number" stands before them."""
    text = re.sub(r"\b(\d{1,2}):00\b", r"\1 o'clock", text)
    text = re.sub(r"\b(\d{1,2}):(\d\d)\b", r"\1 \2", text)
    return re.sub(r"\b([Cc]ode\D{0,40})(\d{4})\b", lambda m: m[1] + " ".join(m[2]), text)
