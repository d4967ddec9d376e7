"""Search in the tables: the passages that lie near a vector.

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
from indexer.vectors.lance import filter_of
from indexer.vectors.matrix import Matrices, RowKey, ranked, rounded
from indexer.vectors.names import checked_name
from indexer.vectors.tables import StoreError, Tables
from model.interface import Float32

VectorSpace = Literal["gist", "body"]

FILTER_IDS = 5_000  # at most in one filter of a deletion
# So many partitions of an index are looked at, and more while too few rows pass the filter; of the
# rows that seem nearest at least so many, and twice the limit, are compared by their full vectors.
PARTITIONS = 20
LEAST_REFINED = 600


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

    def has_vectors(self, key: str) -> bool:
        """Whether there is a vector of the fingerprint `key`."""
        names = [f"{space}_{checked_name(key)}" for space in ("gist", "body")]
        return any(self._tables.exist(name) for name in names)

    def vectors(
        self,
        key: str,
        space: VectorSpace,
        vector: Float32,
        limit: int,
        kinds: Collection[Kind] | None = None,
        contents: Collection[str] | None = None,
    ) -> list[Match]:
        """The passages nearest to `vector` (D,), with their cosine: by an exact comparison, or in a
        table with an index among those that it finds likely. Vectors of another fingerprint than
        `key` are not looked at."""
        name = f"{space}_{checked_name(key)}"
        if limit <= 0 or _allows_nothing(kinds, contents) or not self._tables.exist(name):
            return []
        matrix = self._tables.read(name, functools.partial(self._matrices.of, name))
        unit = (vector / max(float(np.linalg.norm(vector)), 1e-12)).astype(np.float32)
        if matrix is not None:
            order = matrix.nearest(unit, limit, kinds, contents)
        else:
            if kinds is not None:
                present = self._tables.read(name, functools.partial(self._matrices.kinds_of, name))
                if not (asked := present.intersection(kinds)):
                    return []
                kinds = None if asked == present else asked  # no filter is the fastest one
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
        """By the index of the table, where it has one; rows that are not in it yet are compared one
        by one, and all are where it cannot be used."""
        where = filter_of(kinds, contents)
        columns = ["content", "generation", "ordinal", "_distance"]

        def search(table: Any, by_index: bool) -> list[dict[str, Any]]:
            builder = table.search(vector).distance_type("cosine").select(columns).limit(limit)
            if where is not None:
                builder = builder.where(where, prefilter=True)
            if by_index:
                builder = builder.minimum_nprobes(PARTITIONS).maximum_nprobes(0)
                builder = builder.refine_factor(max(2, -(-LEAST_REFINED // limit)))
            else:
                builder = builder.bypass_vector_index()
            rows: list[dict[str, Any]] = builder.to_list()
            return rows

        self._tables.compare(name)
        by_index = self._tables.has_trusted_index(name)
        try:
            rows = self._tables.read(name, functools.partial(search, by_index=by_index))
        except StoreError:
            if not by_index or self._tables.is_refused(name):
                raise
            rows = self._tables.read(name, functools.partial(search, by_index=False))
            self._tables.distrust_index(name, "it cannot be read")
        scored: list[tuple[RowKey, float]] = [
            ((row["content"], row["generation"], row["ordinal"]), rounded(1 - row["_distance"]))
            for row in rows
        ]
        return ranked(scored, limit)


def _allows_nothing(kinds: Collection[Kind] | None, contents: Collection[str] | None) -> bool:
    return (kinds is not None and not kinds) or (contents is not None and not contents)
