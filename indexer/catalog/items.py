"""Items: contents that a live path leads to, looked up, searched by name, and wanted next."""

# Values are always bound; what is put into SQL by name are conditions of our own.
# ruff: noqa: S608

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from indexer.catalog.conditions import FIRST, LIVE, PLACES, among, locate, reached, within
from indexer.catalog.records import Item, item_from
from indexer.catalog.storage.database import Database
from indexer.types.pieces import SoundTrack
from indexer.types.places import Kind
from indexer.types.states import ContentState


class Items:
    """What can be shown of one library. Threads may share it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, item: str) -> Item | None:
        """The item of this public name, while a live path leads to it."""
        with self._database.reading() as db:
            row = db.execute("SELECT content FROM contents WHERE item = ?", (item,)).fetchone()
        return self.of_content(row["content"]) if row else None

    def of_content(self, content: str) -> Item | None:
        return self.of_contents([content]).get(content)

    def of_contents(self, contents: Iterable[str]) -> dict[str, Item]:
        """The live items among these contents."""
        with self._database.reading() as db:
            rows = db.execute(
                f"""SELECT c.*, t.width_px AS thumb_w, t.height_px AS thumb_h, r.path AS base,
                    f.path, f.size, f.mtime_ns, f.ordinal, f.at, f.name, f.member_size,
                    k.item AS container_item, k.title AS container_title,
                    k.made_at AS container_made_at
                FROM {PLACES} f JOIN contents c ON c.content = f.content
                JOIN roots r ON r.id = f.root LEFT JOIN thumbs t ON t.content = c.content
                LEFT JOIN contents k ON k.content = f.container
                WHERE {LIVE} ORDER BY {FIRST}""",
                {"contents": json.dumps(list(contents))},
            ).fetchall()
        groups: dict[str, list[sqlite3.Row]] = {}
        for row in rows:
            groups.setdefault(row["content"], []).append(row)
        return {content: item_from(group) for content, group in groups.items()}

    def members(self, content: str) -> list[Item]:
        """What lies in a content, in the order it stands there."""
        with self._database.reading() as db:
            rows = db.execute(
                """SELECT content FROM members WHERE container = ? AND content IS NOT NULL
                GROUP BY content ORDER BY min(ordinal)""",
                (content,),
            ).fetchall()
        items = self.of_contents(row["content"] for row in rows)
        return [items[row["content"]] for row in rows if row["content"] in items]

    def are_within(self, contents: Iterable[str], domain: Collection[str]) -> bool:
        """Whether each of these contents is one of the `domain` or lies in one."""
        condition, bound = within("t.value", domain)
        with self._database.reading() as db:
            row = db.execute(
                f"SELECT 1 FROM json_each(?2) t WHERE NOT {condition} LIMIT 1",
                (*bound, json.dumps(list(contents))),
            ).fetchone()
        return row is None

    def at_path(self, path: Path) -> Item | None:
        """The item that lies at an absolute path."""
        with self._database.reading() as db:
            for root, inside in locate(db, path):
                row = db.execute(
                    "SELECT content FROM files WHERE root = ? AND path = ?", (root, inside)
                ).fetchone()
                if row and row["content"]:
                    return self.of_content(row["content"])
        return None

    def live_generations(self, generations: Iterable[str]) -> dict[str, str]:
        """generation -> content, of those that a live file stands behind right now."""
        asked = json.dumps(list(generations))
        contents: dict[str, str] = {}
        with self._database.reading() as db:
            for column in ("read_generation", "understood_generation"):
                contents |= {
                    row["generation"]: row["content"]
                    for row in db.execute(
                        f"""SELECT c.{column} AS generation, c.content FROM contents c
                        WHERE c.{column} IN (SELECT value FROM json_each(?)) AND {reached(LIVE)}""",
                        (asked,),
                    )
                }
        return contents

    def search_names(
        self, words: str, limit: int, kinds: Collection[Kind] | None = None
    ) -> list[str]:
        """Contents whose names hold any of the words, as a file or as an attachment, best first.
        A word says the more, the fewer of these names hold it, as in BM25, and
        a short name comes before a long one; only names that can be found are counted."""
        terms = [f'"{word}"' for word in dict.fromkeys(re.findall(r"\w+", words)[:64])]
        if not terms:
            return []
        with self._database.reading() as db:
            rows = db.execute(
                f"""WITH n AS MATERIALIZED (
                    SELECT t.value AS term, names.rowid AS id, length(names.name) AS chars
                    FROM json_each(?) t CROSS JOIN names WHERE names MATCH t.value),
                named AS MATERIALIZED (
                    SELECT n.term, n.id, n.chars, f.content FROM n
                    CROSS JOIN files f ON f.id = n.id JOIN roots r ON r.id = f.root WHERE {LIVE}
                    UNION ALL SELECT n.term, n.id, n.chars, m.content FROM n
                    CROSS JOIN members m ON m.id = -n.id WHERE m.content IS NOT NULL AND EXISTS (
                        SELECT 1 FROM files f JOIN roots r ON r.id = f.root
                        WHERE f.content = m.container AND {LIVE})),
                counts AS (SELECT term, count(*) + 0.5 AS count FROM named GROUP BY term),
                weights AS MATERIALIZED (
                    SELECT term, ln(1 + (sum(count) OVER () + 1 - count) / count) AS weight
                    FROM counts),
                scored AS (
                    SELECT content, round(sum(weight), 9) - chars / 1e9 AS score
                    FROM weights CROSS JOIN named USING (term) GROUP BY id)
                SELECT c.content, max(scored.score) AS score FROM scored
                JOIN contents c ON c.content = scored.content
                WHERE (? OR c.kind IN (SELECT value FROM json_each(?)))
                GROUP BY c.content ORDER BY score DESC, c.content LIMIT ?""",
                (json.dumps(terms), *among(kinds), limit),
            ).fetchall()
        return [row["content"] for row in rows]

    def thumb(self, content: str) -> bytes | None:
        """The thumbnail of a content, a WebP, if it has one."""
        with self._database.reading() as db:
            row = db.execute("SELECT webp FROM thumbs WHERE content = ?", (content,)).fetchone()
        return bytes(row["webp"]) if row else None

    def label(self, content: str, page: int) -> str | None:
        """What a page is called besides its number: a sheet, a slide, a message."""
        with self._database.reading() as db:
            row = db.execute(
                "SELECT label FROM labels WHERE content = ? AND page = ?", (content, page)
            ).fetchone()
        return str(row["label"]) if row else None

    def sound_tracks(self, content: str) -> list[SoundTrack]:
        """The sound tracks of a recording, the default one first; none where it has only one."""
        with self._database.reading() as db:
            rows = db.execute(
                "SELECT track, label FROM sound_tracks WHERE content = ? ORDER BY position",
                (content,),
            )
            return [SoundTrack(row["track"], row["label"]) for row in rows]

    def want(self, items: Mapping[str, float]) -> None:
        """Moves items to the front of what the model looks at next, the latest (unix s) first."""
        with self._database.writing_aside() as db:
            db.executemany(
                f"""UPDATE contents SET wanted_at = ?
                WHERE item = ? AND state = '{ContentState.READ}'""",
                [(at, item) for item, at in items.items()],
            )
