"""Which seeds are for learning, which for measuring, which for the demonstration library.

The three ranges never meet, so nothing that is measured or shown was ever trained on.
"""

from __future__ import annotations

import random

TRAIN = range(0, 10**8)
EVAL = range(10**8, 10**8 + 10**6)
DEMONSTRATION = range(2 * 10**8, 2 * 10**8 + 10**6)


def dice(seeds: range, number: int, of: str = "") -> random.Random:
    """The dice of the `number`-th item of a range; `of` names the kind of item ("scene",
    "note"), so that two kinds do not share their throws. Raises IndexError past the range."""
    return random.Random(f"{of}:{seeds[number]}")
