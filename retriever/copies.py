"""Copies among the contents that were found: the same words in another format, or nearly the same.

Exact copies are one content already. A copy goes with the best that it is a copy of, wherever it
stands in the ranking: what a hit has for copies does not depend on how many hits are asked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from indexer.catalog.words.sketches import BINS, EMPTY, Sketch, Sketches, shared
from retriever.fusion import RankedContent

# The least share of runs of four words that two copies have in common. About one word in fifty may
# differ: a receipt of the same form for another month has more than that of its own.
LEAST_SHARED = 0.85
# Copies have at least one of so many equal parts of their sketches in common.
BANDS = 32


def with_copies(
    ranked: Iterable[RankedContent], sketches: Sketches
) -> list[Sequence[RankedContent]]:
    """The ranking with the copies of each content behind it."""
    entries = list(ranked)
    known = sketches.of([entry.content for entry in entries])
    groups: list[list[RankedContent]] = []
    first: list[Sketch] = []  # of each group the sketch of its first
    owners: list[int] = []
    by_band: dict[tuple[int, bytes], list[int]] = defaultdict(list)
    for entry in entries:
        sketch = known.get(entry.content)
        if sketch is None:
            groups.append([entry])
            continue
        bands = _bands(sketch)
        candidates = sorted({number for band in bands for number in by_band.get(band, ())})
        if candidates:
            shares = shared(sketch, np.stack([first[number] for number in candidates]))
            nearest = int(shares.argmax())
            if shares[nearest] >= LEAST_SHARED:
                groups[owners[candidates[nearest]]].append(entry)
                continue
        for band in bands:
            by_band[band].append(len(first))
        first.append(sketch)
        owners.append(len(groups))
        groups.append([entry])
    return list(groups)


def _bands(sketch: Sketch) -> list[tuple[int, bytes]]:
    parts = sketch.reshape(BANDS, BINS // BANDS)
    return [(number, part.tobytes()) for number, part in enumerate(parts) if (part != EMPTY).any()]
