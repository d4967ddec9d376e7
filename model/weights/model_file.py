"""Files of a checkpoint: only regular ones are opened, and none is waited for.

A pipe in a checkpoint's folder would hold whoever reads it for ever. Links are followed, unlike in
a person's folders: checkpoints in the hub's cache are made of them.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
from pathlib import Path

from model.interface import ModelError

_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


def open_regular(file: Path) -> io.FileIO:
    """The opened file, unbuffered. Raises OSError, also for a pipe, a socket or a device."""
    _refuse_special(file.stat(), file)
    opened = io.FileIO(os.open(file, _FLAGS))
    try:
        _refuse_special(os.fstat(opened.fileno()), file)  # it may have been swapped meanwhile
    except OSError:
        opened.close()
        raise
    return opened


def check_regular_files(folder: Path) -> None:
    """Raises ModelError where a pipe, a socket or a device lies among the files of a checkpoint:
    libraries that are given the folder open some of them by themselves."""
    for file in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # a link to what is gone is opened by nobody
            mode = file.stat().st_mode
            if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
                raise ModelError(
                    f"{file} is no regular file; remove it, or use another checkpoint."
                )


def _refuse_special(status: os.stat_result, file: Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "Not a regular file", os.fspath(file))
