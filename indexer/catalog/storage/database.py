"""One SQLite file: connections for many threads, one writer at a time, every commit on the disk."""

from __future__ import annotations

import math
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from indexer.catalog.storage.errors import CatalogDamagedError, CatalogError, catalog_error
from indexer.catalog.storage.hidden_contents import settle_hidden
from indexer.catalog.storage.schema import is_current, migrate
from indexer.catalog.storage.sql_functions import (
    extension,
    folded_words,
    lies_in_one_of,
    name_words,
    path_mark,
)
from indexer.files.lock import FORBIDDEN
from indexer.types.formats import kind_by_name

Connection = sqlite3.Connection  # as it is borrowed here

WAIT_S = 30.0
JOURNAL_BYTES = 1 << 20  # left of the journal when it has been written back
CHECKPOINTS = 3  # tries, each of which waits that long for readers


class Database:
    """Lends connections: as many readers as ask, each seeing the last commit, and one writer.

    Connections are kept for the next borrower, so threads that come and go (a web server's) leave
    none behind. Raises CatalogError when the file is not ours or cannot be opened. Whoever borrows
    a connection is given CatalogDamagedError, DiskFullError or DiskFailingError for the faults of
    SQLite that come from these."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._idle: list[sqlite3.Connection] = []
        self._idle_lock = threading.Lock()
        self._writer = threading.Lock()
        self._closed = False
        self._aside = (-1, -1)  # a version that is to be taken for an earlier one
        self.read_only = False
        try:
            self.read_only = not _made_private(file)
            with self._borrowed() as db:
                if not self.read_only:
                    migrate(db)
                elif not is_current(db):
                    raise CatalogError(
                        f"The library's catalog {file} was written by an older Recollect and "
                        "cannot be brought up to date, because it may not be written."
                    )
            self._observer = self._connect()  # never writes, so that it sees every commit
        except (OSError, sqlite3.OperationalError) as problem:
            raise CatalogError(
                f"The library's catalog {file} cannot be opened ({problem}); check that its folder "
                "exists, belongs to you and can be written."
            ) from problem
        except sqlite3.DatabaseError as problem:
            raise CatalogDamagedError(file, problem) from problem

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for reading; every statement sees the last commit."""
        with self._lent() as db:
            yield db

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A connection in a transaction: committed and synced at the end, undone on an error."""
        with self._lent() as db, self.transaction(db):
            yield db

    @contextmanager
    def writing_aside(self) -> Iterator[sqlite3.Connection]:
        """The same, for what changes nothing that is counted: `version` stays as it was."""
        with self._lent() as db, self._writer:  # nobody else commits between the two versions
            before = self.version()
            with self._committing(db):
                yield db
            self._aside = (self._data_version(), before)

    @contextmanager
    def transaction(self, db: sqlite3.Connection) -> Iterator[None]:
        """Makes a borrowed connection the writer for a while; its temporary tables stay."""
        with self._writer, self._committing(db):
            yield

    @contextmanager
    def _committing(self, db: sqlite3.Connection) -> Iterator[None]:
        db.execute("BEGIN IMMEDIATE")
        try:
            yield
            settle_hidden(db)
        except BaseException:
            if db.in_transaction:  # SQLite undoes it by itself when the disk fails
                db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")

    def version(self) -> int:
        """A number that changes with every commit, of this process or another, except those of
        `writing_aside`."""
        version, (aside, before) = self._data_version(), self._aside
        return before if version == aside else version

    def _data_version(self) -> int:
        with self._idle_lock, self._faults_told():
            return int(self._observer.execute("PRAGMA data_version").fetchone()[0])

    def note(self, name: str) -> str | None:
        """What the library remembers of itself under this name."""
        with self._lent() as db:
            row = db.execute("SELECT value FROM notes WHERE name = ?", (name,)).fetchone()
        return row["value"] if row else None

    def keep_note(self, name: str, value: str | None) -> None:
        """Remembers a value under this name; None forgets it."""
        with self.writing() as db:
            db.execute("DELETE FROM notes WHERE name = ?", (name,))
            if value is not None:
                db.execute("INSERT INTO notes VALUES (?, ?)", (name, value))

    def rewrite(self) -> None:
        """Writes the file anew, without a byte of what was deleted, and empties its journal."""
        with self._lent() as db, self._writer:
            db.execute("INSERT INTO names(names) VALUES ('rebuild')")
            db.execute("INSERT INTO passage_words(passage_words) VALUES ('rebuild')")
            db.execute("VACUUM")
            for _ in range(CHECKPOINTS):
                busy = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
                if not busy:
                    return
        raise sqlite3.OperationalError("the catalog is being read without an end")

    def close(self) -> None:
        """Closes what is idle now and what is lent when it comes back; idempotent."""
        with self._idle_lock:
            self._closed = True
            idle, self._idle = [*self._idle, self._observer], []
        for db in idle:
            db.close()

    @contextmanager
    def _lent(self) -> Iterator[sqlite3.Connection]:
        with self._faults_told(), self._borrowed() as db:
            yield db

    @contextmanager
    def _faults_told(self) -> Iterator[None]:
        """Makes of the faults of SQLite what they mean to a person."""
        try:
            yield
        except sqlite3.Error as problem:
            if isinstance(problem, sqlite3.ProgrammingError | sqlite3.IntegrityError):
                raise  # a fault of the program
            raise catalog_error(self.file, problem) from problem

    @contextmanager
    def _borrowed(self) -> Iterator[sqlite3.Connection]:
        with self._idle_lock:
            db = self._idle.pop() if self._idle else None
        db = db or self._connect()
        try:
            yield db
        except BaseException:
            if db.in_transaction:
                db.rollback()
            raise
        finally:
            with self._idle_lock:
                closed = self._closed
                if not closed:
                    self._idle.append(db)
            if closed:
                db.close()

    def _connect(self) -> sqlite3.Connection:
        where = self.file.absolute().as_uri()
        if self.read_only:
            # without a journal nobody is writing, and SQLite need not make its own files
            wal = self.file.with_name(f"{self.file.name}-wal")
            where += "?mode=ro" + ("" if wal.exists() and wal.stat().st_size else "&immutable=1")
        db = sqlite3.connect(
            where, timeout=WAIT_S, isolation_level=None, check_same_thread=False, uri=True
        )
        try:
            db.row_factory = sqlite3.Row
            db.create_function("name_words", 1, name_words, deterministic=True)
            db.create_function("extension", 1, extension, deterministic=True)
            db.create_function("lies_in_one_of", 3, lies_in_one_of, deterministic=True)
            db.create_function("folded_words", 1, folded_words, deterministic=True)
            db.create_function("path_mark", 3, path_mark, deterministic=True)
            db.create_function("guess_kind", 1, kind_by_name, deterministic=True)
            db.create_function("ln", 1, math.log, deterministic=True)  # not in every SQLite
            if not self.read_only:
                db.execute("PRAGMA journal_mode = WAL")
                db.execute("PRAGMA synchronous = FULL")
                db.execute(f"PRAGMA journal_size_limit = {JOURNAL_BYTES}")
                db.execute("PRAGMA foreign_keys = ON")
                db.execute("PRAGMA secure_delete = ON")  # what a person deletes leaves the file
        except BaseException:
            db.close()
            raise
        return db


def _made_private(file: Path) -> bool:
    """Makes the catalog's file where there is none; false where one is there and may only be
    read."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # SQLite gives its journal files the mode of the main file: private from the first byte
        os.close(os.open(file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except OSError as problem:
        if problem.errno in FORBIDDEN and os.access(file, os.R_OK):
            return False
        raise
    return os.access(file.parent, os.W_OK)
