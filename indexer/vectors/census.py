"""The census: what the tables hold of each generation, as far as they can be read.

A table with a damaged file is read in a process of its own, in smaller and smaller parts; rows that
cannot be read are left out.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from indexer.vectors.names import checked_name
from indexer.vectors.row_process import RowProcessEndedError, UnreadableRowsError
from indexer.vectors.rows import passage_digest, passage_of, total, vector_digest
from indexer.vectors.tables import StoreError, Tables, is_panic

BATCH_ROWS = 4_096
# After so many ends of the process that reads, each of which costs a second, a part that ends it is
# left out whole.
MOST_ENDS = 4


@dataclass(slots=True)
class GenerationRows:
    """What one generation has in one table: how many rows, the sum of their digests, the `owners`
    (content, kind) that the rows name, and as `flaw` what is wrong with one of them."""

    rows: int = 0
    digests: int = 0
    owners: set[tuple[str, str]] = field(default_factory=set)
    flaw: str | None = None

    def add(self, digest: int) -> None:
        self.rows += 1
        self.digests += digest


@dataclass(slots=True)
class Census:
    """For each table the generations in it; `unread` are the tables that could not be read in
    full, each with the reason."""

    tables: dict[str, dict[str, GenerationRows]] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)

    def generations(self) -> set[str]:
        return {generation for counted in self.tables.values() for generation in counted}

    def words(self, generation: str) -> GenerationRows:
        return self.tables.get("words", {}).get(generation, GenerationRows())

    def vectors(self, generation: str) -> GenerationRows:
        """Of both spaces together."""
        both = GenerationRows()
        for name, counted in self.tables.items():
            if name != "words" and generation in counted:
                rows = counted[generation]
                both.rows += rows.rows
                both.digests += rows.digests
                both.owners |= rows.owners
                both.flaw = both.flaw or rows.flaw
        return both

    def sum_of(self, rows: GenerationRows) -> str:
        return total([rows.digests])


def count_rows(tables: Tables) -> Census:
    """The census of every table, each read in full. Never raises for what is damaged."""
    census = Census()
    for name in tables.names():
        counted: dict[str, GenerationRows] = {}
        count = _count_words if name == "words" else _count_vectors(name.partition("_")[0])
        reasons: list[str] = []
        for rows in readable_rows(tables, name, reasons.append):
            try:
                count(rows, counted)
            except (KeyError, TypeError, ValueError, AttributeError) as problem:
                reasons.append(_described(problem))
        invalid = [generation for generation in counted if not _is_valid(generation)]
        for generation in invalid:  # no filter may name it
            del counted[generation]
            reasons.append("A row of it belongs to nothing")
        census.tables[name] = counted
        if reasons:
            census.unread[name] = reasons[0]
    return census


def readable_rows(tables: Tables, name: str, report: Callable[[str], None]) -> Iterator[Any]:
    """Arrow tables with every row of the table `name` that can be read; `report` is called with the
    reason where some cannot."""
    try:
        count, take = _opened(tables, name)
    except StoreError as problem:
        report(str(problem))
        return
    except Exception as problem:
        report(_described(problem))
        return
    except BaseException as problem:
        if not is_panic(problem):
            raise
        report(_described(problem))
        return
    spans = [(start, min(start + BATCH_ROWS, count)) for start in range(0, count, BATCH_ROWS)][::-1]
    ends = 0
    while spans:
        start, end = spans.pop()
        try:
            yield take(start, end)
        except BaseException as problem:  # whatever LanceDB's decoders make of damaged bytes
            if not isinstance(problem, Exception) and not is_panic(problem):
                raise
            report(_described(problem))
            if isinstance(problem, RowProcessEndedError):
                ends += 1
            if end - start > 1 and ends <= MOST_ENDS:
                middle = (start + end) // 2
                spans[:0] = [(middle, end), (start, middle)]  # last: what is whole comes first


def _opened(tables: Tables, name: str) -> tuple[int, Callable[[int, int], Any]]:
    """The number of rows of a table, and what takes those from one offset to before another."""
    try:
        tables.compare(name)
    except StoreError:
        return _opened_apart(tables, name)
    table = tables[name]
    return (
        table.count_rows(),
        lambda start, end: table.take_offsets(list(range(start, end))).to_arrow(),
    )


def _opened_apart(tables: Tables, name: str) -> tuple[int, Callable[[int, int], Any]]:
    """The same in a process of its own. A newest version that does not open there is set aside."""
    while True:
        try:
            count, _ = tables.row_process.open(name)
        except (RowProcessEndedError, UnreadableRowsError):
            if not tables.set_aside_newest(name):
                raise
        else:
            return count, functools.partial(tables.row_process.take, name)


def _described(problem: BaseException) -> str:
    return f"{type(problem).__name__}: {str(problem).splitlines()[0][:200] if str(problem) else ''}"


def _is_valid(generation: str | None) -> bool:
    try:
        checked_name(generation or "")
    except ValueError:
        return False
    return True


def _count_words(rows: Any, counted: dict[str, GenerationRows]) -> None:
    for row in rows.to_pylist():
        of_generation = counted.setdefault(row["generation"], GenerationRows())
        of_generation.owners.add((row["content"], row["kind"]))
        try:
            of_generation.add(passage_digest(row["kind"], passage_of(row)))
        except (ValueError, TypeError):
            of_generation.rows += 1
            of_generation.flaw = "a row of it is no passage"


def _count_vectors(space: str) -> Callable[[Any, dict[str, GenerationRows]], None]:
    def count(rows: Any, counted: dict[str, GenerationRows]) -> None:
        dim = rows.schema.field("vector").type.list_size
        flat = rows["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
        vectors = flat.reshape(-1, dim)
        valid = np.isfinite(vectors).all(axis=1) & (np.linalg.norm(vectors, axis=1) > 1e-6)
        names, ordinals = rows["generation"].to_pylist(), rows["ordinal"].to_pylist()
        owners = zip(rows["content"].to_pylist(), rows["kind"].to_pylist(), strict=True)
        for name, ordinal, owner, vector, is_valid in zip(
            names, ordinals, owners, vectors, valid, strict=True
        ):
            of_generation = counted.setdefault(name, GenerationRows())
            of_generation.owners.add(owner)
            of_generation.add(vector_digest(space, ordinal, vector))
            if not is_valid:
                of_generation.flaw = "a vector of it is not made of numbers"

    return count
