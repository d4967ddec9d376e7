"""Several reading children at once, for machines with several processors."""

from __future__ import annotations

import os
import queue
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from indexer.extract.process.reader import ReaderProcess
from indexer.types.pieces import Extracted, Member
from indexer.types.places import Place
from model.interface import Image, Sound

MAX_CHILDREN = 4


class ReaderPool:
    """Reads files from any thread with the first of `count` readers that is free; by default one
    more than there are processors, since one is always waiting for its next file. A reader that is
    never needed starts no child."""

    def __init__(self, count: int | None = None) -> None:
        self.children = count or min(MAX_CHILDREN, 1 + (os.cpu_count() or 1))
        self._all = [ReaderProcess() for _ in range(self.children)]
        # last in, first out: as long as one file is read at a time, one child is enough
        self._free: queue.LifoQueue[ReaderProcess] = queue.LifoQueue()
        for reader in reversed(self._all):
            self._free.put(reader)

    def extract(self, path: Path, whole: bool = True) -> list[Extracted]:
        """Everything in the file; see `ReaderProcess`. Raises UnreadableError."""
        with self._borrowed() as reader:
            return reader.extract(path, whole)

    def original(
        self, path: Path, place: Place, longest_px: int = 1600, member: Member | None = None
    ) -> Image | Sound:
        """A photo or page as pixels, a span as samples; see `ReaderProcess`. Raises
        UnreadableError."""
        with self._borrowed() as reader:
            return reader.original(path, place, longest_px, member)

    @property
    def pids(self) -> list[int]:
        """The process ids of the children that run."""
        return [reader.pid for reader in self._all if reader.pid is not None]

    def close(self) -> None:
        """End the children. They are started again when needed."""
        for reader in self._all:
            reader.close()

    @contextmanager
    def _borrowed(self) -> Iterator[ReaderProcess]:
        reader = self._free.get()
        try:
            yield reader
        finally:
            self._free.put(reader)
