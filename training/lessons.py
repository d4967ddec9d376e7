"""What is taught: the world's items turned into the program's own prompts, with the right words.

Every lesson goes through `model/prompt/prompts.py`, so that training and use cannot drift apart.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from model.interface import Evidence, Prompt, Text
from model.prompt import prompts
from training.world import pages, plans, questions, signs, words
from training.world.seeds import TRAIN, dice
from training.world.statements import statement

ANSWER, REFUSE, JUDGE, CAPTION, READ, TRANSCRIPT, LISTEN, HEAR, SEE = (
    "answer", "refuse", "judge", "caption", "read", "transcript", "listen", "hear", "see",
)  # fmt: skip
TASKS = (ANSWER, REFUSE, JUDGE, CAPTION, READ, TRANSCRIPT, LISTEN, HEAR, SEE)


@dataclass(frozen=True, slots=True)
class Lesson:
    """A prompt and what the model is to say."""

    task: str
    prompt: Prompt
    target: str


def answer(rng: random.Random, most: int, pictures: float = 0.0, long: float = 0.0) -> Lesson:
    """A question with up to `most` sources. The first lessons (`most` 1) show the right source
    alone, and nothing is missing from it."""
    absent = 0.0 if most == 1 else 0.3
    case = questions.exchange(rng, pictures, max(2, most), absent, long)
    sources = case.sources
    target = case.answer
    if most == 1:
        sources = (sources[case.cited - 1],)
        target = target.replace(f" [{case.cited}: ", " [1: ")
    evidence = [
        Evidence(n, source.title, _heard(source, rng), source.original)
        for n, source in enumerate(sources, start=1)
    ]
    task = ANSWER if case.present else REFUSE
    return Lesson(task, prompts.answer_prompt(case.question, evidence), target)


def examination(rng: random.Random, most: int, count: int, long: float) -> list[Lesson]:
    """Several questions about the same sources, as separate lessons that begin alike."""
    sources, asked = questions.examination(rng, most, count, long)
    evidence = [
        Evidence(n, source.title, _heard(source, rng)) for n, source in enumerate(sources, start=1)
    ]
    return [
        Lesson(
            ANSWER if case.present else REFUSE,
            prompts.answer_prompt(case.question, evidence),
            case.answer,
        )
        for case in asked
    ]


def judge(rng: random.Random) -> Lesson:
    """Does this source answer the question?"""
    question, source, match = questions.judgement(rng)
    swapped = rng.random() < 0.5
    letter = "A" if match != swapped else "B"
    candidate = Evidence(rng.randint(1, 5), source.title, source.words)
    return Lesson(JUDGE, prompts.relevance_prompt(question, candidate, swapped), letter)


def gist(text: str) -> Prompt:
    """The prompt whose last state is a text's gist."""
    return prompts.gist_prompt(Text(text))


def corpus(count: int) -> Iterator[str]:
    """Texts of every kind the world has, for the tokenizer."""
    for number in range(count):
        rng = dice(TRAIN, number, "corpus")
        case = questions.exchange(rng, pictures=0.0)
        yield from (
            prompts.fenced_source(Evidence(1, source.title, source.words))
            for source in case.sources
        )
        yield f"Question: {case.question}\n{case.answer}"
        stated = statement(rng)
        yield " ".join(
            (stated.text, stated.question, stated.answer, stated.find, stated.paraphrase)
        )
        drawn = plans.plan(rng)
        yield f"{drawn.caption} {drawn.caption}"
        if number % 20 == 0:
            for draw in (signs.sign, pages.page, pages.chart, pages.table):
                picture = draw(rng)
                yield f"{picture.caption} {picture.words}"
        for slot in words.SLOTS:
            word = words.fill(slot, rng)
            yield f"{rng.choice((word.text, *word.otherwise))}"


def _heard(source: questions.Source, rng: random.Random) -> str:
    """A clip that was listened to again shows twice in its source."""
    if ", at " in source.title and rng.random() < 0.25:
        return f"{source.words}\n(heard again: {source.words})"
    return source.words
