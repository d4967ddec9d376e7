"""The files as the library lists them, those that failed, and another try for these."""

# Values are always bound; what is put into SQL by name are conditions of our own.
# ruff: noqa: S608

from __future__ import annotations

import json
from pathlib import Path

from indexer.catalog.conditions import LISTED, lies_in, locate
from indexer.catalog.records import Failure, FileRow, failure, file_row
from indexer.catalog.states import content_states, file_states
from indexer.catalog.storage.database import Database
from indexer.types.places import Kind
from indexer.types.states import ContentState, FileState

# Containers of which a member could not be understood at all.
_FAILED_MEMBERS = f"""SELECT m.container FROM members m JOIN contents d ON d.content = m.content
    WHERE d.state = '{ContentState.FAILED}'"""


class Files:
    """Every file of one library. Threads may share it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(
        self,
        state: str | None = None,
        kind: Kind | None = None,
        offset: int = 0,
        limit: int = 100,
    ) -> list[FileRow]:
        """One page of the files, by folder and name; `count` says how many there are."""
        with self._database.reading() as db:
            rows = db.execute(
                f"SELECT * FROM listing WHERE {LISTED} ORDER BY root_path, path LIMIT ? OFFSET ?",
                (state, state, kind, kind, limit, offset),
            ).fetchall()
        return [file_row(row) for row in rows]

    def at_path(self, path: Path) -> FileRow | None:
        """The file at an absolute path, as `page` lists it."""
        with self._database.reading() as db:
            for root, inside in locate(db, path):
                row = db.execute(
                    "SELECT * FROM listing WHERE root = ? AND path = ?", (root, inside)
                ).fetchone()
                if row:
                    return file_row(row)
        return None

    def count(self, state: str | None = None, kind: Kind | None = None) -> int:
        """How many files there are for `page`."""
        with self._database.reading() as db:
            return int(
                db.execute(
                    f"SELECT count(*) FROM listing WHERE {LISTED}", (state, state, kind, kind)
                ).fetchone()[0]
            )

    def failed(self) -> list[Failure]:
        """Every file that could not be read or understood, with the reason; by folder and name."""
        with self._database.reading() as db:
            rows = db.execute(
                f"""SELECT * FROM listing WHERE state = '{FileState.FAILED}' AND id IN (
                    SELECT id FROM files WHERE state = '{FileState.FAILED}' UNION
                    SELECT f.id FROM contents c JOIN files f ON f.content = c.content
                    WHERE c.state = '{ContentState.FAILED}')
                ORDER BY root_path, path"""
            ).fetchall()
        return [failure(row) for row in rows]

    def retry(self, path: Path | None = None) -> int:
        """Puts back to be read or understood what failed: everything, or what lies at or below
        `path`; a file that is named, even if only some of it failed. Returns how many files."""
        where, bound = ("1", ()) if path is None else lies_in(self._database, path, itself=True)
        is_failed = f"""(state = '{FileState.FAILED}'
            OR (? AND state = '{ContentState.UNDERSTOOD}' AND reason IS NOT NULL)
            OR content IN ({_FAILED_MEMBERS}))"""
        with self._database.writing() as db:
            rows = db.execute(
                f"SELECT id, content, read_generation FROM listing f WHERE {is_failed} AND {where}",
                (path is not None, *bound),
            ).fetchall()
            contents = db.execute(
                """WITH whole AS (SELECT value FROM json_each(?))
                SELECT content FROM contents WHERE reason IS NOT NULL AND content IN (
                    SELECT value FROM whole UNION
                    SELECT content FROM members WHERE container IN whole)""",
                (json.dumps([row["content"] for row in rows if row["content"]]),),
            ).fetchall()
            content_states.retry_contents(db, [row["content"] for row in contents])
            file_states.retry_failed_files(
                db, [row["id"] for row in rows if not row["read_generation"]]
            )
        return len(rows)
