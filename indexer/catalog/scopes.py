"""Scopes: the live contents that a search may find, and those of them made last."""

# Values are always bound; what is put into SQL by name are conditions of our own.
# ruff: noqa: S608

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path

from indexer.catalog.conditions import LIVE, among, lies_in
from indexer.catalog.storage.database import Database
from indexer.catalog.words.senders import sent_by
from indexer.types.scope import Scope

# Every way to a content `c`: a file of its own, or one that it lies in. `at` is when it was made,
# or else sent along, or modified; `name` the last part of its path, or its name there.
_WAYS = f"""WITH ways AS (
        SELECT c.content, c.kind, coalesce(c.made_at, f.mtime_ns / 1e9) AS at, c.made_offset_s,
            r.path AS base, f.path, f.path AS name
        FROM files f JOIN roots r ON r.id = f.root
        JOIN contents c ON c.content = f.content WHERE {LIVE} AND :within
        UNION ALL
        SELECT c.content, c.kind, coalesce(c.made_at, k.made_at, f.mtime_ns / 1e9),
            c.made_offset_s, r.path, f.path, CAST(m.name AS BLOB)
        FROM members m JOIN files f ON f.content = m.container
        JOIN roots r ON r.id = f.root JOIN contents k ON k.content = m.container
        JOIN contents c ON c.content = m.content WHERE {LIVE} AND :within)"""


class Scopes:
    """What can be found of one library. Threads may share it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def contents(self, scope: Scope) -> set[str] | None:
        """The live contents of a scope. The day of a photo is that of its camera's clock: where
        the clock is known, its time is compared with what a clock here shows at `after` and
        `before`. None where the scope is everything."""
        if scope == Scope():
            return None
        places = [lies_in(self._database, folder) for folder in sorted(scope.folders)]
        where = " AND ".join(["1", *(condition for condition, _ in places)])
        bound = [value for _, values in places for value in values]
        conditions = [
            """at + coalesce(made_offset_s, 0) >= iif(made_offset_s IS NULL, ?, ?)
            AND at + coalesce(made_offset_s, 0) < iif(made_offset_s IS NULL, ?, ?)""",
            "(? OR kind IN (SELECT value FROM json_each(?)))",
        ]
        values: list[object] = [
            *(*bound, *bound),
            *(*_bounds(scope.after, -9e99), *_bounds(scope.before, 9e99)),
            *among(scope.kinds),
        ]
        for condition, names in (
            ("lies_in_one_of(base, path, ?)", scope.folder_names),
            ("NOT lies_in_one_of(base, path, ?)", scope.not_folder_names),
            ("extension(name) IN (SELECT value FROM json_each(?))", scope.extensions),
            ("extension(name) NOT IN (SELECT value FROM json_each(?))", scope.not_extensions),
        ):
            if names:
                conditions.append(condition)
                values.append(json.dumps(sorted(name.casefold() for name in names)))
        ways = _WAYS.replace(":within", where)
        with self._database.reading() as db:
            sql = f"{ways} SELECT DISTINCT content FROM ways WHERE {' AND '.join(conditions)}"
            contents = {row["content"] for row in db.execute(sql, values)}
            for sender in scope.senders:
                contents &= sent_by(db, sender)
            for sender in scope.not_senders:
                contents -= sent_by(db, sender)
        return contents

    def everything(self) -> set[str]:
        """All live contents."""
        with self._database.reading() as db:
            sql = f"{_WAYS.replace(':within', '1')} SELECT DISTINCT content FROM ways"
            return {row["content"] for row in db.execute(sql)}

    def newest(self, contents: Collection[str], limit: int) -> list[str]:
        """Those of the contents that were made last, the newest first."""
        with self._database.reading() as db:
            rows = db.execute(
                f"""{_WAYS.replace(":within", "1")} SELECT content FROM ways
                WHERE content IN (SELECT value FROM json_each(?))
                GROUP BY content ORDER BY max(at) DESC, content LIMIT ?""",
                (json.dumps(list(contents)), limit),
            )
            return [row["content"] for row in rows]

    def named(self, terms: Sequence[str]) -> set[str]:
        """The contents whose names hold these tokens in a row, as a file or as an attachment."""
        with self._database.reading() as db:
            rows = db.execute(
                """WITH n AS MATERIALIZED (SELECT rowid AS id FROM names WHERE names MATCH ?)
                SELECT f.content FROM n CROSS JOIN files f ON f.id = n.id UNION
                SELECT m.content FROM n CROSS JOIN members m ON m.id = -n.id""",
                (f'"{" ".join(terms)}"',),
            )
            return {row["content"] for row in rows if row["content"] is not None}

    def has_sender(self, sender: str) -> bool:
        """Whether a mail was sent by somebody with these words in the name or the address."""
        with self._database.reading() as db:
            return bool(sent_by(db, sender))

    def has_folder(self, name: str) -> bool:
        """Whether any file lies below a folder of this name."""
        with self._database.reading() as db:
            row = db.execute(
                """SELECT 1 FROM files f JOIN roots r ON r.id = f.root
                WHERE lies_in_one_of(r.path, f.path, ?) LIMIT 1""",
                (json.dumps([name.casefold()]),),
            ).fetchone()
        return row is not None

    def holds(self, folder: Path) -> bool:
        """Whether any file is known below a folder, by its absolute path."""
        condition, bound = lies_in(self._database, folder)
        with self._database.reading() as db:
            return (
                db.execute(f"SELECT 1 FROM files f WHERE {condition} LIMIT 1", bound).fetchone()
                is not None
            )

    def covers(self, folder: Path) -> bool:
        """Whether a folder is a root, lies in one, or has one below it."""
        return lies_in(self._database, folder) != ("0", ())


def _bounds(moment: float | None, unbounded: float) -> tuple[float, float]:
    """A moment in unix seconds, and what a clock here shows then, as seconds of a clock in UTC."""
    if moment is None:
        return unbounded, unbounded
    offset = datetime.fromtimestamp(moment).astimezone().utcoffset()
    return moment, moment + (offset.total_seconds() if offset else 0)
