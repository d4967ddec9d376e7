"""What the tables really hold, generation by generation, read in full and as far as it can be read.

A table in which a file is damaged is read piece by piece; rows that cannot be read are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from indexer.types.tokens import tokens
from indexer.vectors.lance import checked_name
from indexer.vectors.rows import passage_digest, passage_of, total, vector_digest
from indexer.vectors.tables import StoreError, Tables

AT_ONCE = 4_096


@dataclass(slots=True)
class GenerationRows:
    """What one generation has in one table; `about` are the contents and kinds that its rows say
    they are of, `flaw` is what is wrong with a row of it."""

    rows: int = 0
    digests: int = 0
    about: set[tuple[str, str]] = field(default_factory=set)
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
        return {generation for held in self.tables.values() for generation in held}

    def words(self, generation: str) -> GenerationRows:
        return self.tables.get("words", {}).get(generation, GenerationRows())

    def vectors(self, generation: str) -> GenerationRows:
        """Of both spaces together."""
        whole = GenerationRows()
        for name, held in self.tables.items():
            if name != "words" and generation in held:
                one = held[generation]
                whole.rows += one.rows
                whole.digests += one.digests
                whole.about |= one.about
                whole.flaw = whole.flaw or one.flaw
        return whole

    def sum_of(self, held: GenerationRows) -> str:
        return total([held.digests])


def count_rows(tables: Tables) -> Census:
    """Reads every table. Never raises for what is damaged."""
    found = Census()
    for name in tables.names():
        counted: dict[str, GenerationRows] = {}
        count = _count_words if name == "words" else _count_vectors(name.partition("_")[0])
        reasons: list[str] = []
        for rows in readable_rows(tables, name, reasons.append):
            try:
                count(rows, counted)
            except (KeyError, TypeError, ValueError, AttributeError) as problem:
                reasons.append(_said(problem))
        odd = [generation for generation in counted if not _is_own(generation)]
        for generation in odd:  # of nothing, and not to be asked for by any filter
            del counted[generation]
            reasons.append("A row of it belongs to nothing")
        found.tables[name] = counted
        if reasons:
            found.unread[name] = reasons[0]
    return found


def readable_rows(tables: Tables, name: str, tell: Callable[[str], None]) -> Iterator[Any]:
    """Arrow tables with every row of the table `name` that can be read; `tell` is given the reason
    where some cannot."""
    try:
        table = tables[name]
        count = table.count_rows()
    except StoreError as problem:
        tell(str(problem))
        return
    except Exception as problem:
        tell(_said(problem))
        return
    waiting = [(start, min(start + AT_ONCE, count)) for start in range(0, count, AT_ONCE)][::-1]
    while waiting:
        start, end = waiting.pop()
        try:
            yield table.take_offsets(list(range(start, end))).to_arrow()
        except Exception as problem:  # whatever LanceDB's decoders make of damaged bytes
            tell(_said(problem))
            if end - start > 1:
                middle = (start + end) // 2
                waiting += [(middle, end), (start, middle)]


def _said(problem: Exception) -> str:
    return f"{type(problem).__name__}: {str(problem).splitlines()[0][:200] if str(problem) else ''}"


def _is_own(generation: str | None) -> bool:
    try:
        checked_name(generation or "")
    except ValueError:
        return False
    return True


def _count_words(rows: Any, counted: dict[str, GenerationRows]) -> None:
    for row in rows.to_pylist():
        held = counted.setdefault(row["generation"], GenerationRows())
        held.about.add((row["content"], row["kind"]))
        try:
            held.add(passage_digest(row["kind"], passage_of(row)))
            if row["folded"] != " ".join(tokens(row["text"])):
                held.flaw = "its words are not what its text folds to"
        except (ValueError, TypeError):
            held.rows += 1
            held.flaw = "a row of it is no passage"


def _count_vectors(space: str) -> Callable[[Any, dict[str, GenerationRows]], None]:
    def count(rows: Any, counted: dict[str, GenerationRows]) -> None:
        dim = rows.schema.field("vector").type.list_size
        flat = rows["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
        vectors = flat.reshape(-1, dim)
        sound = np.isfinite(vectors).all(axis=1) & (np.linalg.norm(vectors, axis=1) > 1e-6)
        names, ordinals = rows["generation"].to_pylist(), rows["ordinal"].to_pylist()
        about = zip(rows["content"].to_pylist(), rows["kind"].to_pylist(), strict=True)
        for name, ordinal, of, vector, good in zip(
            names, ordinals, about, vectors, sound, strict=True
        ):
            held = counted.setdefault(name, GenerationRows())
            held.about.add(of)
            held.add(vector_digest(space, ordinal, vector))
            if not good:
                held.flaw = "a vector of it is not made of numbers"

    return count
