"""Quarantine for damaged files that were replaced: they are kept for a week, then deleted."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

KEPT_S = 7 * 86_400.0


def quarantine(file: Path, data: Path) -> Path:
    """Moves a damaged file into the quarantine; returns its new path."""
    folder = data / "aside"
    folder.mkdir(mode=0o700, exist_ok=True)
    target = folder / f"{time.time_ns()}-{file.name}"
    return file.rename(target)


def clear_quarantine(data: Path, everything: bool) -> None:
    """Deletes what has been in quarantine for more than a week, or everything: it may hold what a
    person wants forgotten."""
    now = time.time()
    for folder in (data / "aside", data / "lance" / "aside"):
        for path in folder.glob("*"):
            if everything or now - path.lstat().st_ctime > KEPT_S:
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink()
