"""The minutes of recordings, made from their transcripts when there is nothing else to do."""

# Values are always bound; what is put into SQL by name is a state of our own.
# ruff: noqa: S608

from __future__ import annotations

from indexer.catalog.storage.database import Database
from indexer.types.places import Kind
from indexer.types.recordings.minutes import SHORTEST_S, VERSION, Minutes
from indexer.types.states import ContentState


class MinutesBook:
    """The minutes of one library; threads may share it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, content: str, generation: str | None) -> Minutes | None:
        """The minutes of a transcript; None where they are still to be made."""
        with self._database.reading() as db:
            row = db.execute(
                "SELECT minutes FROM minutes WHERE content = ? AND generation = ? AND version = ?",
                (content, generation, VERSION),
            ).fetchone()
        return None if row is None else Minutes.from_json(row["minutes"])

    def next_item(self) -> str | None:
        """The item of the newest long recording whose transcript has no minutes yet."""
        with self._database.reading() as db:
            row = db.execute(
                f"""SELECT c.item FROM contents c
                LEFT JOIN minutes m ON m.content = c.content
                    AND m.generation = c.understood_generation AND m.version = ?
                WHERE c.kind = '{Kind.RECORDING}' AND c.state = '{ContentState.UNDERSTOOD}'
                    AND c.duration_s > ? AND c.captions > 0 AND m.content IS NULL
                ORDER BY c.newest DESC, c.content LIMIT 1""",
                (VERSION, SHORTEST_S),
            ).fetchone()
        return None if row is None else str(row["item"])

    def keep(self, content: str, generation: str, minutes: Minutes) -> None:
        """Keeps the minutes of a transcript. Nothing, where it is not the live one any more."""
        with self._database.writing() as db:
            db.execute(
                """INSERT OR REPLACE INTO minutes SELECT content, ?, ?, ? FROM contents
                WHERE content = ? AND understood_generation = ?""",
                (generation, VERSION, minutes.to_json(), content, generation),
            )
