"""What people say of a recording: what is heard where the transcript is wrong, and who speaks."""

from __future__ import annotations

from indexer.catalog.states.content_states import redo_understanding
from indexer.catalog.storage.database import Database
from indexer.types.places import Span
from indexer.types.recordings.transcripts import Correction


class Corrections:
    """Kept with the content, so that a rename, another model or another reading keeps them.
    Threads may share it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, content: str) -> list[Correction]:
        """The corrections of one recording, in order."""
        with self._database.reading() as db:
            rows = db.execute(
                "SELECT * FROM corrections WHERE content = ? ORDER BY track, start_s", (content,)
            ).fetchall()
        return [
            Correction(Span(row["start_s"], row["end_s"], row["track"] or None), row["text"])
            for row in rows
        ]

    def keep(self, content: str, correction: Correction) -> None:
        """Keeps a correction in place of any that it stands for, and has the recording understood
        again with it. Nothing, where the content has gone."""
        span = correction.span
        with self._database.writing() as db:
            db.execute(
                """DELETE FROM corrections WHERE content = ? AND track = ?
                AND (start_s + end_s) / 2 BETWEEN ? AND ?""",
                (content, span.track or 0, span.start_s, span.end_s),
            )
            db.execute(
                """INSERT OR REPLACE INTO corrections SELECT content, ?, ?, ?, ? FROM contents
                WHERE content = ?""",
                (span.track or 0, span.start_s, span.end_s, correction.text, content),
            )
            redo_understanding(db, [content])

    def speaker_names(self, content: str) -> list[tuple[float, str]]:
        """What a person calls whoever speaks at a second of a recording: (second, name)."""
        with self._database.reading() as db:
            rows = db.execute(
                "SELECT at_s, name FROM speakers WHERE content = ? ORDER BY at_s", (content,)
            ).fetchall()
        return [(row["at_s"], row["name"]) for row in rows]

    def name_speaker(
        self, content: str, seconds: tuple[tuple[float, float], ...], name: str
    ) -> None:
        """Calls the speaker of these spans so, in place of an earlier name; an empty one takes it
        away. Nothing, where the content has gone."""
        with self._database.writing() as db:
            db.executemany(
                "DELETE FROM speakers WHERE content = ? AND at_s BETWEEN ? AND ?",
                [(content, start_s, end_s) for start_s, end_s in seconds],
            )
            if name and seconds:
                start_s, end_s = max(seconds, key=lambda span: span[1] - span[0])
                db.execute(
                    """INSERT OR REPLACE INTO speakers SELECT content, ?, ? FROM contents
                    WHERE content = ?""",
                    ((start_s + end_s) / 2, name, content),
                )
