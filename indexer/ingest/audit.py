"""The audit: files whose size and times say that nothing changed are hashed again now and then.

Times can be set back, a copying program can keep them, a disk can rot. Once in so many days every
file is compared with what was read of it, a little at a time, when there is nothing else to do.
"""

from __future__ import annotations

import time

from indexer.catalog.storage.database import Database
from indexer.catalog.tree.audits import KnownFile, due_files, finish_audit
from indexer.files.hashing import hash_unchanged

AT_ONCE = 32
BUDGET_S = 0.5  # how long one call hashes, so that what a person saved does not wait


class Audit:
    """Compares files with what was read of them, each once in `every_s`; 0 is never."""

    def __init__(self, database: Database, every_s: float) -> None:
        self._database = database
        self._every_s = every_s

    def run(self) -> int:
        """Hashes the files that are due for a short while, and has those read again that have
        changed. Returns how many were hashed."""
        if not self._every_s:
            return 0
        now = time.time()
        same: list[KnownFile] = []
        changed: list[KnownFile] = []
        for file in due_files(self._database, now - self._every_s, AT_ONCE):
            content = hash_unchanged(file.path, file.stat)
            # one that is gone, or whose times have changed, is found by the next look at the tree
            (same if content in (file.content, None) else changed).append(file)
            if time.time() - now > BUDGET_S:
                break
        if same or changed:
            finish_audit(self._database, same, changed, now)
        return len(same) + len(changed)
