"""What the tables hold of each generation: its passages, and how many rows it has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from indexer.types.passages import Passage
from indexer.types.places import PlaceJson, place_json
from indexer.vectors.lance import one_of
from indexer.vectors.names import checked_name
from indexer.vectors.rows import passage_of, total, vector_digest
from indexer.vectors.tables import Tables

PASSAGE_COLUMNS = ["generation", "ordinal", "source", "page", "start_s", "end_s", "text"]


class Generations:
    """Reads rows by their generation; any thread may call. It may return rows of generations that
    are superseded or half written: which of them are valid, the catalog knows."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def all(self) -> set[str]:
        """Every generation that has a row in any table."""
        generations: set[str] = set()
        for name in self._tables.names():
            column = self._tables.columns(name, ["generation"])["generation"]
            generations.update(column.unique().to_pylist())
        return generations

    def owners(self) -> set[tuple[str, str]]:
        """Every (content, generation) that has a row in any table."""
        pairs: set[tuple[str, str]] = set()
        for name in self._tables.names():
            columns = self._tables.columns(name, ["content", "generation"])
            pairs.update(zip(*(columns[c].to_pylist() for c in columns.column_names), strict=True))
        return pairs

    def passage_count(self) -> int:
        """How many passages there are, of all generations."""
        return int(self._tables.read("words", lambda table: table.count_rows()))

    def counts(self) -> dict[str, int]:
        """How many passages each generation has."""
        column = self._tables.columns("words", ["generation"])["generation"]
        return {count["values"]: count["counts"] for count in column.value_counts().to_pylist()}

    def passages(self, generations: Sequence[str]) -> dict[str, list[Passage]]:
        """All passages of each generation, in order, in one read."""
        passages: dict[str, list[Passage]] = {generation: [] for generation in generations}
        where = one_of("generation", [checked_name(generation) for generation in generations])

        def read(table: Any) -> list[tuple[str, Passage]]:
            rows = table.search().where(where).select(PASSAGE_COLUMNS).to_list()
            return [(row["generation"], passage_of(row)) for row in rows]

        # within `read`, so that a row with flipped bits, which is no passage, is a damaged table
        for generation, passage in self._tables.read("words", read):
            passages[generation].append(passage)
        for of_generation in passages.values():
            of_generation.sort(key=lambda passage: passage.ordinal)
        return passages

    def vectors_held(self, key: str, generation: str) -> tuple[set[int], str]:
        """The ordinals that a generation has a vector for, and the sum of its vectors' digests."""
        where = one_of("generation", [checked_name(generation)])
        ordinals: set[int] = set()
        digests = []
        for space in ("gist", "body"):
            name = f"{space}_{checked_name(key)}"
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

    def rows(self) -> Iterator[tuple[str, str, int, str, PlaceJson | None, str]]:
        """Every passage as (content, generation, ordinal, source, place, text), by content, ordinal
        and generation: what two indexes are compared by."""
        table = self._tables.columns("words", ["content", *PASSAGE_COLUMNS]).sort_by(
            [("content", "ascending"), ("ordinal", "ascending"), ("generation", "ascending")]
        )
        for batch in table.to_batches():
            for row in batch.to_pylist():
                passage = passage_of(row)
                yield (
                    row["content"],
                    row["generation"],
                    passage.ordinal,
                    str(passage.source),
                    place_json(passage.place),
                    passage.text,
                )
