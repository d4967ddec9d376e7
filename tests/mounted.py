"""Real mounts for tests, where this machine allows them; elsewhere the test says "not run"."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest


@contextmanager
def mounted(at: Path, *words: str) -> Iterator[Path]:
    """`mount words at`; unmounted again at the end, if it still is."""
    at.mkdir(parents=True, exist_ok=True)
    if not _succeeds("mount", *words, str(at)):
        pytest.skip(f"mount {' '.join(words)} is not allowed here: NOT tested")
    try:
        yield at
    finally:
        unmount(at)


def memory(at: Path) -> AbstractContextManager[Path]:
    return mounted(at, "-t", "tmpfs", "none")


def unmount(at: Path) -> None:
    _succeeds("umount", str(at))


def _succeeds(*words: str) -> bool:
    return subprocess.run(words, capture_output=True).returncode == 0
