"""Conditions of the catalog's SQL, each with the values that are bound to it."""

# Values are always bound; what is put into SQL by name are conditions of our own.
# ruff: noqa: S608

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Collection
from pathlib import Path

from indexer.catalog.storage.database import Database
from indexer.files.paths import relative
from indexer.types.places import Kind
from indexer.types.states import EMPTY, ContentState, FailureReason, FileState

# A file whose content may be shown: its folder is there and it could be read when last looked at.
# (By its state alone it is not to be looked up: nearly all have the same.)
LIVE = f"""r.offline = 0 AND f.content IS NOT NULL
    AND +f.state IN ('{FileState.KNOWN}', '{FileState.PENDING}', '{FileState.READING}')"""
# Every way to some contents, as a JSON list in `:contents`: a file of its own, or one that it lies
# in, with its number and name there. By content, own files first.
PLACES = """(SELECT f.id AS file, f.root, f.path, f.size, f.mtime_ns, f.ctime_ns, f.inode, f.device,
        f.state, f.content, NULL AS container, NULL AS ordinal, NULL AS at, NULL AS name,
        NULL AS member_size
    FROM files f WHERE f.content IN (SELECT value FROM json_each(:contents))
    UNION ALL SELECT f.id, f.root, f.path, f.size, f.mtime_ns, f.ctime_ns, f.inode, f.device,
        f.state, m.content, m.container, m.ordinal, m.at, m.name, m.size
    FROM members m JOIN files f ON f.content = m.container
    WHERE m.content IN (SELECT value FROM json_each(:contents)))"""
FIRST = "f.content, f.ordinal IS NOT NULL, f.file, f.ordinal"
# Contents that were read or understood in part, and those in which one of these lies.
PARTIAL_CONTENTS = f"""WITH partial AS (SELECT content, state, reason, notes FROM contents
        WHERE notes IS NOT NULL OR reason IS NOT NULL)
    SELECT content FROM partial WHERE notes IS NOT NULL OR state = '{ContentState.UNDERSTOOD}'
    UNION SELECT m.container FROM partial p JOIN members m ON m.content = p.content
    WHERE p.notes IS NOT NULL
        OR p.state IN ('{ContentState.UNDERSTOOD}', '{ContentState.FAILED}')"""
# In the listing of all files: a `:state` and a `:kind`, None for all. PARTIAL is no state of its
# own: it chooses the files that were read in part.
PARTIAL = "partial"
# In the listing: a document that opens and has no words in it did not fail.
IS_EMPTY = f"""state = '{FileState.FAILED}' AND reason = '{FailureReason.EMPTY}'
    AND content IS NOT NULL AND kind = '{Kind.DOCUMENT}'"""
LISTED_STATE = f"CASE WHEN {IS_EMPTY} THEN '{EMPTY}' ELSE state END"
LISTED = f"""(:state IS NULL OR {LISTED_STATE} = :state
        OR (:state = '{PARTIAL}' AND live AND state != '{FileState.FAILED}'
            AND content IN ({PARTIAL_CONTENTS})))
    AND (:kind IS NULL OR kind = :kind)"""


def reached(live: str) -> str:
    """A condition on a content `c`: a file `f` in a folder `r`, of which `live` holds, leads to it,
    as its own file or as one that it lies in."""
    return f"""(EXISTS (SELECT 1 FROM files f JOIN roots r ON r.id = f.root
            WHERE f.content = c.content AND {live})
        OR EXISTS (SELECT 1 FROM members m JOIN files f ON f.content = m.container
            JOIN roots r ON r.id = f.root WHERE m.content = c.content AND {live}))"""


def within(column: str, domain: Collection[str] | None) -> tuple[str, tuple[str | None]]:
    """A condition on a column of contents, and the value of its `?1`: it is one of the `domain`, or
    lies in one. None for all contents."""
    if domain is None:
        return "?1 IS NULL", (None,)
    # a few are looked up one by one, however many there are besides
    condition = f"""{column} IN (SELECT value FROM json_each(?1) UNION
        SELECT m.content FROM members m
        WHERE m.container IN (SELECT value FROM json_each(?1)) AND m.content IS NOT NULL)"""
    return condition, (json.dumps(sorted(domain)),)


def among(kinds: Collection[Kind] | None) -> tuple[bool, str]:
    """The values of `? OR kind IN (SELECT value FROM json_each(?))`; None for all kinds."""
    return kinds is None, json.dumps([str(kind) for kind in kinds or ()])


def lies_in(
    database: Database, folder: Path | None, itself: bool = False
) -> tuple[str, tuple[int | bytes, ...]]:
    """A condition on `f` for lying below a folder (or being it), and its values."""
    if folder is None:
        return "1", ()
    raw = os.fsencode(folder.absolute())
    conditions: list[str] = []
    bound: list[int | bytes] = []
    with database.reading() as db:
        for root in db.execute("SELECT id, path FROM roots"):
            if relative(raw, root["path"]) is not None:
                conditions.append("f.root = ?")
                bound.append(root["id"])
        for root_id, inside in locate(db, folder):
            if inside:
                conditions.append("(f.root = ? AND f.path >= ? AND f.path < ?)")
                bound += [root_id, *below(inside)]
                if itself:
                    conditions.append("(f.root = ? AND f.path = ?)")
                    bound += [root_id, inside]
    return (f"({' OR '.join(conditions)})" if conditions else "0"), tuple(bound)


def locate(db: sqlite3.Connection, path: Path) -> list[tuple[int, bytes]]:
    """Where an absolute path lies: (root, path relative to it), [] outside of every root."""
    # the last name is kept: a link is not the file it leads to
    resolved = os.fsencode(path.absolute().parent.resolve() / path.name)
    places = []
    for raw in dict.fromkeys((os.fsencode(path.absolute()), resolved)):
        for row in db.execute("SELECT id, path FROM roots"):
            inside = relative(row["path"], raw)
            if inside is not None:
                places.append((int(row["id"]), inside))
    return places


def below(path: bytes) -> tuple[bytes, bytes]:
    """Bounds of what lies below a relative folder: low <= path < high, as SQLite sorts blobs."""
    return (path + b"/", path + b"0") if path else (b"", b"\xff" * 300)
