"""The texts of the live passages, with their places and sources: what people are shown.

The table `words` of the store has them too and is what the index is proved by and made again from;
the model is given those. What a person reads, in a hit, beside an answer or in the viewer, is read
here: in a time that does not grow with the library, and whatever may be wrong with a table.
"""

# What is put into SQL by name are the columns of a passage.
# ruff: noqa: S608

from __future__ import annotations

import json
from collections.abc import Collection

from indexer.catalog.storage.database import Database
from indexer.types.passages import Passage
from indexer.vectors.rows import VALUES, passage_digest, passage_of, total

_VALUES = ", ".join(f"p.{column}" for column in VALUES)


class PassageTexts:
    """Reads the passages of one library. Threads may share it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def at(self, keys: Collection[tuple[str, int]]) -> dict[tuple[str, int], Passage]:
        """The passages at these (generation, ordinal); missing ones are left out."""
        with self._database.reading() as db:
            rows = db.execute(
                f"""SELECT p.generation, {_VALUES} FROM json_each(?) k CROSS JOIN passages p
                ON p.generation = json_extract(k.value, '$[0]')
                    AND p.ordinal = json_extract(k.value, '$[1]')""",
                (json.dumps(list(keys)),),
            )
            return {(row["generation"], row["ordinal"]): passage_of(row) for row in rows}

    def of(self, generation: str) -> list[Passage]:
        """All passages of a generation, in order."""
        with self._database.reading() as db:
            rows = db.execute(
                f"SELECT {_VALUES} FROM passages p WHERE p.generation = ? ORDER BY p.ordinal",
                (generation,),
            )
            return [passage_of(row) for row in rows]

    def altered(self) -> int:
        """How many generations have other passages than were written; reads all."""
        with self._database.reading() as db:
            digests: dict[str, int] = {}
            for row in db.execute(f"SELECT p.generation, p.kind, {_VALUES} FROM passages p"):
                digest = passage_digest(row["kind"], passage_of(row))
                digests[row["generation"]] = digests.get(row["generation"], 0) + digest
            rows = db.execute(
                """SELECT read_generation, words_sum FROM contents UNION ALL
                SELECT understood_generation, captions_sum FROM contents"""
            )
            return sum(
                written is not None and total([digests[generation]]) != written
                for generation, written in rows
                if generation in digests
            )
