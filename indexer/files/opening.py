"""How a person's file is opened: for reading, never through a link, never waiting for a writer."""

from __future__ import annotations

import os
from pathlib import Path

_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def open_readonly(path: bytes | Path) -> int:
    """The number of the opened file, to be closed by the caller. A pipe nobody writes to is opened
    at once. Raises OSError, ELOOP for a link."""
    return os.open(path, _FLAGS)
