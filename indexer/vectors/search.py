"""Search in the tables: the passages that hold certain words, or lie near a vector.

It may return rows of generations that are superseded or half written: which of them are valid, the
catalog knows.
"""

from __future__ import annotations

import functools
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from indexer.types.places import Kind
from indexer.types.tokens import terms, tokens
from indexer.vectors.lance import checked_name, filter_of, query_for_all, query_for_any
from indexer.vectors.matrix import Matrices, RowKey, ranked, rounded
from indexer.vectors.tables import Tables
from model.interface import Float32

VectorSpace = Literal["gist", "body"]

# More ids than this in one filter are slower than reading on and filtering in Python.
FILTER_IDS = 5_000
# Rows of equal score are read on to be ordered by name, up to this many.
MOST_TIED_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class Match:
    """A passage that matches; a higher score is better (BM25, or cosine similarity)."""

    content: str
    generation: str
    ordinal: int
    score: float


class TableSearch:
    """Searches the tables; any thread may call."""

    def __init__(self, tables: Tables, matrices: Matrices) -> None:
        self._tables = tables
        self._matrices = matrices

    def words(
        self,
        query: str,
        limit: int,
        kinds: Collection[Kind] | None = None,
        contents: Collection[str] | None = None,
        phrase: bool = False,
    ) -> list[Match]:
        """The passages that hold these words, literally: those with all of them first, then by
        BM25. With `phrase`, only those where they follow each other. Any query is valid; one
        without a letter or digit matches nothing."""
        asked = [sequence] if phrase and (sequence := tuple(tokens(query))) else terms(query)
        if not asked or limit <= 0 or _allows_nothing(kinds, contents):
            return []
        with_all = self._by_score(query_for_all(asked), limit, kinds, contents)
        if len(asked) == 1 or len(with_all) >= limit:
            return with_all
        known = {(match.content, match.generation, match.ordinal) for match in with_all}
        with_any = [
            match
            for match in self._by_score(query_for_any(asked), limit, kinds, contents)
            if (match.content, match.generation, match.ordinal) not in known
        ]
        return (with_all + with_any)[:limit]

    def _by_score(
        self,
        query: Any,
        limit: int,
        kinds: Collection[Kind] | None,
        contents: Collection[str] | None,
    ) -> list[Match]:
        """The first `limit` by score. Reads on while the last rows read are equal in score to the
        last one kept, so that a tie is ordered by name and not by chance."""
        filtered_here = contents is not None and len(contents) > FILTER_IDS
        allowed = frozenset(contents) if filtered_here and contents is not None else None
        where = filter_of(kinds, None if filtered_here else contents)
        columns = ["content", "generation", "ordinal", "_score"]
        count = limit + 32

        def search(table: Any) -> list[dict[str, Any]]:
            builder = table.search(query).select(columns).limit(count)
            if where is not None:
                builder = builder.where(where)
            rows: list[dict[str, Any]] = builder.to_list()
            return rows

        while True:
            rows = self._tables.read("words", search)
            scored: list[tuple[RowKey, float]] = [
                ((row["content"], row["generation"], row["ordinal"]), rounded(row["_score"]))
                for row in rows
                if allowed is None or row["content"] in allowed
            ]
            order = ranked(scored, limit)
            exhausted = len(rows) < count or (allowed is None and count >= MOST_TIED_ROWS)
            if exhausted or (len(order) == limit and rounded(rows[-1]["_score"]) < order[-1][1]):
                return [Match(*key, score) for key, score in order]
            count *= 4

    def vectors(
        self,
        key: str,
        space: VectorSpace,
        vector: Float32,
        limit: int,
        kinds: Collection[Kind] | None = None,
        contents: Collection[str] | None = None,
    ) -> list[Match]:
        """The passages nearest to `vector` (D,) by cosine, exactly. Vectors of another fingerprint
        than `key` are not looked at."""
        name = f"{space}_{checked_name(key)}"
        if limit <= 0 or _allows_nothing(kinds, contents) or not self._tables.exist(name):
            return []
        matrix = self._tables.read(name, functools.partial(self._matrices.of, name))
        unit = (vector / max(float(np.linalg.norm(vector)), 1e-12)).astype(np.float32)
        if matrix is not None:
            order = matrix.nearest(unit, limit, kinds, contents)
        else:
            order = self._scan(name, unit, limit, kinds, contents)
        return [Match(*row, score) for row, score in order]

    def _scan(
        self,
        name: str,
        vector: Float32,
        limit: int,
        kinds: Collection[Kind] | None,
        contents: Collection[str] | None,
    ) -> list[tuple[RowKey, float]]:
        where = filter_of(kinds, contents)
        columns = ["content", "generation", "ordinal", "_distance"]

        def search(table: Any) -> list[dict[str, Any]]:
            builder = table.search(vector).distance_type("cosine").select(columns).limit(limit)
            if where is not None:
                builder = builder.where(where, prefilter=True)
            rows: list[dict[str, Any]] = builder.to_list()
            return rows

        rows = self._tables.read(name, search)
        scored: list[tuple[RowKey, float]] = [
            ((row["content"], row["generation"], row["ordinal"]), rounded(1 - row["_distance"]))
            for row in rows
        ]
        return ranked(scored, limit)


def _allows_nothing(kinds: Collection[Kind] | None, contents: Collection[str] | None) -> bool:
    return (kinds is not None and not kinds) or (contents is not None and not contents)
