"""Several reading children at once: a machine with several processors uses them."""

from __future__ import annotations

import os
import queue
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from indexer.extract.process.child import ReaderProcess
from indexer.types.pieces import Extracted, Member
from indexer.types.places import Place
from model.interface import Image, Sound

MOST = 4


class ReaderPool:
    """What the indexer asks of a `Reader`, from any thread, of the first of `count` children that
    is free; by default one more than there are processors, since one is always waiting for its
    next file. A child is started when all others are busy."""

    def __init__(self, count: int | None = None) -> None:
        self.children = count or min(MOST, 1 + (os.cpu_count() or 1))
        self._all = [ReaderProcess() for _ in range(self.children)]
        # the last to be given back is the first to be lent: one file needs one child
        self._free: queue.LifoQueue[ReaderProcess] = queue.LifoQueue()
        for reader in reversed(self._all):
            self._free.put(reader)

    def extract(self, path: Path, whole: bool = True) -> list[Extracted]:
        """Everything in the file; see `Reader`. Raises UnreadableError."""
        with self._lent() as reader:
            return reader.extract(path, whole)

    def original(
        self, path: Path, place: Place, longest_px: int = 1600, member: Member | None = None
    ) -> Image | Sound:
        """A photo or page as pixels, a span as samples; see `Reader`. Raises UnreadableError."""
        with self._lent() as reader:
            return reader.original(path, place, longest_px, member)

    @property
    def pids(self) -> list[int]:
        """The children that there are."""
        return [reader.pid for reader in self._all if reader.pid is not None]

    def close(self) -> None:
        """End the children. They are started again when needed."""
        for reader in self._all:
            reader.close()

    @contextmanager
    def _lent(self) -> Iterator[ReaderProcess]:
        reader = self._free.get()
        try:
            yield reader
        finally:
            self._free.put(reader)
