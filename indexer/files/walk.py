"""The walk: one folder's files as they lie on the disk, without reading or changing any."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from indexer.files.excludes import excluded_file, excluded_folder, is_cache, is_system
from indexer.files.ignore_files import NO_RULES, Rules


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
    """A folder that could not be listed, or what lies too deep to be looked at, and the error
    number; it says nothing of the files in it."""

    path: bytes
    error: int


def join(root: bytes, path: bytes) -> bytes:
    """The absolute path of `path`, which is relative to `root` (b"" is the root itself)."""
    return root.rstrip(b"/") + b"/" + path if path else root


# The marks of a file that lies in a cloud and would be fetched by being read: Windows' "recall on
# open", "recall on data access" and "offline", and the dataless flag of macOS.
RECALLED = 0x40000 | 0x400000 | 0x1000
DATALESS = 0x40000000


def is_elsewhere(found: os.stat_result) -> bool:
    """Whether only the name of a file is on this machine."""
    attributes = getattr(found, "st_file_attributes", 0)
    return bool(attributes & RECALLED or getattr(found, "st_flags", 0) & DATALESS)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where no walk goes: `own`, the (device, inode) of our data directory; `pseudo`, devices of
    file systems without files; `apart`, absolute folders that are looked at on their own (what is
    known of them stays). `entering` is called with each absolute folder before it is listed."""

    own: tuple[int, int] | None = None
    pseudo: Collection[int] = ()
    apart: Collection[bytes] = ()
    entering: Callable[[bytes], None] | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """How a folder was come to: the rules that hold above it, and the (device, inode) of each
    folder on the way, so that a folder mounted inside itself ends the walk."""

    rules: Rules = NO_RULES
    through: tuple[tuple[int, int], ...] = ()


def way_into(root: bytes, folder: bytes, bounds: Bounds) -> Way | Closed | None:
    """The way from a root to a folder below it (relative). None when it is closed off by a link, a
    cache, our own data, a pattern, or a loop; Closed where it cannot be told what is left out."""
    way = Way()
    here = b""
    for name in folder.split(b"/") if folder else ():
        try:
            rules = way.rules.within(root, here)
        except OSError as problem:
            return Closed(here, problem.errno or errno.EIO)
        path = here + b"/" + name if here else name
        try:
            above = os.lstat(join(root, here))
            found = os.lstat(join(root, path))
        except OSError:
            return Way(rules, way.through)  # not there: what is known of it is gone
        way = Way(rules, (*way.through, (above.st_dev, above.st_ino)))
        if stat.S_ISDIR(found.st_mode):
            closed_off = not _enters(root, path, found, way, bounds)
        else:
            closed_off = stat.S_ISLNK(found.st_mode) or rules.leave_out(path)
        if closed_off:
            return None
        here = path
    return way


def _enters(root: bytes, path: bytes, found: os.stat_result, way: Way, bounds: Bounds) -> bool:
    """Whether a folder is looked into, from the one above it."""
    identity = (found.st_dev, found.st_ino)
    if identity == bounds.own or identity in way.through or found.st_dev in bounds.pseudo:
        return False
    if excluded_folder(path.rpartition(b"/")[2]) or way.rules.leave_out(path, folder=True):
        return False
    whole = join(root, path)
    return not (is_cache(whole) or is_system(whole))


def _is_wanted(entry: os.DirEntry[bytes], path: bytes, rules: Rules) -> bool:
    """Whether it would be read if its path were not too long to be looked at."""
    if entry.is_symlink():
        return False
    folder = entry.is_dir(follow_symlinks=False)
    excluded = excluded_folder(entry.name) if folder else excluded_file(entry.name)
    return not (excluded or rules.leave_out(path, folder=folder))


def walk(
    root: bytes,
    start: bytes = b"",
    deep: bool = True,
    bounds: Bounds = Bounds(),
    way: Way = Way(),
) -> Iterator[Seen | Closed]:
    """Every readable-by-kind file below `start` (relative to `root`), or in it when not `deep`.

    Links are not followed; pipes, sockets and devices are not files. Memory is bounded by depth
    and folders, not by files."""
    ahead = [(start, way)]
    while ahead:
        folder, way = ahead.pop()
        whole = join(root, folder)
        if whole in bounds.apart:
            yield Closed(folder, errno.EAGAIN)
            continue
        try:
            rules = way.rules.within(root, folder)
            here = os.lstat(whole)
            inner = Way(rules, (*way.through, (here.st_dev, here.st_ino)))
            if bounds.entering is not None:
                bounds.entering(whole)
            with os.scandir(whole) as entries:
                for entry in entries:
                    path = folder + b"/" + entry.name if folder else entry.name
                    try:
                        found = entry.stat(follow_symlinks=False)
                    except OSError as problem:  # mostly: gone since it was listed
                        if problem.errno == errno.ENAMETOOLONG and _is_wanted(entry, path, rules):
                            yield Closed(path, errno.ENAMETOOLONG)
                        continue
                    if stat.S_ISREG(found.st_mode):
                        if not (excluded_file(entry.name) or rules.leave_out(path)):
                            yield Seen(path, Stat.of(found))
                    elif stat.S_ISDIR(found.st_mode) and deep:
                        if entry.path in bounds.apart:
                            yield Closed(path, errno.EAGAIN)
                        elif _enters(root, path, found, inner, bounds):
                            ahead.append((path, inner))
        except OSError as problem:
            if problem.errno not in (errno.ENOENT, errno.ENOTDIR):
                yield Closed(folder, problem.errno or errno.EIO)
