"""Heartbeats: a decoder that is busy with a long file reports that it makes progress."""

from __future__ import annotations

import time
from collections.abc import Callable

INTERVAL_S = 1.0

_callback: Callable[[], None] | None = None
_last_s = 0.0


def on_send(callback: Callable[[], None] | None) -> None:
    """Set what is called for a heartbeat, at most once a second; None for nothing."""
    global _callback
    _callback = callback


def send() -> None:
    """To be called after every block of a file. Costs next to nothing."""
    global _last_s
    if _callback is not None and time.monotonic() - _last_s > INTERVAL_S:
        _last_s = time.monotonic()
        _callback()
