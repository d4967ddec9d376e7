"""Identity of a watched folder: whether it is the one that is remembered, or another in its place.

Nothing is ever written into a person's folders, so a folder is recognised by its device and inode,
and by the files that were in it. One of these at its old path, with its size and time or with its
hash, is enough; an empty mount point or another drive has none.
"""

from __future__ import annotations

import os
import stat

from indexer.catalog.storage.database import Database
from indexer.files.hashing import hash_path
from indexer.files.paths import join

# Where times differ (a copy brought back without them), hashes decide; no more than these.
MOST_HASHED = 3
MOST_HASHED_BYTES = 64 << 20


def is_mount(path: bytes, status: os.stat_result) -> bool:
    """Whether another file system begins here: what `status` says of it stays the same when
    another drive is put in its place."""
    try:
        return os.lstat(path.rstrip(b"/").rpartition(b"/")[0] or b"/").st_dev != status.st_dev
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
            absolute = join(path, row["path"])
            try:
                status = os.lstat(absolute)
            except OSError:
                continue
            if not stat.S_ISREG(status.st_mode) or status.st_size != row["size"]:
                continue
            if status.st_mtime_ns == row["mtime_ns"]:
                return True
            if row["content"] and status.st_size <= MOST_HASHED_BYTES and len(alike) < MOST_HASHED:
                alike.append((absolute, row["content"]))
    return any(hash_path(absolute) == content for absolute, content in alike)
