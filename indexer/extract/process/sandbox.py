"""The sandbox of the child, which it enters itself and cannot leave: it may read, compute, and
answer its parent.

A file that takes a decoder over gains no more than that. Landlock forbids to write, run and
connect; a seccomp filter refuses the system calls for it, also where the kernel has no Landlock; on
macOS the sandbox of the system does both. All three are called through ctypes: the bindings on
offer need a system library that is not everywhere, or are too young to be relied on.

The child may read whatever its user may read, but it can send that to its parent only.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys

from indexer.extract.process import seccomp

_NO_NEW_PRIVILEGES = 38  # of prctl

# Landlock (linux/landlock.h)
_CREATE_RULESET, _RESTRICT_SELF = 444, 446  # the same on every processor
_READ = 1 << 2 | 1 << 3
# Bits of file access by the version of the interface that brought them.
_FILE_BITS = {1: 13, 2: 14, 3: 15, 5: 16}
_TCP_SINCE, _SCOPES_SINCE = 4, 6


def enter_sandbox() -> list[str]:
    """Confine this process for good, by every layer that this system has; returns their names. To
    be called while the process has one thread."""
    if sys.platform == "darwin":
        return ["macOS sandbox"] if _seatbelt() else []
    if not sys.platform.startswith("linux"):
        return []
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        return []
    version = _landlock(libc)
    layers = [f"Landlock {version}"] if version else []
    return [*layers, "seccomp"] if seccomp.install_filter(libc) else layers


def _landlock(libc: ctypes.CDLL) -> int:
    """Restrict this process; the version of Landlock that does, 0 for none."""
    version = int(libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), 1))
    if version < 1:
        return 0
    bits = max(count for since, count in _FILE_BITS.items() if since <= version)
    attributes = struct.pack(
        "=QQQ",
        ((1 << bits) - 1) & ~_READ,
        0b11 if version >= _TCP_SINCE else 0,
        0b11 if version >= _SCOPES_SINCE else 0,
    )
    attributes = attributes[
        : 24 if version >= _SCOPES_SINCE else 16 if version >= _TCP_SINCE else 8
    ]
    rules = int(libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0))
    if rules < 0:
        return 0
    is_restricted = libc.syscall(_RESTRICT_SELF, rules, 0) == 0
    os.close(rules)
    return version if is_restricted else 0


def _seatbelt() -> bool:
    profile = (
        b"(version 1)(allow default)(deny network*)(deny file-write*)"
        b"(deny process-fork)(deny process-exec*)(deny signal (target others))"
    )
    try:
        library = ctypes.CDLL("/usr/lib/libsandbox.1.dylib")
        problem = ctypes.c_char_p()
        return int(library.sandbox_init(profile, ctypes.c_uint64(0), ctypes.byref(problem))) == 0
    except (OSError, AttributeError):
        return False
