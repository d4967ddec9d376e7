"""Whether a quote proves what an answer says, and figures and names copied from it.

A quote that stands in its source may still have nothing to do with the claim before it. Three rules
need no model: what the question names stands in the source, what the claim names besides stands in
the quote, and so does a value of the kind that is asked for. A model that can judge is asked last.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from indexer.types.passages import Passage
from indexer.types.sentences import sentence_bounds
from indexer.types.text.tokens import tokens
from model.answer_format import without_marks
from model.interface import Evidence, Model, ModelError
from retriever.answers.asked_kinds import asked_kind, has_time
from retriever.answers.values import (
    Value,
    Words,
    are_forms,
    figure_key,
    figures,
    missing_values,
    values_of,
)

# Below this the model's own judgement says that a quote does not answer. Pocket gives right quotes
# 0.1 or more 39 times of 41, quotes about something else 0 times of 41.
LEAST_CHANCE = 0.1
ALIKE = 0.8  # how alike two names are, of which one is a wrong copy of the other

_YES_OR_NO = re.compile(r"\W*(is|are|was|were|do|does|did|will|has|have|can|may|ist|sind|war|hat|"
                        r"wird|werden|kann|darf)\b", re.IGNORECASE)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Claim:
    """What an answer to a question says before a citation, and the quote that is to prove it. The
    `passage` is where the quote stands, `title` the name of its file."""

    question: str
    text: str
    quote: str
    passage: Passage
    title: str

    def is_supported(self) -> bool:
        """Whether the quote can prove it, by the rules alone."""
        source = [self.title, self.passage.text]
        missing = missing_values(self.question, source)
        if _YES_OR_NO.match(self.question):  # "No, on Friday" answers "Is it on Thursday?"
            missing = [value for value in missing if not _is_time(value)]
        if missing:
            return False
        asked = Words([self.question])
        stated = [value for value in values_of(self.text) if not asked.have(value)]
        quoted = Words([self.quote])
        return all(quoted.have(value) for value in stated) and self._holds_kind()

    def evidence(self, n: int) -> Evidence:
        """The quote with the rest of its sentences, for the model to judge."""
        text = self.passage.text
        start = text.find(self.quote)
        if start < 0:
            return Evidence(n, self.title, self.quote)
        end = start + len(self.quote)
        around = [
            bounds for bounds in sentence_bounds(text) if bounds[0] < end and start < bounds[1]
        ]
        return Evidence(n, self.title, text[around[0][0] : around[-1][1]])

    def _holds_kind(self) -> bool:
        """Whether the quote has a value of the kind that is asked for, and the claim none of
        another kind."""
        kind = asked_kind(self.question)
        if kind is None:
            return True
        has_value = bool(figures(self.text)) or has_time(self.text)
        return kind(self.quote) and (kind(self.text) or not has_value)


def _is_time(value: Value) -> bool:
    return value.is_figure or has_time(value.text)


def judged(model: Model, claims: list[Claim]) -> list[bool]:
    """Whether each claim is supported, by the rules and by the model's own judgement, where it can
    judge. A model that cannot be asked just now refutes nothing."""
    supported = [claim.is_supported() for claim in claims]
    asked = [number for number, holds in enumerate(supported) if holds]
    if not asked or not model.card.judges:
        return supported
    try:
        chances = model.judge(claims[asked[0]].question, [claims[n].evidence(n + 1) for n in asked])
    except ModelError:
        return supported
    for number, chance in zip(asked, chances, strict=True):
        supported[number] = chance >= LEAST_CHANCE
    return supported


def last_claim(answer: str) -> str:
    """What is said before the citation at the end of a text: its last sentence, without marks."""
    text = without_marks(answer).rstrip()
    bounds = sentence_bounds(text)
    return text[bounds[-1][0] : bounds[-1][1]] if bounds else ""


def copied_values(text: str, quote: str, known: list[str]) -> str:
    """`text` with its figures and names as the quote has them, where they stand in none of the
    known texts and are plainly a wrong copy: of a figure with nearly the same digits, of a name
    that is spelled almost so. All else stays as it is."""
    originals = values_of(quote)
    copied = text
    for value in reversed(missing_values(text, [*known, quote])):
        near = [
            original
            for original in originals
            if original.is_figure == value.is_figure
            and (
                _is_miscopied_figure(text, value, quote, original)
                if value.is_figure
                else _is_misspelled(value.text, original.text)
            )
        ]
        if len({original.text for original in near}) == 1:
            copied = copied[: value.start] + near[0].text + copied[value.start + len(value.text) :]
    return copied


def _is_miscopied_figure(text: str, value: Value, quote: str, original: Value) -> bool:
    """A sum or a count of what the sources say looks nothing like any of their figures."""
    unit, right_unit = _unit(text, value.end), _unit(quote, original.end)
    if unit and right_unit and unit != right_unit:
        return False
    wrong, right = figure_key(value.text), figure_key(original.text)
    shorter, longer = sorted((wrong, right), key=len)
    if len(shorter) < 2:
        return False
    if len(shorter) < len(longer):
        return longer.startswith(shorter) or longer.endswith(shorter)
    differing = sum(a != b for a, b in zip(wrong, right, strict=True))
    return differing == 1 or sorted(wrong) == sorted(right)


def _unit(text: str, end: int) -> str:
    """The word after a figure, folded; a sign of money as it is."""
    following = re.match(r"\s?([^\W\d_]+|[€$£%])", text[end:])
    return "".join(tokens(following[1])) or following[1] if following else ""


def _is_misspelled(name: str, original: str) -> bool:
    wrong, right = "".join(tokens(name)), "".join(tokens(original))
    if wrong[:1] != right[:1] or are_forms(wrong, right):
        return False
    return difflib.SequenceMatcher(None, wrong, right).ratio() >= ALIKE
