"""What is never read by default: the hidden, the half-written, the cached and the secret."""

from __future__ import annotations

import os
import re
from pathlib import Path

# What programs fetch, cache and build, what drives and their servers keep for themselves, and what
# holds passwords or the history of a browser.
FOLDERS = frozenset(
    (
        b"node_modules",
        b"bower_components",
        b"jspm_packages",
        b"site-packages",
        b"__pycache__",
        b"__pypackages__",
        b"__MACOSX",
        b"lost+found",
        b"$RECYCLE.BIN",
        b"RECYCLER",
        b"#recycle",
        b"#snapshot",
        b"@eaDir",
        b"@Recycle",
        b"Network Trash Folder",
        b"Temporary Items",
        b"System Volume Information",
        b"Config.Msi",
        b"AppData",
        b"Application Data",
        b"Keychains",
        b"DerivedData",
        b"Code Cache",
        b"GPUCache",
    )
)
# Files that mark a folder whose content can be made again.
CACHE_MARKS = (b"CACHEDIR.TAG", b"pyvenv.cfg")
# Endings of saves and downloads under way, and of keys and password stores.
HALF_WRITTEN = "part partial crdownload opdownload download filepart aria2 tmp temp swp swo swx"
PRIVATE = """pem key p12 pfx kdb kdbx keystore jks ppk ovpn agilekeychain opvault 1pux keychain
    keychain-db gpg pgp"""
NAMES = (
    "id_rsa id_dsa id_ecdsa id_ed25519 authorized_keys known_hosts wallet.dat logins.json key3.db "
    "key4.db cert9.db cookies.sqlite places.sqlite thumbs.db ehthumbs.db desktop.ini"
)
FILES = re.compile(
    r"~\$.*|.*~|#.*#|.*\.(?:{endings})|(?:{names})(?:\.pub)?|login data|web data".format(
        endings="|".join((HALF_WRITTEN + " " + PRIVATE).split()),
        names="|".join(re.escape(name) for name in NAMES.split()),
    ).encode(),
    re.IGNORECASE | re.DOTALL,
)
SYSTEM = tuple(Path(p) for p in ("/proc", "/sys", "/dev", "/run"))


_HALF_WRITTEN = re.compile(
    r"~\$.*|.*~|#.*#|.*\.(?:{endings})".format(endings="|".join(HALF_WRITTEN.split())).encode(),
    re.IGNORECASE | re.DOTALL,
)


def is_half_written(name: bytes) -> bool:
    """Whether the name is that of a save or a download under way, or of a copy an editor keeps."""
    return _HALF_WRITTEN.fullmatch(name) is not None


def is_excluded_file(name: bytes) -> bool:
    """Whether files of this name are excluded; hidden names are (.ssh, .git, .~lock.x# too)."""
    return name.startswith(b".") or FILES.fullmatch(name) is not None


def is_excluded_folder(name: bytes) -> bool:
    """Whether folders of this name are excluded, with everything below them."""
    return name.startswith(b".") or name in FOLDERS


def is_excluded_path(path: bytes) -> bool:
    """Whether a folder's path, relative to its root, leads through an excluded one."""
    return any(is_excluded_folder(name) for name in path.split(b"/") if name)


def is_cache(folder: bytes) -> bool:
    """Whether a file in the folder marks it as a cache or an installed environment."""
    return any(os.access(folder + b"/" + mark, os.F_OK) for mark in CACHE_MARKS)


def is_system(folder: bytes) -> bool:
    """Whether the folder is one of the kernel's file systems, which hold no person's files."""
    path = Path(os.fsdecode(folder))
    return any(path == system or system in path.parents for system in SYSTEM)


def describe_folders() -> list[str]:
    """The excluded folders, for a person."""
    marked = [f"folders with a file {mark.decode()}" for mark in CACHE_MARKS]
    return ["hidden folders (.*)", *sorted(name.decode() for name in FOLDERS), *marked]


def describe_files() -> list[str]:
    """The excluded files, for a person."""
    endings = sorted((HALF_WRITTEN + " " + PRIVATE).split())
    return [
        "hidden files (.*)",
        "~$*",
        "*~",
        "#*#",
        *(f"*.{ending}" for ending in endings),
        *NAMES.split(),
    ]
