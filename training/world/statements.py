"""Sentences that hold one fact, with the questions it answers: the grammar of the world.

The families stand in `grammar/*.txt`, one paragraph each: how the fact is said (`[...]` marks the
part an answer quotes), how it is asked, how it is asked without any of its words (`{thing~}` is
another word for the thing), how it is answered, and a few words that should find it.
"""

from __future__ import annotations

import itertools
import random
import re
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from training.world.stems import content_words
from training.world.words import SLOTS, Word, fill

GRAMMAR = Path(__file__).with_name("grammar")
_SLOT = re.compile(r"\{([a-z]+\d?)(~?)\}")


@dataclass(frozen=True, slots=True)
class Family:
    """All the ways to say and ask one kind of fact. `value` is the slot that is asked for; the
    other slots of `ask` are its keys: they tell two facts of the family apart."""

    name: str
    domain: str
    value: str
    say: tuple[str, ...]
    ask: tuple[str, ...]
    otherwise: tuple[str, ...]
    answer: str
    find: str

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(sorted({slot for slot, _ in _SLOT.findall(self.ask[0])} - {self.value}))

    @property
    def slots(self) -> tuple[str, ...]:
        texts = (*self.say, *self.ask, *self.otherwise, self.answer, self.find)
        return tuple(sorted({slot for text in texts for slot, _ in _SLOT.findall(text)}))


@dataclass(frozen=True, slots=True)
class Statement:
    """One fact in words. `quote` is a part of `text`, letter for letter, and holds `value`.
    `paraphrase` asks for it and shares no content word with `text`; `find` is a short query."""

    family: str
    fillings: tuple[tuple[str, str], ...]
    text: str
    quote: str
    value: str
    question: str
    paraphrase: str
    answer: str
    find: str
    speaker: str = ""

    @property
    def topic(self) -> str:
        """What the statement is about, apart from its value: two statements of one topic would
        contradict each other."""
        family = families()[self.family]
        fillings = dict(self.fillings)
        return " ".join(
            [self.family, *(fillings[key] for key in family.keys), self.speaker]
        ).strip()


@dataclass(frozen=True, slots=True)
class Fact:
    """A question that a document, a note or a picture answers. `quote` is a part of its paragraph
    (or turn) number `paragraph_index`, letter for letter; `value` is the short answer. `paraphrase`
    shares no content word with that paragraph; `find` is what one would type to find it. Two facts
    of one `topic` answer the same question; a `paraphrase` may fit a whole `family`."""

    question: str
    paraphrase: str
    answer_sentence: str
    value: str
    quote: str
    paragraph_index: int
    find: str
    family: str = ""
    topic: str = ""


def fact(stated: Statement, paragraph_index: int) -> Fact:
    """The statement as a fact of a paragraph that holds its text."""
    return Fact(
        question=stated.question,
        paraphrase=stated.paraphrase,
        answer_sentence=f"{stated.answer}.",
        value=stated.value,
        quote=stated.quote,
        paragraph_index=paragraph_index,
        find=stated.find,
        family=stated.family,
        topic=stated.topic,
    )


def paraphrases(stated: Statement) -> frozenset[str]:
    """Every question without its words that asks for this statement. Two statements that differ
    only in what such a question leaves out share it."""
    family = families()[stated.family]
    others = {slot: _known(slot, filling) or (filling,) for slot, filling in stated.fillings}
    asked = set()
    for template in family.otherwise:
        used = sorted({slot for slot, _ in _SLOT.findall(template)})
        for chosen in itertools.product(*(others[slot] for slot in used)):
            words = {
                slot: Word(dict(stated.fillings)[slot], (other,))
                for slot, other in zip(used, chosen, strict=True)
            }
            asked.add(_capital(_insert(template, words, random.Random(0))))
    return frozenset(asked)


def reported(stated: Statement, speaker: str) -> Statement:
    """The statement as somebody's words: "Anna said that the lease ends on 3 May." A statement
    that does not begin with "The", "We" or "Our" is returned as it is."""
    first = stated.text.split()[0]
    if first not in ("The", "We", "Our") or speaker in stated.text:
        return stated
    lowered = stated.text[0].lower() + stated.text[1:]
    quote = (
        stated.quote[0].lower() + stated.quote[1:] if stated.quote[0] == first[0] else stated.quote
    )
    if quote not in lowered:
        quote = stated.quote
    return replace(
        stated,
        text=f"{speaker} said that {lowered}",
        quote=quote,
        question=f"What did {speaker} say about the {stated.find.removeprefix('the ')}?",
        answer=f"{speaker} said that {lowered.rstrip('.')}",
        find=f"{speaker} {stated.find}",
        speaker=speaker,
    )


@cache
def families() -> dict[str, Family]:
    """Every family of the grammar by name, in the order of the files."""
    return {family.name: family for file in sorted(GRAMMAR.glob("*.txt")) for family in _read(file)}


def _read(file: Path) -> list[Family]:
    text = re.sub(r"^#.*\n", "", file.read_text("utf-8"), flags=re.MULTILINE)
    return [_family(block, file.stem) for block in text.split("\n\n") if block.strip()]


def _family(block: str, domain: str) -> Family:
    head, *lines = block.strip().splitlines()
    name, value = (part.strip() for part in head.split("="))
    templates: dict[str, list[str]] = {
        "say": [],
        "ask": [],
        "otherwise": [],
        "answer": [],
        "find": [],
    }
    for line in lines:
        how, _, words = line.partition(": ")
        templates[how].append(words)
    return Family(
        name=name,
        domain=domain,
        value=value,
        say=tuple(templates["say"]),
        ask=tuple(templates["ask"]),
        otherwise=tuple(templates["otherwise"]),
        answer=templates["answer"][0],
        find=templates["find"][0],
    )


def statement(
    rng: random.Random,
    family: Family | None = None,
    given: dict[str, str] | None = None,
    context: str = "",
) -> Statement:
    """One fact. `given` fixes the words of some slots; the paraphrase shares no content word with
    the statement nor with `context`, the other words of its passage. Raises ValueError where the
    grammar finds no such paraphrase in many throws, which a test rules out for an empty context.
    """
    family = family or rng.choice(list(families().values()))
    for _ in range(200):
        words = _fillings(family, rng, given or {})
        if len({word.text for word in words.values()}) < len(words):
            continue
        marked = _capital(_insert(rng.choice(family.say), words, rng))
        text = marked.replace("[", "").replace("]", "")
        shared = content_words(f"{text} {context}")
        for template in rng.sample(family.otherwise, len(family.otherwise)):
            paraphrase = _capital(_insert(template, words, rng))
            if not content_words(paraphrase) & shared:
                return Statement(
                    family=family.name,
                    fillings=tuple((slot, word.text) for slot, word in sorted(words.items())),
                    text=text,
                    quote=marked[marked.index("[") + 1 : marked.index("]")],
                    value=words[family.value].text,
                    question=_capital(_insert(rng.choice(family.ask), words, rng)),
                    paraphrase=paraphrase,
                    answer=_capital(_insert(family.answer, words, rng)),
                    find=_insert(family.find, words, rng),
                )
    raise ValueError(f"no paraphrase of {family.name} avoids the words of: {context}")


def rival(rng: random.Random, known: Fact) -> Statement | None:
    """A statement of the same family about something else, with another value: the hardest
    neighbour of `known`. None for pictures and for families whose facts have no key."""
    family = families().get(known.family)
    if family is None or not family.keys:
        return None
    for _ in range(100):
        other = statement(rng, family)
        if other.topic != known.topic and other.value != known.value:
            return other
    return None


def _fillings(family: Family, rng: random.Random, given: dict[str, str]) -> dict[str, Word]:
    words = {slot: fill(slot, rng) for slot in family.slots}
    for slot in words.keys() & given.keys():
        words[slot] = Word(given[slot], _known(slot, given[slot]))
    return words


def _known(slot: str, filling: str) -> tuple[str, ...]:
    table = SLOTS.get(slot.rstrip("0123456789"), ())
    return next((word.otherwise for word in table if word.text == filling), ())


def _insert(template: str, words: dict[str, Word], rng: random.Random) -> str:
    def put(slot: re.Match[str]) -> str:
        word = words[slot[1]]
        if slot[2]:
            return rng.choice(word.otherwise) if word.otherwise else word.text
        return word.text

    text = _SLOT.sub(put, template)
    text = re.sub(r"\ba (?=[aeio])", "an ", text)
    # "the the Italian capital", "in the loft": a synonym may bring its own article
    return re.sub(r"\b(the|a|an) (the|our|something|what) ", r"\2 ", text)


def _capital(text: str) -> str:
    mark = 1 if text.startswith("[") else 0
    return text[:mark] + text[mark : mark + 1].upper() + text[mark + 1 :]
