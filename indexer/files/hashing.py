"""What a content goes by: the hash of a file's bytes, which a rename does not change."""

from __future__ import annotations

import hashlib
import io
import os
import stat

# Never through a link, never waiting for somebody to write to a pipe.
OPEN = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def content_of(file: io.BufferedIOBase) -> str:
    """What a content goes by: blake2b of everything in an open file, 40 hex digits."""
    return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=20)).hexdigest()


def hash_of(path: bytes) -> str | None:
    """The content a file has now; None when it cannot be read."""
    try:
        handle = os.open(path, OPEN)
    except OSError:
        return None
    try:
        return hash_of_open(handle) if stat.S_ISREG(os.fstat(handle).st_mode) else None
    except OSError:
        return None
    finally:
        os.close(handle)


def hash_of_open(handle: int) -> str:
    with open(handle, "rb", closefd=False) as file:
        return content_of(file)
