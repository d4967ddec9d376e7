"""The files as the library lists them, with their notes; those that failed, and another try."""

# Values are always bound; what is put into SQL by name are conditions of our own.
# ruff: noqa: S608

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from indexer.catalog.conditions import LISTED, LISTED_STATE, lies_in, locate
from indexer.catalog.records import Failure, FileRow, failure, file_row
from indexer.catalog.states import content_states, file_states
from indexer.catalog.storage.database import Database
from indexer.types.notes import Note, NoteCode, Notes, notes_from_json
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
        order: Literal["name", "newest"] = "name",
    ) -> list[FileRow]:
        """One page of the files in a state, or PARTIAL, by folder and name or by when they were
        changed; `count` says how many there are."""
        by = "root_path, path" if order == "name" else "mtime_ns DESC, root_path, path"
        with self._database.reading() as db:
            rows = db.execute(
                f"""SELECT *, {LISTED_STATE} AS listed_state FROM listing WHERE {LISTED}
                ORDER BY {by} LIMIT :limit OFFSET :offset""",
                {"state": state, "kind": kind, "limit": limit, "offset": offset},
            ).fetchall()
            notes = _notes(db, [row["content"] for row in rows if row["live"]])
        return [file_row(row, notes.get(row["content"], ())) for row in rows]

    def at_path(self, path: Path) -> FileRow | None:
        """The file at an absolute path, as `page` lists it."""
        with self._database.reading() as db:
            for root, inside in locate(db, path):
                row = db.execute(
                    f"""SELECT *, {LISTED_STATE} AS listed_state FROM listing
                    WHERE root = ? AND path = ?""",
                    (root, inside),
                ).fetchone()
                if row:
                    return file_row(row, _notes(db, [row["content"]]).get(row["content"], ()))
        return None

    def notes(self, content: str) -> tuple[Note, ...]:
        """What of a content, and of what lies in it, was not read or not understood."""
        with self._database.reading() as db:
            return _notes(db, [content]).get(content, ())

    def count(self, state: str | None = None, kind: Kind | None = None) -> int:
        """How many files there are for `page`."""
        with self._database.reading() as db:
            return int(
                db.execute(
                    f"SELECT count(*) FROM listing WHERE {LISTED}", {"state": state, "kind": kind}
                ).fetchone()[0]
            )

    def failed(self) -> list[Failure]:
        """Every file that could not be read or understood, with the reason; by folder and name."""
        with self._database.reading() as db:
            rows = db.execute(
                f"""SELECT * FROM listing WHERE {LISTED_STATE} = '{FileState.FAILED}' AND id IN (
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


def _notes(db: sqlite3.Connection, contents: Iterable[str | None]) -> dict[str, tuple[Note, ...]]:
    """The notes of each of these contents, those of its attachments after its own."""
    rows = db.execute(
        """SELECT content AS whole, NULL AS name, 0 AS ordinal, state, sentence, notes
        FROM contents WHERE content IN (SELECT value FROM json_each(:contents))
            AND (notes IS NOT NULL OR reason IS NOT NULL)
        UNION ALL SELECT m.container, m.name, m.ordinal, c.state, c.sentence, c.notes
        FROM members m JOIN contents c ON c.content = m.content
        WHERE m.container IN (SELECT value FROM json_each(:contents))
            AND (c.notes IS NOT NULL OR c.reason IS NOT NULL)
        ORDER BY whole, ordinal""",
        {"contents": json.dumps([content for content in contents if content is not None])},
    )
    wholes: dict[str, Notes] = {}
    for row in rows:
        notes, name = wholes.setdefault(row["whole"], Notes()), row["name"]
        within = f"In the attachment “{name}”: " if name is not None else ""
        for note in notes_from_json(json.loads(row["notes"] or "[]")):
            notes.add(note.code, within + note.sentence)
        sentence = row["sentence"] or ""
        if row["state"] == ContentState.UNDERSTOOD and sentence:
            notes.add(NoteCode.NOT_UNDERSTOOD, within + sentence)
        elif row["state"] == ContentState.FAILED and name is not None:
            sentence = f"The attachment “{name}” was not understood. {sentence}"
            notes.add(NoteCode.NOT_UNDERSTOOD, sentence.strip())
    return {whole: notes.all() for whole, notes in wholes.items()}
