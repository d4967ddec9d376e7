"""Which states become vectors."""

from __future__ import annotations

import numpy as np

from model.decoding import vectors
from model.interface import Text


def test_the_middle_layer_is_read() -> None:
    assert [vectors.body_layer(count) for count in (1, 2, 6, 48)] == [1, 1, 3, 24]
    assert vectors.layers_version(48, text_gists=True) == "gist=attention.48,body=mean.24"


def test_texts_without_a_gist_are_of_another_make() -> None:
    assert vectors.layers_version(48, False) != vectors.layers_version(48, True)


def test_vectors_have_length_one() -> None:
    long = np.array([3e20, 4e20], dtype=np.float32)
    np.testing.assert_allclose(vectors.unit_vector(long), [0.6, 0.8], rtol=1e-6)
    assert vectors.unit_vector(np.zeros(2, np.float32)).tolist() == [0.0, 0.0]


def test_body_is_the_mean_direction() -> None:
    import torch

    body = vectors.body_vector(torch.tensor([[1.0, 0.0], [0.0, 1.0]], dtype=torch.bfloat16))
    assert body is not None
    assert body.dtype == np.float32
    np.testing.assert_allclose(body, [0.5**0.5] * 2, rtol=1e-6)
    assert vectors.body_vector(torch.zeros((0, 2))) is None


def test_this_version_takes_no_mean_off() -> None:
    vector = np.array([1.0, 2.0], dtype=np.float32)
    assert vectors.centred_vector(vector, Text("a")) is vector
    assert vectors.MATRICES == "none-1"
