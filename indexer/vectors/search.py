"""What the tables tell: passages by name, and passages that match words or a vector.

Knows nothing of what is valid: it may return rows of generations that were superseded or half
written, and the caller asks the catalog.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from indexer.types.passages import Kind, Passage, PlaceJson, place_json
from indexer.types.tokens import terms, tokens
from indexer.vectors.lance import all_of, among, matching, own, some_of
from indexer.vectors.matrix import Matrices, Row, ranked, rounded
from indexer.vectors.rows import passage_of, total, vector_digest
from indexer.vectors.tables import Tables
from model.interface import Float32

Space = Literal["gist", "body"]

# Up to here the vectors of one table are searched in memory, beyond it by scanning the disk.
RESIDENT_BYTES = 256 << 20
# More ids than this in one filter are slower than reading on and filtering here.
FILTER_IDS = 5_000
# Equally good rows are read on to be cut by name; from here on it no longer matters which.
MOST_TIED_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class Found:
    """A passage that matches; a higher score is better (BM25, or cosine similarity)."""

    content: str
    generation: str
    ordinal: int
    score: float


class Lookup:
    """Reads the tables; any thread may call."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._matrices = Matrices(RESIDENT_BYTES)

    def generations(self) -> set[str]:
        """Every generation that has a row in any table."""
        found: set[str] = set()
        for name in self._tables.names():
            column = self._tables.columns(name, ["generation"])["generation"]
            found.update(column.unique().to_pylist())
        return found

    def owners(self) -> set[tuple[str, str]]:
        """Every (content, generation) that has a row in any table."""
        found: set[tuple[str, str]] = set()
        for name in self._tables.names():
            columns = self._tables.columns(name, ["content", "generation"])
            found.update(zip(*(columns[c].to_pylist() for c in columns.column_names), strict=True))
        return found

    def vectors_held(self, key: str, generation: str) -> tuple[set[int], str]:
        """The passages that a generation has a vector for, and what its vectors add up to."""
        where = among("generation", [own(generation)])
        ordinals: set[int] = set()
        digests = []
        for space in ("gist", "body"):
            name = f"{space}_{own(key)}"
            if not self._tables.exist(name):
                continue
            rows = self._tables.read(
                name,
                lambda table: table.search().where(where).select(["ordinal", "vector"]).to_arrow(),
            ).to_pylist()
            for row in rows:
                ordinals.add(row["ordinal"])
                vector = np.array(row["vector"], np.float32)
                digests.append(vector_digest(space, row["ordinal"], vector))
        return ordinals, total(digests)

    def passage_count(self) -> int:
        """How many passages there are, of all generations."""
        return int(self._tables.read("words", lambda table: table.count_rows()))

    def counts(self) -> dict[str, int]:
        """How many passages each generation has."""
        column = self._tables.columns("words", ["generation"])["generation"]
        return {one["values"]: one["counts"] for one in column.value_counts().to_pylist()}

    def passages(self, generation: str) -> list[Passage]:
        """All passages of a generation, in order."""
        return self.passages_of([generation])[generation]

    def passages_of(self, generations: Sequence[str]) -> dict[str, list[Passage]]:
        """All passages of each generation, in order, in one read."""
        found: dict[str, list[Passage]] = {generation: [] for generation in generations}
        for row in self._passage_rows(generations, None):
            found[row["generation"]].append(passage_of(row))
        for passages in found.values():
            passages.sort(key=lambda passage: passage.ordinal)
        return found

    def passage(self, generation: str, ordinal: int) -> Passage | None:
        """One passage, or None where there is none."""
        return self.passages_at([(generation, ordinal)]).get((generation, ordinal))

    def passages_at(self, keys: Collection[tuple[str, int]]) -> dict[tuple[str, int], Passage]:
        """The passages at these (generation, ordinal), in one read; missing ones are left out."""
        wanted = set(keys)
        if not wanted:
            return {}
        rows = self._passage_rows(
            sorted({generation for generation, _ in wanted}),
            sorted({ordinal for _, ordinal in wanted}),
        )
        found = {(row["generation"], row["ordinal"]): passage_of(row) for row in rows}
        return {key: passage for key, passage in found.items() if key in wanted}

    def _passage_rows(
        self, generations: Sequence[str], ordinals: Sequence[int] | None
    ) -> list[dict[str, Any]]:
        where = among("generation", [own(generation) for generation in generations])
        if ordinals is not None:
            where = where.and_(among("ordinal", ordinals))
        fields = ["generation", "ordinal", "source", "page", "start_s", "end_s", "text"]
        rows: list[dict[str, Any]] = self._tables.read(
            "words", lambda table: table.search().where(where).select(fields).to_list()
        )
        return rows

    def rows(self) -> Iterator[tuple[str, str, int, str, PlaceJson | None, str]]:
        """Every passage as (content, generation, ordinal, source, place, text), by content, ordinal
        and generation: what two indexes are compared by."""
        fields = ["content", "generation", "ordinal", "source", "page", "start_s", "end_s", "text"]
        table = self._tables.columns("words", fields).sort_by(
            [("content", "ascending"), ("ordinal", "ascending"), ("generation", "ascending")]
        )
        for batch in table.to_batches():
            for row in batch.to_pylist():
                passage = passage_of(row)
                place = place_json(passage.place)
                yield (
                    row["content"],
                    row["generation"],
                    passage.ordinal,
                    str(passage.source),
                    place,
                    passage.text,
                )

    # Searching

    def search_words(
        self,
        query: str,
        limit: int,
        kinds: Collection[Kind] | None = None,
        contents: Collection[str] | None = None,
        phrase: bool = False,
    ) -> list[Found]:
        """The passages that hold these words, literally: those with all of them first, then by
        BM25. With `phrase`, only those where they follow each other. Any query is a good one; one
        without a letter or digit finds nothing."""
        asked = [found] if phrase and (found := tuple(tokens(query))) else terms(query)
        if not asked or limit <= 0 or _nothing(kinds, contents):
            return []
        found_all = self._matching(all_of(asked), limit, kinds, contents)
        if len(asked) == 1 or len(found_all) >= limit:
            return found_all
        known = {(one.content, one.generation, one.ordinal) for one in found_all}
        found_some = [
            one
            for one in self._matching(some_of(asked), limit, kinds, contents)
            if (one.content, one.generation, one.ordinal) not in known
        ]
        return (found_all + found_some)[:limit]

    def _matching(
        self,
        query: Any,
        limit: int,
        kinds: Collection[Kind] | None,
        contents: Collection[str] | None,
    ) -> list[Found]:
        """The first `limit` by score. Reads on while the last rows read are equal in score to the
        last one kept, so that a tie is cut by name and not by chance."""
        here = frozenset(contents) if contents is not None and len(contents) > FILTER_IDS else None
        where = matching(kinds, None if here is not None else contents)
        fields = ["content", "generation", "ordinal", "_score"]
        read = limit + 32

        def search(table: Any) -> list[dict[str, Any]]:
            builder = table.search(query).select(fields).limit(read)
            if where is not None:
                builder = builder.where(where)
            rows: list[dict[str, Any]] = builder.to_list()
            return rows

        while True:
            rows = self._tables.read("words", search)
            found: list[tuple[Row, float]] = [
                ((row["content"], row["generation"], row["ordinal"]), rounded(row["_score"]))
                for row in rows
                if here is None or row["content"] in here
            ]
            order = ranked(found, limit)
            exhausted = len(rows) < read or (here is None and read >= MOST_TIED_ROWS)
            if exhausted or (len(order) == limit and rounded(rows[-1]["_score"]) < order[-1][1]):
                return [Found(*row, score) for row, score in order]
            read *= 4

    def search_vectors(
        self,
        key: str,
        space: Space,
        vector: Float32,
        limit: int,
        kinds: Collection[Kind] | None = None,
        contents: Collection[str] | None = None,
    ) -> list[Found]:
        """The passages nearest to the unit `vector` (D,) by cosine, exactly. Vectors of another
        fingerprint than `key` are not looked at."""
        name = f"{space}_{own(key)}"
        if limit <= 0 or _nothing(kinds, contents) or not self._tables.exist(name):
            return []
        matrix = self._tables.read(name, functools.partial(self._matrices.of, name))
        unit = (vector / max(float(np.linalg.norm(vector)), 1e-12)).astype(np.float32)
        if matrix is not None:
            found = matrix.nearest(unit, limit, kinds, contents)
        else:
            found = self._scan(name, unit, limit, kinds, contents)
        return [Found(*row, score) for row, score in found]

    def _scan(
        self,
        name: str,
        vector: Float32,
        limit: int,
        kinds: Collection[Kind] | None,
        contents: Collection[str] | None,
    ) -> list[tuple[Row, float]]:
        where = matching(kinds, contents)
        fields = ["content", "generation", "ordinal", "_distance"]

        def search(table: Any) -> list[dict[str, Any]]:
            builder = table.search(vector).distance_type("cosine").select(fields).limit(limit)
            if where is not None:
                builder = builder.where(where, prefilter=True)
            rows: list[dict[str, Any]] = builder.to_list()
            return rows

        rows = self._tables.read(name, search)
        found: list[tuple[Row, float]] = [
            ((row["content"], row["generation"], row["ordinal"]), rounded(1 - row["_distance"]))
            for row in rows
        ]
        return ranked(found, limit)


def _nothing(kinds: Collection[Kind] | None, contents: Collection[str] | None) -> bool:
    return (kinds is not None and not kinds) or (contents is not None and not contents)
