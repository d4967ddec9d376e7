"""How many files there are, and how far they have come."""

# Values are always bound; what is put into SQL by name are conditions of our own.
# ruff: noqa: S608

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from pathlib import Path

from indexer.catalog.database import Database
from indexer.catalog.queries import LIVE, among, lies_in
from indexer.types.coverage import Coverage
from indexer.types.places import Kind

AWAY = ("offline", "missing", "skipped")
GROUPS = """SELECT kind, state, live AND read_generation IS NOT NULL AS is_read,
    live AND content_state = 'understood' AS is_understood, count(*) AS files FROM listing f"""
# The same of what is attached to files, where it is asked for by its kind.
ATTACHED = f"""SELECT d.kind, d.state, d.read_generation IS NOT NULL AS is_read,
    d.state = 'understood' AS is_understood, count(*) AS files
    FROM members m JOIN contents d ON d.content = m.content
    JOIN files f ON f.content = m.container JOIN roots r ON r.id = f.root WHERE {LIVE}"""


class Counts:
    """Counts all files once, and again when something was committed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._counted: tuple[int, list[sqlite3.Row], list[sqlite3.Row]] | None = None

    def coverage(
        self, kinds: Collection[Kind] | None = None, folder: Path | None = None
    ) -> Coverage:
        """Files of kinds we read that are there now, and how many of them each stage covers; of
        some kinds, what is attached to files is counted with them."""
        if folder is None:
            files, attached = self._groups()
            groups = files if kinds is None else [*files, *attached]
            groups = [g for g in groups if kinds is None or g["kind"] in kinds]
        else:
            where, bound = lies_in(self._database, folder)
            of = "kind IN (SELECT value FROM json_each(?))"
            with self._database.reading() as db:
                groups = db.execute(
                    f"{GROUPS} WHERE (? OR {of}) AND {where} GROUP BY 1, 2, 3, 4",
                    (*among(kinds), *bound),
                ).fetchall()
                if kinds is not None:
                    groups += db.execute(
                        f"{ATTACHED} AND d.{of} AND {where} GROUP BY 1, 2, 3, 4",
                        (among(kinds)[1], *bound),
                    ).fetchall()
        groups = [g for g in groups if g["state"] not in AWAY]
        return Coverage(
            files=sum(g["files"] for g in groups),
            read=sum(g["files"] for g in groups if g["is_read"]),
            understood=sum(g["files"] for g in groups if g["is_understood"]),
            failed=sum(g["files"] for g in groups if g["state"] == "failed"),
        )

    def states(self) -> dict[str, int]:
        """How many files are in each state."""
        counts: dict[str, int] = {}
        for group in self._groups()[0]:
            counts[group["state"]] = counts.get(group["state"], 0) + group["files"]
        return dict(sorted(counts.items()))

    def queue(self) -> int:
        """How many files wait for a stage or are in one."""
        waiting = ("pending", "reading", "read", "understanding")
        return sum(n for state, n in self.states().items() if state in waiting)

    def _groups(self) -> tuple[list[sqlite3.Row], list[sqlite3.Row]]:
        """All files, and all that is attached to them, counted by kind, state and stage; kept until
        the next commit."""
        version = self._database.version()
        kept = self._counted
        if kept is None or kept[0] != version:
            with self._database.reading() as db:
                kept = (
                    version,
                    db.execute(f"{GROUPS} GROUP BY 1, 2, 3, 4").fetchall(),
                    db.execute(f"{ATTACHED} GROUP BY 1, 2, 3, 4").fetchall(),
                )
            self._counted = kept
        return kept[1], kept[2]
