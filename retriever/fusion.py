"""Rankings of passages, fused into one order of contents.

They are fused by reciprocal rank (Cormack, Clarke and Büttcher, SIGIR 2009). Equal scores are
ordered by content, so the same question gives the same list.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from retriever.hits import FOUND_BY, FoundBy

RRF_K = 60
# A phrase that is in a file, or a name that holds every word, is the strongest evidence that this
# file is meant; each of the two vectors alone is the weakest.
WEIGHTS = {"phrase": 3.0, "whole name": 3.0, "words": 2.0, "name": 1.0, "body": 1.0, "gist": 1.0}
WEIGHTS |= {"newest": 1.0}  # the only ranking where nothing is looked for

Key = tuple[str, int]  # content and ordinal; NAME_ORDINAL for the file's name
NAME_ORDINAL = -1


@dataclass(frozen=True, slots=True)
class Forms:
    """The contents that hold every word as it was typed (`exact`), or in another form alone
    (`inexact`), and the tokens of these other forms."""

    exact: Collection[str] = ()
    inexact: Collection[str] = ()
    variants: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class RankedContent:
    """A content with its score, the `ordinals` of its passages that were ranked, best first, and
    what they were found by."""

    content: str
    score: float
    ordinals: tuple[int, ...]
    found_by: tuple[FoundBy, ...]


@dataclass(slots=True)
class _Candidate:
    """The sum of what the rankings give to one passage of one content."""

    score: float = 0.0
    found_by: set[FoundBy] = field(default_factory=set)


class Fusion:
    """The rankings of one search."""

    def __init__(self) -> None:
        self._candidates: dict[Key, _Candidate] = defaultdict(_Candidate)

    def add(self, ranking: str, found_by: FoundBy | None, keys: Iterable[Key]) -> None:
        """Adds a ranking, best first, with the weight of its name in WEIGHTS."""
        for rank, key in enumerate(keys, start=1):
            candidate = self._candidates[key]
            candidate.score += WEIGHTS[ranking] / (RRF_K + rank)
            if found_by is not None:
                candidate.found_by.add(found_by)

    def ranked(self, forms: Forms) -> Iterator[RankedContent]:
        """The contents, best first: the score of each is that of its best passage, plus that of its
        name. One that holds the words in another form never comes before one that holds them as
        typed."""
        by_content: dict[str, list[tuple[Key, _Candidate]]] = defaultdict(list)
        for key, candidate in self._candidates.items():
            by_content[key[0]].append((key, candidate))
        scores = {content: _score(group) for content, group in by_content.items()}
        lowest = min((scores[content] for content in forms.exact), default=math.inf)
        capped = scores | {
            content: min(scores[content], lowest) for content in forms.inexact if content in scores
        }

        def rank(content: str) -> tuple[float, bool, float, str]:
            return -capped[content], content in forms.inexact, -scores[content], content

        for content in sorted(by_content, key=rank):
            group = sorted(by_content[content], key=_best_first)
            ordinals = tuple(ordinal for (_, ordinal), _ in group if ordinal != NAME_ORDINAL)
            kinds_of_match = {term for _, candidate in group for term in candidate.found_by}
            found_by = tuple(term for term in FOUND_BY if term in kinds_of_match)
            yield RankedContent(content, capped[content], ordinals, found_by)


def _best_first(candidate: tuple[Key, _Candidate]) -> tuple[float, int]:
    """Sorts by score, then by their order in the file."""
    (_, ordinal), scored = candidate
    return -scored.score, ordinal


def _score(group: list[tuple[Key, _Candidate]]) -> float:
    passages = [candidate.score for key, candidate in group if key[1] != NAME_ORDINAL]
    names = [candidate.score for key, candidate in group if key[1] == NAME_ORDINAL]
    return max(passages, default=0.0) + max(names, default=0.0)
