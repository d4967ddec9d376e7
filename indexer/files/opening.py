"""How a person's file is opened: a regular file only, never through a link, never waiting.

A pipe nobody writes to would hold its reader for ever, a device may do something by being opened
alone, and a link may lead anywhere. So what is there is looked at before it is opened, and again
once it is open.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOCTTY", 0)
)


class SpecialFileError(OSError):
    """A folder, a pipe, a socket or a device has the name of a file."""

    def __init__(self, path: bytes | str | Path) -> None:
        super().__init__(errno.EINVAL, "Not a regular file", os.fspath(path))


def open_regular(path: bytes | str | Path, folder: int | None = None) -> int:
    """The number of an opened regular file, to be closed by the caller; `path` may be relative to
    an open `folder`. Raises OSError, ELOOP for a link, and SpecialFileError."""
    status = os.stat(path, dir_fd=folder, follow_symlinks=False)
    if stat.S_ISLNK(status.st_mode):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), os.fspath(path))
    if not stat.S_ISREG(status.st_mode):
        raise SpecialFileError(path)
    handle = os.open(path, _FLAGS, dir_fd=folder)
    if stat.S_ISREG(os.fstat(handle).st_mode):
        return handle
    os.close(handle)  # it was swapped meanwhile
    raise SpecialFileError(path)


def open_without_links(path: Path) -> int:
    """The same, with no link in any part of an absolute path, where the system can tell."""
    if os.open not in os.supports_dir_fd:
        return open_regular(path)
    # O_PATH: a folder may be entered that may not be listed.
    flags = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_DIRECTORY | getattr(os, "O_PATH", os.O_RDONLY)
    folder = os.open(path.anchor, flags)
    try:
        for name in path.parts[1:-1]:
            inner = os.open(name, flags, dir_fd=folder)
            os.close(folder)
            folder = inner
        return open_regular(path.name, folder)
    finally:
        os.close(folder)
