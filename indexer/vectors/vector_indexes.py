"""Indexes of vectors: built beside the library's work, made durable, and made anew when lost.

A table that fits into memory needs none. An index is built in a process of its own, which may take
minutes of processor and may end over damaged bytes; meanwhile rows come and go. It is named after
the number of rows it was trained with. Rows that came later are found too, one by one, until
compaction takes them into the index.
"""

from __future__ import annotations

import contextlib
import logging
import operator
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from indexer.vectors.durability import Durability
from indexer.vectors.tables import StoreError, Tables, is_of_vector_index

PREFIX = "nearest_"
GROWTH = 4  # an index is trained again for a table that has grown so many times
MOST_UNINDEXED = 4_000  # of 3,840 numbers, compared one by one, take as long as the index does
AGAIN_S = 600.0  # after a build that failed
_ROOT = Path(__file__).resolve().parents[2]
_log = logging.getLogger(__name__)


class VectorIndexes:
    """For the writer of the library; `lock` is the one it writes under. Tables of vectors larger
    than `resident_bytes` get an index."""

    def __init__(
        self,
        folder: Path,
        tables: Tables,
        durability: Durability,
        lock: threading.RLock,
        resident_bytes: int,
    ) -> None:
        self._folder = folder.resolve()
        self._tables = tables
        self._durability = durability
        self._lock = lock
        self._resident_bytes = resident_bytes
        self._process: subprocess.Popen[bytes] | None = None
        self._build: threading.Thread | None = None  # waits for the process
        self._not_before: dict[str, float] = {}  # when a build may be tried again, by table

    def __del__(self) -> None:
        with contextlib.suppress(Exception):  # at the end of the program its parts may be gone
            self.stop()

    @property
    def is_building(self) -> bool:
        """Whether an index is being built now."""
        return self._process is not None

    def maintain(self, wait: bool) -> None:
        """Drops what cannot be used, and begins to build the indexes that are due, one after the
        other; with `wait`, returns when none is due any more. Raises StoreError where a table is
        damaged."""
        while True:
            with self._lock:
                if self._process is None:
                    self.drop_distrusted()
                    due = next(self._due(), None)
                    if due is None:
                        return
                    self._build = self._begin(*due)
                build = self._build
            if not wait or build is None:
                return
            build.join()

    def stop(self) -> None:
        """Ends a build; its table stays as it was. Nothing of it writes when this returns."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def adopt(self, name: str) -> None:
        """Makes a new index durable, in place of the one before it."""
        with self._lock:
            for index in self._of(name)[:-1]:
                self._tables.write(name, operator.methodcaller("drop_index", index))
            self._durability.sync()

    def drop(self, name: str) -> None:
        """Drops the indexes of a table of vectors; the rows are compared one by one then."""
        with self._lock:
            for index in self._of(name):
                self._tables.write(name, operator.methodcaller("drop_index", index))

    def drop_distrusted(self) -> None:
        """Drops the indexes that cannot be used. Raises StoreError where a table is damaged."""
        with self._lock:
            for name in self._names():
                self._tables.compare(name)
                if not self._tables.has_trusted_index(name):
                    self.drop(name)
                    self._durability.sync()
                    for file, _ in self._durability.sums.wrong(name):
                        if is_of_vector_index(file):  # no table uses it any more
                            file.unlink(missing_ok=True)
                    self._tables.trust_index(name)

    def has_many_unindexed(self) -> bool:
        """Whether compaction is due, to take rows into an index."""
        with self._lock:
            return any(
                self._tables.has_trusted_index(name) and self._unindexed(name) >= MOST_UNINDEXED
                for name in self._names()
            )

    def _names(self) -> list[str]:
        return [name for name in self._tables.names() if name != "words"]

    def _of(self, name: str) -> list[str]:
        """The indexes of a table, that of most rows last. Reads no file of an index."""
        indexes = self._tables.read(name, lambda table: table.list_indices())
        ours = [index.name for index in indexes if index.name.startswith(PREFIX)]
        return sorted(ours, key=_trained_rows)

    def _unindexed(self, name: str) -> int:
        unindexed = 0
        for index in self._of(name)[-1:]:
            try:
                statistics = self._tables.read(name, operator.methodcaller("index_stats", index))
            except StoreError:
                self._tables.distrust_index(name, "it cannot be read")
            else:
                unindexed = statistics.num_unindexed_rows if statistics is not None else 0
        return unindexed

    def _due(self) -> Iterator[tuple[str, int]]:
        """The tables that an index is to be built of, with the number of their rows."""
        for name in self._names():
            self._tables.compare(name)
            *older, newest = self._of(name) or [""]
            for index in older:  # its successor was complete when the process ended
                self._tables.write(name, operator.methodcaller("drop_index", index))
            rows, row_bytes = self._tables.read(name, _size)
            is_large = rows * row_bytes > self._resident_bytes
            is_due = is_large and (not newest or rows >= GROWTH * _trained_rows(newest))
            if is_due and time.monotonic() >= self._not_before.get(name, 0.0):
                yield name, rows

    def _begin(self, name: str, rows: int) -> threading.Thread:
        self._process = process = subprocess.Popen(  # noqa: S603  our own interpreter and arguments
            # -P: never import from the current folder
            [sys.executable, "-P", "-m", __name__, str(self._folder), name, f"{PREFIX}{rows}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={**os.environ, "PYTHONPATH": str(_ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
            start_new_session=True,
        )
        build = threading.Thread(target=self._finish, args=(process, name), daemon=True)
        build.start()
        return build

    def _finish(self, process: subprocess.Popen[bytes], name: str) -> None:
        """Waits for a build, and makes durable what it committed."""
        process.wait()
        with self._lock:
            if process.stdin is not None:
                process.stdin.close()
            if self._process is not process:  # stopped
                return
            self._process = None
            try:
                if process.returncode != 0:
                    raise StoreError(f"The index of {name} could not be built.")
                self.adopt(name)
            except Exception as problem:  # searches go on without it
                _log.warning("%s", problem)
                self._not_before[name] = time.monotonic() + AGAIN_S
            with contextlib.suppress(StoreError):  # whoever reads that table is told
                self.maintain(wait=False)


def _trained_rows(index: str) -> int:
    number = index.removeprefix(PREFIX)
    return int(number) if number.isdecimal() else 0


def _size(table: Any) -> tuple[int, int]:
    """The rows of a table of vectors, and the bytes of one vector."""
    return table.count_rows(), table.schema.field("vector").type.list_size * 4


def main() -> None:
    """Builds one index, for as long as the program that asked for it runs."""
    from indexer.vectors.lance import connect, index_vectors

    folder, name, index = sys.argv[1:]
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(10)
    index_vectors(connect(Path(folder)).open_table(name), index)
    os._exit(0)  # the thread that waits for the parent would end this in an error


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    main()
