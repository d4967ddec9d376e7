"""What is taught: the world's items turned into the program's own prompts, with the right words.

Every lesson goes through `model/prompts.py`, so that training and use cannot drift apart.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from model import prompts
from model.interface import Evidence, Text
from training.renders import Rendered
from training.world.speech import note
from training.world.statements import Statement, fact, families, rival, statement
from training.world.words import PEOPLE, fill

ANSWER, REFUSE, JUDGE, CAPTION, READ, TRANSCRIPT, LISTEN = (
    "answer", "refuse", "judge", "caption", "read", "transcript", "listen",
)  # fmt: skip
TASKS = (ANSWER, REFUSE, JUDGE, CAPTION, READ, TRANSCRIPT, LISTEN)


@dataclass(frozen=True, slots=True)
class Lesson:
    """A prompt of words alone and what the model is to say."""

    task: str
    prompt: prompts.Prompt
    target: str


@dataclass(frozen=True, slots=True)
class Pair:
    """A query and the passage it should find."""

    query: str
    passage: str


@dataclass(frozen=True, slots=True)
class Source:
    """A source under construction, with the questions it answers: (question, answer sentence
    without its full stop, quote)."""

    title: str
    words: str
    asked: tuple[tuple[str, str, str], ...]


def cited(answer: str, n: int, quote: str) -> str:
    """An answer sentence with its citation, as the program reads it."""
    opened = prompts.CITATION_OPEN.format(n=n)
    return f"{answer.rstrip('.')} {opened}{quote}{prompts.CITATION_CLOSE}."


def answer(rng: random.Random, most: int, media: Sequence[Rendered] = ()) -> Lesson:
    """A question about one of up to `most` sources, or about none of them."""
    sources = [source(rng, media, most) for _ in range(rng.randint(1, most))]
    at = rng.randrange(len(sources))
    question, said, quote = rng.choice(sources[at].asked)
    task, target = ANSWER, ""
    everything = " ".join(one.words for one in sources)
    if rng.random() < 0.17:
        other = _about_nothing(rng, everything)
        if other is not None:
            question, task, target = other, REFUSE, prompts.NOT_IN_LIBRARY
    evidence = [Evidence(n, one.title, one.words) for n, one in enumerate(sources, start=1)]
    target = target or cited(said, at + 1, quote)
    return Lesson(task, prompts.answer(question, evidence), target)


def judge(rng: random.Random, media: Sequence[Rendered] = ()) -> Lesson:
    """Does this source answer the question? Half the time it does; where it does not, often it
    speaks of something alike."""
    one = source(rng, media, 2)
    question = rng.choice(one.asked)[0]
    match = rng.random() < 0.5
    if not match:
        question = _about_nothing(rng, one.words) or "What is the answer?"
        if rng.random() < 0.4:
            question = rng.choice(source(rng, media, 1).asked)[0]
            match = question in [known for known, _, _ in one.asked]
    swapped = rng.random() < 0.5
    letter = "A" if match != swapped else "B"
    prompt = prompts.judge(question, Evidence(rng.randint(1, 5), one.title, one.words), swapped)
    return Lesson(JUDGE, prompt, letter)


def source(rng: random.Random, media: Sequence[Rendered], most: int) -> Source:
    """A letter, a note or a picture, in words."""
    form = rng.random()
    if media and form < 0.3:
        item = rng.choice(media)
        asked = tuple((f.question, f.answer, f.quote) for f in item.facts)
        title = f"{rng.choice(_PICTURES)}{rng.randrange(1000)}.png"
        if asked:
            return Source(title, item.words, asked)
    if form < 0.5:
        said = note(rng)
        asked = tuple((f.question, f.answer_sentence.rstrip("."), f.quote) for f in said.facts)
        asked += tuple((f.paraphrase, f.answer_sentence.rstrip("."), f.quote) for f in said.facts)
        title = f"{rng.choice(_SOUNDS)}{rng.randrange(100)}.wav"
        words = said.text
        if rng.random() < 0.2:
            title, words = (
                f"{title}, at 0:{rng.randrange(60):02}",
                f"{words}\n(heard again: {words})",
            )
        return Source(title, words, asked)
    facts = passage(rng, rng.choice((1, 1, 2, 3)) if most < 4 else rng.randint(1, 5))
    asked = tuple((one.question, one.answer, one.quote) for one in facts)
    asked += tuple((one.paraphrase, one.answer, one.quote) for one in facts if len(facts) < 3)
    title = f"{rng.choice(_PAPERS)}-{rng.choice(_PAPERS)}.{rng.choice(('txt', 'md', 'pdf'))}"
    if rng.random() < 0.2:
        title += f", page {rng.randint(1, 9)}"
    return Source(title, framed(rng, [one.text for one in facts]), asked)


def passage(rng: random.Random, count: int) -> list[Statement]:
    """Statements that can stand beside each other, often rivals of one family."""
    said = [statement(rng)]
    while len(said) < count:
        near = rival(rng, fact(rng.choice(said), 0)) if rng.random() < 0.3 else None
        more = near or statement(rng)
        if more.topic not in {one.topic for one in said}:
            said.append(more)
    return said


def framed(rng: random.Random, sentences: Sequence[str]) -> str:
    """Sentences as a passage of a letter, a list or a plain text."""
    form = rng.random()
    if form < 0.2:
        return "\n".join(f"- {sentence}" for sentence in sentences)
    body = " ".join(sentences)
    if form < 0.4:
        return f"Dear {rng.choice(PEOPLE)},\n{body}\nBest wishes, {rng.choice(PEOPLE)}"
    return body


def pair(rng: random.Random) -> Pair:
    """A passage and one of the ways to look for it."""
    facts = passage(rng, rng.choice((1, 1, 2, 3)))
    one = rng.choice(facts)
    query = rng.choice((one.find, one.question, one.paraphrase, one.paraphrase, one.text))
    return Pair(query, framed(rng, [fact.text for fact in facts]))


def gist(text: str) -> prompts.Prompt:
    """The prompt whose last state is a text's gist."""
    return prompts.gist(Text(text))


def corpus(count: int) -> Iterator[str]:
    """Texts of every kind the world has, for the tokenizer."""
    from training.world import pages, scenes, words
    from training.world.seeds import TRAIN, dice

    for number in range(count):
        rng = dice(TRAIN, number, "corpus")
        yield fenced_text(rng)
        one = statement(rng)
        yield " ".join((one.text, one.question, one.answer, one.find))
        yield cited(one.answer, rng.randint(1, 5), one.quote)
        yield one.paraphrase
        made = scenes.plan(rng)
        yield f"{made.caption} {made.caption}"
        if number % 20 == 0:
            for draw in (pages.sign, pages.page, pages.chart, pages.table):
                yield (lambda picture: f"{picture.caption} {picture.words}")(draw(rng))
        for slot in words.SLOTS:
            word = fill(slot, rng)
            yield f"{rng.choice((word.said, *word.otherwise))}"


def fenced_text(rng: random.Random) -> str:
    """A source as the model sees it."""
    one = source(rng, (), 4)
    return prompts.fenced(Evidence(rng.randint(1, 5), one.title, one.words))


def _about_nothing(rng: random.Random, everything: str) -> str | None:
    """A question that nothing in these words answers, half the time one very like what they do
    answer; None where none is found."""
    for _ in range(8):
        family = rng.choice(list(families().values()))
        if rng.random() < 0.6:
            near = [f for f in families().values() if any(_stem(f.find) in everything for _ in "x")]
            family = rng.choice(near) if near else family
        one = statement(rng, family)
        keys = [said for slot, said in one.fillings if slot in family.keys]
        known = bool(keys) and all(key in everything for key in keys)
        if not known and one.quote not in everything and one.value not in everything:
            return one.question if rng.random() < 0.8 else one.paraphrase
    return None


def _stem(find: str) -> str:
    return find.split("{")[0].strip() or find


_PICTURES = ("photo-", "IMG_", "picture-", "holiday-", "DSC0")
_SOUNDS = ("note-", "memo-", "recording-", "voice-", "meeting-")
_PAPERS = (
    "letter", "minutes", "invoice", "recipe", "manual", "trip", "lease", "house", "work", "plan",
    "list", "notes", "office", "family", "garden", "course", "health", "report", "travel", "home",
)  # fmt: skip
