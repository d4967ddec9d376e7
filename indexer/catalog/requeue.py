"""What has to be read or understood once more: after a kill, a power cut, damage, a new model."""

# Values are always bound; what is put into SQL by name are states and conditions of our own.
# ruff: noqa: S608

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from sqlite3 import Connection

from indexer.catalog.states import content_states, file_states
from indexer.catalog.storage.database import Database
from indexer.types.pieces import EXTRACTOR_VERSION
from indexer.types.states import ContentState, FileState


class Requeue:
    """Puts files and contents back into the queue; by the writer of the library alone."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def recover(self) -> None:
        """Puts back what an ended process had claimed; what an older extractor has read is read
        again."""
        with self._database.writing() as db:
            file_states.release_all_files(db)
            content_states.release_all_contents(db)
            rows = db.execute(
                "SELECT content FROM contents WHERE extractor != ?", (EXTRACTOR_VERSION,)
            ).fetchall()
            reread_contents(db, [row["content"] for row in rows])

    def release_files(self) -> None:
        """Puts back the files that were claimed and, for want of room, not put back."""
        with self._database.writing() as db:
            file_states.release_all_files(db)

    def other_models(self, key: str, domain: Collection[str] | None = None) -> int:
        """Sends back to stage 2 what another model than `key` has understood or failed at; its
        rows stay until the new ones are there. Where the model is for a `domain` alone, the rest
        stays as others have understood it. Returns how many contents."""
        with self._database.writing() as db:
            return content_states.redo_other_models(db, key, domain)

    def outside(self, key: str, domain: Collection[str]) -> int:
        """Drops what the model `key` has understood of contents that are not of its `domain`;
        returns of how many."""
        with self._database.writing() as db:
            return content_states.drop_understanding(db, key, domain)

    def lost_rows(self, counts: Mapping[str, int], present: Collection[str]) -> int:
        """Does again what the store holds fewer (or more) rows of than were written, as a power
        cut may leave it: `counts` are its passages and `present` those with vectors, by
        generation. Returns how many contents."""
        with self._database.writing() as db:
            rows = db.execute(
                """SELECT content, words, captions, vectors, read_generation,
                    understood_generation FROM contents WHERE read_generation IS NOT NULL"""
            ).fetchall()
            unread = [
                row["content"]
                for row in rows
                if counts.get(row["read_generation"], 0) != row["words"]
            ]
            lost = [
                row["content"]
                for row in rows
                if (generation := row["understood_generation"])
                and (
                    counts.get(generation, 0) != row["captions"]
                    or (row["vectors"] and generation not in present)
                )
            ]
            reread_contents(db, unread)
            content_states.redo_understanding(db, lost)
        return len(unread) + len(lost)

    def damaged(
        self,
        read: Collection[str],
        understood: Collection[str],
        thumbs: Collection[str] = (),
        files: Collection[str] = (),
    ) -> int:
        """Does again what is damaged: generations by stage, contents without their thumbnail,
        files by their number. Returns how many contents and files."""
        with self._database.writing() as db:
            unread = db.execute(
                """SELECT content FROM contents WHERE read_generation IN
                    (SELECT value FROM json_each(?1)) OR content IN
                    (SELECT value FROM json_each(?2))""",
                (json.dumps(list(read)), json.dumps(list(thumbs))),
            ).fetchall()
            reread_contents(db, [row["content"] for row in unread])
            file_states.reread_files(db, map(int, files))
            lost = db.execute(
                f"""SELECT content FROM contents WHERE state = '{ContentState.UNDERSTOOD}'
                AND understood_generation IN (SELECT value FROM json_each(?))""",
                (json.dumps(list(understood)),),
            ).fetchall()
            redone = content_states.redo_understanding(db, [row["content"] for row in lost])
        return len(unread) + len(files) + redone


def reread_contents(db: Connection, contents: Sequence[str]) -> None:
    """Has these contents read once more, with what they lie in."""
    asked = (json.dumps(contents),)
    whole = """SELECT value FROM json_each(?1) UNION SELECT container FROM members
        WHERE content IN (SELECT value FROM json_each(?1))"""
    db.execute(f"UPDATE contents SET extractor = 0 WHERE content IN ({whole})", asked)
    files = db.execute(
        f"SELECT id FROM files WHERE state = '{FileState.KNOWN}' AND content IN ({whole})", asked
    ).fetchall()
    file_states.reread_files(db, [row["id"] for row in files])
