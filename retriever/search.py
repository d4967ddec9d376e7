"""Rankings by words, by name and by vectors, fused into one list of hits.

Each ranking is a list of passages. They are fused by reciprocal rank (Cormack, Clarke and Büttcher,
SIGIR 2009), vectors ranked contents each kind, since the distances of a text and of a photo to a
question are not on one scale. The result is one hit a file, its best passage first. Equal scores
are ordered by content, so the same question gives the same list.
"""

from __future__ import annotations

import math
import os
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from indexer.catalog.catalog import Catalog
from indexer.catalog.records import Item
from indexer.types.passages import FIRST_UNDERSTOOD, Passage, Source
from indexer.types.places import Kind
from indexer.types.tokens import tokens
from indexer.vectors.search import Match
from indexer.vectors.store import Store
from model.interface import Float32, Model, Text
from retriever.query import Query, QueryError, question_words
from retriever.snippets import Snippet, distinct_tokens, snippet, words_to_mark

FoundBy = Literal["words", "name", "meaning"]
FOUND_BY: tuple[FoundBy, ...] = ("words", "name", "meaning")

RRF_K = 60
# A phrase that is in a file, or a name that holds every word, is the strongest evidence that this
# file is meant; each of the two vectors alone is the weakest.
WEIGHTS = {"phrase": 3.0, "whole name": 3.0, "words": 2.0, "name": 1.0, "body": 1.0, "gist": 1.0}
# Every vector has a nearest one. Kept is what has at least this cosine and is no further than this
# behind the nearest of its kind. `python -m bench run demonstration` shows what these keep.
MIN_COSINE = 0.7
MAX_COSINE_BEHIND_BEST = 0.15
# A ranking is read deeper than the number of hits, because superseded generations are dropped after
# reading, and several passages belong to one file.
CANDIDATES_A_HIT = 5
MORE_PLACES = 6


@dataclass(frozen=True, slots=True)
class Hit:
    """One file that matches: its best passage (its first where only the name matched, None where
    it has none yet), and further places in it."""

    item: Item
    passage: Passage | None
    snippet: Snippet
    score: float
    found_by: tuple[FoundBy, ...]
    more: tuple[tuple[Passage, Snippet], ...] = ()


@dataclass(slots=True)
class _Candidate:
    """The sum of what the rankings give to one passage of one content."""

    score: float = 0.0
    found_by: set[FoundBy] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Forms:
    """The contents that hold every word as it was typed (`exact`), or in another form alone
    (`inexact`), and the tokens of these other forms."""

    exact: Collection[str] = ()
    inexact: Collection[str] = ()
    variants: Collection[str] = ()


_Key = tuple[str, int]  # content and ordinal; NAME_ORDINAL for the file's name
NAME_ORDINAL = -1


class Searcher:
    """Searches one library. Holds no state of its own."""

    def __init__(
        self,
        catalog: Catalog,
        store: Store,
        model: Model,
        is_present: Callable[[Path], bool] = os.path.lexists,
    ) -> None:
        self._catalog = catalog
        self._store = store
        self._model = model
        self._is_present = is_present

    def search(self, query: Query, *, question: bool = False, texts: bool = True) -> list[Hit]:
        """The best `query.limit` files, best first. With `question`, the ranking by words uses
        the words that could stand in an answer rather than all of them. Without `texts` no table
        is read for a query by words, and every passage is None. Raises StoreError where a table
        that is read is damaged."""
        contents = self._allowed_contents(query)
        if contents is not None and not contents:
            return []
        words = question_words(query.words) if question else query.words.strip()
        if not words and query.like is None:
            return self._newest(contents, query.limit, texts)
        candidates: dict[_Key, _Candidate] = defaultdict(_Candidate)
        depth = query.limit * CANDIDATES_A_HIT
        forms = _Forms()
        if words:
            forms = self._by_words(candidates, words, query, contents, depth)
        if query.by == "all":
            self._by_meaning(candidates, query, contents, depth)
        return self._hits(candidates, words, forms, query.limit, texts)

    def _allowed_contents(self, query: Query) -> set[str] | None:
        """The contents the filters allow, or None where they allow all."""
        if query.about is not None:
            item = self._catalog.items.get(query.about)
            if item is None:
                raise QueryError("That item is no longer in the library; search again.")
            return {
                item.content,
                *(member.content for member in self._catalog.items.members(item.content)),
            }
        scopes = self._catalog.scopes
        contents = scopes.contents(query.scope)
        if contents is not None and query.dated:
            dateless = scopes.contents(replace(query.scope, after=None, before=None))
            for text in query.dated:
                held = scopes.holding(tokens(text))
                contents |= held if dateless is None else held & dateless
        for text in query.required:
            held = scopes.holding(tokens(text))
            contents = held if contents is None else contents & held
        for text in query.excluded:
            held = scopes.holding(tokens(text))
            contents = (scopes.everything() if contents is None else contents) - held
        return contents

    def _newest(self, contents: Collection[str] | None, limit: int, texts: bool) -> list[Hit]:
        """The files of some contents that were made last, for a search of filters alone."""
        if contents is None:
            contents = self._catalog.scopes.everything()
        # files that are not there at this moment are left out later
        newest = self._catalog.scopes.newest(contents, limit * CANDIDATES_A_HIT)
        candidates = {
            (content, NAME_ORDINAL): _Candidate(1 / (RRF_K + rank))
            for rank, content in enumerate(newest, start=1)
        }
        return self._hits(candidates, "", _Forms(), limit, texts)

    def _by_words(
        self,
        candidates: dict[_Key, _Candidate],
        words: str,
        query: Query,
        contents: Collection[str] | None,
        depth: int,
    ) -> _Forms:
        index = self._catalog.passages
        matches = index.search(words, depth, query.scope.kinds, contents, forms_below=query.limit)
        every, form = self._live(matches.every), self._live(matches.form)
        self._add(candidates, "words", "words", [*every, *form, *self._live(matches.some)])
        if len(words.split()) > 1:
            matches_in_row = index.search(words, depth, query.scope.kinds, contents, phrase=True)
            self._add(candidates, "phrase", "words", self._live(matches_in_row.every))
        names = self._catalog.items.search_names(words, depth, query.scope.kinds)
        keys = [
            (content, NAME_ORDINAL)
            for content, _ in names
            if contents is None or content in contents
        ]
        self._add(candidates, "name", "name", keys)
        wanted = set(distinct_tokens(words))
        items = self._catalog.items.of_contents(content for content, _ in keys)
        whole = [
            key
            for key in keys
            if key[0] in items
            and any(
                wanted.issubset(distinct_tokens(location.name))
                for location in items[key[0]].locations
            )
        ]
        self._add(candidates, "whole name", "name", whole)
        exact = {content for content, _ in (*every, *whole)}
        return _Forms(exact, {content for content, _ in form} - exact, matches.variants)

    def _by_meaning(
        self,
        candidates: dict[_Key, _Candidate],
        query: Query,
        contents: Collection[str] | None,
        depth: int,
    ) -> None:
        example = query.like if query.like is not None else Text(query.words)
        vectors = self._model.embed([example], role="query")[0]
        kinds = sorted(query.scope.kinds or Kind)
        # Words are nearer to texts than to pictures, so each kind is ranked by itself; an example
        # is nearest to itself, whatever its kind.
        for group in [{kind} for kind in kinds] if query.like is None else [set(kinds)]:
            gist = self._near("gist", vectors.gist, group, contents, depth)
            if vectors.body is not None:
                # Gist alone is near to something for any words at all. Where a query has words,
                # body decides what is found, and gist only adds to the rank of that.
                body = self._near("body", vectors.body, group, contents, depth)
                near = set(body)
                self._add(candidates, "body", "meaning", body)
                gist = [key for key in gist if key in near]
            self._add(candidates, "gist", "meaning", gist)

    def _near(
        self,
        space: Literal["gist", "body"],
        vector: Float32,
        kinds: set[Kind],
        contents: Collection[str] | None,
        depth: int,
    ) -> list[_Key]:
        """The nearest `depth` that can be found; as many rows more are read as hidden ones (of a
        drive that is not there) lie among them."""
        key = self._model.fingerprint.key
        limit = depth
        least = self._model.card.least_cosine
        least = MIN_COSINE if least is None else least
        while True:
            matches = self._store.search.vectors(key, space, vector, limit, kinds, contents)
            live = self._live_matches(matches)
            best = live[0].score if live else 0.0
            floor = max(least, best - MAX_COSINE_BEHIND_BEST)
            if len(live) >= depth or len(matches) < limit or matches[-1].score < floor:
                return [(m.content, m.ordinal) for m in live[:depth] if m.score >= floor]
            limit *= 4

    def _live(self, matches: Sequence[Match]) -> list[_Key]:
        return [(match.content, match.ordinal) for match in self._live_matches(matches)]

    def _live_matches(self, matches: Sequence[Match]) -> list[Match]:
        """Without the rows of superseded or half-written generations: the catalog decides."""
        live = self._catalog.items.live_generations({match.generation for match in matches})
        return [match for match in matches if match.generation in live]

    def _add(
        self,
        candidates: dict[_Key, _Candidate],
        ranking: str,
        found_by: FoundBy,
        ranked: Iterable[_Key],
    ) -> None:
        for rank, key in enumerate(ranked, start=1):
            candidate = candidates[key]
            candidate.score += WEIGHTS[ranking] / (RRF_K + rank)
            candidate.found_by.add(found_by)

    def _hits(
        self,
        candidates: dict[_Key, _Candidate],
        words: str,
        forms: _Forms,
        limit: int,
        texts: bool,
    ) -> list[Hit]:
        """One hit a file: its score is that of its best passage, plus that of its name. One that
        holds the words in another form never comes before one that holds them as typed."""
        by_content: dict[str, list[tuple[_Key, _Candidate]]] = defaultdict(list)
        for key, candidate in candidates.items():
            by_content[key[0]].append((key, candidate))
        for group in by_content.values():
            group.sort(key=_best_first)
        scores = {content: _score(group) for content, group in by_content.items()}
        lowest = min((scores[content] for content in forms.exact), default=math.inf)
        capped = scores | {
            content: min(scores[content], lowest) for content in forms.inexact if content in scores
        }

        def rank(content: str) -> tuple[float, bool, float, str]:
            return -capped[content], content in forms.inexact, -scores[content], content

        order = sorted(by_content, key=rank)
        items: dict[str, Item] = {}
        for start in range(0, len(order), limit):  # most are there: the first few are enough
            part = order[start : start + limit]
            known = self._catalog.items.of_contents(part)
            for content in part:
                item = known[content].among(self._is_present) if content in known else None
                if item is not None:
                    items[content] = item
            if len(items) >= limit:
                break
        present = list(items)[:limit]
        chosen = [(items[content], by_content[content]) for content in present]
        passages = self._passages(chosen) if texts else defaultdict(list)
        wanted = [*words_to_mark(words), *forms.variants]
        hits = []
        for content in present:
            found_by = {term for _, candidate in by_content[content] for term in candidate.found_by}
            places = [(passage, snippet(passage.text, wanted)) for passage in passages[content]]
            best, best_snippet = places[0] if places else (None, Snippet(items[content].title, ()))
            ordered = tuple(term for term in FOUND_BY if term in found_by)
            score = capped[content]
            hits.append(Hit(items[content], best, best_snippet, score, ordered, tuple(places[1:])))
        return hits

    def _passages(
        self, chosen: Sequence[tuple[Item, list[tuple[_Key, _Candidate]]]]
    ) -> dict[str, list[Passage]]:
        """For each content its passages, best first and one for each place, in one read."""
        keys: dict[str, list[tuple[str, int]]] = {}
        for item, candidates in chosen:
            ordinals = [ordinal for (_, ordinal), _ in candidates if ordinal != NAME_ORDINAL]
            ordinals = ordinals or [0, FIRST_UNDERSTOOD]
            generations = [(_generation(item, ordinal), ordinal) for ordinal in ordinals]
            keys[item.content] = [(g, ordinal) for g, ordinal in generations if g is not None]
        chosen_keys = {key for wanted in keys.values() for key in wanted}
        read = self._store.generations.passages_at(chosen_keys)
        passages: dict[str, list[Passage]] = {}
        for content, wanted in keys.items():
            by_place: dict[object, Passage] = {}
            for key in wanted:
                if key in read:
                    by_place.setdefault(read[key].place or key, read[key])
            passages[content] = list(by_place.values())[: MORE_PLACES + 1]
        return passages


def _generation(item: Item, ordinal: int) -> str | None:
    return item.understood_generation if ordinal >= FIRST_UNDERSTOOD else item.read_generation


def _best_first(candidate: tuple[_Key, _Candidate]) -> tuple[bool, float, int]:
    """Sorts passages before the name, by score, then by their order in the file."""
    (_, ordinal), scored = candidate
    return ordinal == NAME_ORDINAL, -scored.score, ordinal


def _score(group: list[tuple[_Key, _Candidate]]) -> float:
    passages = [candidate.score for key, candidate in group if key[1] != NAME_ORDINAL]
    names = [candidate.score for key, candidate in group if key[1] == NAME_ORDINAL]
    return max(passages, default=0.0) + max(names, default=0.0)


def source_of(hit: Hit) -> Source:
    """Where the words shown with a hit come from."""
    if hit.passage is None or hit.found_by == ("name",):
        return Source.NAME
    return hit.passage.source
