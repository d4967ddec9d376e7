"""What can be wrong with the catalog's file, in a sentence for a person."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from indexer.files.disk_room import DiskFailingError, DiskFullError, disk_error
from model.errors import RecollectError

DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class CatalogError(RecollectError):
    """The catalog cannot be opened or read; the sentence says why and what to do about it."""

    code, status = "catalog", 503


class CatalogDamagedError(CatalogError):
    """The file's content is damaged."""

    def __init__(self, file: Path, reason: object) -> None:
        super().__init__(
            f"The library's catalog {file} is damaged ({reason}); `recollect verify --repair` "
            "begins it anew from your files."
        )


def catalog_error(
    file: Path, problem: sqlite3.Error
) -> CatalogError | DiskFullError | DiskFailingError:
    """What a fault of SQLite means to a person: the file is damaged, the disk is at fault, or the
    catalog cannot be used at the moment."""
    # The low byte is the primary result code: https://sqlite.org/rescode.html
    if getattr(problem, "sqlite_errorcode", 0) & 0xFF in DAMAGED:
        return CatalogDamagedError(file, problem)
    return disk_error(problem) or CatalogError(
        f"The library's catalog {file} cannot be used now ({problem}); try again in a moment."
    )
