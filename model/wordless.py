"""The vector of what has no words, for models that make the vectors of texts alone."""

from __future__ import annotations

import numpy as np

from model.interface import Float32


def near_nothing(dim: int) -> Float32:
    """The one unit vector (dim,) of everything that has no words. Drawn at random, so that it is at
    a right angle, or nearly, to whatever an embedding model makes."""
    vector = np.random.default_rng(7).standard_normal(dim).astype(np.float32)
    return vector / np.float32(np.linalg.norm(vector))
