"""The full-text index over the folded words of all passages, and when it is made anew.

Making it from nothing takes a quarter of the processor time of bringing it up to date with
`optimize`, which writes the whole table anew as well.
"""

from __future__ import annotations

from typing import Any

from indexer.vectors.lance import full_text
from indexer.vectors.tables import Tables

COLUMN, NAME = "folded", "folded_idx"
# Rows the index does not know yet are found by reading them all: 230 ms for 50,000. A larger table
# waits for twice of what is indexed while more is coming, up to a limit; in a quiet moment few are
# enough.
UNINDEXED_ROWS, MOST_UNINDEXED_ROWS = 10_000, 60_000
QUIET_UNINDEXED_ROWS = 1_000
# Former indexes stay until the table is compacted: so many times its rows may lie there in them.
MOST_FORMER = 2


class FullTextIndex:
    """Of the table `words`; its writer tells of every change."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._unindexed = 0
        self._former_rows = 0

    def begin(self, table: Any) -> None:
        """Make it on an empty table. Without it words are cut by LanceDB's usual rules, with stems
        and stop words; with it rows are found by our rules from the moment they are added."""
        table.create_index(COLUMN, config=full_text())

    def take_up(self) -> None:
        """Take up one that another process has left."""
        statistics = self.statistics()
        if statistics is None:  # killed between making the table and its index
            self.begin(self._tables["words"])
        else:
            self._unindexed = int(statistics.num_unindexed_rows)

    def statistics(self) -> Any | None:
        """What LanceDB knows of it; None where there is none."""
        return self._tables.read("words", lambda table: table.index_stats(NAME))

    def added(self, rows: int) -> None:
        """So many rows were added to the table."""
        self._unindexed += rows

    def settled(self) -> None:
        """The table was compacted, which brings the index up to date and drops former ones."""
        self._unindexed = self._former_rows = 0

    def anew(self) -> None:
        """Make it from nothing; searches use the former one meanwhile."""
        self._tables.write(
            "words",
            lambda table: table.create_index(COLUMN, config=full_text(), replace=True),
        )
        self._former_rows += self._rows()
        self._unindexed = 0

    @property
    def is_late(self) -> bool:
        """It is to be made anew though more is coming."""
        if self._unindexed <= UNINDEXED_ROWS:
            return False
        return self._unindexed > min(MOST_UNINDEXED_ROWS, self._rows() * 2 // 3)

    @property
    def is_behind(self) -> bool:
        """It is to be made anew when nothing else is to be done."""
        return self._unindexed > QUIET_UNINDEXED_ROWS

    @property
    def is_littered(self) -> bool:
        """Its former selves take up too much room."""
        return self._former_rows > MOST_FORMER * self._rows()

    def _rows(self) -> int:
        return int(self._tables.read("words", lambda table: table.count_rows()))
