"""The library that `quality` searches: manuals and answers in English, as plain text, and queries
that are made from them by rules that know no search engine.

A note is what stands below a heading of a manual that asks a question, without the heading: the
heading is what a person asks, in words of their own. Manuals that such headings stand in are left
out. Keywords are drawn as in Azzopardi, de Rijke and Balog, "Building simulated queries for
known-item topics" (SIGIR 2007): words of a text, the more likely the more often they stand there
and the fewer other texts have them. A phrase is seven words that follow each other in one text.
"""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

SEED = 20261128
KEYWORDS, PHRASE = 3, 7
SHORTEST, LONGEST = 200, 20_000  # words of a manual
SHORTEST_NOTE, LONGEST_NOTE = 25, 400
COMMON_WORDS = 150  # the most frequent words of all texts are no keywords
_WORD = re.compile(r"[A-Za-z]+(?:['’][a-z]+)?")
_RUN = re.compile(rf"(?<!\S)[A-Za-z]+(?: [A-Za-z]+){{{PHRASE - 1},}}(?!\S)")
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "dt")
_NUMBER = re.compile(r"^[\d.]+\s+")


@dataclass(frozen=True, slots=True)
class Asked:
    """A query, and the name of the one text it was made from."""

    words: str
    target: str


@dataclass(frozen=True, slots=True)
class QualityLibrary:
    """`texts` by name, and the queries of each sort."""

    texts: dict[str, str]
    keywords: list[Asked]
    phrases: list[Asked]
    questions: list[Asked]

    def write(self, folder: Path) -> None:
        folder.mkdir()
        for name, text in self.texts.items():
            (folder / name).write_text(text, encoding="utf-8")


def quality_library(corpus: Path, manuals: int, notes: int, queries: int) -> QualityLibrary:
    """So many manuals and notes of a corpus, and so many queries of each sort. The names say
    nothing of what the texts are about."""
    chance = random.Random(SEED)
    pages = sorted(path for path in corpus.rglob("*") if path.suffix in (".html", ".txt"))
    chance.shuffle(pages)
    answers: dict[str, str] = {}
    chosen: list[str] = []
    for page in pages:
        tree = _tree(page) if page.suffix == ".html" else None
        asking = [] if tree is None else list(_answers(tree))
        answers |= {question: answer for question, answer in asking if question not in answers}
        if not asking and len(chosen) < manuals:
            text = page.read_text(errors="replace") if tree is None else _text(tree)
            if SHORTEST <= len(text.split()) <= LONGEST and text.isascii():
                chosen.append(text)
    asked = chance.sample(sorted(answers), min(notes, len(answers)))
    texts = {f"{number:04}.txt": text for number, text in enumerate(dict.fromkeys(chosen))}
    named = {f"{number:04}.txt": q for number, q in enumerate(asked, start=len(texts))}
    texts |= {name: answers[question] for name, question in named.items()}
    targets = sorted(texts)
    questions = [Asked(question, name) for name, question in named.items()]
    return QualityLibrary(
        texts,
        list(islice(_keywords(texts, chance.sample(targets, len(targets)), chance), queries)),
        list(islice(_phrases(texts, chance.sample(targets, len(targets)), chance), queries)),
        chance.sample(questions, min(queries, len(questions))),
    )


def _tree(page: Path) -> Any:
    import lxml.etree
    import lxml.html

    try:
        tree = lxml.html.fromstring(page.read_bytes())
    except (lxml.etree.ParserError, ValueError):
        return None
    for part in tree.xpath("//script | //style | //nav | //*[@role='navigation']"):
        part.drop_tree()
    return tree


def _text(tree: Any) -> str:
    lines = (" ".join(line.split()) for line in tree.text_content().splitlines())
    return "\n".join(line for line in lines if line)


def _answers(tree: Any) -> Iterator[tuple[str, str]]:
    """The questions among the headings of a page, and what stands below each until the next."""
    heading, below = "", list[str]()
    for part in [*tree.iter(*_HEADINGS, "p", "pre", "li"), None]:
        if part is not None and part.tag not in _HEADINGS:
            if not any(above.tag in ("p", "pre", "li") for above in part.iterancestors()):
                below.append(" ".join(part.text_content().split()))
            continue
        words = " ".join(below).split()
        if heading.endswith("?") and SHORTEST_NOTE <= len(words) <= LONGEST_NOTE:
            yield heading, "\n\n".join(below)
        if part is not None:
            heading = " ".join(part.text_content().split()).rstrip("¶#").strip()
            heading = _NUMBER.sub("", heading)
            heading = heading if len(heading.split()) >= 5 else ""
        below = []


def words_of(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


def _keywords(
    texts: dict[str, str], targets: Iterable[str], chance: random.Random
) -> Iterator[Asked]:
    counts = {name: Counter(words_of(text)) for name, text in texts.items()}
    texts_with = Counter(word for words in counts.values() for word in words)
    common = {word for word, _ in texts_with.most_common(COMMON_WORDS)}
    for name in targets:
        words = sorted(w for w in counts[name] if len(w) >= 3 and w not in common)
        weights = [counts[name][w] * math.log(len(texts) / texts_with[w]) for w in words]
        if len(words) < KEYWORDS:
            continue
        drawn: dict[str, None] = {}
        while len(drawn) < KEYWORDS:
            drawn[chance.choices(words, weights)[0]] = None
        yield Asked(" ".join(drawn), name)


def _phrases(
    texts: dict[str, str], targets: Iterable[str], chance: random.Random
) -> Iterator[Asked]:
    """Each stands in one text alone."""
    lines = {name: " ".join(text.split()) for name, text in texts.items()}
    for name in targets:
        runs = _RUN.findall(lines[name])
        if not runs:
            continue
        words = chance.choice(runs).split()
        first = chance.randrange(len(words) - PHRASE + 1)
        phrase = " ".join(words[first : first + PHRASE])
        if sum(phrase.lower() in line.lower() for line in lines.values()) == 1:
            yield Asked(phrase, name)
