"""Answers and captions of the shipped model, with and without the drafter: same text, how fast."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from bench.prompts import Asked, asked, media
from bench.report import Report, Row
from model.checkpoint import find
from model.gemma import Gemma
from model.interface import Cited, Finished, Piece


@dataclass(frozen=True, slots=True)
class Written:
    """What the model wrote to one prompt, and how it went."""

    text: str
    finished: Finished


def write(model: Gemma, prompt: Asked) -> Written:
    said = []
    for event in model.answer(prompt.question, prompt.evidence):
        match event:
            case Piece(text):
                said.append(text)
            case Cited(n, quote):
                said.append(f"<{n}: {quote}>")
            case Finished():
                return Written("".join(said), event)
    raise AssertionError("an answer ends in Finished")


def both() -> tuple[Gemma, Gemma]:
    """The shipped model with its drafter, and without."""
    checkpoint = find("pocket")
    return Gemma(checkpoint), Gemma(replace(checkpoint, drafter=None))


def run(quick: bool) -> Report:
    drafted, plain = both()
    prompts = asked()[: 8 if quick else None]
    shown = media()[: 4 if quick else None]
    same = 0
    tokens = {True: 0, False: 0}
    seconds = {True: 0.0, False: 0.0}
    kept: list[float] = []
    for prompt in prompts:
        texts = []
        for drafting, model in ((True, drafted), (False, plain)):
            written = write(model, prompt)
            texts.append(written.text)
            finished = written.finished
            tokens[drafting] += finished.tokens
            seconds[drafting] += finished.tokens / max(finished.tokens_per_s, 1e-9)
            if drafting and finished.draft_acceptance is not None:
                kept.append(finished.draft_acceptance)
        same += texts[0] == texts[1]
    described_s = {True: 0.0, False: 0.0}
    for content in shown:
        words = []
        for drafting, model in ((True, drafted), (False, plain)):
            began = time.perf_counter()
            words.append(model.describe(content).words)
            described_s[drafting] += time.perf_counter() - began
        same += words[0] == words[1]
    count = len(prompts) + len(shown)
    with_drafter = tokens[True] / max(seconds[True], 1e-9)
    without = tokens[False] / max(seconds[False], 1e-9)
    rows = [
        Row("identical", f"texts identical with and without the drafter, of {count}",
            same, "texts", reference=count, goal=1.0),
        Row("draft_speed", "answer tokens a second, with the drafter over without",
            with_drafter, "tokens/s", reference=without, goal=1.4),
        Row("draft_acceptance", "drafted tokens that were kept, mean over answers",
            sum(kept) / max(len(kept), 1), "", goal=0.6),
        Row("describe", "seconds to describe a picture or clip, with the drafter over without",
            described_s[True] / len(shown), "s", reference=described_s[False] / len(shown)),
    ]  # fmt: skip
    return Report("decode", rows, seeds=[])
