"""Spoken notes and meetings, and the voices that speak them.

Text becomes sound by espeak-ng, in several accents, at several speeds and pitches.

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
from training.world.statements import Fact, Statement, fact, families, reported, statement
from training.world.words import PEOPLE, WEEKDAYS, fill

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
    "en-gb:160:50 en-us:155:45 en-gb-x-rp+f2:160:60 en-us+f4:165:55 en-gb-x-rp+m3:150:40"
    " en-us+m1:170:50 en-us+f3:150:65 en-gb-x-rp+Alicia:160:50 en-us+adam:155:40"
    " en-gb-scotland+m4:150:45 en-us+linda:160:55 en-us+m7:165:50 en-us+Annie:160:55"
    " en-gb-x-rp+f5:155:60 en-gb-x-rp+paul:155:45 en-us+belinda:160:55"
)
NEW_VOICES = _voices(
    "en-us+f1:160:55 en-gb-x-rp+m2:155:45 en-gb-x-rp+Andrea:160:55 en-us+Michael:160:45"
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
    loud: Float32 = (samples * gain + hiss(samples.size, rng, noise)).astype(np.float32)
    return loud.clip(-1, 1)


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
    return resample((spoken / 32768).astype(np.float32), rate_hz)


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


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody says to their telephone: one or two sentences, 2 to 8 seconds. `topic` is a
    short query that should find it."""

    text: str
    topic: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class SaidTurn:
    """One turn of a meeting: who speaks, in which voice, what, and after which pause."""

    speaker: str
    voice: Voice
    text: str
    pause_s: float


@dataclass(frozen=True, slots=True)
class Script:
    """A meeting before it is spoken. `paragraph_index` of a fact counts turns."""

    topic: str
    turns: tuple[SaidTurn, ...]
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class HeardTurn:
    """One turn of a meeting in its recording, in seconds from the start."""

    speaker: str
    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True, eq=False)
class Meeting:
    """A spoken meeting: `samples` is (n,) float32 at 16 kHz."""

    topic: str
    samples: Float32
    turns: tuple[HeardTurn, ...]
    facts: tuple[Fact, ...]


def note(rng: random.Random) -> Note:
    """The words of a spoken note; `speak` makes them heard."""
    statements = [statement(rng)]
    if rng.random() < 0.3:
        statements[0] = reported(statements[0], rng.choice(PEOPLE))
    if rng.random() < 0.3 and len(statements[0].text) < 60:
        statements.append(_beside(statements, rng))
    opening = rng.choice(("", "", "Note to myself.", "Please remember.", "One more thing."))
    if rng.random() < 0.15:
        opening = f"{rng.choice(('Hello', 'Hi'))} {rng.choice(PEOPLE)}."
    text = " ".join([opening, *(entry.text for entry in statements)]).strip()
    return Note(text, statements[0].find, tuple(fact(entry, 0) for entry in statements))


def script(rng: random.Random, voices: tuple[Voice, ...] = TRAIN_VOICES) -> Script:
    """A meeting of two or three people: a greeting, three to five facts, some of them asked for
    by another, and a good-bye."""
    people = rng.sample(PEOPLE, rng.choice((2, 2, 3)))
    voice_of = dict(zip(people, rng.sample(voices, len(people)), strict=True))
    subject = fill("project", rng).text
    turns: list[tuple[str, str]] = [(people[0], f"Welcome. Today we talk about the {subject}.")]
    statements: list[Statement] = []
    facts: list[Fact] = []
    for number in range(rng.randrange(3, 6)):
        speaker = people[(number + 1) % len(people)]
        statements.append(_beside(statements, rng))
        if rng.random() < 0.4:
            asker = people[number % len(people)]
            turns.append((asker, statements[-1].question))
        elif rng.random() < 0.3:
            turns.append((people[number % len(people)], rng.choice(_AGREEMENTS)))
        facts.append(fact(statements[-1], len(turns)))
        turns.append((speaker, statements[-1].text))
    turns.append((people[0], f"Thank you. We meet again on {rng.choice(WEEKDAYS)}."))
    return Script(
        topic=subject,
        turns=tuple(
            SaidTurn(who, voice_of[who], text, round(rng.uniform(0.5, 1.1), 2))
            for who, text in turns
        ),
        facts=tuple(facts),
    )


def meeting(rng: random.Random, voices: tuple[Voice, ...] = TRAIN_VOICES) -> Meeting:
    """A meeting, spoken. Raises FileNotFoundError without espeak-ng."""
    return perform(script(rng, voices), rng)


def perform(script: Script, rng: random.Random, noise: float = 1.0) -> Meeting:
    """The script in its voices, one after the other, each after its pause, in one room."""
    pieces: list[Float32] = []
    turns: list[HeardTurn] = []
    at = 0
    gain = rng.uniform(0.5, 0.8)
    for turn in script.turns:
        pause = np.zeros(int(turn.pause_s * RATE_HZ), np.float32)
        spoken = utter(turn.text, turn.voice)
        spoken = spoken * (gain / max(1e-3, float(np.abs(spoken).max())))
        pieces += [pause, spoken.astype(np.float32)]
        start = at + pause.size
        at = start + spoken.size
        heard = HeardTurn(turn.speaker, turn.text, start / RATE_HZ, at / RATE_HZ)
        turns.append(heard)
    pieces.append(np.zeros(RATE_HZ // 2, np.float32))
    samples = np.concatenate(pieces)
    samples = (samples + hiss(samples.size, rng, noise)).clip(-1, 1).astype(np.float32)
    return Meeting(script.topic, samples, tuple(turns), script.facts)


_AGREEMENTS = ("Good, thank you.", "I agree.", "That is fine.", "What else?", "Yes, please go on.")


def _beside(statements: list[Statement], rng: random.Random) -> Statement:
    """One more statement, of another topic than those already said; in the same domain as the
    first, so that a conversation holds together."""
    domain = families()[statements[0].family].domain if statements else None
    near = [family for family in families().values() if domain in (None, family.domain)]
    topics = {entry.topic for entry in statements}
    while True:
        more = statement(rng, rng.choice(near))
        if more.topic not in topics and more.family not in {entry.family for entry in statements}:
            return more
