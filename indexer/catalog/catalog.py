"""The catalog: which files there are, what they are, and how far each has been understood.

It is the truth; the tables of the store are derived from it. Identity is the hash of a file's
bytes (`content`), which a rename does not change; `item` is its public, opaque name. Threads may
share one Catalog.
"""

# Values are always bound; what is put into SQL by name are conditions of our own.
# ruff: noqa: S608

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from indexer.catalog import failures, roots
from indexer.catalog.counts import Counts
from indexer.catalog.database import Database
from indexer.catalog.errors import CatalogError
from indexer.catalog.queries import FIRST, LISTED, LIVE, PLACES, among, lies_in, reached
from indexer.catalog.records import Failure, FileRow, Item, file_row, item_from, item_of
from indexer.catalog.roots import FolderError, Root
from indexer.types.coverage import Coverage
from indexer.types.places import Kind

__all__ = ["Catalog", "CatalogError", "Failure", "FileRow", "FolderError", "Item"]
__all__ += ["Root", "item_of"]


class Catalog:
    """Raises CatalogError when the file cannot be opened."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.database = Database(file)
        self._counts = Counts(self.database)

    def close(self) -> None:
        self.database.close()

    # -- folders -------------------------------------------------------------------------------

    def roots(self) -> list[Root]:
        """The watched folders, oldest first."""
        with self.database.reading() as db:
            return roots.all_roots(db)

    def add_root(self, path: Path) -> Root:
        """Watches a folder; the root that covers it comes back. Raises FolderError."""
        return roots.add_root(self.database, path)

    def remove_root(self, path: Path) -> int:
        """Forgets a folder; returns how many files went with it. Raises FolderError."""
        return roots.remove_root(self.database, path)

    def accept(self, path: Path | None) -> int:
        """Takes a person's word that what is missing in a folder (None: in all) is gone; returns
        how many files the next look forgets. Raises FolderError."""
        return roots.accept(self.database, path)

    # -- items ---------------------------------------------------------------------------------

    def item(self, item: str) -> Item | None:
        """The item of this public name, while a live path leads to it."""
        with self.database.reading() as db:
            row = db.execute("SELECT content FROM contents WHERE item = ?", (item,)).fetchone()
        return self.item_of_content(row["content"]) if row else None

    def item_of_content(self, content: str) -> Item | None:
        return self.items_of_contents([content]).get(content)

    def items_of_contents(self, contents: Iterable[str]) -> dict[str, Item]:
        """The live items among these contents."""
        with self.database.reading() as db:
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
        found: dict[str, list[sqlite3.Row]] = {}
        for row in rows:
            found.setdefault(row["content"], []).append(row)
        return {content: item_from(group) for content, group in found.items()}

    def members(self, content: str) -> list[Item]:
        """What lies in a content, in the order it stands there."""
        with self.database.reading() as db:
            rows = db.execute(
                """SELECT content FROM members WHERE container = ? AND content IS NOT NULL
                GROUP BY content ORDER BY min(ordinal)""",
                (content,),
            ).fetchall()
        items = self.items_of_contents(row["content"] for row in rows)
        return [items[row["content"]] for row in rows if row["content"] in items]

    def item_of_path(self, path: Path) -> Item | None:
        """The item that lies at an absolute path."""
        with self.database.reading() as db:
            for root, inside in roots.locate(db, path):
                row = db.execute(
                    "SELECT content FROM files WHERE root = ? AND path = ?", (root, inside)
                ).fetchone()
                if row and row["content"]:
                    return self.item_of_content(row["content"])
        return None

    def live_generations(self, generations: Iterable[str]) -> dict[str, str]:
        """generation -> content, of those that a live file stands behind right now."""
        asked = json.dumps(list(generations))
        found: dict[str, str] = {}
        with self.database.reading() as db:
            for column in ("read_generation", "understood_generation"):
                found |= {
                    row["generation"]: row["content"]
                    for row in db.execute(
                        f"""SELECT c.{column} AS generation, c.content FROM contents c
                        WHERE c.{column} IN (SELECT value FROM json_each(?)) AND {reached(LIVE)}""",
                        (asked,),
                    )
                }
        return found

    def search_names(
        self, words: str, limit: int, kinds: Collection[Kind] | None = None
    ) -> list[tuple[str, float]]:
        """Contents whose names hold any of the words, as a file or as an attachment, best first
        (BM25, higher is better)."""
        terms = " OR ".join(f'"{word}"' for word in re.findall(r"\w+", words)[:64])
        if not terms:
            return []
        with self.database.reading() as db:
            rows = db.execute(
                f"""WITH n AS MATERIALIZED (
                    SELECT rowid AS id, -bm25(names) AS score FROM names WHERE names MATCH ?),
                named AS (
                    SELECT n.score, f.content FROM n CROSS JOIN files f ON f.id = n.id
                    JOIN roots r ON r.id = f.root WHERE {LIVE}
                    UNION ALL SELECT n.score, m.content FROM n
                    CROSS JOIN members m ON m.id = -n.id CROSS JOIN files f
                        ON f.content = m.container
                    JOIN roots r ON r.id = f.root WHERE {LIVE})
                SELECT c.content, max(named.score) AS score FROM named
                JOIN contents c ON c.content = named.content
                WHERE (? OR c.kind IN (SELECT value FROM json_each(?)))
                GROUP BY c.content ORDER BY score DESC, c.content LIMIT ?""",
                (terms, *among(kinds), limit),
            ).fetchall()
        return [(row["content"], row["score"]) for row in rows]

    def contents_in(
        self,
        folder: Path | None = None,
        after: float | None = None,
        before: float | None = None,
        kinds: Collection[Kind] | None = None,
    ) -> set[str] | None:
        """Live contents in a folder, made (or else sent along, or modified) in after <= time <
        before, of these kinds. None when nothing was asked for: every content will do."""
        if folder is None and after is None and before is None and kinds is None:
            return None
        where, bound = lies_in(self.database, folder)
        with self.database.reading() as db:
            rows = db.execute(
                f"""WITH found AS (
                    SELECT c.content, c.kind, coalesce(c.made_at, f.mtime_ns / 1e9) AS at
                    FROM files f JOIN roots r ON r.id = f.root
                    JOIN contents c ON c.content = f.content WHERE {LIVE} AND {where}
                    UNION ALL
                    SELECT c.content, c.kind, coalesce(c.made_at, k.made_at, f.mtime_ns / 1e9)
                    FROM members m JOIN files f ON f.content = m.container
                    JOIN roots r ON r.id = f.root JOIN contents k ON k.content = m.container
                    JOIN contents c ON c.content = m.content WHERE {LIVE} AND {where})
                SELECT DISTINCT content FROM found
                WHERE (? OR kind IN (SELECT value FROM json_each(?)))
                AND at >= coalesce(?, -9e99) AND at < coalesce(?, 9e99)""",
                (*bound, *bound, *among(kinds), after, before),
            )
            return {row["content"] for row in rows}

    def thumb(self, content: str) -> bytes | None:
        """The thumbnail of a content, a WebP, if it has one."""
        with self.database.reading() as db:
            row = db.execute("SELECT webp FROM thumbs WHERE content = ?", (content,)).fetchone()
        return bytes(row["webp"]) if row else None

    def label(self, content: str, page: int) -> str | None:
        """What a page is called besides its number: a sheet, a slide, a message."""
        with self.database.reading() as db:
            row = db.execute(
                "SELECT label FROM labels WHERE content = ? AND page = ?", (content, page)
            ).fetchone()
        return str(row["label"]) if row else None

    def want(self, items: Mapping[str, float]) -> None:
        """Moves items to the front of what the model looks at next, the latest (unix s) first."""
        with self.database.writing() as db:
            db.executemany(
                "UPDATE contents SET wanted_at = ? WHERE item = ? AND state = 'read'",
                [(at, item) for item, at in items.items()],
            )

    # -- how far everything is -----------------------------------------------------------------

    def coverage(
        self, kinds: Collection[Kind] | None = None, folder: Path | None = None
    ) -> Coverage:
        """Files of kinds we read that are there now, and how many of them each stage covers."""
        return self._counts.coverage(kinds, folder)

    def states(self) -> dict[str, int]:
        """How many files are in each state."""
        return self._counts.states()

    def queue(self) -> int:
        """How many files wait for a stage or are in one."""
        return self._counts.queue()

    def failed(self) -> list[Failure]:
        """Every file that could not be read or understood, with the reason."""
        return failures.failed(self.database)

    def retry(self, path: Path | None = None) -> int:
        """Takes up again what failed: everything, or what lies at or below `path`. Returns how
        many files that is. A named file is taken up even if only some of it failed."""
        return failures.retry(self.database, path)

    def files(
        self,
        state: str | None = None,
        kind: Kind | None = None,
        offset: int = 0,
        limit: int = 100,
    ) -> list[FileRow]:
        """One page of the files, by folder and name; `file_count` says how many there are."""
        with self.database.reading() as db:
            rows = db.execute(
                f"SELECT * FROM listing WHERE {LISTED} ORDER BY root_path, path LIMIT ? OFFSET ?",
                (state, state, kind, kind, limit, offset),
            ).fetchall()
        return [file_row(row) for row in rows]

    def file_at(self, path: Path) -> FileRow | None:
        """The file at an absolute path, as `files` lists it."""
        with self.database.reading() as db:
            for root, inside in roots.locate(db, path):
                row = db.execute(
                    "SELECT * FROM listing WHERE root = ? AND path = ?", (root, inside)
                ).fetchone()
                if row:
                    return file_row(row)
        return None

    def file_count(self, state: str | None = None, kind: Kind | None = None) -> int:
        """How many files `files` goes through."""
        with self.database.reading() as db:
            return int(
                db.execute(
                    f"SELECT count(*) FROM listing WHERE {LISTED}", (state, state, kind, kind)
                ).fetchone()[0]
            )
