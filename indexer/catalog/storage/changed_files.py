"""Which files have changed what is counted of them, so that not all are counted again.

Triggers add the number of a file to `changed_files` whenever its state, content or kind changes, or
those of its content and of what is attached to it; NULL stands for all files. Whoever keeps counts
remembers the last id it has read. Only the newest MOST_CHANGES are kept: who comes later than that
counts all files.
"""

# What is put into SQL by name are statements of this file alone.
# ruff: noqa: S608

from __future__ import annotations

MOST_CHANGES = 20_000


def _note(files: str) -> str:
    return f"INSERT INTO changed_files(file) {files};"


def _holding(row: str) -> str:
    """The files that have a content, or something attached that has it."""
    return f"""SELECT id FROM files WHERE content = {row}.content
        UNION SELECT f.id FROM members m JOIN files f ON f.content = m.container
        WHERE m.content = {row}.content"""


def _around(row: str) -> str:
    """The files that hold an attachment."""
    return f"SELECT id FROM files WHERE content = {row}.container"


CHANGED_FILES: tuple[str, ...] = (
    "CREATE TABLE changed_files(id INTEGER PRIMARY KEY, file INTEGER)",
    f"""CREATE TRIGGER changed_files_added AFTER INSERT ON changed_files
        WHEN new.id % 1000 = 0 BEGIN
        DELETE FROM changed_files WHERE id <= new.id - {MOST_CHANGES}; END""",
    f"""CREATE TRIGGER files_counted AFTER INSERT ON files BEGIN
        {_note("SELECT new.id")} END""",
    f"""CREATE TRIGGER files_changed AFTER UPDATE OF state, content, kind, root ON files
        WHEN new.state IS NOT old.state OR new.content IS NOT old.content
            OR new.kind IS NOT old.kind OR new.root IS NOT old.root BEGIN
        {_note("SELECT new.id")} END""",
    f"""CREATE TRIGGER files_uncounted AFTER DELETE ON files BEGIN
        {_note("SELECT old.id")} END""",
    f"""CREATE TRIGGER contents_changed AFTER UPDATE OF state, kind, read_generation ON contents
        WHEN new.state IS NOT old.state OR new.kind IS NOT old.kind
            OR (new.read_generation IS NULL) != (old.read_generation IS NULL) BEGIN
        {_note(_holding("new"))} END""",
    f"""CREATE TRIGGER members_counted AFTER INSERT ON members BEGIN
        {_note(_around("new"))} END""",
    f"""CREATE TRIGGER members_changed AFTER UPDATE OF content, container ON members BEGIN
        {_note(f"{_around('old')} UNION {_around('new')}")} END""",
    f"""CREATE TRIGGER members_uncounted AFTER DELETE ON members BEGIN
        {_note(_around("old"))} END""",
    f"""CREATE TRIGGER roots_counted AFTER UPDATE OF offline ON roots
        WHEN new.offline IS NOT old.offline BEGIN
        {_note("SELECT NULL")} END""",
)
