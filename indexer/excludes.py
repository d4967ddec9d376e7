"""What is never read by default: the hidden, the half-written, the cached and the secret."""

from __future__ import annotations

import os
import re
from pathlib import Path

FOLDERS = frozenset(
    (
        b"node_modules",
        b"bower_components",
        b"__pycache__",
        b"lost+found",
        b"$RECYCLE.BIN",
        b"System Volume Information",
    )
)
# A folder that says of itself that everything in it can be made again.
CACHE_MARKS = (b"CACHEDIR.TAG", b"pyvenv.cfg")
# Saves and downloads under way, editors' safety copies, and keys.
FILES = re.compile(
    rb"""~\$.* | .*~ | \#.*\# | .*\.(part|partial|crdownload|download|tmp|temp|swp|swo|swx)
    | .*\.(pem|key|p12|pfx|kdbx|keystore|jks) | id_(rsa|dsa|ecdsa|ed25519)(\.pub)?
    | thumbs\.db | desktop\.ini""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
SYSTEM = tuple(Path(p) for p in ("/proc", "/sys", "/dev", "/run"))


def excluded_file(name: bytes) -> bool:
    """Whether a file of this name is left alone; hidden names are (.ssh, .git, .~lock.x# too)."""
    return name.startswith(b".") or FILES.fullmatch(name) is not None


def excluded_folder(name: bytes) -> bool:
    """Whether a folder of this name is left alone with everything below it."""
    return name.startswith(b".") or name in FOLDERS


def excluded_way(path: bytes) -> bool:
    """Whether a folder's path, relative to its root, leads through one that is left alone."""
    return any(excluded_folder(name) for name in path.split(b"/") if name)


def is_cache(folder: bytes) -> bool:
    """Whether a mark inside the folder says that it is a cache or an installed environment."""
    return any(os.access(folder + b"/" + mark, os.F_OK) for mark in CACHE_MARKS)


def is_system(folder: bytes) -> bool:
    """Whether the folder is the kernel's own, where files are not files."""
    path = Path(os.fsdecode(folder))
    return any(path == own or own in path.parents for own in SYSTEM)
