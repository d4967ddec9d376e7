"""What was read of a content, row by row: its facts, parts, labels, tracks, thumbnail and members.

Each function belongs into a transaction of its caller; states change in `states` alone.
"""

# Values are always bound; what is put into SQL by name are columns of this file alone.
# ruff: noqa: S608

from __future__ import annotations

import json
from pathlib import PurePath
from sqlite3 import Connection

from indexer.catalog.states import content_states, file_states
from indexer.catalog.storage.sql_functions import content_mark
from indexer.files.walk import Stat
from indexer.types.notes import notes_json
from indexer.types.outcomes import Read, Refused
from indexer.types.passages import FIRST_UNDERSTOOD
from indexer.types.pieces import EXTRACTOR_VERSION, Facts, title_from_name
from indexer.types.places import Place, place_from, place_json
from indexer.vectors.rows import passages_sum

GENERATIONS = ("read_generation", "understood_generation")  # the columns of `contents`


def parts_of(db: Connection, content: str) -> tuple[Place, ...]:
    """Where the model has to look or listen in a content, in order."""
    rows = db.execute("SELECT place FROM parts WHERE content = ? ORDER BY ordinal", (content,))
    return tuple(place_from(json.loads(row["place"] or "null")) for row in rows)


def write_refused(db: Connection, refused: Refused) -> None:
    """What comes of a file that could not be read."""
    if not refused.final:
        file_states.retry_file_later(db, refused)
    elif refused.content is None or refused.kind is None or refused.stat is None:
        file_states.fail_file(db, refused)
    else:
        discard_generations(db, refused.content)
        db.execute("DELETE FROM members WHERE container = ?", (refused.content,))
        content_states.write_failed(db, refused.content, refused.kind, refused)
        assign_content(db, refused.file.id, refused.stat, refused.content)


def assign_content(db: Connection, file: int, stat: Stat, content: str) -> None:
    """Points a file at its content, which is as new as its newest file; `stat` is of the moment
    the file was hashed."""
    file_states.link_file(db, file, stat, content)
    db.execute(
        """UPDATE contents SET newest = max(newest, ?1) WHERE content = ?2
            OR content IN (SELECT content FROM members WHERE container = ?2)""",
        (stat.mtime_ns / 1e9, content),
    )


def write_members(db: Connection, read: Read) -> None:
    """Writes down what lies in a content, in place of what was known of it."""
    db.execute("DELETE FROM members WHERE container = ?", (read.content,))
    if not read.members:
        return
    key = db.execute("SELECT value FROM notes WHERE name = 'key'").fetchone()
    for member in (member_read.member for member_read in read.members):
        columns = (read.content, member.ordinal, member.at, member.size)
        if db.execute("SELECT 1 FROM contents WHERE content = ?", (member.content,)).fetchone():
            db.execute(
                """INSERT INTO members(container, ordinal, at, size, name, content)
                VALUES (?, ?, ?, ?, ?, ?)""",
                (*columns, member.name, member.content),
            )
        elif key is not None:  # it is to stay forgotten
            db.execute(
                """INSERT INTO members(container, ordinal, at, size, name, mark)
                VALUES (?, ?, ?, ?, '', ?)""",
                (*columns, content_mark(key["value"], member.content)),
            )
    db.execute(
        """UPDATE contents SET newest = max(newest, ?)
        WHERE content IN (SELECT content FROM members WHERE container = ?)""",
        (read.stat.mtime_ns / 1e9, read.content),
    )


def take_lost(db: Connection, content: str) -> bool:
    """Takes a content off the list of those whose path vanished; whether it was there."""
    return (
        db.execute(
            "DELETE FROM lost WHERE id = (SELECT id FROM lost WHERE content = ? LIMIT 1)",
            (content,),
        ).rowcount
        > 0
    )


def discard_generations(db: Connection, content: str) -> None:
    """Puts the generations that a content has on the trash list."""
    for column in GENERATIONS:
        db.execute(
            f"""INSERT OR IGNORE INTO trash SELECT {column} FROM contents
            WHERE content = ? AND {column} IS NOT NULL""",
            (content,),
        )


def write_content(db: Connection, read: Read, generation: str | None) -> None:
    """Writes down what was read of a content; None where its words are the same as before."""
    if generation is not None:
        discard_generations(db, read.content)
        db.execute(  # of passages that are no more
            "DELETE FROM drafts WHERE content = ? AND ordinal < ?", (read.content, FIRST_UNDERSTOOD)
        )
        words_sum = passages_sum(read.kind, read.passages)
        content_states.write_read(
            db, read.content, read.kind, generation, len(read.passages), words_sum
        )
    facts = read.facts or Facts("")
    # a title that is only the file's name is told from the path, which may change
    title = "" if facts.title == title_from_name(PurePath(read.name)) else facts.title
    db.execute(
        """UPDATE contents SET title = ?, pages = ?, width_px = ?, height_px = ?, duration_s = ?,
            made_at = ?, made_offset_s = ?, colour = ?, notes = ?, extractor = ?
        WHERE content = ?""",
        (
            title,
            facts.pages,
            facts.width_px,
            facts.height_px,
            facts.duration_s,
            facts.made_at,
            facts.made_offset_s,
            facts.colour,
            json.dumps(notes_json(facts.notes)) if facts.notes else None,
            EXTRACTOR_VERSION,
            read.content,
        ),
    )
    db.execute("DELETE FROM parts WHERE content = ?", (read.content,))
    db.executemany(
        "INSERT INTO parts VALUES (?, ?, ?)",
        [
            (read.content, number, None if place is None else json.dumps(place_json(place)))
            for number, place in enumerate(read.parts)
        ],
    )
    db.execute("DELETE FROM labels WHERE content = ?", (read.content,))
    db.executemany(
        "INSERT OR REPLACE INTO labels VALUES (?, ?, ?)",
        [(read.content, page, label) for page, label in read.labels],
    )
    db.execute("DELETE FROM sound_tracks WHERE content = ?", (read.content,))
    db.executemany(
        "INSERT OR REPLACE INTO sound_tracks VALUES (?, ?, ?, ?)",
        [
            (read.content, track.number, position, track.label)
            for position, track in enumerate(facts.tracks)
        ],
    )
    db.execute("DELETE FROM thumbs WHERE content = ?", (read.content,))
    if read.thumb is not None:
        db.execute(
            "INSERT INTO thumbs VALUES (?, ?, ?, ?)",
            (read.content, read.thumb.width_px, read.thumb.height_px, read.thumb.webp),
        )
