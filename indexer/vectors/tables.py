"""The tables of one LanceDB folder: opened when needed; a damaged one is never overwritten.

Before the rows of a table are first read, its files are compared with their checksums: LanceDB may
end the process over flipped bits. That costs as much as reading the files once.
"""

from __future__ import annotations

import itertools
import logging
import random
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

from indexer.files.disk_room import disk_error
from indexer.vectors.checksums import Checksums
from indexer.vectors.durability import manifests_of, set_aside_newest
from indexer.vectors.names import checked_name
from model.errors import RecollectError

T = TypeVar("T")
_log = logging.getLogger(__name__)
# A commit that conflicts with another one is tried again, each time after a longer pause.
TRIES = 6
PAUSE_S = 0.02
REPLACEMENT = "_mended"  # ends the name of a table that is to replace another


class StoreError(RecollectError):
    """The index cannot be used; the sentence says why and what to do about it."""

    code, status = "store", 503


class RowReader(Protocol):
    """Reads tables that this process must not read (`row_process.RowProcess`)."""

    def open(self, name: str) -> tuple[int, Any]: ...

    def take(self, name: str, start: int, end: int) -> Any: ...

    def close(self) -> None: ...


class Tables:
    """The open tables of `database`, which keeps them in `folder`. Any thread may call. `forget`
    is called with a file before its name is given to another; `row_process` alone reads a table
    that is refused."""

    def __init__(
        self,
        folder: Path,
        database: Any,
        forget: Callable[[Path], None],
        row_process: RowReader,
    ) -> None:
        self._folder = folder
        self._database = database
        self._forget = forget
        self._lock = threading.RLock()
        self._open: dict[str, Any] = {}
        self._compared: set[str] = set()
        self._refused: dict[str, str] = {}  # why, by table
        self._without_index: set[str] = set()
        self.row_process = row_process
        self._finish_replacing()

    def names(self) -> list[str]:
        """Every table, in alphabetical order."""
        names = (path.stem for path in self._folder.glob("*.lance"))
        return sorted(name for name in names if self.exist(name) and not name.endswith(REPLACEMENT))

    def path(self, name: str) -> Path:
        """Where a table lies."""
        return self._folder / f"{name}.lance"

    def exist(self, name: str) -> bool:
        """A table exists from its first manifest on, whether or not it can be opened."""
        return any((self._folder / f"{name}.lance" / "_versions").glob("*.manifest"))

    def make(self, name: str, schema: Any) -> Any:
        """A new, empty table."""
        with self._lock:
            self._open[name] = self._database.create_table(name, schema=schema)
            return self._open[name]

    def __getitem__(self, name: str) -> Any:
        """The open table. A newest version that does not open is set aside for the one before it;
        the catalog sees by the rows that are missing what that lost. Raises StoreError."""
        if (table := self._open.get(name)) is not None:  # without the lock: a repair holds it long
            return table
        with self._lock:
            while name not in self._open:
                try:
                    self._open[name] = self._database.open_table(name)
                except Exception as problem:
                    if not self.set_aside_newest(name):
                        raise StoreError(
                            f"The index table {self.path(name)} is damaged and no earlier version "
                            "of it is left; `recollect verify --repair` makes it anew."
                        ) from problem
            return self._open[name]

    def refuse(self, name: str, reason: str) -> None:
        """Reads no row of a table in this process from now on, for a `reason` (a sentence), until
        it is admitted again."""
        with self._lock:
            self._refused[name] = reason
            self._open.pop(name, None)

    def admit(self, name: str) -> None:
        """A table that was refused has been replaced, and no checksum of the old one is left."""
        with self._lock:
            self._refused.pop(name, None)
            self._compared.discard(name)
            self._open.pop(name, None)
            if not self._refused:
                self.row_process.close()

    def is_refused(self, name: str) -> bool:
        """Whether only `row_process` may read a table."""
        return name in self._refused

    def compare(self, name: str) -> None:
        """Compares the files of a table with their checksums, once; later costs nothing. Raises
        StoreError where one is not what was written."""
        if name not in self._compared and name not in self._refused:
            with self._lock:
                if name not in self._compared:
                    for file, fault in Checksums(self._folder).wrong(name):
                        if is_of_vector_index(file):
                            self.distrust_index(name, f"{file.name} {fault}")
                        else:
                            self.refuse(name, damage_sentence(file, fault))
                    self._compared.add(name)
        if (reason := self._refused.get(name)) is not None:
            raise StoreError(reason)

    def distrust_index(self, name: str, reason: str) -> None:
        """Searches a table row by row from now on, until its index was made anew: what an index
        holds the rows hold too, so nothing is lost and nothing has to wait."""
        if name not in self._without_index:
            _log.warning("the index of the table %s is made anew: %s", name, reason)
            self._without_index.add(name)

    def trust_index(self, name: str) -> None:
        """The index of a table that was not to be used has been dropped."""
        self._without_index.discard(name)

    def has_trusted_index(self, name: str) -> bool:
        """False where an index of this table must not be read, if it has one."""
        return name not in self._without_index

    def set_aside_newest(self, name: str) -> bool:
        """Sets the newest version of a table aside; false where there is none before it."""
        with self._lock:
            self._open.pop(name, None)
            aside = self._folder / "aside"
            return set_aside_newest(self.path(name), aside, self._forget) is not None

    def set_aside_unsynced(self, name: str, is_synced: Callable[[Path], bool]) -> bool:
        """Sets aside the newest versions, where their manifests were not made durable and that of
        an earlier version was; whether there was one."""
        with self._lock:
            newest_first = manifests_of(self.path(name))[::-1]
            unsynced = list(itertools.takewhile(lambda file: not is_synced(file), newest_first))
            if len(unsynced) == len(newest_first):
                return False
            for _ in unsynced:
                self.set_aside_newest(name)
        return bool(unsynced)

    def read(self, name: str, read: Callable[[Any], T]) -> T:
        """`read` of a table, and once more if its version was cleaned up meanwhile.
        Raises StoreError where LanceDB cannot read it, DiskFullError, DiskFailingError."""
        self.compare(name)
        for is_last in (False, True):
            try:
                return read(self[name])
            except StoreError:
                raise
            except BaseException as problem:
                if not _is_of_lance(problem):
                    raise
                if is_last:
                    raise disk_error(problem) or self._damaged(name, problem) from problem
                with self._lock:
                    self._open.pop(name, None)
        raise AssertionError  # the last try returned or raised

    def write(self, name: str, write: Callable[[Any], T]) -> T:
        """`write` to a table, again if its commit conflicts with another one. Raises DiskFullError,
        DiskFailingError, and StoreError where the table is damaged."""
        self.compare(name)
        for attempt in range(TRIES):
            try:
                return write(self[name])
            except StoreError:
                raise
            except BaseException as problem:
                if not _is_of_lance(problem):
                    raise
                if "onflict" not in str(problem) or attempt == TRIES - 1:
                    raise disk_error(problem) or self._damaged(name, problem) from problem
                time.sleep(PAUSE_S * 2**attempt * random.uniform(0.5, 1.5))  # noqa: S311  no secret
                with self._lock:
                    self._open.pop(name, None)
        raise AssertionError  # the last try returned or raised

    def _damaged(self, name: str, problem: BaseException) -> StoreError:
        _log.warning("the table %s cannot be read: %s", name, _first_line(problem))
        return StoreError(
            f"The index table {self.path(name)} cannot be read; `recollect verify --repair` mends "
            "what is damaged."
        )

    def replace(self, name: str, schema: Any, fill: Callable[[Any], None] | None) -> Path:
        """Puts a new table, filled by `fill` (None: no table), in the place of a damaged one, and
        returns where that was moved. It is refused until it is admitted. A kill at any point leaves
        one of the two."""
        fresh = name + REPLACEMENT
        with self._lock:
            shutil.rmtree(self.path(fresh), ignore_errors=True)
            if fill is not None:
                fill(self._database.create_table(fresh, schema=schema))
            aside = self._folder / "aside"
            aside.mkdir(exist_ok=True)
            target = aside / f"{name}-{time.time_ns()}.lance"
            self.refuse(name, "The index is being repaired; try again in a moment.")
            self.path(name).rename(target)
            self._finish_replacing()
        return target

    def _finish_replacing(self) -> None:
        """Gives replacements their names, where a kill had prevented it."""
        for fresh in self._folder.glob(f"*{REPLACEMENT}.lance"):
            name = fresh.stem.removesuffix(REPLACEMENT)
            if self.path(name).exists():  # killed before it was complete
                shutil.rmtree(fresh)
            else:
                fresh.rename(self.path(name))

    def columns(self, name: str, columns: list[str]) -> Any:
        """All rows of a table, as an arrow table of these columns. Raises StoreError also where a
        content or a generation has a name that was never given: LanceDB reads past flipped bits."""

        def read(table: Any) -> Any:
            rows = table.search().select(columns).to_arrow()
            for column in {"content", "generation"}.intersection(columns):
                for given in rows[column].unique().to_pylist():
                    checked_name(given or "")
            return rows

        return self.read(name, read)


def damage_sentence(file: Path, fault: str) -> str:
    """What people are told of a file that is not what was written."""
    return f"The index file {file} {fault}; `recollect verify --repair` mends what is damaged."


def is_of_vector_index(file: Path) -> bool:
    """Whether a file belongs to an index of vectors, which can be made again from their rows."""
    return file.parent.parent.name == "_indices" and file.parents[2].name != "words.lance"


def _is_of_lance(problem: BaseException) -> bool:
    """Whether a fault may be LanceDB's."""
    return isinstance(problem, OSError | RuntimeError | ValueError) or is_panic(problem)


def is_panic(problem: BaseException) -> bool:
    """Whether LanceDB gave up over bytes it did not expect: what pyo3 makes of that is no
    Exception, and what its futures make of it has no class that could be imported."""
    return type(problem).__name__ in ("PanicException", "RustPanic")


def _first_line(problem: BaseException) -> str:
    """What LanceDB says, without the trace that it appends."""
    return str(problem).partition("\n")[0][:200]
