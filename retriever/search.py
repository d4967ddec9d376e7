"""Search: rankings by words, by name and by vectors, each a list of passages, fused into hits.

Vectors are ranked for each kind by itself, since the distances of a text and of a photo to a
question are not on one scale. The result is one hit a file, its best passage first.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Literal

from indexer.catalog.catalog import Catalog
from indexer.catalog.records import Item
from indexer.types.passages import FIRST_UNDERSTOOD, Passage
from indexer.types.places import Kind
from indexer.types.text.tokens import tokens
from indexer.vectors.search import Match
from indexer.vectors.store import Store
from model.interface import Float32, Model, Text
from retriever.fusion import NAME_ORDINAL, Forms, Fusion, Key, RankedContent
from retriever.hits import Hit
from retriever.query import Query, QueryError, question_words
from retriever.snippets import Snippet, distinct_tokens, snippet, words_to_mark

# Every vector has a nearest one. Kept is what has at least this cosine and is no further than this
# behind the nearest of its kind. `python -m bench run demonstration` shows what these keep.
MIN_COSINE = 0.7
MAX_COSINE_BEHIND_BEST = 0.15
# A ranking is read deeper than the number of hits, because superseded generations are dropped after
# reading, and several passages belong to one file.
CANDIDATES_A_HIT = 5
MORE_PLACES = 6


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

    def search(self, query: Query, *, question: bool = False) -> list[Hit]:
        """The best `query.limit` files, best first. With `question`, the ranking by words uses
        the words that could stand in an answer rather than all of them. Raises StoreError where a
        table of vectors is damaged that is read for it; for a query by words none is."""
        contents = self._allowed_contents(query)
        if contents is not None and not contents:
            return []
        words = question_words(query.words) if question else query.words.strip()
        if not words and query.like is None:
            return self._newest(contents, query.limit)
        fusion = Fusion()
        depth = query.limit * CANDIDATES_A_HIT
        forms = Forms()
        if words:
            forms = self._by_words(fusion, words, query, contents, depth)
        # without a vector to compare with, the model is not asked for one, nor loaded for it
        if query.by == "all" and self._store.search.has_vectors(self._model.fingerprint.key):
            self._by_meaning(fusion, query, contents, depth)
        return self._hits(fusion, words, forms, query.limit)

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
                held = self._holding(text)
                contents |= held if dateless is None else held & dateless
        for text in query.required:
            held = self._holding(text)
            contents = held if contents is None else contents & held
        for text in query.excluded:
            held = self._holding(text)
            contents = (scopes.everything() if contents is None else contents) - held
        return contents

    def _holding(self, text: str) -> set[str]:
        """The contents of which a passage or a name holds the words of a text in a row."""
        terms = tokens(text)
        return self._catalog.passages.holding(terms) | self._catalog.scopes.named(terms)

    def _newest(self, contents: Collection[str] | None, limit: int) -> list[Hit]:
        """The files of some contents that were made last, for a search of filters alone."""
        if contents is None:
            contents = self._catalog.scopes.everything()
        # files that are not there at this moment are left out later
        newest = self._catalog.scopes.newest(contents, limit * CANDIDATES_A_HIT)
        fusion = Fusion()
        fusion.add("newest", None, ((content, NAME_ORDINAL) for content in newest))
        return self._hits(fusion, "", Forms(), limit)

    def _by_words(
        self,
        fusion: Fusion,
        words: str,
        query: Query,
        contents: Collection[str] | None,
        depth: int,
    ) -> Forms:
        index = self._catalog.passages
        matches = index.search(words, depth, query.scope.kinds, contents, forms_below=query.limit)
        every, form = self._live(matches.every), self._live(matches.form)
        fusion.add("words", "words", [*every, *form, *self._live(matches.some)])
        if len(words.split()) > 1:
            matches_in_row = index.search(words, depth, query.scope.kinds, contents, phrase=True)
            fusion.add("phrase", "words", self._live(matches_in_row.every))
        names = self._catalog.items.search_names(words, depth, query.scope.kinds)
        keys = [
            (content, NAME_ORDINAL)
            for content, _ in names
            if contents is None or content in contents
        ]
        fusion.add("name", "name", keys)
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
        fusion.add("whole name", "name", whole)
        exact = {content for content, _ in (*every, *whole)}
        return Forms(exact, {content for content, _ in form} - exact, matches.variants)

    def _by_meaning(
        self,
        fusion: Fusion,
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
                fusion.add("body", "meaning", body)
                gist = [key for key in gist if key in near]
            fusion.add("gist", "meaning", gist)

    def _near(
        self,
        space: Literal["gist", "body"],
        vector: Float32,
        kinds: set[Kind],
        contents: Collection[str] | None,
        depth: int,
    ) -> list[Key]:
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

    def _live(self, matches: Sequence[Match]) -> list[Key]:
        return [(match.content, match.ordinal) for match in self._live_matches(matches)]

    def _live_matches(self, matches: Sequence[Match]) -> list[Match]:
        """Without the rows of superseded or half-written generations: the catalog decides."""
        live = self._catalog.items.live_generations({match.generation for match in matches})
        return [match for match in matches if match.generation in live]

    def _hits(self, fusion: Fusion, words: str, forms: Forms, limit: int) -> list[Hit]:
        """One hit a file, for those that are there."""
        ranked = fusion.ranked(forms)
        present: list[tuple[Item, RankedContent]] = []
        while len(present) < limit and (part := list(islice(ranked, limit))):
            # most are there: the first few are enough
            known = self._catalog.items.of_contents(entry.content for entry in part)
            for entry in part:
                item = known.get(entry.content)
                if item is not None and (item := item.among(self._is_present)) is not None:
                    present.append((item, entry))
        present = present[:limit]
        passages = self._passages(present)
        wanted = [*words_to_mark(words), *forms.variants]
        hits = []
        for item, entry in present:
            places = [
                (passage, snippet(passage.text, wanted))
                for passage in passages.get(item.content, ())
            ]
            best, best_snippet = places[0] if places else (None, Snippet(item.title, ()))
            more = tuple(places[1:])
            hits.append(Hit(item, best, best_snippet, entry.score, entry.found_by, more))
        return hits

    def _passages(self, chosen: Sequence[tuple[Item, RankedContent]]) -> dict[str, list[Passage]]:
        """For each content its passages, best first and one for each place, in one read."""
        keys: dict[str, list[tuple[str, int]]] = {}
        for item, entry in chosen:
            ordinals = entry.ordinals or (0, FIRST_UNDERSTOOD)
            generations = [(_generation(item, ordinal), ordinal) for ordinal in ordinals]
            keys[item.content] = [(g, ordinal) for g, ordinal in generations if g is not None]
        chosen_keys = {key for wanted in keys.values() for key in wanted}
        read = self._catalog.texts.at(chosen_keys)
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
