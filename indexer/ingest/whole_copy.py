"""A file that is written faster than it can be read: a copy of one whole state of it is read.

The copy is whole when its bytes are the same twice in a row. Its stat is one that the file itself
never has, so that the next look at the tree takes the file for changed and it is read once more.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from indexer.files.opening import open_regular
from indexer.files.walk import Stat
from indexer.types.outcomes import Known, Outcome, PendingFile, Read, Unsettled

MOST_BYTES = 32 << 20
TRIES = 50
APART_S = 0.002


def read_copy(file: PendingFile, read: Callable[[PendingFile], Outcome]) -> Outcome:
    """What `read` makes of a copy of the file. Unsettled where no whole state of it was met, or it
    is larger than MOST_BYTES."""
    met = _whole_state(file.path)
    if met is None:
        return Unsettled(file)
    content, stat = met
    with tempfile.TemporaryDirectory(prefix="recollect-") as folder:  # 0700
        copy = Path(folder) / file.path.name
        copy.write_bytes(content)
        outcome = read(replace(file, path=copy))
    if isinstance(outcome, Read):
        members = tuple(
            replace(member, read=replace(member.read, file=file) if member.read else None)
            for member in outcome.members
        )
        return replace(outcome, file=file, stat=stat, members=members)
    if isinstance(outcome, Known):
        return replace(outcome, file=file, stat=stat)
    return replace(outcome, file=file)


def _whole_state(path: Path) -> tuple[bytes, Stat] | None:
    before: bytes | None = None
    for _ in range(TRIES):
        try:
            handle = open_regular(path)
        except OSError:  # between two names, when it is saved by renaming
            before = None
            continue
        try:
            status = os.fstat(handle)
            if status.st_size > MOST_BYTES:
                return None
            with open(handle, "rb", buffering=0, closefd=False) as opened:
                content = opened.read(MOST_BYTES + 1) or b""
        except OSError:
            return None
        finally:
            os.close(handle)
        if content and content == before:
            return content, replace(Stat.of(status), ctime_ns=0)
        before = content
        time.sleep(APART_S)
    return None
