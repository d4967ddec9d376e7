"""Copies among the contents that were found: the same words in another format, or nearly the same.

Exact copies are one content already. A copy goes with the best that it is a copy of: what a hit has
for copies does not depend on how many hits are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

import numpy as np

from indexer.catalog.words.sketches import BINS, ITEM_BYTES, Sketch, Sketches, as_sketch, shared
from retriever.fusion import RankedContent

# The least share of runs of four words that two copies have in common. About one word in fifty may
# differ: a receipt of the same form for another month has more than that of its own.
LEAST_SHARED = 0.85
# Copies have at least one of so many equal parts of their sketches in common.
BANDS = 32
BAND_BYTES = BINS * ITEM_BYTES // BANDS
EMPTY_BAND = b"\xff" * BAND_BYTES
# So many of the best are compared with each other, whatever the number of hits that are asked for.
MOST_COMPARED = 100


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
            sketch = as_sketch(known[entry.content])
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


def _with_equal_bands(sketches: Mapping[str, bytes]) -> set[str]:
    """The contents that have one of BANDS parts of their sketches in common with another: only
    these can be copies, and nearly always there are none. In bytes alone: many small operations on
    arrays give up the interpreter's lock each time, and searches side by side wait for each
    other."""
    equal: set[str] = set()
    for start in range(0, BINS * ITEM_BYTES, BAND_BYTES):
        holders: dict[bytes, str] = {}
        for content, sketch in sketches.items():
            part = sketch[start : start + BAND_BYTES]
            if part != EMPTY_BAND and holders.setdefault(part, content) != content:
                equal |= {content, holders[part]}
    return equal
