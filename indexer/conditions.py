"""Conditions of the catalog's SQL, each with the values that are bound to it."""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from pathlib import Path

from indexer import roots
from indexer.database import Database
from indexer.passages import Kind

# A file whose content may be shown: its folder is there and it could be read when last looked at.
LIVE = "r.offline = 0 AND f.content IS NOT NULL AND f.state IN ('known', 'pending', 'reading')"
# In the listing of all files: a state, and a kind; each twice, and None for all.
LISTED = "(? IS NULL OR state = ?) AND (? IS NULL OR kind = ?)"


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
    said: list[str] = []
    bound: list[int | bytes] = []
    with database.reading() as db:
        for root in db.execute("SELECT id, path FROM roots"):
            if roots.relative(raw, root["path"]) is not None:
                said.append("f.root = ?")
                bound.append(root["id"])
        for root_id, inside in roots.locate(db, folder):
            if inside:
                said.append("(f.root = ? AND f.path >= ? AND f.path < ?)")
                bound += [root_id, *roots.below(inside)]
                if itself:
                    said.append("(f.root = ? AND f.path = ?)")
                    bound += [root_id, inside]
    return (f"({' OR '.join(said)})" if said else "0"), tuple(bound)
