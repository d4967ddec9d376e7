"""When each sentence of the transcripts is said."""

# Values are always bound; nothing of a person's is put into SQL by name.

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from sqlite3 import Connection

from indexer.catalog.storage.database import Database
from indexer.types.passages import GenerationRow, Passage, Source
from indexer.types.sentences import Sentence


def write_sentences(db: Connection, rows: Iterable[GenerationRow]) -> None:
    """Keeps the sentences of the passages of each generation, in the caller's transaction."""
    db.executemany(
        "INSERT OR REPLACE INTO sentences VALUES (?, ?, ?, ?, ?, ?)",
        [
            (generation, passage.ordinal, each.start, each.end, each.start_s, each.end_s)
            for generation, _, _, passages in rows
            for passage in passages
            for each in passage.sentences
        ],
    )


class Sentences:
    """The sentences of the live transcripts; threads may share it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def timed(self, generation: str, passages: Iterable[Passage]) -> list[Passage]:
        """Passages of one generation, the transcripts with their sentences."""
        of_passage: dict[int, list[Sentence]] = defaultdict(list)
        listed = list(passages)
        ordinals = [each.ordinal for each in listed if each.source is Source.TRANSCRIPT]
        if not ordinals:
            return listed
        with self._database.reading() as db:
            rows = db.execute(
                """SELECT ordinal, first, last, start_s, end_s FROM sentences
                WHERE generation = ? AND ordinal IN (SELECT value FROM json_each(?))
                ORDER BY ordinal, first""",
                (generation, json.dumps(ordinals)),
            )
            for row in rows:
                sentence = Sentence(row["first"], row["last"], row["start_s"], row["end_s"])
                of_passage[row["ordinal"]].append(sentence)
        return [
            replace(passage, sentences=tuple(of_passage.get(passage.ordinal, ())))
            for passage in listed
        ]
