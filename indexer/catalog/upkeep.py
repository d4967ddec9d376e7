"""Housekeeping: what an ended process left behind, what the store lost, what is forgotten."""

# Values are always bound; what is put into SQL by name are columns of this file alone.
# ruff: noqa: S608

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Collection, Iterable, Mapping, Sequence

from indexer.catalog.database import Database
from indexer.catalog.queries import reached
from indexer.types.pieces import EXTRACTOR_VERSION


class Upkeep:
    """What has to be done besides reading and understanding; by the writer of the library alone."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def recover(self) -> None:
        """Puts back what an ended process had taken; what an older extractor has read is read
        again."""
        with self._database.writing() as db:
            db.execute("UPDATE files SET state = 'pending' WHERE state = 'reading'")
            db.execute("UPDATE contents SET state = 'read' WHERE state = 'understanding'")
            old = db.execute(
                "SELECT content FROM contents WHERE extractor != ?", (EXTRACTOR_VERSION,)
            ).fetchall()
            read_again(db, [row["content"] for row in old])

    def release(self) -> None:
        """Puts back what was taken and, for want of room, not put back."""
        with self._database.writing() as db:
            db.execute("UPDATE files SET state = 'pending' WHERE state = 'reading'")

    def requeue_models(self, key: str) -> int:
        """Sends back to stage 2 what another model than `key` has understood or failed at; its
        rows stay until the new ones are there. Returns how many contents."""
        with self._database.writing() as db:
            return db.execute(
                """UPDATE contents SET state = 'read', attempts = 0
                WHERE read_generation IS NOT NULL AND state IN ('understood', 'failed')
                    AND model_key IS NOT ?""",
                (key,),
            ).rowcount

    def requeue_short(self, counts: Mapping[str, int], present: Collection[str]) -> int:
        """Does again what the store holds fewer (or more) rows of than were written: it was
        walked back by a power cut. Returns how many contents."""
        with self._database.writing() as db:
            rows = db.execute(
                """SELECT content, words, captions, vectors, read_generation,
                    understood_generation FROM contents WHERE read_generation IS NOT NULL"""
            ).fetchall()
            unread = [
                r["content"] for r in rows if counts.get(r["read_generation"], 0) != r["words"]
            ]
            lost = [
                (r["content"],)
                for r in rows
                if (generation := r["understood_generation"])
                and (
                    counts.get(generation, 0) != r["captions"]
                    or (r["vectors"] and generation not in present)
                )
            ]
            read_again(db, unread)
            db.executemany(
                "UPDATE contents SET state = 'read' WHERE content = ? AND state = 'understood'",
                lost,
            )
        return len(unread) + len(lost)

    def requeue(
        self,
        read: Collection[str],
        understood: Collection[str],
        thumbs: Collection[str] = (),
        files: Collection[str] = (),
    ) -> int:
        """Does again what is damaged: generations by stage, contents without their thumbnail,
        files by their number. Returns how many contents and files."""
        with self._database.writing() as db:
            contents = [
                row["content"]
                for row in db.execute(
                    """SELECT content FROM contents WHERE read_generation IN
                        (SELECT value FROM json_each(?1)) OR content IN
                        (SELECT value FROM json_each(?2))""",
                    (json.dumps(list(read)), json.dumps(list(thumbs))),
                )
            ]
            read_again(db, contents)
            again = "UPDATE files SET state = 'pending', attempts = 0, due_at = 0"
            db.executemany(f"{again} WHERE id = ? AND state = 'known'", [(i,) for i in files])
            lost = db.execute(
                """UPDATE contents SET state = 'read', attempts = 0
                WHERE state = 'understood' AND understood_generation IN
                    (SELECT value FROM json_each(?))""",
                (json.dumps(list(understood)),),
            ).rowcount
        return len(contents) + len(files) + lost

    def drop_orphans(self) -> int:
        """Forgets contents that no path leads to; their generations go to the trash."""
        with self._database.writing() as db:
            db.execute("DELETE FROM lost")
            for column in ("read_generation", "understood_generation"):
                db.execute(
                    f"""INSERT OR IGNORE INTO trash SELECT {column} FROM contents c
                    WHERE {column} IS NOT NULL AND NOT {reached("1")}"""
                )
            dropped = db.execute(f"DELETE FROM contents AS c WHERE NOT {reached('1')}").rowcount
            if dropped:
                note_erasing(db)
            return dropped

    def erasing(self) -> str | None:
        """Not None while something that was forgotten waits to be erased for good; changes with
        each such thing."""
        return self._database.note("erasing")

    def erased(self, erasing: str | None) -> None:
        """Nothing is left of what was forgotten, unless more was since `erasing` was asked."""
        with self._database.writing() as db:
            db.execute("DELETE FROM notes WHERE name = 'erasing' AND value = ?", (erasing,))

    def has_contents(self) -> bool:
        with self._database.reading() as db:
            return db.execute("SELECT 1 FROM contents LIMIT 1").fetchone() is not None

    def waits(self) -> bool:
        """Whether a file waits to be read, or lies where it cannot be looked at now."""
        with self._database.reading() as db:
            row = db.execute(
                """SELECT EXISTS (SELECT 1 FROM files WHERE state IN ('pending', 'reading'))
                OR EXISTS (SELECT 1 FROM roots WHERE offline = 1) AS waits"""
            ).fetchone()
            return bool(row["waits"])

    def trash(self) -> list[str]:
        """Generations to remove from the store."""
        with self._database.reading() as db:
            return [row["generation"] for row in db.execute("SELECT generation FROM trash")]

    def emptied(self, generations: Iterable[str]) -> None:
        """Strikes removed generations off the trash."""
        with self._database.writing() as db:
            db.executemany("DELETE FROM trash WHERE generation = ?", [(g,) for g in generations])

    def generations(self) -> set[str]:
        """Every generation that a content points at."""
        with self._database.reading() as db:
            rows = db.execute(
                """SELECT read_generation AS g FROM contents UNION
                SELECT understood_generation FROM contents"""
            )
            return {row["g"] for row in rows if row["g"]}

    def remaining(self) -> dict[tuple[str, str | None], int]:
        """How many files wait for each (stage, kind); the kind of an unread file is a guess."""
        with self._database.reading() as db:
            rows = db.execute(
                """SELECT 'read' AS stage, f.kind, count(*) AS n FROM files f
                JOIN roots r ON r.id = f.root AND r.offline = 0
                WHERE f.state IN ('pending', 'reading') GROUP BY f.kind
                UNION ALL SELECT 'understand', c.kind, count(*) FROM contents c
                WHERE c.state IN ('read', 'understanding') GROUP BY c.kind"""
            )
            return {(row["stage"], row["kind"]): row["n"] for row in rows}


def read_again(db: sqlite3.Connection, contents: Sequence[str]) -> None:
    """Has these contents read once more, with what they lie in."""
    asked = (json.dumps(contents),)
    whole = """SELECT value FROM json_each(?1) UNION SELECT container FROM members
        WHERE content IN (SELECT value FROM json_each(?1))"""
    db.execute(f"UPDATE contents SET extractor = 0 WHERE content IN ({whole})", asked)
    db.execute(
        f"""UPDATE files SET state = 'pending', attempts = 0, due_at = 0
        WHERE state = 'known' AND content IN ({whole})""",
        asked,
    )


def note_erasing(db: sqlite3.Connection) -> None:
    """Something was forgotten: its bytes are to leave every file."""
    db.execute("INSERT OR REPLACE INTO notes VALUES ('erasing', ?)", (repr(time.time()),))
