"""The memory of this machine, within what this process may use of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def system_memory() -> tuple[int, int]:
    """Free and total bytes."""
    import psutil

    memory = psutil.virtual_memory()
    free_bytes, total_bytes = int(memory.available), int(memory.total)
    for limit_bytes, used_bytes in _limits():
        total_bytes = min(total_bytes, limit_bytes)
        free_bytes = min(free_bytes, max(0, limit_bytes - used_bytes))
    return free_bytes, total_bytes


def _limits() -> Iterator[tuple[int, int]]:
    """(limit, used) in bytes: of this process, and of its control groups."""
    import psutil

    try:
        import resource

        most = resource.getrlimit(resource.RLIMIT_AS)[0]
        if most != resource.RLIM_INFINITY:
            yield most, psutil.Process().memory_info().vms
    except ImportError:  # not on Windows
        pass
    group = Path("/sys/fs/cgroup")
    try:
        own = Path("/proc/self/cgroup").read_text(encoding="ascii").rpartition("::/")[2].strip()
        for folder in {group, group / own}:
            limit = (folder / "memory.max").read_text(encoding="ascii").strip()
            if limit != "max":
                used = (folder / "memory.current").read_text(encoding="ascii")
                yield int(limit), int(used)
    except (OSError, ValueError):
        return
