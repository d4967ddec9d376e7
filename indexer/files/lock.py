"""One writer for a data directory: an OS lock that ends with its process, and who holds it.

A lock file left behind by a killed process does not lock anything.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from filelock import BaseFileLock, FileLock, Timeout

from indexer.files.atomic_replace import replace_file
from model.errors import RecollectError

FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds a library, and the address it serves it at with the token that opens
    it (None: it serves none)."""

    pid: int | None
    url: str | None
    token: str | None = field(default=None, repr=False)


class LibraryHeldError(RecollectError):
    """Another process holds the library."""

    code, status = "held", 409

    def __init__(self, holder: Holder) -> None:
        self.pid, self.url = holder.pid, holder.url
        who = f"process {self.pid}" if self.pid else "another process"
        cure = f"it is served at {self.url}" if self.url else "wait for it to end, or stop it"
        super().__init__(f"This library is in use by {who}; {cure}.")


class FolderReadOnlyError(RecollectError):
    """The data directory cannot be written, so nothing can be indexed into it."""

    code, status = "read_only", 503

    def __init__(self, data: Path, problem: OSError) -> None:
        try:
            status = data.stat()
            mode = stat.S_IMODE(status.st_mode)
            now = f"it belongs to user {status.st_uid} and has mode {mode:04o}"
        except OSError:
            now = "it cannot be made"
        super().__init__(
            f"Recollect may not write to its data directory {data} ({problem.strerror}; {now}). "
            "It has to belong to you and have mode 0700, on a disk that can be written; or name "
            "another with --data. What is indexed there can still be searched."
        )


class LibraryLock:
    """The right to write to a data directory. A context manager, not reentrant."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._lock = _file_lock(data, timeout_s=0.5)  # longer than `holder` looks

    def acquire(self) -> None:
        """Takes the lock at once. Raises LibraryHeldError, and FolderReadOnlyError where the
        folder forbids it."""
        try:
            self._data.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock.acquire()
            self.announce(None)
        except Timeout as problem:
            raise LibraryHeldError(_read_holder(self._data)) from problem
        except OSError as problem:
            self._lock.release()
            if problem.errno not in FORBIDDEN:
                raise
            raise FolderReadOnlyError(self._data, problem) from problem

    def announce(self, url: str | None, token: str | None = None) -> None:
        """Tells others where the library is served now, in a file that only its owner can read."""
        holder = {"pid": os.getpid(), "url": url, "token": token}
        replace_file(self._data / "holder.json", json.dumps(holder).encode())

    def holder(self) -> Holder | None:
        """Who holds the library now, this process included; None when nobody does."""
        if not (self._data / "lock").exists():
            return None
        if not self._lock.is_locked:
            try:
                with _file_lock(self._data, timeout_s=0.0):
                    return None
            except Timeout:
                pass
            except OSError as problem:
                if problem.errno not in FORBIDDEN:
                    raise
                return None  # nobody of this user's can hold what he may not write
        return _read_holder(self._data)

    def release(self) -> None:
        """Gives the lock back; idempotent."""
        if self._lock.is_locked:
            (self._data / "holder.json").unlink(missing_ok=True)
            self._lock.release()

    def __enter__(self) -> LibraryLock:
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def _file_lock(data: Path, timeout_s: float) -> BaseFileLock:
    # no fallback to a lock made of a mere file: that one would outlive a killed process
    return FileLock(
        data / "lock", timeout_s, mode=0o600, thread_local=False, fallback_to_soft=False
    )


def _read_holder(data: Path) -> Holder:
    try:
        holder = json.loads((data / "holder.json").read_text(encoding="utf-8"))
        return Holder(int(holder["pid"]), holder["url"], holder["token"])
    except (OSError, ValueError, KeyError, TypeError):
        return Holder(None, None)
