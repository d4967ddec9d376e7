"""What could not be read or understood, and taking it up again."""

# Values are always bound; what is put into SQL by name are conditions of our own.
# ruff: noqa: S608

from __future__ import annotations

import json
from pathlib import Path

from indexer.catalog.database import Database
from indexer.catalog.queries import lies_in
from indexer.catalog.records import Failure, failure

# Containers of which a member could not be understood at all.
_FAILED_MEMBERS = """SELECT m.container FROM members m JOIN contents d ON d.content = m.content
    WHERE d.state = 'failed'"""


def failed(database: Database) -> list[Failure]:
    """Every file that failed, with the reason; by folder and name."""
    with database.reading() as db:
        rows = db.execute(
            """SELECT * FROM listing WHERE state = 'failed' AND id IN (
                SELECT id FROM files WHERE state = 'failed' UNION
                SELECT f.id FROM contents c JOIN files f ON f.content = c.content
                WHERE c.state = 'failed')
            ORDER BY root_path, path"""
        ).fetchall()
    return [failure(row) for row in rows]


def retry(database: Database, path: Path | None) -> int:
    """Puts back to be read or understood what failed: everything, or what lies at or below `path`;
    a file that is named, even if only some of it failed. Returns how many files that is."""
    where, bound = ("1", ()) if path is None else lies_in(database, path, itself=True)
    chosen = f"""(state = 'failed' OR (? AND state = 'understood' AND reason IS NOT NULL)
        OR content IN ({_FAILED_MEMBERS}))"""
    with database.writing() as db:
        rows = db.execute(
            f"SELECT id, content, read_generation FROM listing f WHERE {chosen} AND {where}",
            (path is not None, *bound),
        ).fetchall()
        whole = json.dumps([r["content"] for r in rows if r["content"]])
        contents = db.execute(
            """WITH whole AS (SELECT value FROM json_each(?))
            SELECT content FROM contents WHERE reason IS NOT NULL AND content IN (
                SELECT value FROM whole UNION
                SELECT content FROM members WHERE container IN whole)""",
            (whole,),
        ).fetchall()
        db.executemany(
            """UPDATE contents SET attempts = 0, reason = NULL, sentence = NULL,
                state = CASE WHEN read_generation IS NULL THEN state ELSE 'read' END,
                extractor = CASE WHEN read_generation IS NULL THEN 0 ELSE extractor END
            WHERE content = ?""",
            contents,
        )
        db.executemany(
            """UPDATE files SET state = 'pending', attempts = 0, due_at = 0, reason = NULL,
            sentence = NULL WHERE id = ?""",
            [(r["id"],) for r in rows if not r["read_generation"]],
        )
    return len(rows)
