"""The walk: the files below one folder as they lie on the disk; none is opened or changed."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from indexer.files.excludes import is_cache, is_excluded_file, is_excluded_folder, is_system
from indexer.files.ignore_files import NO_RULES, Rules
from indexer.files.paths import join


@dataclass(frozen=True, slots=True)
class Stat:
    """What tells a changed file from the same one (size in bytes, times in ns since 1970)."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    device: int

    @classmethod
    def of(cls, status: os.stat_result) -> Stat:
        return cls(
            status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev
        )


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A regular file; `path` is relative to the root, raw bytes."""

    path: bytes
    stat: Stat


@dataclass(frozen=True, slots=True)
class UnlistedFolder:
    """A folder that could not be listed, or a path that is too long, and the error number; nothing
    is known of the files in it."""

    path: bytes
    error: int


# The marks of a file that lies in a cloud and would be fetched by being read: Windows' "recall on
# open", "recall on data access" and "offline", and the dataless flag of macOS.
RECALLED = 0x40000 | 0x400000 | 0x1000
DATALESS = 0x40000000


def is_elsewhere(status: os.stat_result) -> bool:
    """Whether only the name of a file is on this machine."""
    attributes = getattr(status, "st_file_attributes", 0)
    return bool(attributes & RECALLED or getattr(status, "st_flags", 0) & DATALESS)


@dataclass(frozen=True, slots=True)
class WalkLimits:
    """Where no walk goes: `own`, the (device, inode) of our data directory; `pseudo`, devices of
    file systems without files; `apart`, absolute folders that are walked separately (what is known
    of them stays). `entering` is called with each absolute folder before it is listed."""

    own: tuple[int, int] | None = None
    pseudo: Collection[int] = ()
    apart: Collection[bytes] = ()
    entering: Callable[[bytes], None] | None = None


@dataclass(frozen=True, slots=True)
class Ancestry:
    """The folders above a folder: the ignore rules that hold there, and the (device, inode) of
    each, so that a folder mounted inside itself ends the walk."""

    rules: Rules = NO_RULES
    through: tuple[tuple[int, int], ...] = ()


def ancestry_of(root: bytes, folder: bytes, limits: WalkLimits) -> Ancestry | UnlistedFolder | None:
    """The ancestry of a folder (relative) below a root. None when it is excluded by a link, a
    cache, our own data, a pattern, or a loop; UnlistedFolder where the patterns above it cannot be
    read."""
    ancestry = Ancestry()
    parent = b""
    for name in folder.split(b"/") if folder else ():
        try:
            rules = ancestry.rules.within(root, parent)
        except OSError as problem:
            return UnlistedFolder(parent, problem.errno or errno.EIO)
        path = parent + b"/" + name if parent else name
        try:
            above = os.lstat(join(root, parent))
            status = os.lstat(join(root, path))
        except OSError:
            return Ancestry(rules, ancestry.through)  # not there: what is known of it is gone
        ancestry = Ancestry(rules, (*ancestry.through, (above.st_dev, above.st_ino)))
        if stat.S_ISDIR(status.st_mode):
            excluded = not _is_entered(root, path, status, ancestry, limits)
        else:
            excluded = stat.S_ISLNK(status.st_mode) or rules.leave_out(path)
        if excluded:
            return None
        parent = path
    return ancestry


def _is_entered(
    root: bytes, path: bytes, status: os.stat_result, ancestry: Ancestry, limits: WalkLimits
) -> bool:
    """Whether a folder is walked, coming from the one above it."""
    identity = (status.st_dev, status.st_ino)
    if identity == limits.own or identity in ancestry.through or status.st_dev in limits.pseudo:
        return False
    if is_excluded_folder(path.rpartition(b"/")[2]) or ancestry.rules.leave_out(path, folder=True):
        return False
    whole = join(root, path)
    return not (is_cache(whole) or is_system(whole))


def _is_wanted(entry: os.DirEntry[bytes], path: bytes, rules: Rules) -> bool:
    """Whether it would be read if its path were not too long for the system."""
    if entry.is_symlink():
        return False
    folder = entry.is_dir(follow_symlinks=False)
    excluded = is_excluded_folder(entry.name) if folder else is_excluded_file(entry.name)
    return not (excluded or rules.leave_out(path, folder=folder))


def walk(
    root: bytes,
    start: bytes = b"",
    deep: bool = True,
    limits: WalkLimits = WalkLimits(),
    ancestry: Ancestry = Ancestry(),
) -> Iterator[FileEntry | UnlistedFolder]:
    """Every file that is not excluded below `start` (relative to `root`), or directly in it when
    not `deep`.

    Links are not followed; pipes, sockets and devices are not files. Memory is bounded by depth
    and folders, not by files."""
    ahead = [(start, ancestry)]
    while ahead:
        folder, ancestry = ahead.pop()
        whole = join(root, folder)
        if whole in limits.apart:
            yield UnlistedFolder(folder, errno.EAGAIN)
            continue
        try:
            rules = ancestry.rules.within(root, folder)
            own = os.lstat(whole)
            inner = Ancestry(rules, (*ancestry.through, (own.st_dev, own.st_ino)))
            if limits.entering is not None:
                limits.entering(whole)
            with os.scandir(whole) as entries:
                for entry in entries:
                    path = folder + b"/" + entry.name if folder else entry.name
                    try:
                        status = entry.stat(follow_symlinks=False)
                    except OSError as problem:  # mostly: gone since it was listed
                        if problem.errno == errno.ENAMETOOLONG and _is_wanted(entry, path, rules):
                            yield UnlistedFolder(path, errno.ENAMETOOLONG)
                        continue
                    if stat.S_ISREG(status.st_mode):
                        if not (is_excluded_file(entry.name) or rules.leave_out(path)):
                            yield FileEntry(path, Stat.of(status))
                    elif stat.S_ISDIR(status.st_mode) and deep:
                        if entry.path in limits.apart:
                            yield UnlistedFolder(path, errno.EAGAIN)
                        elif _is_entered(root, path, status, inner, limits):
                            ahead.append((path, inner))
        except OSError as problem:
            if problem.errno not in (errno.ENOENT, errno.ENOTDIR):
                yield UnlistedFolder(folder, problem.errno or errno.EIO)
