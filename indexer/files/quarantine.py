"""What was damaged and has been replaced: kept aside for a while, nothing is lost in haste."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

KEPT_S = 7 * 86_400.0


def quarantine(file: Path, data: Path) -> Path:
    """Moves a damaged file out of the way; where it lies then."""
    aside = data / "aside"
    aside.mkdir(mode=0o700, exist_ok=True)
    target = aside / f"{time.time_ns()}-{file.name}"
    return file.rename(target)


def clear_quarantine(data: Path, everything: bool) -> None:
    """Deletes what was set aside more than a week ago, or everything: it may hold what a person
    wants forgotten."""
    now = time.time()
    for folder in (data / "aside", data / "lance" / "aside"):
        for path in folder.glob("*"):
            if everything or now - path.lstat().st_ctime > KEPT_S:
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink()
