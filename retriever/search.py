"""Search: evidence by words, by name and by vectors, fused into hits.

Vectors are ranked for each kind by itself, since the distances of a text and of a photo to a
question are not on one scale. The result is one hit a file, its best passage first.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
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
from retriever.fusion import Forms, Fusion, RankedContent, in_order
from retriever.hits import Hit, Hits, OtherMatch
from retriever.places import matching_place
from retriever.query import Query, QueryError
from retriever.snippets import Snippet, distinct_tokens, snippet, words_to_mark

# Every vector has a nearest one. Kept is what has at least this cosine and is no further than this
# behind the nearest of its kind. `python -m bench run demonstration` shows what these keep.
MIN_COSINE = 0.7
MAX_COSINE_BEHIND_BEST = 0.15
# So many passages by a phrase and by each vector are looked at, and names of files, whatever the
# number of hits: several passages belong to one file.
CANDIDATES = 300
MORE_PLACES = 6

Key = tuple[str, int]  # content and ordinal


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

    def search(self, query: Query) -> Hits:
        """The `query.limit` files after the best `query.offset`, best first. Raises StoreError
        where a table of vectors is damaged that is read for it; for a query by words none is."""
        contents = self._allowed_contents(query)
        if contents is not None and not contents:
            return Hits()
        words = self._catalog.passages.content_words(query.words.strip())
        if not words and query.like is None:
            return self._hits(self._newest(contents, query), "", Forms(), query)
        fusion = Fusion()
        forms = Forms()
        if words:
            forms = self._by_words(fusion, words, query, contents)
        # without a vector to compare with, the model is not asked for one, nor loaded for it
        if query.by == "all" and self._store.search.has_vectors(self._model.fingerprint.key):
            self._by_meaning(fusion, query, contents)
        return self._hits(fusion.ranked(forms), words, forms, query)

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

    def _newest(self, contents: Collection[str] | None, query: Query) -> Iterator[RankedContent]:
        """The files of some contents that were made last, for a search of filters alone."""
        if contents is None:
            contents = self._catalog.scopes.everything()
        # files that are not there at this moment are left out later
        limit = (query.offset + query.limit + 1) * 2 + CANDIDATES
        return in_order(self._catalog.scopes.newest(contents, limit))

    def _by_words(
        self, fusion: Fusion, words: str, query: Query, contents: Collection[str] | None
    ) -> Forms:
        index, kinds = self._catalog.passages, query.scope.kinds
        if len(tokens(query.words)) > 1:
            matches = index.search(query.words, CANDIDATES, kinds, contents, phrase=True)
            fusion.add_phrase((match.content, match.ordinal) for match in matches.every)
        ranked = index.ranked(words, kinds, contents)
        fusion.add_words(ranked.relevance)
        names = self._catalog.items.search_names(words, CANDIDATES, kinds)
        allowed = [content for content in names if contents is None or content in contents]
        wanted = set(distinct_tokens(words))
        items = self._catalog.items.of_contents(allowed)
        shares = {
            content: max(
                len(wanted.intersection(distinct_tokens(location.name)))
                for location in item.locations
            )
            for content, item in items.items()
        }
        whole = {content for content, held in shares.items() if held == len(wanted)}
        # one that is found holds a word at least, be it as part of another
        fusion.add_names({c: max(held, 1) / len(wanted) for c, held in shares.items()}, whole)
        exact = ranked.exact | whole
        return Forms(exact, ranked.inexact - exact, ranked.variants)

    def _by_meaning(self, fusion: Fusion, query: Query, contents: Collection[str] | None) -> None:
        example = query.like if query.like is not None else Text(query.words)
        vectors = self._model.embed([example], role="query")[0]
        kinds = sorted(query.scope.kinds or Kind)
        # Words are nearer to texts than to pictures, so each kind is ranked by itself; an example
        # is nearest to itself, whatever its kind.
        for group in [{kind} for kind in kinds] if query.like is None else [set(kinds)]:
            gist = self._near("gist", vectors.gist, group, contents)
            if vectors.body is None:
                fusion.add_meaning(gist)
                continue
            # Gist alone is near to something for any words at all. Where a query has words, body
            # decides what is found, and gist only adds to the rank of that.
            body = self._near("body", vectors.body, group, contents)
            fusion.add_meaning({key: (near + gist.get(key, 0.0)) / 2 for key, near in body.items()})

    def _near(
        self,
        space: Literal["gist", "body"],
        vector: Float32,
        kinds: set[Kind],
        contents: Collection[str] | None,
    ) -> dict[Key, float]:
        """The nearest that can be found, with how near they are beside the nearest, from above 0 to
        1; as many rows more are read as hidden ones (of a drive that is not there) lie among
        them."""
        key = self._model.fingerprint.key
        limit = CANDIDATES
        least = self._model.card.least_cosine
        least = MIN_COSINE if least is None else least
        while True:
            matches = self._store.search.vectors(key, space, vector, limit, kinds, contents)
            live = self._live_matches(matches)
            best = live[0].score if live else 0.0
            floor = max(least, best - MAX_COSINE_BEHIND_BEST)
            if len(live) >= CANDIDATES or len(matches) < limit or matches[-1].score < floor:
                break
            limit *= 4
        return {
            (match.content, match.ordinal): 1 - (best - match.score) / (2 * MAX_COSINE_BEHIND_BEST)
            for match in live[:CANDIDATES]
            if match.score >= floor
        }

    def _live_matches(self, matches: Sequence[Match]) -> list[Match]:
        """Without the rows of superseded or half-written generations: the catalog decides."""
        live = self._catalog.items.live_generations({match.generation for match in matches})
        return [match for match in matches if match.generation in live]

    def _hits(
        self, ranked: Iterator[RankedContent], words: str, forms: Forms, query: Query
    ) -> Hits:
        """One hit a file, for those that are there."""
        present: list[tuple[Item, RankedContent]] = []
        last = query.offset + query.limit
        while len(present) <= last and (part := list(islice(ranked, last + 1))):
            # most are there: the first few are enough
            known = self._catalog.items.of_contents(entry.content for entry in part)
            for entry in part:
                item = known.get(entry.content)
                if item is not None and (item := item.among(self._is_present)) is not None:
                    present.append((item, entry))
        has_more = len(present) > last
        present = present[query.offset : last]
        passages = self._passages(present)
        wanted = [*words_to_mark(words), *forms.variants]
        hits = []
        for item, entry in present:
            matched = [
                OtherMatch(passage, snippet(passage.text, wanted), matching_place(passage, wanted))
                for passage in passages.get(item.content, ())
            ]
            best = matched[0] if matched else None
            hits.append(
                Hit(
                    item,
                    best.passage if best else None,
                    best.snippet if best else Snippet(item.title, ()),
                    best.place if best else None,
                    entry.score,
                    entry.found_by,
                    tuple(matched[1:]),
                )
            )
        return Hits(hits, has_more)

    def _passages(self, chosen: Sequence[tuple[Item, RankedContent]]) -> dict[str, list[Passage]]:
        """For each content its passages, best first and one for each place, in one read."""
        keys: dict[str, list[tuple[str, int]]] = {}
        of_content = {item.content: item for item, _ in chosen}
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
            chosen_here = list(by_place.values())[: MORE_PLACES + 1]
            understood = of_content[content].understood_generation
            passages[content] = (
                chosen_here
                if understood is None
                else self._catalog.sentences.timed(understood, chosen_here)
            )
        return passages


def _generation(item: Item, ordinal: int) -> str | None:
    return item.understood_generation if ordinal >= FIRST_UNDERSTOOD else item.read_generation
