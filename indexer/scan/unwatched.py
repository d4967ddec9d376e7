"""Folders that the system would not watch, and why, with the cure."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Unwatched:
    """A folder that is polled instead of watched, and why."""

    path: Path
    sentence: str


def unwatched(path: Path, problem: OSError) -> Unwatched:
    """Why a folder cannot be watched, in a sentence that names the cure."""
    if problem.errno in (errno.ENOSPC, errno.EMFILE):
        name = "max_user_watches" if problem.errno == errno.ENOSPC else "max_user_instances"
        now = _sysctl(name)
        sentence = (
            f"The system does not let Recollect watch all of {path} (fs.inotify.{name} is "
            f"{now or 'unknown'}); it is looked at every minute instead. To be told at once: "
            f"sudo sysctl fs.inotify.{name}={now * 4 if now else 524288}"
        )
    else:
        why = problem.strerror or "no reason given"
        sentence = f"The folder {path} cannot be watched ({why}); it is looked at every minute."
    return Unwatched(path, sentence)


def _sysctl(name: str) -> int | None:
    try:
        return int((Path("/proc/sys/fs/inotify") / name).read_text())
    except (OSError, ValueError):
        return None
