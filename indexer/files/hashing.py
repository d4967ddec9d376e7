"""What a content is identified by: the hash of a file's bytes, which a rename does not change."""

from __future__ import annotations

import hashlib
import io
import os
import stat

from indexer.files.opening import open_readonly
from indexer.files.walk import Stat


def hash_stream(file: io.BufferedIOBase) -> str:
    """blake2b of everything in an open file, 40 hex digits."""
    return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=20)).hexdigest()


def hash_handle(handle: int) -> str:
    """The same of an open file by its number, which stays open."""
    with open(handle, "rb", closefd=False) as file:
        return hash_stream(file)


def hash_path(path: bytes) -> str | None:
    """The content a file has now; None when it cannot be read."""
    return _hash(path, None)


def hash_unchanged(path: bytes, expected: Stat) -> str | None:
    """The content of a file whose stat is the expected one before and afterwards; None of any
    other, and when it cannot be read."""
    return _hash(path, expected)


def _hash(path: bytes, expected: Stat | None) -> str | None:
    try:
        handle = open_readonly(path)
    except OSError:
        return None
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or expected not in (None, Stat.of(status)):
            return None
        content = hash_handle(handle)
        return content if expected in (None, Stat.of(os.fstat(handle))) else None
    except OSError:
        return None
    finally:
        os.close(handle)
