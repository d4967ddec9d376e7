"""What was understood so far of a content that takes long: a book, a recording of hours, a scan.

Every part is on disk as soon as the model is done with it, and every few passages of a text, so
that a kill in the third hour costs no more than these. Drafts are not searched; they become
passages and vectors all at once, when the last part is done, and go in the same transaction that
makes those the live ones.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import astuple, dataclass

import numpy as np

from indexer.catalog.storage.database import Database
from indexer.types.passages import Passage, Source
from indexer.types.places import Place, place_from, place_json
from indexer.types.sentences import Sentence
from model.interface import Float32, Vectors


@dataclass(frozen=True, slots=True)
class Draft:
    """What came of one part or passage: its vectors, or why there are none. `passage` is what the
    model has written of a part; None where it embedded what was read."""

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
        """The parts and passages of a content that the model has been through, by ordinal."""
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
            passage, vectors = None, None
            if row["words"] is not None:
                sentences = json.loads(row["sentences"] or "[]")
                timed = tuple(Sentence(*sentence) for sentence in sentences)
                passage = Passage(ordinal, row["words"], place, Source(row["source"]), timed)
            gist, body = (
                None if row[space] is None else _vector(row[space]) for space in ("gist", "body")
            )
            if gist is not None or body is not None:
                vectors = Vectors(gist, body)
            drafts.append(Draft(ordinal, place, passage, vectors, row["reason"], row["sentence"]))
        return drafts

    def keep(self, content: str, generation: str, key: str, drafts: Iterable[Draft]) -> None:
        """Writes drafts down; durable when this returns. Nothing, where the content has gone or
        what was read of it is another `generation` now."""
        with self._database.writing() as db:
            db.executemany(
                """INSERT OR REPLACE INTO drafts
                SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?
                WHERE EXISTS (SELECT 1 FROM contents WHERE content = ? AND read_generation = ?)""",
                [(content, *_columns(key, draft), content, generation) for draft in drafts],
            )


def _columns(key: str, draft: Draft) -> tuple[int | str | bytes | None, ...]:
    passage, vectors = draft.passage, draft.vectors
    return (
        draft.ordinal,
        key,
        json.dumps(place_json(draft.place)),
        None if passage is None else str(passage.source),
        None if passage is None else passage.text,
        None if vectors is None or vectors.gist is None else vectors.gist.tobytes(),
        None if vectors is None or vectors.body is None else vectors.body.tobytes(),
        draft.reason,
        draft.sentence,
        None if passage is None else json.dumps([astuple(each) for each in passage.sentences]),
    )


def _vector(data: bytes) -> Float32:
    return np.frombuffer(data, np.float32)
