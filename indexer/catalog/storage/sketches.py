"""The step of the tables to sketches of the words of documents, by which copies are told."""

from __future__ import annotations

SKETCHES: tuple[str, ...] = (
    # A minhash of the words that were read, as `words/sketches` makes it.
    """CREATE TABLE sketches(
        content TEXT PRIMARY KEY REFERENCES contents(content) ON DELETE CASCADE,
        sketch BLOB NOT NULL) WITHOUT ROWID""",
    "DELETE FROM notes WHERE name = 'words_version'",  # written anew, with their sketches
)
