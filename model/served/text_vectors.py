"""Vectors of texts from an engine's embeddings endpoint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from model.decoding.vectors import unit_vector
from model.interface import Float32, ModelError, Role
from model.served.connection import Connection
from model.served.errors import EngineError, unintelligible

# How the common embedding models want queries and items marked, by a part of their name; from the
# card of each. Others are given the text alone.
_PREFIXES: dict[str, dict[Role, str]] = {
    "embeddinggemma": {"query": "task: search result | query: ", "item": "title: none | text: "},
    "nomic-embed": {"query": "search_query: ", "item": "search_document: "},
    "e5-": {"query": "query: ", "item": "passage: "},
    "qwen3-embedding": {
        "query": "Instruct: Given a question, retrieve passages that answer it\nQuery: ",
        "item": "",
    },
}
LEAST_CHARACTERS = 200  # a text is not cut below this
_PAIRS = (
    ("When is the rent due?", "The rent has to be paid on the first day of every month."),
    ("a red bicycle", "A bicycle with a red frame leans on the wall."),
    ("Who wrote the report?", "The report was written by the new engineer last week."),
    ("how to bake bread", "Mix flour, water, salt and yeast, let it rise, then bake it."),
    ("the train to the coast", "Our train leaves for the seaside at noon from platform two."),
    ("Which doctor did I see?", "On Tuesday I had an appointment with a dentist."),
)


class TextVectors:
    """One model behind one endpoint; `name` as the engine calls it, found where it is empty."""

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection = connection
        self._wanted = name
        self._name = name

    def find_name(self, fallback: str) -> str:
        """The name to ask for: the one that is set, else `fallback`."""
        self._name = self._wanted or fallback
        return self._name

    def measure(self) -> tuple[int, float]:
        """The length of its vectors, and the cosine from which a question and a text have something
        to do with each other: halfway between pairs that do and pairs that do not. (0, 0.0) where
        the engine gives no vectors."""
        try:
            questions = np.array(self.of([question for question, _ in _PAIRS], "query"))
            texts = np.array(self.of([text for _, text in _PAIRS], "item"))
        except EngineError as problem:
            if problem.unsupported:
                return 0, 0.0
            raise
        cosines = questions @ texts.T
        related = np.eye(len(_PAIRS), dtype=bool)
        least = (float(cosines[related].mean()) + float(cosines[~related].mean())) / 2
        return questions.shape[1], least

    def of(self, texts: Sequence[str], role: Role) -> list[Float32]:
        """One unit vector for each text, in order. Of a text that is longer than the engine takes
        the beginning counts. Raises EngineError."""
        try:
            return self._asked(texts, role)
        except EngineError as problem:
            if not problem.too_long:
                raise
            if len(texts) > 1:
                return [self.of([text], role)[0] for text in texts]
            if len(texts[0]) < LEAST_CHARACTERS:
                raise
            return self.of([texts[0][: len(texts[0]) // 2]], role)

    def _asked(self, texts: Sequence[str], role: Role) -> list[Float32]:
        prefix = next(
            (marks[role] for part, marks in _PREFIXES.items() if part in self._name.lower()), ""
        )
        # An empty text is refused by most engines; a space stands for it.
        given = [(prefix + text) or " " for text in texts]
        body = {"model": self._name, "input": given, "encoding_format": "float"}
        answer = self._connection.post("/embeddings", body)
        rows = answer.get("data")
        if not isinstance(rows, list) or len(rows) != len(texts):
            raise unintelligible(self._connection.url)
        ordered = sorted(enumerate(rows), key=lambda row: _index(row[1], row[0]))
        vectors = [_vector(row) for _, row in ordered]
        if len({vector.shape for vector in vectors}) > 1 or any(
            vector.ndim != 1 or not vector.size for vector in vectors
        ):
            raise unintelligible(self._connection.url)
        return [unit_vector(vector) for vector in vectors]


def _index(row: Any, place: int) -> int:
    index = row.get("index") if isinstance(row, dict) else None
    return index if isinstance(index, int) else place


def _vector(row: Any) -> Float32:
    try:
        return np.array(row["embedding"], dtype=np.float32)
    except (KeyError, TypeError, ValueError):
        raise ModelError(
            "The engine gave something else than numbers for a vector; see which model serves "
            "its embeddings."
        ) from None
