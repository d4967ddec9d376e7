"""What was understood so far of a content that takes long: a recording of hours, a long scan.

Every part is on disk as soon as the model is done with it, so that a kill in the third hour of a
recording costs one part. Drafts are not searched; they become passages and vectors all at once,
when the last part is done, and go in the same transaction that makes those the live ones.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np

from indexer.catalog.storage.database import Database
from indexer.types.passages import Passage, Source
from indexer.types.places import Place, place_from, place_json
from model.interface import Float32, Vectors


@dataclass(frozen=True, slots=True)
class Draft:
    """What came of one part: its passage and vectors, or why there are none."""

    ordinal: int
    place: Place
    passage: Passage | None
    vectors: Vectors | None
    reason: str | None = None
    sentence: str | None = None


class Drafts:
    """The drafts in the catalog; each is for one model and one place."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def places(self, content: str, key: str) -> dict[int, Place]:
        """The parts of a content that the model has been through, by ordinal."""
        with self._database.reading() as db:
            rows = db.execute(
                "SELECT ordinal, place FROM drafts WHERE content = ? AND model_key = ?",
                (content, key),
            ).fetchall()
        return {row["ordinal"]: place_from(json.loads(row["place"])) for row in rows}

    def of(self, content: str, key: str) -> list[Draft]:
        """All drafts of a content, in order."""
        with self._database.reading() as db:
            rows = db.execute(
                "SELECT * FROM drafts WHERE content = ? AND model_key = ? ORDER BY ordinal",
                (content, key),
            ).fetchall()
        drafts: list[Draft] = []
        for row in rows:
            ordinal, place = row["ordinal"], place_from(json.loads(row["place"]))
            if row["words"] is None:
                drafts.append(Draft(ordinal, place, None, None, row["reason"], row["sentence"]))
                continue
            passage = Passage(ordinal, row["words"], place, Source(row["source"]))
            body = None if row["body"] is None else _vector(row["body"])
            drafts.append(Draft(ordinal, place, passage, Vectors(_vector(row["gist"]), body)))
        return drafts

    def keep(self, content: str, key: str, draft: Draft) -> None:
        """Writes one down; durable when this returns. Nothing, where the content has gone."""
        passage, vectors = draft.passage, draft.vectors
        body = None if vectors is None or vectors.body is None else vectors.body.tobytes()
        with self._database.writing() as db:
            db.execute(
                """INSERT OR REPLACE INTO drafts
                SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?
                WHERE EXISTS (SELECT 1 FROM contents WHERE content = ?)""",
                (
                    content,
                    draft.ordinal,
                    key,
                    json.dumps(place_json(draft.place)),
                    None if passage is None else str(passage.source),
                    None if passage is None else passage.text,
                    None if vectors is None else vectors.gist.tobytes(),
                    body,
                    draft.reason,
                    draft.sentence,
                    content,
                ),
            )


def _vector(data: bytes) -> Float32:
    return np.frombuffer(data, np.float32)
