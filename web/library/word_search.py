"""A search by words in a process of its own: the catalog is opened, and no table and no model."""

from __future__ import annotations

import time
from datetime import datetime

from indexer.catalog.catalog import Catalog
from retriever.hits import Hits
from retriever.queries.query import Query
from retriever.queries.typed_query import TypedQuery, parse_typed
from retriever.search import Searcher
from web.library.arguments.scopes import named_scope
from web.library.schemas.search import SearchJson
from web.library.serializers.results import filter_json, hit_json


class WordSearch:
    """Finds by words in one library."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._searcher = Searcher(catalog)

    def search(
        self,
        words: str,
        *,
        kind: str | None = None,
        folder: str | None = None,
        after: str | None = None,
        before: str | None = None,
        limit: int = 20,
        offset: int = 0,
    ) -> SearchJson:
        """The same as `LibraryProtocol.search` by words."""
        began = time.perf_counter()
        typed = typed_query(self._catalog, words)
        scope = named_scope(self._catalog, kind, folder, after, before)
        query = typed.query(scope, like=None, limit=limit, offset=offset, by="words")
        hits = self._searcher.search(query)
        return search_json(self._catalog, words, typed, query, hits, began)


def typed_query(catalog: Catalog, words: str) -> TypedQuery:
    scopes = catalog.scopes
    return parse_typed(words, datetime.now(), scopes.has_folder, scopes.has_sender)


def search_json(
    catalog: Catalog, words: str, typed: TypedQuery, query: Query, hits: Hits, began: float
) -> SearchJson:
    """The hits of a search that was begun then, in seconds of `perf_counter`."""
    result: SearchJson = {
        "query": words,
        "understood": [filter_json(typed_filter) for typed_filter in typed.filters],
        "hits": [
            hit_json(rank, hit, catalog) for rank, hit in enumerate(hits, start=query.offset + 1)
        ],
        "coverage": catalog.counts.coverage(
            query.scope.kinds, min(query.scope.folders, default=None)
        ),
        "took_ms": round((time.perf_counter() - began) * 1000, 1),
    }
    if hits.has_more:
        result["next_offset"] = query.offset + len(hits)
    return result
