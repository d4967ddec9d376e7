"""Whether an open catalog is whole, page by page, and its indexes of names and words with it."""

from __future__ import annotations

import sqlite3

from indexer.catalog.storage.database import Database


def page_faults(database: Database) -> list[str]:
    """What SQLite says of damaged pages, indexes and references; [] when all are whole."""
    faults = []
    with database.reading() as db:
        for check in ("integrity_check(10)", "foreign_key_check"):
            for row in db.execute(f"PRAGMA {check}").fetchall():
                if str(row[0]) != "ok":
                    faults.append(str(row[0]))
    return faults


def is_name_index_whole(database: Database) -> bool:
    """Whether the full-text index of file names agrees with itself."""
    with database.reading() as db:
        try:
            db.execute("INSERT INTO names(names, rank) VALUES('integrity-check', 1)")
        except sqlite3.DatabaseError:
            return False
    return True


def is_word_index_whole(database: Database) -> bool:
    """Whether the full-text index of passages holds what the passages hold."""
    with database.reading() as db:
        try:
            db.execute(
                "INSERT INTO passage_words(passage_words, rank) VALUES('integrity-check', 1)"
            )
        except sqlite3.DatabaseError:
            return False
    return True


def count_unindexed_names(database: Database) -> int:
    """How many files and attachments are not in the index of names."""
    with database.reading() as db:
        files = db.execute(
            """SELECT count(*) FROM files f WHERE NOT EXISTS
                (SELECT 1 FROM names n WHERE n.rowid = f.id)"""
        ).fetchone()[0]
        members = db.execute(
            """SELECT count(*) FROM members m WHERE NOT EXISTS
                (SELECT 1 FROM names n WHERE n.rowid = -m.id)"""
        ).fetchone()[0]
    return int(files + members)


def rebuild_name_index(database: Database) -> None:
    """Makes the index of names anew from the files and attachments."""
    with database.writing() as db:
        db.execute("DELETE FROM names")
        db.execute(
            """INSERT INTO names(rowid, name) SELECT id, name_words(path) FROM files
            UNION ALL SELECT -id, name_words(CAST(name AS BLOB)) FROM members"""
        )
