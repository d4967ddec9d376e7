"""LanceDB's filters as far as we use them; the only importer of it.

Queries and filters are typed expressions over names we made. No text of a person is ever part of
a filter.
"""

from __future__ import annotations

import contextlib
import functools
import re
import signal
import subprocess
import sys
from collections.abc import Collection, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from indexer.types.places import Kind
from indexer.vectors.names import checked_name
from indexer.vectors.tables import StoreError

# Recall@10 among 20,000 vectors of 3,840 numbers was 1.00 by one bit a number, an eighth of the
# size that eight bits take; of 768 numbers one bit kept 0.75, eight bits all.
ONE_BIT_DIM = 2_048


def connect(folder: Path) -> Any:
    """The database in `folder`, made where there is none; what other processes commit is seen at
    once. Raises StoreError."""
    try:
        import lancedb

        folder.mkdir(parents=True, exist_ok=True)
        _check_stamp(folder / "stamp", lancedb.__version__)
        return lancedb.connect(folder, read_consistency_interval=timedelta(0))
    except ImportError as problem:
        raise StoreError(f"LanceDB does not load ({problem}); reinstall it.") from problem
    except OSError as problem:
        raise StoreError(
            f"The index folder {folder} cannot be used: {problem.strerror}."
        ) from problem


def _check_stamp(file: Path, ours: str) -> None:
    """Tables that a newer LanceDB has written are not for an older one: it would take them for
    damaged. Raises StoreError with both numbers, and changes nothing then."""
    try:
        theirs = file.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        theirs = ""
    if _numbers(theirs) > _numbers(ours):
        raise StoreError(
            f"The index in {file.parent} was written with LanceDB {theirs}, and this program has "
            f"{ours}; update Recollect to open it."
        )
    if theirs != ours:
        with contextlib.suppress(OSError):  # it may be read only
            file.write_text(ours, encoding="ascii")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


def lancedb_problem() -> str | None:
    """Why LanceDB does not work on this machine, as a sentence; None when it works. It is imported
    in a child process, because an unsupported processor ends the process that imports it."""
    try:
        child = subprocess.run(
            [sys.executable, "-c", "import lancedb"],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "LanceDB took more than two minutes to load."
    if child.returncode == 0:
        return None
    if child.returncode == -signal.SIGILL:
        return "This processor lacks AVX2, which LanceDB needs; Recollect cannot index here."
    last = (child.stderr.strip().splitlines() or [f"exit code {child.returncode}"])[-1]
    return f"LanceDB does not load ({last}); reinstall it."


def one_of(column: str, values: Sequence[str] | Sequence[int]) -> Any:
    """A filter: the column has one of these values."""
    from lancedb.expr import col

    return col(column).isin(list(values))


def index_values(table: Any, column: str) -> None:
    """Makes the index of a column, in place of the one it may have, so that a filter for a few of
    its values reads no more than the rows that have them."""
    from lancedb.index import BTree

    table.create_index(column, config=BTree())


def index_vectors(table: Any, name: str) -> None:
    """Makes an index of the column `vector` and calls it `name`; others stay. One bit of each
    number is enough where there are thousands of them; shorter vectors keep eight."""
    from lancedb.index import IvfRq, IvfSq

    dim = table.schema.field("vector").type.list_size
    kind = IvfRq if dim >= ONE_BIT_DIM else IvfSq
    table.create_index("vector", config=kind(distance_type="cosine"), name=name)


def filter_of(kinds: Collection[Kind] | None, contents: Collection[str] | None) -> Any | None:
    """A filter: of these kinds and contents; None where all are allowed."""
    filters = []
    if kinds is not None:
        filters.append(one_of("kind", sorted(str(kind) for kind in kinds)))
    if contents is not None:
        filters.append(one_of("content", sorted(checked_name(content) for content in contents)))
    return functools.reduce(lambda left, right: left.and_(right), filters) if filters else None
