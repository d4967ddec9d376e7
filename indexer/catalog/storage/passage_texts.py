"""The step of the tables from the folded words of each passage to its text.

A row keeps what a hit shows, so that a search by words reads nothing but the catalog. FTS5 is given
the tokens once, when a passage is written, and has them computed again where it needs what it was
given: to delete an entry, to be rebuilt, to be checked. A deletion takes a tenth longer for that,
and the tokens need no room beside the text. What is written with separators takes as long to find
again and hardly any room, so it is kept.
"""

from __future__ import annotations

PASSAGE_TEXTS: tuple[str, ...] = (
    "DROP TABLE passage_terms",
    "DROP TABLE passage_words",
    "DROP VIEW searched_passages",
    "DROP TABLE passages",  # and its triggers
    # A passage as the table `words` of the store has it (`page` is the sound track of a span), and
    # what is written with separators in it, joined (`e-mail` as `email`). `text` is last, so that
    # what comes before it is read without it.
    """CREATE TABLE passages(
        id INTEGER PRIMARY KEY, generation TEXT NOT NULL, ordinal INTEGER NOT NULL,
        content TEXT NOT NULL, kind TEXT NOT NULL, source TEXT NOT NULL, page INTEGER,
        start_s REAL, end_s REAL, joined TEXT NOT NULL, text TEXT NOT NULL)""",
    "CREATE INDEX passages_generation ON passages(generation, ordinal)",
    # The index of words, over what is not hidden.
    """CREATE VIEW searched_passages AS
        SELECT id, folded_words(text) AS folded, joined FROM passages p
        WHERE NOT EXISTS (SELECT 1 FROM hidden h WHERE h.content = p.content)""",
    """CREATE VIRTUAL TABLE passage_words USING fts5(folded, joined,
        content='searched_passages', content_rowid='id', tokenize='ascii')""",
    "CREATE VIRTUAL TABLE passage_terms USING fts5vocab(passage_words, row)",
    "INSERT INTO passage_words(passage_words, rank) VALUES ('automerge', 16)",
    "INSERT INTO passage_words(passage_words, rank) VALUES ('hashsize', 16777216)",
    """CREATE TRIGGER passages_dropped AFTER DELETE ON passages
        WHEN NOT EXISTS (SELECT 1 FROM hidden WHERE content = old.content) BEGIN
        INSERT INTO passage_words(passage_words, rowid, folded, joined)
            VALUES ('delete', old.id, folded_words(old.text), old.joined); END""",
    "DELETE FROM vocabulary",
    "DELETE FROM notes WHERE name = 'words_version'",  # the store has the texts
)
