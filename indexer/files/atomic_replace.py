"""A file replaced as a whole: a kill or a power cut leaves the old one or the new one."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path


def replace_file(file: Path, content: bytes, mode: int = 0o600) -> None:
    """Writes the file anew; it is on the disk when this returns. By one process at a time.

    Raises OSError, with the old file as it was."""
    fresh = file.with_name(f"{file.name}.new")
    fresh.unlink(missing_ok=True)  # left behind by a killed process
    try:
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(handle, "wb") as opened:
            if mode != 0o600:
                fresh.chmod(mode)  # whatever the process's umask is
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        fresh.replace(file)
    except BaseException:
        with suppress(OSError):
            fresh.unlink()
        raise
    sync_path(file.parent)


def sync_path(path: Path) -> None:
    """Waits until what was written to a file, or the names in a folder, are on the disk."""
    if os.name == "nt":  # a folder cannot be opened there
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        if sys.platform == "darwin":  # plain fsync leaves it in the drive's cache there
            import fcntl

            fcntl.fcntl(handle, fcntl.F_FULLFSYNC)
        else:
            os.fsync(handle)
    finally:
        os.close(handle)
