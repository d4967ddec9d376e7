"""The step of the tables to sentences with seconds, minutes, and what people say of recordings."""

from __future__ import annotations

RECORDINGS: tuple[str, ...] = (
    # When each sentence of a transcript is said: characters of the passage, and seconds. A
    # generation that its content does not name any more takes its sentences along.
    """CREATE TABLE sentences(
        generation TEXT NOT NULL, ordinal INTEGER NOT NULL, first INTEGER NOT NULL,
        last INTEGER NOT NULL, start_s REAL NOT NULL, end_s REAL NOT NULL,
        PRIMARY KEY(generation, ordinal, first)) WITHOUT ROWID""",
    """CREATE TRIGGER sentences_superseded AFTER UPDATE OF understood_generation ON contents
        WHEN old.understood_generation IS NOT NULL
            AND old.understood_generation IS NOT new.understood_generation BEGIN
        DELETE FROM sentences WHERE generation = old.understood_generation; END""",
    """CREATE TRIGGER sentences_dropped AFTER DELETE ON contents BEGIN
        DELETE FROM sentences WHERE generation = old.understood_generation; END""",
    # The same of a draft: `[[first, last, start_s, end_s]]`, NULL where there are none.
    "ALTER TABLE drafts ADD COLUMN sentences TEXT",
    # What a person says is heard within a span; `track` is 0 where there is only one.
    """CREATE TABLE corrections(
        content TEXT NOT NULL REFERENCES contents(content) ON DELETE CASCADE,
        track INTEGER NOT NULL, start_s REAL NOT NULL, end_s REAL NOT NULL, text TEXT NOT NULL,
        PRIMARY KEY(content, track, start_s)) WITHOUT ROWID""",
    # What a person calls a speaker: whoever speaks at that second.
    """CREATE TABLE speakers(
        content TEXT NOT NULL REFERENCES contents(content) ON DELETE CASCADE,
        at_s REAL NOT NULL, name TEXT NOT NULL,
        PRIMARY KEY(content, at_s)) WITHOUT ROWID""",
    # The minutes of a long recording, as JSON, made from the transcript of that generation by the
    # model with that key; `version` is that of the program's way to make them.
    """CREATE TABLE minutes(
        content TEXT PRIMARY KEY REFERENCES contents(content) ON DELETE CASCADE,
        generation TEXT NOT NULL, version INTEGER NOT NULL, minutes TEXT NOT NULL)
        WITHOUT ROWID""",
)
