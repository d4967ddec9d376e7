"""How many files there are, and how far they have come."""

# Values are always bound; what is put into SQL by name are conditions of our own.
# ruff: noqa: S608

from __future__ import annotations

import json
import sqlite3
import threading
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from indexer.catalog.conditions import LISTED_STATE, LIVE, lies_in
from indexer.catalog.storage.database import Database
from indexer.types.coverage import Coverage, Work
from indexer.types.passages import FIRST_UNDERSTOOD
from indexer.types.places import Kind
from indexer.types.states import EMPTY, ContentState, FileState

AWAY = (FileState.OFFLINE, FileState.MISSING, FileState.SKIPPED, EMPTY)
WAITING = (
    *(FileState.PENDING, FileState.READING),
    *(ContentState.READ, ContentState.UNDERSTANDING),
)
UNREAD = f"('{FileState.PENDING}', '{FileState.READING}')"
NOT_UNDERSTOOD = f"('{ContentState.READ}', '{ContentState.UNDERSTANDING}')"
GROUP = f"""kind, {LISTED_STATE} AS state, live AND read_generation IS NOT NULL AS is_read,
    live AND content_state = '{ContentState.UNDERSTOOD}' AS is_understood"""
GROUPS = f"SELECT {GROUP}, count(*) AS files FROM listing f"
# The same of what is attached to files, where it is asked for by its kind.
ATTACHED_GROUP = f"""d.kind, d.state, d.read_generation IS NOT NULL AS is_read,
    d.state = '{ContentState.UNDERSTOOD}' AS is_understood"""
ATTACHED_FROM = f"""FROM members m JOIN contents d ON d.content = m.content
    JOIN files f ON f.content = m.container JOIN roots r ON r.id = f.root WHERE {LIVE}"""
ATTACHED = f"SELECT {ATTACHED_GROUP}, count(*) AS files {ATTACHED_FROM}"

# Drafts are made in order, so the last one tells how many there are; each is large.
WAITING_WORK = f"""WITH RECURSIVE drafted(content) AS (
        SELECT min(content) FROM drafts UNION ALL
        SELECT (SELECT min(content) FROM drafts d WHERE d.content > drafted.content)
        FROM drafted WHERE drafted.content IS NOT NULL),
    waiting AS (SELECT content, kind, words FROM contents WHERE state IN {NOT_UNDERSTOOD})
    SELECT 'read' AS step, f.kind, count(*) AS count FROM files f
    JOIN roots r ON r.id = f.root AND r.offline = 0
    WHERE f.state IN {UNREAD} GROUP BY f.kind
    UNION ALL SELECT 'embed', NULL, coalesce(sum(words), 0) FROM waiting
    UNION ALL SELECT 'describe', w.kind, count(*) FROM waiting w CROSS JOIN parts p
        ON p.content = w.content GROUP BY w.kind
    UNION ALL SELECT 'embed', NULL, -1 - (SELECT max(ordinal) FROM drafts d
        WHERE d.content = w.content AND d.ordinal < {FIRST_UNDERSTOOD})
        FROM drafted CROSS JOIN waiting w ON w.content = drafted.content
    UNION ALL SELECT 'describe', w.kind, {FIRST_UNDERSTOOD} - 1 - (SELECT max(ordinal) FROM drafts d
        WHERE d.content = w.content AND d.ordinal >= {FIRST_UNDERSTOOD})
        FROM drafted CROSS JOIN waiting w ON w.content = drafted.content"""


@dataclass(frozen=True, slots=True)
class _Group:
    """What is counted together."""

    kind: str | None
    state: str
    is_read: bool
    is_understood: bool


_Counted = tuple[_Group | None, tuple[_Group, ...]]  # a file, and what is attached to it
_Tally = Counter[_Group]


class Counts:
    """Counts all files once, and after that those that have changed. Threads may share it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._version: int | None = None
        self._files: _Tally = Counter()
        self._attached: _Tally = Counter()
        self._by_file: dict[int, _Counted] | None = None  # None until something has changed
        self._seen = 0  # the last of `changed_files` that is counted

    def coverage(
        self, kinds: Collection[Kind] | None = None, folder: Path | None = None
    ) -> Coverage:
        """Files of kinds we read that are there now, and how many of them each stage covers; of
        some kinds, what is attached to files is counted with them."""
        if folder is None:
            files, attached = self._tallies()
            tally = files if kinds is None else files + attached
        else:
            tally = self._tally_in(folder, kinds)
        groups = [
            (group, count)
            for group, count in tally.items()
            if group.state not in AWAY and (kinds is None or group.kind in kinds)
        ]
        return Coverage(
            files=sum(count for _, count in groups),
            read=sum(count for group, count in groups if group.is_read),
            understood=sum(count for group, count in groups if group.is_understood),
            failed=sum(count for group, count in groups if group.state == FileState.FAILED),
        )

    def states(self) -> dict[str, int]:
        """How many files are in each state."""
        counts: dict[str, int] = {}
        for group, count in self._tallies()[0].items():
            counts[group.state] = counts.get(group.state, 0) + count
        return dict(sorted(counts.items()))

    def waiting(self) -> int:
        """How many files wait for a stage or are in one."""
        return sum(files for state, files in self.states().items() if state in WAITING)

    def waiting_work(self) -> dict[Work, int]:
        """How much is left of each kind of work: files to be read (the kind of an unread file is a
        guess), parts to be described and passages to be embedded, without what drafts hold."""
        with self._database.reading() as db:
            rows = db.execute(WAITING_WORK).fetchall()
        left: dict[Work, int] = {}
        for row in rows:
            work = row["step"], row["kind"]
            left[work] = left.get(work, 0) + (row["count"] or 0)
        return left

    def has_contents(self) -> bool:
        """Whether anything was ever read."""
        with self._database.reading() as db:
            return db.execute("SELECT 1 FROM contents LIMIT 1").fetchone() is not None

    def has_unread(self) -> bool:
        """Whether a file was never read, or lies where it cannot be seen now."""
        with self._database.reading() as db:
            row = db.execute(
                f"""SELECT EXISTS (SELECT 1 FROM files WHERE state IN {UNREAD} AND fresh)
                OR EXISTS (SELECT 1 FROM roots WHERE offline = 1) AS unread"""
            ).fetchone()
            return bool(row["unread"])

    def _tally_in(self, folder: Path, kinds: Collection[Kind] | None) -> _Tally:
        where, bound = lies_in(self._database, folder)
        with self._database.reading() as db:
            tally = _tally(db.execute(f"{GROUPS} WHERE {where} GROUP BY 1, 2, 3, 4", bound))
            if kinds is not None:
                tally += _tally(db.execute(f"{ATTACHED} AND {where} GROUP BY 1, 2, 3, 4", bound))
        return tally

    def _tallies(self) -> tuple[_Tally, _Tally]:
        """All files, and all that is attached to them."""
        with self._lock:
            version = self._database.version()
            if version != self._version:
                with self._database.reading() as db:
                    self._count(db)
                self._version = version
            return self._files, self._attached

    def _count(self, db: sqlite3.Connection) -> None:
        """What changes after `changed_files` was read is counted again next time."""
        # One by one: SQLite reads the whole table for both at once.
        (first,) = db.execute("SELECT min(id) FROM changed_files").fetchone()
        (last,) = db.execute("SELECT max(id) FROM changed_files").fetchone()
        changes = db.execute("SELECT DISTINCT file FROM changed_files WHERE id > ?", (self._seen,))
        files = [row["file"] for row in changes]
        lost = first is not None and first > self._seen + 1
        if self._version is None:  # many programs ask once
            self._files = _tally(db.execute(f"{GROUPS} GROUP BY 1, 2, 3, 4"))
            self._attached = _tally(db.execute(f"{ATTACHED} GROUP BY 1, 2, 3, 4"))
        elif self._by_file is None or lost or None in files:
            self._by_file = {}
            self._files, self._attached = Counter(), Counter()
            self._recount(db, self._by_file, None)
        else:
            self._files, self._attached = self._files.copy(), self._attached.copy()
            self._recount(db, self._by_file, files)
        self._seen = last or 0

    def _recount(
        self, db: sqlite3.Connection, by_file: dict[int, _Counted], files: list[int] | None
    ) -> None:
        """Counts these files as they are now, instead of as they were; None for all."""
        only = "" if files is None else "f.id IN (SELECT value FROM json_each(:files))"
        bound = {"files": json.dumps(files)}
        groups: dict[tuple[object, ...], _Group] = {}  # each is made once
        attached: dict[int, list[_Group]] = {}

        def group(row: sqlite3.Row) -> _Group:
            key = tuple(row)[1:]
            if key not in groups:
                groups[key] = _Group(row[1], row[2], bool(row[3]), bool(row[4]))
            return groups[key]

        sql = f"SELECT f.id, {ATTACHED_GROUP} {ATTACHED_FROM}"
        for row in db.execute(f"{sql} AND {only}" if only else sql, bound):
            attached.setdefault(row["id"], []).append(group(row))
        sql = f"SELECT id, {GROUP} FROM listing f"
        rows = db.execute(f"{sql} WHERE {only}" if only else sql, bound)
        counted: dict[int, _Counted] = {
            row["id"]: (group(row), tuple(attached.get(row["id"], ()))) for row in rows
        }
        for file in counted if files is None else files:
            for sign, (of_file, of_attached) in (
                (-1, by_file.pop(file, _NOTHING)),
                (1, counted.get(file, _NOTHING)),
            ):
                if of_file is not None:
                    self._files[of_file] += sign
                for each in of_attached:
                    self._attached[each] += sign
        by_file.update(counted)
        self._files, self._attached = +self._files, +self._attached  # without what is none now


_NOTHING: _Counted = (None, ())


def _tally(rows: Iterable[sqlite3.Row]) -> _Tally:
    return Counter(
        {_Group(row[0], row[1], bool(row[2]), bool(row[3])): row["files"] for row in rows}
    )
