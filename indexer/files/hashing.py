"""What a content is identified by: the hash of a file's bytes, which a rename does not change."""

from __future__ import annotations

import hashlib
import io
import math
import os
import time

from indexer.files.opening import open_regular
from indexer.files.walk import Stat

CHUNK_BYTES = 1 << 18


def hash_stream(file: io.BufferedIOBase) -> str:
    """blake2b of everything in an open file, 40 hex digits."""
    return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=20)).hexdigest()


def hash_handle(handle: int, deadline: float = math.inf) -> str:
    """The same of an open file by its number, which stays open: of as many bytes as it has now, so
    that no writer is waited for. Raises TimeoutError at the `deadline`, in monotonic s."""
    left = os.fstat(handle).st_size
    digest = hashlib.blake2b(digest_size=20)
    buffer = memoryview(bytearray(CHUNK_BYTES))
    with open(handle, "rb", buffering=0, closefd=False) as file:
        while left > 0 and (count := file.readinto(buffer[:left])):
            digest.update(buffer[:count])
            left -= count
            if time.monotonic() > deadline:
                raise TimeoutError
    return digest.hexdigest()


def hash_path(path: bytes, most_bytes: float = math.inf, within_s: float = math.inf) -> str | None:
    """The content a file has now; None when it cannot be read, or is larger or takes longer."""
    return _hash(path, None, most_bytes, within_s)


def hash_unchanged(path: bytes, expected: Stat) -> str | None:
    """The content of a file whose stat is the expected one before and afterwards; None of any
    other, and when it cannot be read."""
    return _hash(path, expected)


def _hash(
    path: bytes,
    expected: Stat | None,
    most_bytes: float = math.inf,
    within_s: float = math.inf,
) -> str | None:
    try:
        handle = open_regular(path)
    except OSError:
        return None
    try:
        status = os.fstat(handle)
        if status.st_size > most_bytes or expected not in (None, Stat.of(status)):
            return None
        content = hash_handle(handle, time.monotonic() + within_s)
        return content if expected in (None, Stat.of(os.fstat(handle))) else None
    except OSError:
        return None
    finally:
        os.close(handle)
