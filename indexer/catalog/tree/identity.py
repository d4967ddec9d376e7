"""The marker: how a folder is told from another one in its place.

Nothing is ever written into a person's folders, so the mark is what is remembered of them: the
folder's device and inode, and the files that were in it. One of them found again, by its size and
time or by its hash, is enough; a bare mount point or another drive has none.
"""

from __future__ import annotations

import os
import stat

from indexer.catalog.storage.database import Database
from indexer.files.hashing import hash_path
from indexer.files.paths import join

# Hashing settles what times cannot (a copy brought back without them), but only so much of it.
MOST_HASHED = 3
MOST_HASHED_BYTES = 64 << 20


def is_mount(path: bytes, found: os.stat_result) -> bool:
    """Whether another file system begins here: what `found` says of it stays the same when
    another drive is put in its place."""
    try:
        return os.lstat(path.rstrip(b"/").rpartition(b"/")[0] or b"/").st_dev != found.st_dev
    except OSError:
        return True


def is_recognised(database: Database, root: int, path: bytes) -> bool:
    """Whether a file that is remembered of a root lies in the folder that is there now."""
    alike: list[tuple[bytes, str]] = []
    with database.reading() as db:
        rows = db.execute(
            "SELECT path, size, mtime_ns, content FROM files WHERE root = ? AND size >= 0", (root,)
        )
        for row in rows:
            there = join(path, row["path"])
            try:
                found = os.lstat(there)
            except OSError:
                continue
            if not stat.S_ISREG(found.st_mode) or found.st_size != row["size"]:
                continue
            if found.st_mtime_ns == row["mtime_ns"]:
                return True
            if row["content"] and found.st_size <= MOST_HASHED_BYTES and len(alike) < MOST_HASHED:
                alike.append((there, row["content"]))
    return any(hash_path(there) == content for there, content in alike)
