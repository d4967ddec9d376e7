"""Copies among the contents that were found: the same words in another format, or nearly the same.

Exact copies are one content already. A copy goes with the best that it is a copy of: what a hit has
for copies does not depend on how many hits are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

import numpy as np

from indexer.catalog.words.sketches import BINS, EMPTY, Sketch, Sketches, shared
from retriever.fusion import RankedContent

# The least share of runs of four words that two copies have in common. About one word in fifty may
# differ: a receipt of the same form for another month has more than that of its own.
LEAST_SHARED = 0.85
# Copies have at least one of so many equal parts of their sketches in common.
BANDS = 32
# So many of the best are compared with each other, whatever the number of hits that are asked for.
MOST_COMPARED = 200


def with_copies(
    ranked: Iterator[RankedContent], sketches: Sketches
) -> Iterator[Sequence[RankedContent]]:
    """The ranking with the copies of each content behind it, as far as MOST_COMPARED reach."""
    entries = list(islice(ranked, MOST_COMPARED))
    known = sketches.of([entry.content for entry in entries])
    may_be_copies = _with_equal_bands(known)
    groups: list[list[RankedContent]] = []
    first: list[Sketch] = []  # of each group the sketch of its first
    owners: list[int] = []
    for entry in entries:
        if entry.content in may_be_copies:
            sketch = known[entry.content]
            if first:
                shares = shared(sketch, np.stack(first))
                nearest = int(shares.argmax())
                if shares[nearest] >= LEAST_SHARED:
                    groups[owners[nearest]].append(entry)
                    continue
            first.append(sketch)
            owners.append(len(groups))
        groups.append([entry])
    yield from groups
    yield from ([entry] for entry in ranked)


def _with_equal_bands(sketches: Mapping[str, Sketch]) -> set[str]:
    """The contents that have one of BANDS parts of their sketches in common with another: only
    these can be copies, and nearly always there are none."""
    if len(sketches) < 2:
        return set()
    every = np.stack(list(sketches.values())).reshape(len(sketches), BANDS, BINS // BANDS)
    is_equal = np.zeros(len(sketches), np.bool_)
    for band in range(BANDS):
        part = np.ascontiguousarray(every[:, band])
        keys = part.view(f"V{part.itemsize * part.shape[1]}").ravel()
        _, places, counts = np.unique(keys, return_inverse=True, return_counts=True)
        is_equal |= (counts[places] > 1) & (part != EMPTY).any(axis=1)
    return {content for content, equal in zip(sketches, is_equal, strict=True) if equal}
