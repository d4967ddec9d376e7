"""Room on the disk: indexing stops before it is full, and goes on by itself when there is room.

A reserve file lies beside the index. When the disk is full it is deleted, so that what takes less
room afterwards (deleting, compacting) can still be done.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import time
from pathlib import Path

from model.errors import RecollectError

LEAST_FREE_BYTES = 500_000_000
# Enough for one compaction of the largest table, and no more than this.
MOST_RESERVED_BYTES = 256 << 20
LEAST_RESERVED_BYTES = 1 << 20
# What opening the library may write.
OPENING_BYTES = 256 << 10
MEASURED_EVERY_S = 60.0
FULL = (errno.ENOSPC, errno.EDQUOT)
# What LanceDB and SQLite say of a full disk.
FULL_PHRASES = ("no space left", "os error 28", "disk is full", "quota exceeded", "os error 122")
FAILING = (errno.EIO, errno.EROFS, errno.ENXIO, errno.ENODEV, errno.ESTALE, errno.EFBIG)
# What they say of one that fails.
FAILING_PHRASES = (
    *("os error 5)", "input/output error", "disk i/o error", "os error 27"),
    *("os error 30)", "read-only file system", "attempt to write a readonly database"),
)


class DiskFullError(RecollectError):
    """The disk is full."""

    code, status = "disk_full", 507


class LowDiskSpaceError(DiskFullError):
    """Less is free than has to stay free, so indexing waits until there is room."""


class DiskFailingError(RecollectError):
    """The disk gave an error or cannot be written."""

    code, status = "disk_failing", 503


class DiskRoom:
    """Watches over the disk that holds the `data` directory."""

    def __init__(self, data: Path, least_free_bytes: int = LEAST_FREE_BYTES) -> None:
        self._data = data
        self._reserve = data / "reserve"
        self._least_free_bytes = least_free_bytes
        self._reserved = 0
        self._measured_at = -MEASURED_EVERY_S
        self.short = False

    def check(self) -> None:
        """Raises LowDiskSpaceError where less is free than has to stay free; else makes the reserve
        as large as it should be."""
        free = shutil.disk_usage(self._data).free
        wanted = self._wanted()
        held = self._held()
        # once it was short, the reserve has to fit again before work goes on
        needed = self._least_free_bytes + (max(0, wanted - held) if self.short else 0)
        if free < needed:
            self.short = True
            raise LowDiskSpaceError(
                f"The disk that holds {self._data} is full ({_megabytes(free)} free); make room "
                f"for {_megabytes(needed - free)} more. Searching goes on meanwhile, and indexing "
                "by itself as soon as there is room."
            )
        self.short = False
        if held < wanted and free - (wanted - held) >= self._least_free_bytes:
            self._take(wanted)

    def give_up(self) -> None:
        """Frees the reserve, for work that makes room."""
        self._reserve.unlink(missing_ok=True)
        self.short = True

    def give_up_when_full(self) -> None:
        """Frees half of the reserve where nothing else is free: opening the library takes a little
        room, and forgetting a file after that takes some too."""
        held = self._held()
        if held and shutil.disk_usage(self._data).free < OPENING_BYTES:
            os.truncate(self._reserve, held // 2)
            self.short = True

    def _held(self) -> int:
        try:
            return self._reserve.stat().st_size
        except FileNotFoundError:
            return 0

    def _wanted(self) -> int:
        now = time.monotonic()
        if now - self._measured_at > MEASURED_EVERY_S:
            self._measured_at = now
            tables = (self._data / "lance").glob("*.lance/data")
            largest = max((_size_of(table) for table in tables), default=0)
            self._reserved = min(MOST_RESERVED_BYTES, max(LEAST_RESERVED_BYTES, largest))
        return self._reserved

    def _take(self, size: int) -> None:
        handle = os.open(self._reserve, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(handle, 0, size)
            else:
                os.pwrite(handle, bytes(size), 0)
        except OSError:
            self._reserve.unlink(missing_ok=True)
        finally:
            os.close(handle)


def is_full(problem: BaseException) -> bool:
    """Whether a fault, or one it came from, is that of a full disk."""
    return _has_cause(problem, FULL, FULL_PHRASES)


def disk_error(problem: BaseException) -> DiskFullError | DiskFailingError | None:
    """What a fault means to a person when it, or one it came from, is the disk's; else None."""
    if is_full(problem):
        return DiskFullError("The disk is full. Nothing is lost; make room, and start again.")
    if _has_cause(problem, FAILING, FAILING_PHRASES):
        return DiskFailingError(
            "The disk gave an error, so this was called off. Nothing is lost; start again, and "
            "should it come back, see to the disk."
        )
    return None


def _has_cause(problem: BaseException, numbers: tuple[int, ...], phrases: tuple[str, ...]) -> bool:
    """Whether a fault, or one it came from, has one of these error numbers or phrases."""
    fault: BaseException | None = problem
    while fault is not None:
        if isinstance(fault, OSError) and fault.errno in numbers:
            return True
        if any(phrase in str(fault).lower() for phrase in phrases):
            return True
        fault = fault.__cause__ or fault.__context__
    return False


def _size_of(folder: Path) -> int:
    size = 0
    for file in folder.glob("*"):
        with contextlib.suppress(FileNotFoundError):  # cleaned up meanwhile
            size += file.stat().st_size
    return size


def _megabytes(size: int) -> str:
    return f"{max(size, 0) / 1e6:,.1f} MB"
