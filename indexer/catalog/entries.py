"""The rows of one file and of one content, as they change within a transaction."""

# Values are always bound; what is put into SQL by name are columns of this file alone.
# ruff: noqa: S608

from __future__ import annotations

import json
import time
from pathlib import PurePath
from sqlite3 import Connection

from indexer.catalog.records import item_of
from indexer.catalog.schema import content_mark
from indexer.files.walk import Stat
from indexer.types.outcomes import PendingFile, Read, Refused
from indexer.types.pieces import EXTRACTOR_VERSION, Facts, title_from_name
from indexer.types.places import Place, place_from, place_json
from indexer.vectors.rows import passages_sum

AGAIN_S = 1.0  # how long a file that was caught changing is left alone


def decoded(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def parts_of(db: Connection, content: str) -> tuple[Place, ...]:
    rows = db.execute("SELECT place FROM parts WHERE content = ? ORDER BY ordinal", (content,))
    return tuple(place_from(json.loads(row["place"] or "null")) for row in rows)


def is_fresh(db: Connection, file: PendingFile) -> bool:
    row = db.execute(
        "SELECT fresh FROM files WHERE id = ? AND state = 'reading'", (file.id,)
    ).fetchone()
    return row is not None and bool(row["fresh"])


def settle(
    db: Connection,
    file: PendingFile,
    state: str,
    *,
    reason: str | None = None,
    sentence: str | None = None,
    due_at: float = 0.0,
) -> None:
    db.execute(
        """UPDATE files SET state = ?, reason = ?, sentence = ?, due_at = ?,
            content = CASE WHEN ? = 'skipped' THEN NULL ELSE content END,
            kind = CASE WHEN ? = 'skipped' THEN NULL ELSE kind END,
            fresh = CASE WHEN ? = 'pending' THEN fresh ELSE 0 END
        WHERE id = ? AND state = 'reading'""",
        (state, reason, sentence, due_at, state, state, state, file.id),
    )


def refuse(db: Connection, outcome: Refused) -> None:
    file, attempts = outcome.file, outcome.file.attempts + 1
    if not outcome.final:
        db.execute(
            """UPDATE files SET state = 'pending', attempts = ?, due_at = ?, reason = ?,
            sentence = ? WHERE id = ? AND state = 'reading'""",
            (attempts, time.time() + AGAIN_S, outcome.reason, outcome.sentence, file.id),
        )
        return
    said = (outcome.reason, outcome.sentence, attempts)
    if outcome.content is None or outcome.kind is None or outcome.stat is None:
        db.execute(
            """UPDATE files SET state = 'failed', reason = ?, sentence = ?, attempts = ?,
            fresh = 0, kind = coalesce(?, kind) WHERE id = ? AND state = 'reading'""",
            (*said, outcome.kind, file.id),
        )
        return
    bin_generations(db, outcome.content)
    db.execute("DELETE FROM members WHERE container = ?", (outcome.content,))
    db.execute(
        """INSERT INTO contents(content, item, kind, state, reason, sentence, attempts, extractor)
        VALUES (?, ?, ?, 'failed', ?, ?, ?, ?) ON CONFLICT(content) DO UPDATE SET
            state = 'failed', reason = excluded.reason, sentence = excluded.sentence,
            attempts = excluded.attempts, extractor = excluded.extractor, words = 0, captions = 0,
            vectors = 0, read_generation = NULL, understood_generation = NULL""",
        (outcome.content, item_of(outcome.content), outcome.kind, *said, EXTRACTOR_VERSION),
    )
    link(db, file, outcome.stat, outcome.content)


def link(db: Connection, file: PendingFile, stat: Stat, content: str) -> None:
    """Points a file at its content; the stat is of the moment it was hashed."""
    db.execute(
        """UPDATE files SET state = 'known', content = ?, reason = NULL, sentence = NULL,
            attempts = 0, fresh = 0, audited_at = ?, size = ?, mtime_ns = ?, ctime_ns = ?,
            inode = ?, device = ?,
            kind = (SELECT kind FROM contents WHERE content = ?)
        WHERE id = ? AND state = 'reading'""",
        (
            content,
            time.time(),
            stat.size,
            stat.mtime_ns,
            stat.ctime_ns,
            stat.inode,
            stat.device,
            content,
            file.id,
        ),
    )
    db.execute(
        """UPDATE contents SET newest = max(newest, ?1) WHERE content = ?2
            OR content IN (SELECT content FROM members WHERE container = ?2)""",
        (stat.mtime_ns / 1e9, content),
    )


def contain(db: Connection, read: Read) -> None:
    """Writes down what lies in a content, in place of what was known of it."""
    db.execute("DELETE FROM members WHERE container = ?", (read.content,))
    if not read.members:
        return
    key = db.execute("SELECT value FROM notes WHERE name = 'key'").fetchone()
    for member in (one.member for one in read.members):
        said = (read.content, member.ordinal, member.at, member.size)
        if db.execute("SELECT 1 FROM contents WHERE content = ?", (member.content,)).fetchone():
            db.execute(
                """INSERT INTO members(container, ordinal, at, size, name, content)
                VALUES (?, ?, ?, ?, ?, ?)""",
                (*said, member.name, member.content),
            )
        elif key is not None:  # it is to stay forgotten
            db.execute(
                """INSERT INTO members(container, ordinal, at, size, name, mark)
                VALUES (?, ?, ?, ?, '', ?)""",
                (*said, content_mark(key["value"], member.content)),
            )
    db.execute(
        """UPDATE contents SET newest = max(newest, ?)
        WHERE content IN (SELECT content FROM members WHERE container = ?)""",
        (read.stat.mtime_ns / 1e9, read.content),
    )


def found_again(db: Connection, content: str) -> bool:
    return (
        db.execute(
            "DELETE FROM lost WHERE id = (SELECT id FROM lost WHERE content = ? LIMIT 1)",
            (content,),
        ).rowcount
        > 0
    )


def bin_generations(db: Connection, content: str) -> None:
    """Puts whatever generations a content has on the trash list."""
    for column in ("read_generation", "understood_generation"):
        db.execute(
            f"""INSERT OR IGNORE INTO trash SELECT {column} FROM contents
            WHERE content = ? AND {column} IS NOT NULL""",
            (content,),
        )


def store(db: Connection, read: Read, generation: str | None) -> None:
    facts = read.facts or Facts("")
    # a title that is only the file's name is told from the path, which may change
    title = "" if facts.title == title_from_name(PurePath(read.name)) else facts.title
    if generation is not None:
        bin_generations(db, read.content)
        db.execute(
            """INSERT INTO contents(content, item, kind, state, read_generation, words, words_sum)
            VALUES (?, ?, ?, 'read', ?, ?, ?) ON CONFLICT(content) DO UPDATE SET
                kind = excluded.kind, state = 'read', words = excluded.words,
                words_sum = excluded.words_sum,
                read_generation = excluded.read_generation, understood_generation = NULL,
                captions = 0, vectors = 0, attempts = 0, reason = NULL, sentence = NULL""",
            (
                read.content,
                item_of(read.content),
                read.kind,
                generation,
                len(read.passages),
                passages_sum(read.kind, read.passages),
            ),
        )
    db.execute(
        """UPDATE contents SET title = ?, pages = ?, width_px = ?, height_px = ?, duration_s = ?,
            made_at = ?, colour = ?, note = ?, extractor = ? WHERE content = ?""",
        (
            title,
            facts.pages,
            facts.width_px,
            facts.height_px,
            facts.duration_s,
            facts.made_at,
            facts.colour,
            facts.note,
            EXTRACTOR_VERSION,
            read.content,
        ),
    )
    db.execute("DELETE FROM parts WHERE content = ?", (read.content,))
    db.executemany(
        "INSERT INTO parts VALUES (?, ?, ?)",
        [
            (read.content, n, None if place is None else json.dumps(place_json(place)))
            for n, place in enumerate(read.parts)
        ],
    )
    db.execute("DELETE FROM labels WHERE content = ?", (read.content,))
    db.executemany(
        "INSERT OR REPLACE INTO labels VALUES (?, ?, ?)",
        [(read.content, page, label) for page, label in read.labels],
    )
    db.execute("DELETE FROM thumbs WHERE content = ?", (read.content,))
    if read.thumb is not None:
        db.execute(
            "INSERT INTO thumbs VALUES (?, ?, ?, ?)",
            (read.content, read.thumb.width_px, read.thumb.height_px, read.thumb.webp),
        )
