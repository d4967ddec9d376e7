"""Questions with their sources: what answering, judging and finding are learned from."""

from __future__ import annotations

import random
from dataclasses import dataclass

from model.answer_format import REFUSAL, citation
from model.interface import Image
from training.world.documents import Document, document, paragraph
from training.world.pages import chart, table
from training.world.scenes import facts_of, plan, scene
from training.world.signs import sign
from training.world.speech import note, script
from training.world.statements import Fact, fact, rival, statement
from training.world.stems import content_words
from training.world.words import PEOPLE, WEEKDAYS

LONG_WORDS = 110  # about as many words as the index keeps in one passage


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """One numbered source as the model is shown it: a label, the words that may be quoted, and
    the picture itself where there is one."""

    title: str
    words: str
    original: Image | None = None


@dataclass(frozen=True, slots=True, eq=False)
class QuestionCase:
    """A question, its sources, and the answer in the product's own form. `value` is the short
    answer ("" where it is not there), `cited` the number of the source that holds it (0: none)."""

    question: str
    sources: tuple[Source, ...]
    answer: str
    present: bool
    value: str
    cited: int


@dataclass(frozen=True, slots=True)
class Passage:
    """Some words of a file and the facts in them."""

    title: str
    words: str
    facts: tuple[Fact, ...]
    original: Image | None = None


def exchange(
    rng: random.Random,
    pictures: float = 0.15,
    most_sources: int = 5,
    absent: float = 0.25,
    long: float = 0.2,
) -> QuestionCase:
    """A question with two to `most_sources` sources, most of them as near to the right one as
    can be; in a share `absent` of all cases the right one is missing. A share `pictures` of the
    questions is about a picture, which is then shown; a share `long` of the documents is given as
    whole pages of up to LONG_WORDS words, the others as single paragraphs."""
    if rng.random() < pictures:
        right = _seen(rng, shown=True)
        near, asked = [_seen(rng, shown=False) for _ in range(2)], rng.choice(right.facts)
    else:
        right, near, asked = _fact_sources(rng, long)
    # asked without its words, a question fits every fact of its family
    by_words = rng.random() < 0.75
    question = asked.question if by_words else asked.paraphrase
    present = rng.random() >= absent
    wanted = rng.randrange(2, most_sources + 1) - present
    others = [held for held in near if not _answers(held, asked, by_words)][:wanted]
    while len(others) < wanted:
        held = _other_source(rng, long)
        if not _answers(held, asked, by_words):
            others.append(held)
    chosen = [*others, right] if present else others
    rng.shuffle(chosen)
    sources = tuple(Source(held.title, held.words, held.original) for held in chosen)
    if not present:
        return QuestionCase(question, sources, REFUSAL, False, "", 0)
    number = next(n for n, held in enumerate(chosen, start=1) if held is right)
    return QuestionCase(question, sources, cited(asked, number), True, asked.value, number)


@dataclass(frozen=True, slots=True)
class Asked:
    """One question of an examination and its answer in the product's own form."""

    question: str
    answer: str
    present: bool


def examination(
    rng: random.Random, most_sources: int, count: int, long: float
) -> tuple[tuple[Source, ...], tuple[Asked, ...]]:
    """Sources that are near each other, and up to `count` questions about them, a third
    of which they do not answer: what is told apart is then the question, not the material."""
    right, near, _ = _fact_sources(rng, long)
    chosen = [right, *near][:most_sources]
    while len(chosen) < most_sources and (len(chosen) < 2 or rng.random() < 0.6):
        chosen.append(_other_source(rng, long))
    rng.shuffle(chosen)
    asked: dict[str, Asked] = {}
    for _ in range(3 * count):
        if len(asked) == count:
            break
        number = rng.randrange(len(chosen))
        if not chosen[number].facts:
            continue
        wanted = rng.choice(chosen[number].facts)
        by_words = rng.random() < 0.75
        missing = rng.random() < 0.27
        if missing:
            other = rival(rng, wanted) if rng.random() < 0.7 else statement(rng)
            if other is None:
                continue
            wanted = fact(other, 0)
        question = wanted.question if by_words else wanted.paraphrase
        answered = [n for n, held in enumerate(chosen) if _answers(held, wanted, by_words)]
        if answered != ([] if missing else [number]):
            continue
        answer = REFUSAL if missing else cited(wanted, number + 1)
        asked[question] = Asked(question, answer, not missing)
    sources = tuple(Source(held.title, held.words, held.original) for held in chosen)
    return sources, tuple(asked.values())


def cited(asked: Fact, number: int) -> str:
    """The answer to a fact with its quote, as the product writes it:
    `The rent is 900 euros [1: "rent is 900 euros"].`"""
    sentence = asked.answer_sentence.rstrip(".")
    return f"{sentence} {citation(number, asked.quote)}."


def judgement(rng: random.Random) -> tuple[str, Source, bool]:
    """A question, one source, and whether the source answers it: as often as not, and when not,
    mostly by a hair."""
    if rng.random() < 0.2:
        right = _seen(rng, shown=rng.random() < 0.5)
        asked = rng.choice(right.facts)
        other = _seen(rng, shown=right.original is not None)
        question = asked.question if rng.random() < 0.5 else asked.find
        if rng.random() < 0.5 or _answers(other, asked, True):
            return question, Source(right.title, right.words, right.original), True
        return question, Source(other.title, other.words, other.original), False
    right, near, asked = _fact_sources(rng)
    form = rng.random()
    by_words = form < 0.5
    question = asked.question if by_words else asked.find if form < 0.7 else asked.paraphrase
    if rng.random() < 0.5:
        return question, Source(right.title, right.words), True
    # a rival is only wrong for a question that names its subject
    other = near[0] if near and by_words and rng.random() < 0.7 else _other_source(rng)
    if _answers(other, asked, by_words):
        return question, Source(right.title, right.words), True
    return question, Source(other.title, other.words), False


def pair(rng: random.Random) -> tuple[str, str]:
    """A query and a text that belong together, for the contrastive loss: a question, a question
    that shares no content word, or a few words; and a paragraph, a note or a caption."""
    form = rng.random()
    if form < 0.12:
        drawn = plan(rng)
        name = drawn.things[0].name.removeprefix("a ").removeprefix("an ")
        return name, drawn.caption
    if form < 0.27:
        spoken = note(rng)
        words, asked = spoken.text, rng.choice(spoken.facts)
    elif form < 0.4:
        right, _, asked = _fact_sources(rng, long=1)
        words = right.words
    else:
        words, statements = paragraph(rng)
        asked = fact(rng.choice(statements), 0)
    wording = rng.random()
    if wording < 0.55 and not content_words(asked.paraphrase) & content_words(words):
        return asked.paraphrase, words
    return (asked.question if wording < 0.8 else asked.find), words


def _fact_sources(rng: random.Random, long: float = 0.2) -> tuple[Passage, list[Passage], Fact]:
    """A text with a fact, texts of the same kind about other things, and the fact asked for."""
    form = rng.random()
    if form < 0.25:
        spoken = note(rng)
        asked = spoken.facts[0]
        right = Passage(_recording_title(rng), spoken.text, spoken.facts)
    elif form < 0.35:
        held = script(rng)
        asked = rng.choice(held.facts)
        first = max(0, asked.paragraph_index - 1)
        turns = held.turns[first : asked.paragraph_index + 2]
        right = Passage(_recording_title(rng), " ".join(turn.text for turn in turns), held.facts)
    else:
        page = document(rng)
        asked = rng.choice(page.facts)
        right = _part(page, asked.paragraph_index, rng, long)
    return right, _rivals(asked, rng), asked


def _rivals(asked: Fact, rng: random.Random) -> list[Passage]:
    """Texts that say the same of something else: another street's deposit, another day's craft."""
    held: list[Passage] = []
    for _ in range(rng.randrange(0, 4)):
        other = rival(rng, asked)
        if other is None:
            break
        text = other.text
        if rng.random() < 0.4:
            text = f"{text} {statement(rng).text}"
        title = _recording_title(rng) if rng.random() < 0.3 else _document_title("", rng)
        held.append(Passage(title, text, (fact(other, 0),)))
    return held


def _answers(held: Passage, asked: Fact, by_words: bool) -> bool:
    """Whether the source could be taken to answer the question; the paraphrase of a question
    (not `by_words`) leaves out what tells two facts of a family apart."""
    if by_words:
        return any(other.topic == asked.topic for other in held.facts)
    return any(other.family == asked.family for other in held.facts)


def _other_source(rng: random.Random, long: float = 0.2) -> Passage:
    """Some other source of the library."""
    form = rng.random()
    if form < 0.2:
        return _seen(rng, shown=False)
    if form < 0.45:
        spoken = note(rng)
        return Passage(_recording_title(rng), spoken.text, spoken.facts)
    page = document(rng)
    number = rng.choice([f.paragraph_index for f in page.facts])
    return _part(page, number, rng, long)


def _part(page: Document, number: int, rng: random.Random, long: float) -> Passage:
    """A paragraph of a document, or as much of the page as a passage holds, that paragraph
    included."""
    title = _document_title(page.title, rng)
    if rng.random() >= long:
        facts = tuple(f for f in page.facts if f.paragraph_index == number)
        return Passage(title, page.paragraphs[number], facts)
    taken = [number]
    lengths = [len(text.split()) for text in page.paragraphs]
    for other in sorted(range(len(lengths)), key=lambda index: abs(index - number))[1:]:
        if sum(lengths[index] for index in taken) + lengths[other] > LONG_WORDS:
            break
        taken.append(other)
    text = "\n".join(page.paragraphs[index] for index in sorted(taken))
    if 0 in taken and rng.random() < 0.6:
        text = f"{page.title}\n{text}"
    return Passage(title, text, tuple(f for f in page.facts if f.paragraph_index in taken))


def _seen(rng: random.Random, shown: bool) -> Passage:
    """A picture by its caption, and itself where it is `shown`."""
    form = rng.random()
    if form < 0.7:
        if not shown:
            drawn = plan(rng)
            return Passage(_picture_title(rng), drawn.caption, facts_of(drawn))
        seen = scene(rng)
        return Passage(_picture_title(rng), seen.caption, seen.facts, Image(seen.image))
    written = sign(rng) if form < 0.85 else rng.choice((chart, table))(rng)
    original = Image(written.image) if shown else None
    return Passage(_picture_title(rng), written.caption, written.facts, original)


def _document_title(title: str, rng: random.Random) -> str:
    """A document's file name and page, as the retriever labels it."""
    name = title or f"{rng.choice(_NAMES)} {rng.choice(WEEKDAYS)}"
    ending = rng.choice(("pdf", "pdf", "txt", "md"))
    page = f", page {rng.randrange(1, 5)}" if rng.random() < 0.35 else ""
    return f"{name}.{ending}{page}"


def _recording_title(rng: random.Random) -> str:
    form = rng.random()
    if form < 0.4:
        name = f"Call with {rng.choice(PEOPLE)}"
    else:
        name = f"{rng.choice(('Note', 'Memo', 'Meeting', 'Voice note'))} {rng.choice(WEEKDAYS)}"
    ending = rng.choice(("ogg", "wav", "flac", "mp3"))
    return f"{name}.{ending}, at {rng.randrange(3)}:{rng.randrange(60):02}"


def _picture_title(rng: random.Random) -> str:
    name = f"{rng.choice(('Picture', 'Photo', 'Image'))} {rng.randrange(1, 400)}"
    return f"{name}.{rng.choice(('jpg', 'png', 'webp'))}"


_NAMES = "Letter Notes Minutes Reminder List Memo Offer Plan Diary Summary".split()
