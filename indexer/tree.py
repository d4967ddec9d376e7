"""The walk: one folder's files as they lie on the disk, without reading or changing any."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from indexer.excludes import excluded_file, excluded_folder, is_cache, is_system


@dataclass(frozen=True, slots=True)
class Stat:
    """What tells a changed file from the same one (size in bytes, times in ns since 1970)."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    device: int

    @classmethod
    def of(cls, found: os.stat_result) -> Stat:
        return cls(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev)


@dataclass(frozen=True, slots=True)
class Seen:
    """A regular file; `path` is relative to the root, raw bytes."""

    path: bytes
    stat: Stat


@dataclass(frozen=True, slots=True)
class Closed:
    """A folder that could not be listed, and the error number; it says nothing of its files."""

    path: bytes
    error: int


def join(root: bytes, path: bytes) -> bytes:
    """The absolute path of `path`, which is relative to `root` (b"" is the root itself)."""
    return root.rstrip(b"/") + b"/" + path if path else root


def walk(
    root: bytes, start: bytes = b"", deep: bool = True, own: tuple[int, int] | None = None
) -> Iterator[Seen | Closed]:
    """Every readable-by-kind file below `start` (relative to `root`), or in it when not `deep`.

    Links are not followed; pipes, sockets and devices are not files. `own` is the (device, inode)
    of our data directory. Memory is bounded by depth and folders, not by files."""
    ahead = [start]
    while ahead:
        folder = ahead.pop()
        try:
            with os.scandir(join(root, folder)) as entries:
                for entry in entries:
                    path = folder + b"/" + entry.name if folder else entry.name
                    try:
                        found = entry.stat(follow_symlinks=False)
                    except OSError:
                        continue  # gone since it was listed
                    if stat.S_ISREG(found.st_mode):
                        if not excluded_file(entry.name):
                            yield Seen(path, Stat.of(found))
                    elif stat.S_ISDIR(found.st_mode) and deep:
                        if (found.st_dev, found.st_ino) == own or excluded_folder(entry.name):
                            continue
                        if not (is_cache(entry.path) or is_system(entry.path)):
                            ahead.append(path)
        except OSError as problem:
            if problem.errno not in (errno.ENOENT, errno.ENOTDIR):
                yield Closed(folder, problem.errno or errno.EIO)
