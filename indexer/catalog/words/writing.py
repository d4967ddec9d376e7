"""Passages and their words are written together, and removed together."""

# What is put into SQL by name are the columns of a passage.
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from sqlite3 import Connection

from indexer.catalog.words.sketches import sketch_of
from indexer.catalog.words.vocabulary import add_terms, clear_terms
from indexer.types.passages import FIRST_UNDERSTOOD, GenerationRow, Passage
from indexer.types.places import Kind
from indexer.types.text.tokens import join_separated, tokens
from indexer.vectors.rows import VALUES, PassageValues, passage_values

# Raised where the same text gives other tokens: all rows are then written anew.
VERSION = "1"


def is_current(version: str | None) -> bool:
    """Whether words of this version are as this program writes them."""
    return version == VERSION


@dataclass(frozen=True, slots=True)
class FoldedGeneration:
    """The passages of one generation as they are kept, each with its tokens, and with what it holds
    with separators as tokens without them; `sketch` is of the words a document was read with."""

    generation: str
    content: str
    kind: Kind
    passages: list[tuple[PassageValues, str, str]]
    terms: frozenset[str]
    sketch: bytes | None


def folded(rows: Iterable[GenerationRow]) -> list[FoldedGeneration]:
    """What `write_passages` writes. Made before a transaction, which nobody else can write during:
    it takes longer than to write them."""
    return [_folded(*row) for row in rows]


def _folded(
    generation: str, content: str, kind: Kind, passages: Iterable[Passage]
) -> FoldedGeneration:
    rows: list[tuple[PassageValues, str, str]] = []
    terms: set[str] = set()
    read: list[str] = []
    for passage in passages:
        values = passage_values(passage)
        words = tokens(values[-1])
        joined = passage.joined
        separated = tuple(join_separated(values[-1])) if joined is None else joined
        terms.update(words, separated)
        if kind is Kind.DOCUMENT and passage.ordinal < FIRST_UNDERSTOOD:
            read += words
        rows.append((values, " ".join(words), " ".join(separated)))
    terms_held = frozenset(terms)
    return FoldedGeneration(generation, content, kind, rows, terms_held, sketch_of(read))


def write_passages(db: Connection, generations: Iterable[FoldedGeneration]) -> None:
    """Makes passages searchable, in the caller's transaction. Generations that are there already
    stay as they are."""
    texts: list[tuple[int, str, str, str, str, *PassageValues]] = []
    words: list[tuple[int, str, str]] = []
    terms: set[str] = set()
    sketches: list[tuple[str, bytes]] = []
    [last] = db.execute("SELECT coalesce(max(id), 0) FROM passages").fetchone()
    for row in generations:
        is_written, is_hidden = db.execute(
            """SELECT EXISTS (SELECT 1 FROM passages WHERE generation = ?),
                EXISTS (SELECT 1 FROM hidden WHERE content = ?)""",
            (row.generation, row.content),
        ).fetchone()
        if is_written:
            continue
        terms |= row.terms
        if row.sketch is not None:
            sketches.append((row.content, row.sketch))
        for number, (values, in_order, joined) in enumerate(row.passages, last + len(texts) + 1):
            texts.append((number, row.generation, row.content, str(row.kind), joined, *values))
            if not is_hidden:
                words.append((number, in_order, joined))
    db.executemany(
        f"""INSERT INTO passages(id, generation, content, kind, joined, {", ".join(VALUES)})
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        texts,
    )
    db.executemany("INSERT INTO passage_words(rowid, folded, joined) VALUES (?, ?, ?)", words)
    db.executemany(
        "INSERT OR REPLACE INTO sketches SELECT content, ?2 FROM contents WHERE content = ?1",
        sketches,
    )
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
