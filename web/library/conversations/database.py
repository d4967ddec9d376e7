"""The SQLite file of the conversations: its tables, and a connection for each use of it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from indexer.catalog.storage.errors import DAMAGED
from indexer.files.disk_room import disk_error
from web.library.errors import LibraryError

Connection = sqlite3.Connection  # as it is borrowed here

WAIT_S = 30.0
VERSION = 1

# `words` are the folded words of a turn that can be searched, a blank before and after each.
TABLES = """
CREATE TABLE conversations (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    words TEXT NOT NULL,
    began_at REAL NOT NULL,
    changed_at REAL NOT NULL
) STRICT;
CREATE TABLE turns (
    conversation TEXT NOT NULL REFERENCES conversations(id) ON DELETE CASCADE,
    n INTEGER NOT NULL,
    turn TEXT NOT NULL,
    words TEXT NOT NULL,
    PRIMARY KEY (conversation, n)
) STRICT;
"""


class ConversationDatabase:
    """Threads and processes may share the file, which is made when something is first kept. Raises
    LibraryError, DiskFullError or DiskFailingError where it cannot be used."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def exists(self) -> bool:
        return self.file.exists()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for reading, to a file that exists."""
        with self._faults_told(), closing(self._connect("ro")) as db:
            yield db

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection in a transaction: committed and synced at the end, undone on an error."""
        with self._faults_told():
            # the journal has the mode of the file: private from the first byte
            os.close(os.open(self.file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
            with closing(self._connect("rw")) as db:
                db.execute("PRAGMA foreign_keys = ON")
                db.execute("PRAGMA secure_delete = ON")  # what a person deletes leaves the file
                db.execute("BEGIN IMMEDIATE")
                if db.execute("PRAGMA user_version").fetchone()[0] == 0:
                    for statement in TABLES.split(";"):
                        db.execute(statement)
                    db.execute(f"PRAGMA user_version = {VERSION}")
                yield db
                db.execute("COMMIT")

    def rewrite(self) -> None:
        """Writes the file anew, without a byte of what was deleted."""
        with self._faults_told(), closing(self._connect("rw")) as db:
            db.execute("VACUUM")

    def _connect(self, mode: str) -> Connection:
        db = sqlite3.connect(
            f"{self.file.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=WAIT_S,
            isolation_level=None,
        )
        db.row_factory = sqlite3.Row
        return db

    @contextmanager
    def _faults_told(self) -> Iterator[None]:
        """Makes of the faults of SQLite and of the system what they mean to a person."""
        try:
            yield
        except (sqlite3.Error, OSError) as problem:
            if isinstance(problem, sqlite3.ProgrammingError | sqlite3.IntegrityError):
                raise  # a fault of the program
            if known := disk_error(problem):
                raise known from problem
            # The low byte is the primary result code: https://sqlite.org/rescode.html
            if getattr(problem, "sqlite_errorcode", 0) & 0xFF in DAMAGED:
                sentence = f"{self.file} is damaged; move it away, and a new one is begun."
            else:
                sentence = f"{self.file} cannot be used ({problem}); check that it can be written."
            raise LibraryError("conversations", f"The file of conversations {sentence}", 503) from (
                problem
            )
