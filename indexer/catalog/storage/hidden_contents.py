"""Contents that no live path leads to: their passages are taken out of the index of words.

BM25 counts how many passages there are, how long they are, and how many hold a word. Passages of a
file that was deleted, lies on a drive that is not there or is missing with many others stay in
`passages` until they are dropped or found again; if they were counted meanwhile, they would change
the order of what can be found. So they leave the index in the transaction that hides them and are
back in the one that shows them; 100,000 passages take two seconds either way.

Triggers note which contents may have changed sides in `unsettled`, and `settle_hidden` moves them
before the commit. Triggers that wrote to the index themselves would cost ten times as much for each
file that is read: FTS5 writes out what it holds in memory before each statement that may use it.
"""

# What is put into SQL by name are statements of this file alone.
# ruff: noqa: S608

from __future__ import annotations

from sqlite3 import Connection

_LIVE = "('known', 'pending', 'reading')"  # as in `conditions.LIVE`
_OLD = "SELECT old.content UNION SELECT content FROM members WHERE container = old.content"
_NEW = "SELECT new.content UNION SELECT content FROM members WHERE container = new.content"
_IN_ROOT = """SELECT content FROM files WHERE root = new.id UNION
    SELECT m.content FROM files f JOIN members m ON m.container = f.content
    WHERE f.root = new.id"""


def _note(contents: str) -> str:
    return f"INSERT OR IGNORE INTO unsettled {contents};"


HIDDEN_CONTENTS: tuple[str, ...] = (
    "CREATE TABLE hidden(content TEXT PRIMARY KEY) WITHOUT ROWID",
    f"""CREATE VIEW unreached AS SELECT c.content FROM contents c WHERE NOT EXISTS (
            SELECT 1 FROM files f JOIN roots r ON r.id = f.root
            WHERE f.content = c.content AND r.offline = 0 AND +f.state IN {_LIVE})
        AND NOT EXISTS (
            SELECT 1 FROM members m JOIN files f ON f.content = m.container
            JOIN roots r ON r.id = f.root
            WHERE m.content = c.content AND r.offline = 0 AND +f.state IN {_LIVE})""",
    "INSERT INTO hidden SELECT content FROM unreached",
    # The index of words, over what is not hidden.
    """CREATE VIEW searched_passages AS SELECT id, folded, joined FROM passages p
        WHERE NOT EXISTS (SELECT 1 FROM hidden h WHERE h.content = p.content)""",
    "DROP TABLE passage_terms",
    "DROP TABLE passage_words",
    """CREATE VIRTUAL TABLE passage_words USING fts5(folded, joined,
        content='searched_passages', content_rowid='id', tokenize='ascii')""",
    "CREATE VIRTUAL TABLE passage_terms USING fts5vocab(passage_words, row)",
    "INSERT INTO passage_words(passage_words, rank) VALUES ('automerge', 16)",
    "INSERT INTO passage_words(passage_words, rank) VALUES ('hashsize', 16777216)",
    "INSERT INTO passage_words(passage_words) VALUES ('rebuild')",
    "DROP TRIGGER passages_added",
    """CREATE TRIGGER passages_added AFTER INSERT ON passages
        WHEN NOT EXISTS (SELECT 1 FROM hidden WHERE content = new.content) BEGIN
        INSERT INTO passage_words(rowid, folded, joined)
            VALUES (new.id, new.folded, new.joined); END""",
    "DROP TRIGGER passages_dropped",
    """CREATE TRIGGER passages_dropped AFTER DELETE ON passages
        WHEN NOT EXISTS (SELECT 1 FROM hidden WHERE content = old.content) BEGIN
        INSERT INTO passage_words(passage_words, rowid, folded, joined)
            VALUES ('delete', old.id, old.folded, old.joined); END""",
    "DROP TRIGGER contents_dropped",
    """CREATE TRIGGER contents_dropped AFTER DELETE ON contents BEGIN
        DELETE FROM passages
            WHERE generation IN (old.read_generation, old.understood_generation);
        DELETE FROM hidden WHERE content = old.content; END""",
    "CREATE TABLE unsettled(content TEXT PRIMARY KEY) WITHOUT ROWID",
    f"""CREATE TRIGGER contents_added AFTER INSERT ON contents BEGIN
        {_note("SELECT new.content")} END""",
    f"""CREATE TRIGGER files_left AFTER UPDATE OF content, state, root ON files
        WHEN old.content IS NOT NULL AND (new.content IS NOT old.content
            OR new.root != old.root OR new.state NOT IN {_LIVE}) BEGIN
        {_note(_OLD)} END""",
    f"""CREATE TRIGGER files_found AFTER UPDATE OF content, state, root ON files
        WHEN new.content IS NOT NULL AND new.state IN {_LIVE} AND (new.content IS NOT old.content
            OR new.root != old.root OR new.state IS NOT old.state)
            AND EXISTS (SELECT 1 FROM hidden) BEGIN
        {_note(_NEW)} END""",
    f"""CREATE TRIGGER files_dropped AFTER DELETE ON files WHEN old.content IS NOT NULL BEGIN
        {_note(_OLD)} END""",
    f"""CREATE TRIGGER members_found AFTER INSERT ON members
        WHEN new.content IS NOT NULL AND EXISTS (SELECT 1 FROM hidden) BEGIN
        {_note("SELECT new.content")} END""",
    f"""CREATE TRIGGER members_dropped AFTER DELETE ON members WHEN old.content IS NOT NULL BEGIN
        {_note("SELECT old.content")} END""",
    f"""CREATE TRIGGER roots_turned AFTER UPDATE OF offline ON roots
        WHEN new.offline IS NOT old.offline BEGIN
        {_note(_IN_ROOT)} END""",
)

_UNSETTLED_PASSAGES = """p.id, folded_words(p.text), p.joined FROM unsettled u
    JOIN contents c ON c.content = u.content
    JOIN passages p ON p.generation IN (c.read_generation, c.understood_generation)
    WHERE u.content"""
_SETTLE = (
    # What stays on its side goes first, so that the rest is to be moved to the other.
    """DELETE FROM unsettled WHERE (content IN (SELECT content FROM hidden))
        = EXISTS (SELECT 1 FROM unreached u WHERE u.content = unsettled.content)""",
    f"""INSERT INTO passage_words(passage_words, rowid, folded, joined)
        SELECT 'delete', {_UNSETTLED_PASSAGES} NOT IN (SELECT content FROM hidden)""",
    f"""INSERT INTO passage_words(rowid, folded, joined)
        SELECT {_UNSETTLED_PASSAGES} IN (SELECT content FROM hidden)""",
    """DELETE FROM hidden WHERE content IN (SELECT content FROM unsettled)
        AND NOT EXISTS (SELECT 1 FROM unreached u WHERE u.content = hidden.content)""",
    """INSERT INTO hidden SELECT content FROM unreached
        WHERE content IN (SELECT content FROM unsettled)""",
    "DELETE FROM unsettled",
)


def settle_hidden(db: Connection) -> None:
    """Takes the words of contents that this transaction has hidden out of the index, and puts those
    of contents that it has shown back."""
    still, *moves = _SETTLE
    if db.execute("SELECT EXISTS (SELECT 1 FROM unsettled)").fetchone()[0]:
        db.execute(still)
    if db.execute("SELECT EXISTS (SELECT 1 FROM unsettled)").fetchone()[0]:
        for statement in moves:
            db.execute(statement)
