"""Search: evidence by words, by name and by vectors, fused into hits.

The result is one hit a file, its best passage first.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from indexer.catalog.catalog import Catalog
from indexer.catalog.records import Item
from indexer.types.passages import FIRST_UNDERSTOOD, Passage
from indexer.types.text.tokens import tokens
from indexer.vectors.store import Store
from model.interface import Model
from retriever.copies import with_copies
from retriever.fusion import Forms, Fusion, RankedContent, in_order
from retriever.hits import Hit, Hits, OtherMatch
from retriever.marks.places import matching_place
from retriever.marks.snippets import Snippet, distinct_tokens, snippet, words_to_mark
from retriever.meaning import Meaning
from retriever.queries.query import Query, QueryError

# So many passages by a phrase are looked at, and names of files, whatever the number of hits.
CANDIDATES = 300
MORE_PLACES = 6


class Searcher:
    """Searches one library: without a store and a model, by words alone. Holds no state of its
    own."""

    def __init__(
        self,
        catalog: Catalog,
        store: Store | None = None,
        model: Model | None = None,
        is_present: Callable[[Path], bool] = os.path.lexists,
    ) -> None:
        self._catalog = catalog
        self._meaning = Meaning(catalog, store, model) if store and model else None
        self._is_present = is_present

    def search(self, query: Query) -> Hits:
        """The `query.limit` files after the best `query.offset`, best first. Raises StoreError
        where a table of vectors is damaged that is read for it; for a query by words none is."""
        contents = self._allowed_contents(query)
        if contents is not None and not contents:
            return Hits()
        words = self._catalog.passages.content_words(query.words.strip())
        if not words and query.like is None:
            alone = ([entry] for entry in self._newest(contents, query))
            return self._hits(alone, "", Forms(), query)
        fusion = Fusion()
        forms = Forms()
        if words:
            forms = self._by_words(fusion, words, query, contents)
        if query.by == "all" and self._meaning is not None:
            for nearness in self._meaning.near(query, contents):
                fusion.add_meaning(nearness)
        groups = with_copies(fusion.ranked(forms), self._catalog.sketches)
        return self._hits(groups, words, forms, query)

    def _allowed_contents(self, query: Query) -> set[str] | None:
        """The contents the filters allow, or None where they allow all."""
        scopes = self._catalog.scopes
        contents = scopes.contents(query.scope)
        if query.about:
            named = self._contents_of(query.about)
            contents = named if contents is None else contents & named
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

    def _contents_of(self, items: Sequence[str]) -> set[str]:
        """The contents of items, with what is attached to them. Raises QueryError."""
        contents: set[str] = set()
        for item_id in items:
            item = self._catalog.items.get(item_id)
            if item is None:
                raise QueryError("That item is no longer in the library; search again.")
            members = self._catalog.items.members(item.content)
            contents |= {item.content, *(member.content for member in members)}
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
            matches = index.phrase(query.words, CANDIDATES, kinds, contents)
            fusion.add_phrase((match.content, match.ordinal) for match in matches)
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

    def _hits(
        self, ranked: Iterator[Sequence[RankedContent]], words: str, forms: Forms, query: Query
    ) -> Hits:
        """One hit for each content with its copies, of those that are there."""
        present: list[tuple[Item, RankedContent]] = []
        copies: dict[str, tuple[Item, ...]] = {}
        last = query.offset + query.limit
        while len(present) <= last and (part := list(islice(ranked, last + 1))):
            # most are there: the first few are enough
            known = self._catalog.items.of_contents(e.content for group in part for e in group)
            for group in part:
                live = [
                    (item, entry)
                    for entry in group
                    if entry.content in known
                    and (item := known[entry.content].among(self._is_present)) is not None
                ]
                if live:
                    present.append(live[0])
                    copies[live[0][0].content] = tuple(item for item, _ in live[1:])
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
                    copies[item.content],
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
