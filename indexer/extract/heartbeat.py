"""Signs of life: a decoder busy with a long file says so, and is not taken for one that hangs."""

from __future__ import annotations

import time
from collections.abc import Callable

EVERY_S = 1.0

_told: Callable[[], None] | None = None
_last_s = 0.0


def listen(told: Callable[[], None] | None) -> None:
    """From now on `told` is called at signs of life, at most once a second."""
    global _told
    _told = told


def beat() -> None:
    """Called after every block of a file; nearly free, and nothing where nobody listens."""
    global _last_s
    if _told is not None and time.monotonic() - _last_s > EVERY_S:
        _last_s = time.monotonic()
        _told()
