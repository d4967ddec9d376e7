"""Rung whenever something in the library has changed; others wait for it or listen."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Notifier:
    """Any thread may ring, wait or listen."""

    def __init__(self) -> None:
        self._rung = threading.Condition()
        self._count = 0
        self._listener: Callable[[], None] | None = None

    def ring(self, *_: object) -> None:
        with self._rung:
            self._count += 1
            self._rung.notify_all()
            listener = self._listener
        if listener is not None:
            listener()

    def listen(self, listener: Callable[[], None] | None) -> None:
        """Calls `listener` at every ring from now on; None ends it."""
        with self._rung:
            self._listener = listener

    def wait(self, timeout_s: float) -> bool:
        """Blocks until the next ring; False when the time is over."""
        with self._rung:
            before = self._count
            return self._rung.wait_for(lambda: self._count != before, timeout_s)
