"""The audit: files whose size and times say that nothing changed are hashed again now and then.

Times can be set back, a copying program can keep them, a disk can rot. Once in so many days every
file is compared with what was read of it, a little at a time, when there is nothing else to do.
"""

from __future__ import annotations

import os
import time

from indexer.catalog.database import Database
from indexer.files.hashing import hash_of
from indexer.files.walk import Stat, join

AT_ONCE = 32
BUDGET_S = 0.5  # how long one call hashes, so that what a person saved does not wait


class Audit:
    """Compares files with what was read of them, each once in `every_s`; 0 is never."""

    def __init__(self, database: Database, every_s: float) -> None:
        self._database = database
        self._every_s = every_s

    def some(self) -> int:
        """Hashes the files that are due for a short while, and sends those that have changed to be
        read again. Returns how many were hashed."""
        if not self._every_s:
            return 0
        now = time.time()
        with self._database.reading() as db:
            rows = db.execute(
                """SELECT f.id, f.path, f.content, f.size, f.mtime_ns, f.ctime_ns, f.inode,
                    f.device, r.path AS base
                FROM files f JOIN roots r ON r.id = f.root AND r.offline = 0
                WHERE f.state = 'known' AND f.audited_at <= ? ORDER BY f.audited_at LIMIT ?""",
                (now - self._every_s, AT_ONCE),
            ).fetchall()
        same: list[tuple[float, int]] = []
        other: list[tuple[int, str]] = []
        for row in rows:
            path = join(row["base"], row["path"])
            stat = Stat(*(row[name] for name in Stat.__slots__))
            content = hash_of(path) if _is_as_known(path, stat) else row["content"]
            if content in (row["content"], None):
                same.append((now, row["id"]))  # one that is gone or changed is seen to elsewhere
            else:
                other.append((row["id"], row["content"]))
            if time.time() - now > BUDGET_S:
                break
        if same or other:
            with self._database.writing() as db:
                db.executemany("UPDATE files SET audited_at = ? WHERE id = ?", same)
                db.executemany(
                    """UPDATE files SET state = 'pending', attempts = 0, due_at = 0
                    WHERE id = ? AND content = ? AND state = 'known'""",
                    other,
                )
        return len(same) + len(other)


def _is_as_known(path: bytes, stat: Stat) -> bool:
    try:
        return Stat.of(os.lstat(path)) == stat
    except OSError:
        return False
