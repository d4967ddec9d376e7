"""How many files there are, and how far they have come."""

# Values are always bound; what is put into SQL by name are conditions of our own.
# ruff: noqa: S608

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from pathlib import Path

from indexer.catalog.conditions import LIVE, among, lies_in
from indexer.catalog.storage.database import Database
from indexer.types.coverage import Coverage, Work
from indexer.types.passages import FIRST_UNDERSTOOD
from indexer.types.places import Kind
from indexer.types.states import ContentState, FileState

AWAY = (FileState.OFFLINE, FileState.MISSING, FileState.SKIPPED)
WAITING = (
    *(FileState.PENDING, FileState.READING),
    *(ContentState.READ, ContentState.UNDERSTANDING),
)
UNREAD = f"('{FileState.PENDING}', '{FileState.READING}')"
NOT_UNDERSTOOD = f"('{ContentState.READ}', '{ContentState.UNDERSTANDING}')"
GROUPS = f"""SELECT kind, state, live AND read_generation IS NOT NULL AS is_read,
    live AND content_state = '{ContentState.UNDERSTOOD}' AS is_understood,
    count(*) AS files FROM listing f"""
# The same of what is attached to files, where it is asked for by its kind.
ATTACHED = f"""SELECT d.kind, d.state, d.read_generation IS NOT NULL AS is_read,
    d.state = '{ContentState.UNDERSTOOD}' AS is_understood, count(*) AS files
    FROM members m JOIN contents d ON d.content = m.content
    JOIN files f ON f.content = m.container JOIN roots r ON r.id = f.root WHERE {LIVE}"""

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
            groups = [group for group in groups if kinds is None or group["kind"] in kinds]
        else:
            where, bound = lies_in(self._database, folder)
            is_of_kind = "kind IN (SELECT value FROM json_each(?))"
            with self._database.reading() as db:
                groups = db.execute(
                    f"{GROUPS} WHERE (? OR {is_of_kind}) AND {where} GROUP BY 1, 2, 3, 4",
                    (*among(kinds), *bound),
                ).fetchall()
                if kinds is not None:
                    groups += db.execute(
                        f"{ATTACHED} AND d.{is_of_kind} AND {where} GROUP BY 1, 2, 3, 4",
                        (among(kinds)[1], *bound),
                    ).fetchall()
        groups = [group for group in groups if group["state"] not in AWAY]
        return Coverage(
            files=sum(group["files"] for group in groups),
            read=sum(group["files"] for group in groups if group["is_read"]),
            understood=sum(group["files"] for group in groups if group["is_understood"]),
            failed=sum(group["files"] for group in groups if group["state"] == FileState.FAILED),
        )

    def states(self) -> dict[str, int]:
        """How many files are in each state."""
        counts: dict[str, int] = {}
        for group in self._groups()[0]:
            counts[group["state"]] = counts.get(group["state"], 0) + group["files"]
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
