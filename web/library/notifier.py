"""Tells threads that something in the library has changed: they wait for it, or are called."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Notifier:
    """Any thread may notify, wait or listen."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._count = 0
        self._listener: Callable[[], None] | None = None

    def notify(self, *_: object) -> None:
        """Something has changed."""
        with self._changed:
            self._count += 1
            self._changed.notify_all()
            listener = self._listener
        if listener is not None:
            listener()

    def listen(self, listener: Callable[[], None] | None) -> None:
        """Calls `listener` at every change from now on; None ends it."""
        with self._changed:
            self._listener = listener

    def wait(self, timeout_s: float) -> bool:
        """Blocks until the next change; False when the time is over."""
        with self._changed:
            before = self._count
            return self._changed.wait_for(lambda: self._count != before, timeout_s)
