"""Passages and their words are written together, and removed together."""

# What is put into SQL by name are the columns of a passage.
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Iterable
from sqlite3 import Connection

from indexer.catalog.words.vocabulary import add_terms, clear_terms
from indexer.types.passages import GenerationRow
from indexer.types.text.tokens import join_separated, tokens
from indexer.vectors.rows import VALUES, PassageValues, passage_values

# Raised where the same text gives other tokens: all rows are then written anew.
VERSION = "1"


def is_current(version: str | None) -> bool:
    """Whether words of this version are as this program writes them."""
    return version == VERSION


def write_passages(db: Connection, rows: Iterable[GenerationRow]) -> None:
    """Makes passages searchable, in the caller's transaction. Generations that are there already
    stay as they are."""
    texts: list[tuple[int, str, str, str, str, *PassageValues]] = []
    words: list[tuple[int, str, str]] = []
    terms: set[str] = set()
    [last] = db.execute("SELECT coalesce(max(id), 0) FROM passages").fetchone()
    for generation, content, kind, passages in rows:
        is_written, is_hidden = db.execute(
            """SELECT EXISTS (SELECT 1 FROM passages WHERE generation = ?),
                EXISTS (SELECT 1 FROM hidden WHERE content = ?)""",
            (generation, content),
        ).fetchone()
        if is_written:
            continue
        for number, passage in enumerate(passages, start=last + len(texts) + 1):
            values = passage_values(passage)
            folded, separated = tokens(values[-1]), join_separated(values[-1])
            terms.update(folded, separated)
            joined = " ".join(separated)
            texts.append((number, generation, content, str(kind), joined, *values))
            if not is_hidden:
                words.append((number, " ".join(folded), joined))
    db.executemany(
        f"""INSERT INTO passages(id, generation, content, kind, joined, {", ".join(VALUES)})
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        texts,
    )
    db.executemany("INSERT INTO passage_words(rowid, folded, joined) VALUES (?, ?, ?)", words)
    add_terms(db, terms)


def clear_passages(db: Connection) -> None:
    """Removes all passages and their words, in the caller's transaction."""
    clear_terms(db)
    db.execute("INSERT INTO passage_words(passage_words) VALUES ('delete-all')")
    # Passages that are hidden are in no index that they would have to be taken out of.
    db.execute("INSERT OR IGNORE INTO hidden SELECT content FROM passages")
    db.execute("DELETE FROM passages")
    db.execute("DELETE FROM hidden")
    db.execute("INSERT INTO hidden SELECT content FROM unreached")
    db.execute("DELETE FROM notes WHERE name IN ('words_version', 'words_complete')")
    db.execute("INSERT INTO notes VALUES ('words_version', ?)", (VERSION,))
