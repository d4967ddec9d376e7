"""The full-text index over the folded words of all passages, and when it is rebuilt.

Building it from nothing takes a quarter of the processor time of bringing it up to date with
`optimize`, which writes the whole table again as well.
"""

from __future__ import annotations

from typing import Any

from indexer.vectors.lance import full_text
from indexer.vectors.tables import Tables

COLUMN, NAME = "folded", "folded_idx"
# Rows that are not indexed yet are found by reading them all: 230 ms for 50,000. While more is
# coming, a larger table waits for two thirds of its size, up to a limit; in a quiet moment few are
# enough.
UNINDEXED_ROWS, MOST_UNINDEXED_ROWS = 10_000, 60_000
QUIET_UNINDEXED_ROWS = 1_000
# Replaced indexes stay on disk until the table is compacted. They may cover so many times its rows.
MOST_STALE = 2


class FullTextIndex:
    """Of the table `words`; its writer reports every change."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._unindexed_rows = 0
        self._stale_rows = 0

    def create(self, table: Any) -> None:
        """Make it on an empty table. Without it LanceDB would cut words by its own rules, with
        stems and stop words; with it rows are found by our rules from the moment they are added."""
        table.create_index(COLUMN, config=full_text())

    def open(self) -> None:
        """Continue with the index that an earlier process left."""
        statistics = self.statistics()
        if statistics is None:  # killed between making the table and its index
            self.create(self._tables["words"])
        else:
            self._unindexed_rows = int(statistics.num_unindexed_rows)

    def statistics(self) -> Any | None:
        """LanceDB's statistics of it; None where there is no index."""
        return self._tables.read("words", lambda table: table.index_stats(NAME))

    def count_added(self, rows: int) -> None:
        """So many rows were added to the table."""
        self._unindexed_rows += rows

    def mark_compacted(self) -> None:
        """The table was compacted, which brings the index up to date and drops replaced ones."""
        self._unindexed_rows = self._stale_rows = 0

    def rebuild(self) -> None:
        """Make it from nothing; searches use the old one meanwhile."""
        self._tables.write(
            "words",
            lambda table: table.create_index(COLUMN, config=full_text(), replace=True),
        )
        self._stale_rows += self._row_count()
        self._unindexed_rows = 0

    @property
    def is_overdue(self) -> bool:
        """It is to be rebuilt though more is coming."""
        if self._unindexed_rows <= UNINDEXED_ROWS:
            return False
        return self._unindexed_rows > min(MOST_UNINDEXED_ROWS, self._row_count() * 2 // 3)

    @property
    def is_due(self) -> bool:
        """It is to be rebuilt when nothing else is to be done."""
        return self._unindexed_rows > QUIET_UNINDEXED_ROWS

    @property
    def has_stale_rows(self) -> bool:
        """Replaced indexes take up too much room."""
        return self._stale_rows > MOST_STALE * self._row_count()

    def _row_count(self) -> int:
        return int(self._tables.read("words", lambda table: table.count_rows()))
