"""Texts of many lengths at once: which go together, in which order, and what padding costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from model.interface import Content, Role, Text, Vectors
from model.prompt.inputs import BATCH_START_TOKENS, BATCH_TOKENS, length_batches
from model.runtime.runtime import Runtime
from model.weights.installed import find_checkpoint
from tests.fake_model import FakeModel

lengths = st.integers(1, 1_500)


def cost(batches: Sequence[Sequence[int]]) -> int:
    """Padded tokens, and the start of each batch."""
    return sum(max(batch) * len(batch) + BATCH_START_TOKENS for batch in batches)


def partitions(ordered: Sequence[int]) -> Iterator[list[Sequence[int]]]:
    """Every way to cut rows in order into batches that may be."""
    if not ordered:
        yield []
    for count in range(1, len(ordered) + 1):
        batch = ordered[:count]
        if count == 1 or max(batch) * count <= BATCH_TOKENS:
            for rest in partitions(ordered[count:]):
                yield [batch, *rest]


@given(st.lists(lengths, max_size=9))
@settings(max_examples=60, deadline=None)
def test_no_other_cut_costs_less(rows: list[int]) -> None:
    made = [[rows[index] for index in batch] for batch in length_batches(rows)]
    assert cost(made) == min(map(cost, partitions(sorted(rows))))


@given(st.lists(st.integers(1, 4_000), max_size=200))
@settings(max_examples=60, deadline=None)
def test_every_row_is_in_one_batch_and_the_longest_come_first(rows: list[int]) -> None:
    batches = list(length_batches(rows))
    assert sorted(index for batch in batches for index in batch) == list(range(len(rows)))
    longest = [max(rows[index] for index in batch) for batch in batches]
    assert longest == sorted(longest, reverse=True)
    for batch, most in zip(batches, longest, strict=True):
        assert len(batch) == 1 or most * len(batch) <= BATCH_TOKENS


class Noting(FakeModel):
    """Writes down the lengths of the texts of each call."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[list[int]] = []

    def embed(self, contents: Sequence[Content], role: Role = "item") -> list[Vectors]:
        self.given.append([len(content.text) for content in contents if isinstance(content, Text)])
        return super().embed(contents, role)


def test_the_background_is_given_texts_of_like_length_and_none_is_left_behind() -> None:
    model = Noting()

    def load(_: Callable[[], None]) -> Noting:
        return model

    texts = [
        Text(word + " x" * count) for word in ("blue", "boat") for count in range(0, 2_000, 97)
    ]
    with closing(Runtime(find_checkpoint("pocket"), load=load)) as runtime:
        made = runtime.files.embed(texts)
        slices = model.given
        assert len(slices) > 2
        given_lengths = [length for part in slices for length in part]
        assert given_lengths == sorted((len(text.text) for text in texts), reverse=True)
        for text, vectors in zip(texts, made, strict=True):
            [alone] = FakeModel().embed([text])
            assert vectors.body is not None
            assert alone.body is not None
            assert np.array_equal(vectors.body, alone.body)
        model.given = []
        runtime.people.embed(texts[:3], "query")
        assert model.given == [[len(text.text) for text in texts[:3]]]
