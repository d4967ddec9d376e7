"""A catalog that is lost or damaged: set aside, begun anew, and filled again from the files.

What a person chose (the folders, and what is to stay forgotten) is also kept in a small file of its
own. The rest is read again from the person's files; what the model has made of them lies in the
store by their content's hash and is taken over (`adoption`), so the model is asked for nothing.
"""

from __future__ import annotations

import base64
import json
import os
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

from indexer.catalog.catalog import Catalog
from indexer.catalog.database import Database
from indexer.catalog.errors import CatalogError
from indexer.files.quarantine import put_aside

CHOSEN = "chosen.json"
# A larger catalog is not read through at every start; `recollect verify` does that.
CHECKED_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a person chose, and no file tells: roots as raw paths."""

    roots: list[bytes] = field(default_factory=list)
    key: str | None = None
    forgotten: list[str] = field(default_factory=list)


def open_catalog(file: Path) -> Catalog:
    """The catalog, begun anew where it is lost or damaged; for the holder of the library's lock.
    Raises CatalogError when it cannot be opened for another reason."""
    if not file.exists():
        return _begun(file, _kept(file.parent))
    if _is_damaged(file):
        chosen = _salvaged(file) or _kept(file.parent)
        for name in (file.name, f"{file.name}-wal", f"{file.name}-shm"):
            if (part := file.with_name(name)).exists():
                put_aside(part, file.parent)
        return _begun(file, chosen)
    return Catalog(file)


def keep_chosen(database: Database) -> None:
    """Writes down what a person chose, if that has changed."""
    with database.reading() as db:
        chosen = _chosen(db)
    said = {
        "roots": [base64.b64encode(root).decode() for root in chosen.roots],
        "key": chosen.key,
        "forgotten": chosen.forgotten,
    }
    file = database.file.parent / CHOSEN
    written = json.dumps(said, indent=1)
    try:
        if file.read_text(encoding="ascii") == written:
            return
    except (OSError, ValueError):
        pass
    fresh = file.with_suffix(".new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(handle, "w", encoding="ascii") as opened:
        opened.write(written)
        opened.flush()
        os.fsync(opened.fileno())
    fresh.replace(file)


def _is_damaged(file: Path) -> bool:
    if file.stat().st_size > CHECKED_BYTES:
        return False
    try:
        db = sqlite3.connect(file)
        try:
            said = db.execute("PRAGMA quick_check(1)").fetchone()
            return said is None or said[0] != "ok"
        finally:
            db.close()
    except sqlite3.OperationalError:
        return False  # it cannot be opened: Catalog says why
    except sqlite3.DatabaseError:
        return True


def _begun(file: Path, chosen: Chosen) -> Catalog:
    catalog = Catalog(file)
    with catalog.database.writing() as db:
        for root in chosen.roots:
            db.execute("INSERT OR IGNORE INTO roots(path) VALUES (?)", (root,))
        if chosen.key is not None:
            db.execute("INSERT OR IGNORE INTO notes VALUES ('key', ?)", (chosen.key,))
        db.executemany(
            "INSERT OR IGNORE INTO forgotten VALUES (?)", [(mark,) for mark in chosen.forgotten]
        )
    return catalog


def _salvaged(file: Path) -> Chosen | None:
    """What can still be read of a damaged catalog."""
    try:
        db = sqlite3.connect(file)
        try:
            db.row_factory = sqlite3.Row
            return _chosen(db)
        finally:
            db.close()
    except (sqlite3.Error, CatalogError):
        return None


def _chosen(db: sqlite3.Connection) -> Chosen:
    key = db.execute("SELECT value FROM notes WHERE name = 'key'").fetchone()
    return Chosen(
        [bytes(row["path"]) for row in db.execute("SELECT path FROM roots ORDER BY id")],
        key["value"] if key else None,
        [row["mark"] for row in db.execute("SELECT mark FROM forgotten ORDER BY mark")],
    )


def _kept(data: Path) -> Chosen:
    try:
        said = json.loads((data / CHOSEN).read_text(encoding="ascii"))
        return Chosen(
            [base64.b64decode(root) for root in said["roots"]],
            said["key"],
            [str(mark) for mark in said["forgotten"]],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return Chosen()
