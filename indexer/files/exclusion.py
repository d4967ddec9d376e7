"""Why a path in a watched folder is not read, as a sentence that names the cure."""

from __future__ import annotations

import errno
import os
import stat

from indexer.files.excludes import (
    FOLDERS,
    is_cache,
    is_excluded_file,
    is_half_written,
    is_system,
)
from indexer.files.ignore_files import NAME, NO_RULES, Rules
from indexer.files.mounts import pseudo_devices
from indexer.files.paths import join

HIDDEN = "Its name begins with a dot; give it another name, and it is read."
IN_HIDDEN = "It lies in the hidden folder “{}”; move it to another one, and it is read."
HALF_WRITTEN = (
    "Its name is that of a file that is still being written; give it another name when it is "
    "whole, and it is read."
)
KEYNOTE = (
    "Files that end in .key are never read, since many hold keys; export a Keynote presentation "
    "as PowerPoint or PDF, and that is read."
)
PRIVATE = (
    "Its name is one under which programs keep keys, passwords or what they have stored; it is "
    "read under another name."
)
IN_FOLDER = (
    "It lies in “{}”, a folder that programs fill, which is never read; move it elsewhere, and it "
    "is read."
)
IN_CACHE = (
    "It lies in “{}”, which is marked as a cache or an installed environment; move it elsewhere, "
    "and it is read."
)
LEFT_OUT = "A line of {} leaves it out; take the line away, and it is read."
LINK = "It is a link to {}; links are not followed, so add the folder that this lies in."
DANGLING = "It is a link to {}, which is not there."
IN_LINK = "The folder “{}” on its way is a link; add the folder {} that it leads to."
SPECIAL = "It is a pipe, a socket or a device, and no file; there is nothing in it to read."
KERNEL = "It lies on a file system of the kernel, which holds no files of yours."
OWN = "It lies in the data directory of this library, which is not read."
FOLDER = "It is a folder; name a file in it."
NOT_ALLOWED = "Recollect may not look into “{}”; allow that, then run `recollect index`."
ABSENT = "There is no file of this name; check the name."
UNSEEN = "It was not seen yet; a running server sees it in minutes, else `recollect index` does."


def exclusion_sentence(root: bytes, path: bytes, own: tuple[int, int] | None = None) -> str:
    """Why the file at `path` (relative to its root, raw bytes) is in no list of files. `own` is the
    (device, inode) of the data directory. Nothing is opened but ignore files on the way."""
    rules, parent = NO_RULES, b""
    *folders, _ = path.split(b"/")
    kernel = pseudo_devices()
    try:
        for name in folders:
            rules = rules.within(root, parent)
            parent = parent + b"/" + name if parent else name
            sentence = _folder_sentence(root, parent, rules, kernel, own)
            if sentence is not None:
                return sentence
        rules = rules.within(root, parent)
        return _file_sentence(root, path, rules, kernel)
    except (FileNotFoundError, NotADirectoryError):
        return ABSENT
    except OSError as problem:
        if problem.errno in (errno.EACCES, errno.EPERM):
            return NOT_ALLOWED.format(_shown(join(root, parent)))
        return f"It cannot be looked at ({problem.strerror}); check the drive it lies on."


def _folder_sentence(
    root: bytes, folder: bytes, rules: Rules, kernel: frozenset[int], own: tuple[int, int] | None
) -> str | None:
    """Why nothing in a folder is read, where the folders above it are read."""
    whole, name = join(root, folder), folder.rpartition(b"/")[2]
    status = os.lstat(whole)
    if stat.S_ISLNK(status.st_mode):
        return IN_LINK.format(_shown(name), _shown(os.path.realpath(whole)))
    if (status.st_dev, status.st_ino) == own:
        return OWN
    if name.startswith(b"."):
        return IN_HIDDEN.format(_shown(name))
    if name in FOLDERS:
        return IN_FOLDER.format(_shown(name))
    if (base := rules.left_out_by(folder, folder=True)) is not None:
        return LEFT_OUT.format(_ignore_file(root, base))
    if status.st_dev in kernel or is_system(whole):
        return KERNEL
    return IN_CACHE.format(_shown(name)) if is_cache(whole) else None


def _file_sentence(root: bytes, path: bytes, rules: Rules, kernel: frozenset[int]) -> str:
    """The same for a file, where its folder is read."""
    whole, name = join(root, path), path.rpartition(b"/")[2]
    status = os.lstat(whole)
    if stat.S_ISLNK(status.st_mode):
        target = os.path.realpath(whole)
        return (LINK if os.access(target, os.F_OK) else DANGLING).format(_shown(target))
    if stat.S_ISDIR(status.st_mode):
        return FOLDER
    if not stat.S_ISREG(status.st_mode):
        return SPECIAL
    if name.startswith(b"."):
        return HIDDEN
    if is_excluded_file(name):
        if is_half_written(name):
            return HALF_WRITTEN
        return KEYNOTE if name.lower().endswith(b".key") else PRIVATE
    if (base := rules.left_out_by(path)) is not None:
        return LEFT_OUT.format(_ignore_file(root, base))
    return KERNEL if status.st_dev in kernel else UNSEEN


def _ignore_file(root: bytes, folder: bytes) -> str:
    return _shown(join(root, folder + b"/" + NAME if folder else NAME))


def _shown(path: bytes) -> str:
    return path.decode("utf-8", "backslashreplace")
