"""What speaks for each content, as numbers from 0 to 1, fused into one order.

Two reasons are one stronger reason: what is missing to 1 is multiplied, so a score never passes 1
and further evidence never takes from it. The order does not depend on how many hits are asked for.
Equal scores are ordered by content, so the same question gives the same list.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from indexer.catalog.words.relevance import Relevance
from retriever.hits import FOUND_BY, FoundBy

# How much a reason counts at most, beside how well the words of a query are answered. A phrase that
# is in a file, or a name that holds every word, nearly decides which file is meant.
PHRASE, WHOLE_NAME, PART_OF_NAME, MEANING = 0.7, 0.7, 0.6, 0.3


@dataclass(frozen=True, slots=True)
class Forms:
    """The contents that hold every word as it was typed (`exact`), or in another form alone
    (`inexact`), and the tokens of these other forms."""

    exact: Collection[str] = ()
    inexact: Collection[str] = ()
    variants: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class RankedContent:
    """A content with its score, the `ordinals` of its passages that speak for it, best first, and
    what it was found by."""

    content: str
    score: float
    ordinals: tuple[int, ...]
    found_by: tuple[FoundBy, ...]


@dataclass(slots=True)
class _Evidence:
    """For one content."""

    missing: float = 1.0  # to a score of 1
    found_by: set[FoundBy] = field(default_factory=set)
    ordinals: dict[int, None] = field(default_factory=dict)

    def add(self, found_by: FoundBy, share: float, ordinals: Iterable[int]) -> None:
        self.missing *= 1 - share
        self.found_by.add(found_by)
        self.ordinals |= dict.fromkeys(ordinals)


class Fusion:
    """The evidence of one search. What is added first shows its passages first."""

    def __init__(self) -> None:
        self._evidence: dict[str, _Evidence] = {}

    def add_phrase(self, passages: Iterable[tuple[str, int]]) -> None:
        """Passages, as content and ordinal, that hold the words in a row."""
        for content, ordinals in _by_content(passages).items():
            self._of(content).add("words", PHRASE, ordinals)

    def add_words(self, relevance: Mapping[str, Relevance]) -> None:
        for content, answer in relevance.items():
            ordinals = (ordinal for _, ordinal in answer.passages)
            self._of(content).add("words", answer.score, ordinals)

    def add_names(self, shares: Mapping[str, float], whole: Collection[str]) -> None:
        """Contents with the share of the words that their names hold; the `whole` hold all."""
        for content, share in shares.items():
            most = WHOLE_NAME if content in whole else PART_OF_NAME * share
            self._of(content).add("name", most, ())

    def add_meaning(self, nearness: Mapping[tuple[str, int], float]) -> None:
        """Passages with how near they are, from 0 to 1; the nearest of a content counts."""
        order = sorted(nearness, key=lambda key: (-nearness[key], key[1]))
        for content, ordinals in _by_content(order).items():
            share = MEANING * nearness[content, ordinals[0]]
            self._of(content).add("meaning", share, ordinals)

    def ranked(self, forms: Forms) -> Iterator[RankedContent]:
        """The contents, best first. One that holds the words in another form never comes before one
        that holds them as typed."""
        scores = {content: 1 - evidence.missing for content, evidence in self._evidence.items()}
        lowest = min((scores[content] for content in forms.exact if content in scores),
                     default=math.inf)  # fmt: skip
        capped = scores | {
            content: min(scores[content], lowest) for content in forms.inexact if content in scores
        }

        def rank(content: str) -> tuple[float, bool, float, str]:
            return -capped[content], content in forms.inexact, -scores[content], content

        for content in sorted(scores, key=rank):
            evidence = self._evidence[content]
            found_by = tuple(term for term in FOUND_BY if term in evidence.found_by)
            yield RankedContent(content, capped[content], tuple(evidence.ordinals), found_by)

    def _of(self, content: str) -> _Evidence:
        return self._evidence.setdefault(content, _Evidence())


def in_order(contents: Iterable[str]) -> Iterator[RankedContent]:
    """Contents that nothing was looked for in, as they come."""
    for content in contents:
        yield RankedContent(content, 0.0, (), ())


def _by_content(passages: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
    grouped: dict[str, list[int]] = {}
    for content, ordinal in passages:
        grouped.setdefault(content, []).append(ordinal)
    return grouped
