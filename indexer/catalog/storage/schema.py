"""The catalog's tables, as numbered steps that are each applied once.

A library remembers how many steps it has seen in `PRAGMA user_version`. Steps are only ever added:
what a released program has written, a later one brings up to date, and an older one refuses.
"""

from __future__ import annotations

import sqlite3

from indexer.catalog.storage.changed_files import CHANGED_FILES
from indexer.catalog.storage.content_notes import CONTENT_NOTES
from indexer.catalog.storage.errors import CatalogError
from indexer.catalog.storage.hidden_contents import HIDDEN_CONTENTS
from indexer.catalog.storage.passage_texts import PASSAGE_TEXTS
from indexer.catalog.storage.recordings import RECORDINGS
from indexer.catalog.storage.sketches import SKETCHES

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        # A watched folder. `path` is raw bytes; (device, inode) recognise it under a new name.
        """CREATE TABLE roots(
            id INTEGER PRIMARY KEY, path BLOB NOT NULL UNIQUE, device INTEGER, inode INTEGER,
            offline INTEGER NOT NULL DEFAULT 0, sentence TEXT,
            renamed INTEGER NOT NULL DEFAULT 0)""",
        # What a generation is made from. `state`: read (words are searchable, the model has not
        # been here) | understanding | understood | failed. `extractor` is 0 to read it once more;
        # `words`, `captions` and `vectors` are how many rows its generations have in the store.
        """CREATE TABLE contents(
            content TEXT PRIMARY KEY, item TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
            title TEXT NOT NULL DEFAULT '', pages INTEGER, width_px INTEGER, height_px INTEGER,
            duration_s REAL, made_at REAL, colour TEXT, note TEXT,
            state TEXT NOT NULL, reason TEXT, sentence TEXT, attempts INTEGER NOT NULL DEFAULT 0,
            extractor INTEGER NOT NULL DEFAULT 0, words INTEGER NOT NULL DEFAULT 0,
            captions INTEGER NOT NULL DEFAULT 0, vectors INTEGER NOT NULL DEFAULT 0,
            read_generation TEXT, understood_generation TEXT, model_key TEXT,
            wanted_at REAL NOT NULL DEFAULT 0, newest REAL NOT NULL DEFAULT 0) WITHOUT ROWID""",
        "CREATE INDEX contents_next ON contents(state, attempts, wanted_at DESC, newest DESC)",
        "CREATE INDEX contents_read ON contents(read_generation)",
        "CREATE INDEX contents_understood ON contents(understood_generation)",
        # One path. `state`: pending | reading | known (see its content) | failed | skipped |
        # missing (see `absent`).
        # `path` is relative to the root, raw bytes. A changed file keeps its old content until
        # the new one has been read. `size` -1 is a folder that may not be opened; `fresh` is 0 once
        # the file has been through the first stage.
        """CREATE TABLE files(
            id INTEGER PRIMARY KEY, root INTEGER NOT NULL REFERENCES roots(id), path BLOB NOT NULL,
            size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL,
            inode INTEGER NOT NULL, device INTEGER NOT NULL,
            kind TEXT, content TEXT REFERENCES contents(content),
            state TEXT NOT NULL DEFAULT 'pending', reason TEXT, sentence TEXT,
            attempts INTEGER NOT NULL DEFAULT 0, fresh INTEGER NOT NULL DEFAULT 1,
            due_at REAL NOT NULL DEFAULT 0, pending_since REAL NOT NULL DEFAULT 0,
            UNIQUE(root, path))""",
        "CREATE INDEX files_content ON files(content)",
        "CREATE INDEX files_inode ON files(inode, device)",
        "CREATE INDEX files_state ON files(state, mtime_ns DESC)",
        # What the model has to look at or listen to, found while reading.
        """CREATE TABLE parts(
            content TEXT NOT NULL REFERENCES contents(content) ON DELETE CASCADE,
            ordinal INTEGER NOT NULL, place TEXT, PRIMARY KEY(content, ordinal)) WITHOUT ROWID""",
        """CREATE TABLE thumbs(
            content TEXT PRIMARY KEY REFERENCES contents(content) ON DELETE CASCADE,
            width_px INTEGER NOT NULL, height_px INTEGER NOT NULL, webp BLOB NOT NULL)""",
        # Generations that nothing points at any more; emptied after each flip.
        "CREATE TABLE trash(generation TEXT PRIMARY KEY) WITHOUT ROWID",
        # Contents whose path vanished, until the same bytes turn up elsewhere or all is read.
        "CREATE TABLE lost(id INTEGER PRIMARY KEY, content TEXT NOT NULL)",
        "CREATE INDEX lost_content ON lost(content)",
        # The words of file names, one row for each row of `files`.
        "CREATE VIRTUAL TABLE names USING fts5(name, tokenize='unicode61 remove_diacritics 2')",
        """CREATE TRIGGER files_named AFTER INSERT ON files BEGIN
            INSERT INTO names(rowid, name) VALUES (new.id, name_words(new.path)); END""",
        """CREATE TRIGGER files_renamed AFTER UPDATE OF path ON files
            WHEN name_words(old.path) IS NOT name_words(new.path) BEGIN
            UPDATE names SET name = name_words(new.path) WHERE rowid = new.id; END""",
        """CREATE TRIGGER files_unnamed AFTER DELETE ON files BEGIN
            DELETE FROM names WHERE rowid = old.id; END""",
        # A file as people see it: its own state, or its content's, or its folder's.
        """CREATE VIEW listing AS SELECT
            f.id, f.root, f.path, r.path AS root_path, f.size, f.mtime_ns, f.content,
            coalesce(c.kind, f.kind) AS kind, c.item, c.state AS content_state,
            c.read_generation, c.understood_generation,
            r.offline = 0 AND f.content IS NOT NULL
                AND f.state IN ('known', 'pending', 'reading') AS live,
            CASE WHEN r.offline THEN 'offline' WHEN f.state = 'known' THEN c.state
                ELSE f.state END AS state,
            CASE WHEN f.state = 'known' THEN c.reason ELSE f.reason END AS reason,
            CASE WHEN f.state = 'known' THEN c.sentence ELSE f.sentence END AS sentence,
            CASE WHEN f.state = 'known' THEN c.attempts ELSE f.attempts END AS attempts
            FROM files f JOIN roots r ON r.id = f.root
            LEFT JOIN contents c ON c.content = f.content""",
    ),
    (
        # What the rows of a content's generations add up to (`rows.passages_sum`, `vectors_sum`).
        "ALTER TABLE contents ADD COLUMN words_sum TEXT",
        "ALTER TABLE contents ADD COLUMN captions_sum TEXT",
        "ALTER TABLE contents ADD COLUMN vectors_sum TEXT",
        # What the library remembers of itself, by name.
        "CREATE TABLE notes(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
        # What a person wanted forgotten: keyed hashes of paths and contents, which tell neither.
        "CREATE TABLE forgotten(mark TEXT PRIMARY KEY) WITHOUT ROWID",
        """CREATE TRIGGER files_forgotten BEFORE INSERT ON files
            WHEN EXISTS (SELECT 1 FROM forgotten) AND EXISTS (SELECT 1 FROM forgotten
                WHERE mark = path_mark((SELECT value FROM notes WHERE name = 'key'),
                    (SELECT path FROM roots WHERE id = new.root), new.path))
            BEGIN SELECT RAISE(IGNORE); END""",
    ),
    (
        # Files that vanished in a way that may be no one's wish, by their row (state 'missing'):
        # since when (unix s), the state they had, and why they are kept: unmounted | many.
        """CREATE TABLE absent(
            file INTEGER PRIMARY KEY REFERENCES files(id) ON DELETE CASCADE,
            since REAL NOT NULL, state TEXT NOT NULL, why TEXT NOT NULL)""",
        # A folder that is offline: since when, and why (absent | shut | empty | replaced);
        # `accepted`: a person has said that what is missing in it is gone; `gone` files left it
        # since `gone_since`, so that many small losses count as one large one.
        "ALTER TABLE roots ADD COLUMN away_since REAL",
        "ALTER TABLE roots ADD COLUMN why TEXT",
        "ALTER TABLE roots ADD COLUMN accepted INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE roots ADD COLUMN gone INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE roots ADD COLUMN gone_since REAL NOT NULL DEFAULT 0",
        # When the bytes of a file were last compared with its content (unix s; 0: it changed so
        # shortly before it was read that its times cannot tell whether it has changed since).
        "ALTER TABLE files ADD COLUMN audited_at REAL NOT NULL DEFAULT 0",
        "CREATE INDEX files_audited ON files(state, audited_at)",
        "DROP VIEW listing",
        """CREATE VIEW listing AS SELECT
            f.id, f.root, f.path, r.path AS root_path, f.size, f.mtime_ns, f.content,
            coalesce(c.kind, f.kind) AS kind, c.item, c.state AS content_state,
            c.read_generation, c.understood_generation,
            r.offline = 0 AND f.content IS NOT NULL
                AND f.state IN ('known', 'pending', 'reading') AS live,
            CASE WHEN r.offline THEN 'offline' WHEN f.state = 'known' THEN c.state
                ELSE f.state END AS state,
            CASE f.state WHEN 'known' THEN c.reason WHEN 'missing' THEN a.why
                ELSE f.reason END AS reason,
            CASE f.state WHEN 'known' THEN c.sentence
                WHEN 'missing' THEN CASE a.why
                    WHEN 'unmounted' THEN 'The drive it is on is not there; it is remembered.'
                    ELSE 'It went missing with many others; it is kept until you accept that.' END
                ELSE f.sentence END AS sentence,
            CASE WHEN f.state = 'known' THEN c.attempts ELSE f.attempts END AS attempts
            FROM files f JOIN roots r ON r.id = f.root
            LEFT JOIN contents c ON c.content = f.content LEFT JOIN absent a ON a.file = f.id""",
    ),
    (
        # What pages are called besides their number: a sheet, a slide, an attachment.
        """CREATE TABLE labels(
            content TEXT NOT NULL REFERENCES contents(content) ON DELETE CASCADE,
            page INTEGER NOT NULL, label TEXT NOT NULL,
            PRIMARY KEY(content, page)) WITHOUT ROWID""",
    ),
    (
        # Parts of a long content that the model is done with, until it is done with all; `words`
        # is NULL where it failed. The vectors are float32 as they are in memory.
        """CREATE TABLE drafts(
            content TEXT NOT NULL REFERENCES contents(content) ON DELETE CASCADE,
            ordinal INTEGER NOT NULL, model_key TEXT NOT NULL, place TEXT NOT NULL,
            source TEXT, words TEXT, gist BLOB, body BLOB, reason TEXT, sentence TEXT,
            PRIMARY KEY(content, ordinal)) WITHOUT ROWID""",
    ),
    (
        # What lies in a content: the attachments of a mail, numbered from 1 as they come; `at` is
        # where the message begins in a mailbox, `size` how large one is, both in bytes. One that is
        # to stay forgotten has no name and content, but its `mark`.
        """CREATE TABLE members(
            id INTEGER PRIMARY KEY,
            container TEXT NOT NULL REFERENCES contents(content) ON DELETE CASCADE,
            ordinal INTEGER NOT NULL, at INTEGER NOT NULL,
            name TEXT NOT NULL, size INTEGER NOT NULL,
            content TEXT REFERENCES contents(content) ON DELETE SET NULL, mark TEXT,
            UNIQUE(container, ordinal))""",
        "CREATE INDEX members_content ON members(content)",
        # Their names are searched with those of files, as rows below zero.
        """CREATE TRIGGER members_named AFTER INSERT ON members BEGIN
            INSERT INTO names(rowid, name) VALUES (-new.id, name_words(CAST(new.name AS BLOB)));
            END""",
        """CREATE TRIGGER members_renamed AFTER UPDATE OF name ON members BEGIN
            UPDATE names SET name = name_words(CAST(new.name AS BLOB)) WHERE rowid = -new.id;
            END""",
        """CREATE TRIGGER members_unnamed AFTER DELETE ON members BEGIN
            DELETE FROM names WHERE rowid = -old.id; END""",
        # A content with all that lies in it: a mail is understood when its attachments are, and
        # what of them was not is told of it, or else what was left out while it was read.
        """CREATE VIEW wholes AS SELECT
            c.content, c.item, c.kind, c.read_generation, c.understood_generation, c.attempts,
            CASE WHEN c.state = 'understood' AND c.content IN (
                SELECT m.container FROM members m JOIN contents d ON d.content = m.content
                WHERE d.state IN ('read', 'understanding'))
                THEN 'read' ELSE c.state END AS state,
            CASE WHEN c.reason IS NULL AND c.content IN (SELECT container FROM members) THEN (
                SELECT d.reason FROM members m JOIN contents d ON d.content = m.content
                WHERE m.container = c.content AND d.reason IS NOT NULL ORDER BY m.ordinal
                ) ELSE c.reason END AS reason,
            coalesce(CASE WHEN c.reason IS NULL
                AND c.content IN (SELECT container FROM members) THEN (
                SELECT 'The attachment “' || m.name || '” was not understood. ' || d.sentence
                FROM members m JOIN contents d ON d.content = m.content
                WHERE m.container = c.content AND d.reason IS NOT NULL ORDER BY m.ordinal
                ) ELSE c.sentence END, c.note) AS sentence
            FROM contents c""",
        "DROP VIEW listing",
        """CREATE VIEW listing AS SELECT
            f.id, f.root, f.path, r.path AS root_path, f.size, f.mtime_ns, f.content,
            coalesce(c.kind, f.kind) AS kind, c.item, c.state AS content_state,
            c.read_generation, c.understood_generation,
            r.offline = 0 AND f.content IS NOT NULL
                AND f.state IN ('known', 'pending', 'reading') AS live,
            CASE WHEN r.offline THEN 'offline' WHEN f.state = 'known' THEN c.state
                ELSE f.state END AS state,
            CASE f.state WHEN 'known' THEN c.reason WHEN 'missing' THEN a.why
                ELSE f.reason END AS reason,
            CASE f.state WHEN 'known' THEN c.sentence
                WHEN 'missing' THEN CASE a.why
                    WHEN 'unmounted' THEN 'The drive it is on is not there; it is remembered.'
                    ELSE 'It went missing with many others; it is kept until you accept that.' END
                ELSE f.sentence END AS sentence,
            CASE WHEN f.state = 'known' THEN c.attempts ELSE f.attempts END AS attempts
            FROM files f JOIN roots r ON r.id = f.root
            LEFT JOIN wholes c ON c.content = f.content LEFT JOIN absent a ON a.file = f.id""",
    ),
    (
        # How many seconds the clock at `made_at` was ahead of UTC; NULL where nobody knows.
        "ALTER TABLE contents ADD COLUMN made_offset_s INTEGER",
    ),
    (
        # The words of every passage of a generation that a content names: folded tokens, and what
        # is written with separators joined (`e-mail` as `email`). FTS5 keeps what BM25 needs.
        """CREATE TABLE passages(
            id INTEGER PRIMARY KEY, generation TEXT NOT NULL, ordinal INTEGER NOT NULL,
            content TEXT NOT NULL, kind TEXT NOT NULL, folded TEXT NOT NULL,
            joined TEXT NOT NULL)""",
        "CREATE INDEX passages_generation ON passages(generation)",
        """CREATE VIRTUAL TABLE passage_words USING fts5(folded, joined, content='passages',
            content_rowid='id', tokenize='ascii')""",
        "CREATE VIRTUAL TABLE passage_terms USING fts5vocab(passage_words, row)",
        """CREATE TRIGGER passages_added AFTER INSERT ON passages BEGIN
            INSERT INTO passage_words(rowid, folded, joined)
                VALUES (new.id, new.folded, new.joined); END""",
        """CREATE TRIGGER passages_dropped AFTER DELETE ON passages BEGIN
            INSERT INTO passage_words(passage_words, rowid, folded, joined)
                VALUES ('delete', old.id, old.folded, old.joined); END""",
        # A generation that its content does not name any more is not found any more.
        """CREATE TRIGGER contents_reread AFTER UPDATE OF read_generation ON contents
            WHEN old.read_generation IS NOT NULL
                AND old.read_generation IS NOT new.read_generation BEGIN
            DELETE FROM passages WHERE generation = old.read_generation; END""",
        """CREATE TRIGGER contents_understood_anew AFTER UPDATE OF understood_generation ON contents
            WHEN old.understood_generation IS NOT NULL
                AND old.understood_generation IS NOT new.understood_generation BEGIN
            DELETE FROM passages WHERE generation = old.understood_generation; END""",
        """CREATE TRIGGER contents_dropped AFTER DELETE ON contents BEGIN
            DELETE FROM passages
                WHERE generation IN (old.read_generation, old.understood_generation); END""",
        # Every token that was ever written, until the catalog is rewritten; long ones by their
        # parts.
        "CREATE TABLE vocabulary(id INTEGER PRIMARY KEY, term TEXT NOT NULL UNIQUE)",
        """CREATE VIRTUAL TABLE compounds USING fts5(term, content='', detail=full,
            tokenize='trigram')""",
        """CREATE TRIGGER vocabulary_added AFTER INSERT ON vocabulary WHEN length(new.term) > 7
            BEGIN INSERT INTO compounds(rowid, term) VALUES (new.id, new.term); END""",
    ),
    (
        # New words are merged into the index in larger steps, which takes a quarter less time.
        "INSERT INTO passage_words(passage_words, rank) VALUES ('automerge', 16)",
        "INSERT INTO passage_words(passage_words, rank) VALUES ('hashsize', 16777216)",
    ),
    (
        # Compounds are looked for among all words in memory: an index of their parts took as long
        # to write as all else of the words together. An id that was dropped never comes back, so
        # what is in memory tells by the first id and the last whether it is up to date.
        "DROP TABLE compounds",
        "DROP TABLE vocabulary",
        "CREATE TABLE vocabulary(id INTEGER PRIMARY KEY AUTOINCREMENT, term TEXT NOT NULL UNIQUE)",
        "INSERT INTO vocabulary(term) SELECT term FROM passage_terms",
    ),
    HIDDEN_CONTENTS,
    (
        # The sound tracks of recordings that have several: their number in the file, from 1, and
        # their position in the list, the default one at 0.
        """CREATE TABLE sound_tracks(
            content TEXT NOT NULL REFERENCES contents(content) ON DELETE CASCADE,
            track INTEGER NOT NULL, position INTEGER NOT NULL, label TEXT NOT NULL,
            PRIMARY KEY(content, track)) WITHOUT ROWID""",
    ),
    CONTENT_NOTES,
    (
        # FTS5 writes out what it holds in memory before each statement that has such a trigger:
        # a batch of passages, put in by one statement of its own, takes half of the time.
        "DROP TRIGGER passages_added",
    ),
    CHANGED_FILES,
    PASSAGE_TEXTS,
    RECORDINGS,
    SKETCHES,
)


def migrate(db: sqlite3.Connection) -> None:
    """Brings the tables up to date, in one transaction.

    Raises CatalogError when a newer program has written them."""
    seen = int(db.execute("PRAGMA user_version").fetchone()[0])
    if seen > len(MIGRATIONS):
        raise CatalogError(
            f"This library was written by a newer Recollect (its catalog has version {seen}, this "
            f"program knows {len(MIGRATIONS)}); update Recollect to open it."
        )
    if seen == len(MIGRATIONS):
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        seen = int(db.execute("PRAGMA user_version").fetchone()[0])
        for step in MIGRATIONS[seen:]:
            for statement in step:
                db.execute(statement)
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # SQLite undoes it by itself when the disk fails
            db.execute("ROLLBACK")
        raise


def is_current(db: sqlite3.Connection) -> bool:
    """Whether the tables are those this program knows."""
    return int(db.execute("PRAGMA user_version").fetchone()[0]) == len(MIGRATIONS)
