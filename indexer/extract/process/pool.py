"""Several reading children at once, for machines with several processors."""

from __future__ import annotations

import os
import queue
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from indexer.extract.process.reader import MEMORY_BYTES, ReaderProcess

MAX_CHILDREN = 4


class ReaderPool:
    """Lends readers to threads; by default one more than there are processors, since one is always
    waiting for its next file, but no more than have room in `memory_bytes` (one in any case). A
    reader that is never needed starts no child."""

    def __init__(
        self, readers: Sequence[ReaderProcess] = (), memory_bytes: int | None = None
    ) -> None:
        count = min(MAX_CHILDREN, 1 + (os.cpu_count() or 1))
        if memory_bytes is not None:
            count = max(1, min(count, memory_bytes // MEMORY_BYTES))
        self._all = readers or [ReaderProcess() for _ in range(count)]
        self.children = len(self._all)
        # last in, first out: as long as one file is read at a time, one child is enough
        self._free: queue.LifoQueue[ReaderProcess] = queue.LifoQueue()
        for reader in reversed(self._all):
            self._free.put(reader)

    @contextmanager
    def lend(self) -> Iterator[ReaderProcess]:
        """A reader for one thread; waits while all are lent."""
        reader = self._free.get()
        try:
            yield reader
        finally:
            self._free.put(reader)

    @property
    def pids(self) -> list[int]:
        """The process ids of the children that run."""
        return [reader.pid for reader in self._all if reader.pid is not None]

    def close(self) -> None:
        """End the children. They are started again when needed."""
        for reader in self._all:
            reader.close()
