"""The vocabulary: every token of the passages, hidden ones too, and what was dropped since the
last tidying up."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from sqlite3 import Connection

from indexer.types.text.tokens import tokens

MIN_LONG_CHARS = 8  # of a word that may be made of others
_END = "\U0010ffff"


def add_terms(db: Connection, terms: Iterable[str]) -> None:
    """Adds tokens, in the caller's transaction: in order, and in one statement for all, which
    together take half of the time."""
    db.execute(
        "INSERT OR IGNORE INTO vocabulary(term) SELECT value FROM json_each(?)",
        (json.dumps(sorted(terms)),),
    )


def clear_terms(db: Connection) -> None:
    """Drops all tokens, in the caller's transaction."""
    db.execute("DELETE FROM vocabulary")


def drop_unused_terms(db: Connection) -> None:
    """Drops the tokens that no passage holds any more, in the caller's transaction; hidden ones may
    be found again."""
    clear_terms(db)
    db.execute("INSERT INTO vocabulary(term) SELECT term FROM passage_terms")
    hidden = db.execute(
        "SELECT text, joined FROM passages WHERE content IN (SELECT content FROM hidden)"
    )
    add_terms(db, {term for text, joined in hidden for term in (*tokens(text), *joined.split())})


def known_terms(db: Connection, terms: Iterable[str]) -> list[str]:
    """Those of the tokens that can be found."""
    rows = db.execute(
        "SELECT term FROM vocabulary WHERE term IN (SELECT value FROM json_each(?))",
        (json.dumps(list(terms)),),
    ).fetchall()
    return [row["term"] for row in rows if is_held(db, row["term"])]


def is_held(db: Connection, term: str) -> bool:
    """Whether a passage that can be found holds the token."""
    query = "SELECT 1 FROM passage_words WHERE passage_words MATCH ? LIMIT 1"
    return db.execute(query, (f'"{term}"',)).fetchone() is not None


def terms_from(db: Connection, beginning: str, limit: int) -> list[str]:
    """The first `limit` tokens that begin so, in order."""
    rows = db.execute(
        "SELECT term FROM vocabulary WHERE term >= ? AND term < ? LIMIT ?",
        (beginning, beginning + _END, limit),
    )
    return [row["term"] for row in rows]


class LongTerms:
    """The long tokens of the vocabulary, in one text that is searched for their parts: a million
    of them take 13 MB and 10 ms. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ids = (0, 0)  # the first and the last of the vocabulary when it was read
        self._text = "\n"  # each token between two line ends

    def containing(self, db: Connection, part: str, limit: int) -> list[str]:
        """At most `limit` long tokens that hold the part, which has no line end."""
        text = self._current(db)
        terms: list[str] = []
        place = text.find(part)
        while place >= 0 and len(terms) < limit:
            end = text.index("\n", place)
            terms.append(text[text.rindex("\n", 0, place) + 1 : end])
            place = text.find(part, end)
        return terms

    def _current(self, db: Connection) -> str:
        with self._lock:
            first, last = db.execute(
                """SELECT coalesce((SELECT min(id) FROM vocabulary), 0),
                    coalesce((SELECT max(id) FROM vocabulary), 0)"""
            ).fetchone()
            if first != self._ids[0]:  # written anew
                self._ids, self._text = (first, 0), "\n"
            if last != self._ids[1]:
                rows = db.execute(
                    "SELECT term FROM vocabulary WHERE id > ? AND id <= ? AND length(term) >= ?",
                    (self._ids[1], last, MIN_LONG_CHARS),
                )
                self._text += "".join(f"{row[0]}\n" for row in rows)
                self._ids = (first, last)
            return self._text
