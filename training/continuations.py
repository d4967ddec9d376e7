"""What the trained model itself says to the world's questions, pictures and sounds.

The drafter has to foretell the model, mistakes included, so it learns from these. They are written
by the program's own decode loop.
"""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from model.decoding.decoder import Decoder
from model.decoding.generation import Generation, GenerationLimits
from model.interface import Image, Sound
from model.prompt import inputs, prompts
from training import lessons
from training.desk import Desk
from training.packing import Example
from training.renders import Rendered
from training.world.scenes import scene
from training.world.seeds import TRAIN, dice

RATE_HZ = 16_000
LIMITS = GenerationLimits(tokens=96)


def continuations(model: Any, desk: Desk, notes: list[Rendered], minutes: float) -> list[Example]:
    """As many as the time allows: answers mostly, then captions and transcripts of `notes`."""
    decoder = Decoder(model, None, [desk.stop], [desk.soft])
    until_s = time.monotonic() + minutes * 60
    examples: list[Example] = []
    for lesson in _asked(notes):
        if time.monotonic() > until_s:
            break
        row = inputs.render_prompt(lesson.prompt, desk.tokenizer, desk.cut)
        token_ids = list(Generation(decoder, decoder.prefill(row), LIMITS))
        examples.append(desk.lesson(lesson, token_ids))
    return examples


def _asked(notes: list[Rendered]) -> Iterator[lessons.Lesson]:
    for number in itertools.count():
        rng = dice(TRAIN, number, "continuation")
        form = rng.random()
        if form < 0.6:
            yield lessons.answer(rng, 5, 0.0, 0.2)
        elif form < 0.8 or not notes:
            seen = scene(rng)
            yield lessons.Lesson(lessons.CAPTION, prompts.description_prompt(Image(seen.image)), "")
        else:
            yield _spoken(notes, rng)


def _spoken(notes: list[Rendered], rng: random.Random) -> lessons.Lesson:
    note = rng.choice(notes)
    if note.facts and rng.random() < 0.3:
        question = rng.choice(note.facts).question
        return lessons.Lesson(lessons.LISTEN, prompts.clip_prompt(question, _sound(note)), "")
    return lessons.Lesson(lessons.TRANSCRIPT, prompts.description_prompt(_sound(note)), "")


def _sound(note: Rendered) -> Sound:
    return Sound(np.asarray(note.data, np.float32) / np.float32(32767), RATE_HZ)
