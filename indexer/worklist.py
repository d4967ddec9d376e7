"""What is to be done next, and what was done: every change of state of a file or a content.

Each `finish_...` is one SQLite transaction that makes new generations the live ones; it comes
after the store's sync and before anything old is removed, so a kill at any point leaves either
the old state or the new one.
"""

# Values are always bound; what is put into SQL by name are columns of this file alone.
# ruff: noqa: S608

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection

from indexer.catalog import item_of
from indexer.database import Database
from indexer.extract import EXTRACTOR_VERSION, Facts, title_of
from indexer.passages import Kind, Page, Place, Span
from indexer.reading import ATTEMPTS, Known, Outcome, Pending, Read, Refused, Skipped, Unsettled
from indexer.reconcile import Changes
from indexer.tree import Stat, join
from indexer.understanding import NotUnderstood, Understood, Waiting

AGAIN_S = 1.0  # how long a file that was caught changing is left alone


@dataclass(frozen=True, slots=True)
class Before:
    """What is known of a content from earlier; `current`: by this version of the extractor."""

    current: bool
    read_generation: str | None
    parts: tuple[Place, ...]


class Worklist:
    """The catalog as the pipeline sees it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- stage 1 -------------------------------------------------------------------------------

    def claim_files(self, limit: int) -> list[Pending]:
        """Takes the newest files that have settled; they are `reading` from now on."""
        with self._database.writing() as db:
            rows = db.execute(
                """SELECT f.id, f.path, f.attempts, r.path AS base FROM files f
                JOIN roots r ON r.id = f.root AND r.offline = 0
                WHERE f.state = 'pending' AND f.due_at <= ?
                ORDER BY f.mtime_ns DESC, f.id LIMIT ?""",
                (time.time(), limit),
            ).fetchall()
            db.executemany(
                "UPDATE files SET state = 'reading' WHERE id = ?", [(r["id"],) for r in rows]
            )
        return [
            Pending(r["id"], Path(_decoded(join(r["base"], r["path"]))), r["attempts"])
            for r in rows
        ]

    def release_files(self, files: Iterable[Pending]) -> None:
        """Puts files back that were taken and not finished."""
        with self._database.writing() as db:
            db.executemany(
                "UPDATE files SET state = 'pending' WHERE id = ? AND state = 'reading'",
                [(file.id,) for file in files],
            )

    def next_due(self) -> float | None:
        """When the next pending file will have settled (unix s); None when none is pending."""
        with self._database.reading() as db:
            due = db.execute(
                """SELECT min(f.due_at) FROM files f JOIN roots r ON r.id = f.root
                WHERE f.state = 'pending' AND r.offline = 0"""
            ).fetchone()[0]
        return None if due is None else float(due)

    def before(self, content: str) -> Before | None:
        """What is known of a content, None when nothing is."""
        with self._database.reading() as db:
            row = db.execute(
                "SELECT extractor, read_generation FROM contents WHERE content = ?", (content,)
            ).fetchone()
            if row is None:
                return None
            parts = _parts(db, content)
        return Before(row["extractor"] == EXTRACTOR_VERSION, row["read_generation"], parts)

    def finish_reading(
        self, outcomes: Sequence[Outcome], generations: Mapping[str, str]
    ) -> Changes:
        """Writes down what came of a batch; `generations` are the new ones by content (a content
        that was read again and is the same as before has none). A file that changed since it was
        taken stays pending. Returns how the outcomes correct the counts of the last look."""
        correction = Changes()
        with self._database.writing() as db:
            for outcome in outcomes:
                fresh = _fresh(db, outcome.file)
                match outcome:
                    case Unsettled(file):
                        _settle(db, file, "pending", due_at=time.time() + AGAIN_S)
                    case Skipped(file, reason, sentence):
                        _settle(db, file, "skipped", reason=reason, sentence=sentence)
                        correction += Changes(added=-int(fresh))
                    case Refused():
                        _refuse(db, outcome)
                    case Known(file, stat, content):
                        _link(db, file, stat, content)
                        if fresh and _found_again(db, content):
                            correction += Changes(added=-1, moved=1, gone=-1)
                    case Read(file, stat, _, content):
                        _store(db, outcome, generations.get(content))
                        _link(db, file, stat, content)
        return correction

    # -- stage 2 -------------------------------------------------------------------------------

    def claim_contents(self, limit: int) -> list[Waiting]:
        """Takes the most wanted, then the newest contents for the model."""
        with self._database.writing() as db:
            rows = db.execute(
                """SELECT c.content, c.kind, c.title, c.attempts, c.read_generation,
                    f.id AS file, f.path, f.size, f.mtime_ns, f.ctime_ns, f.inode, f.device,
                    r.path AS base
                FROM contents c JOIN files f ON f.id = (
                    SELECT min(g.id) FROM files g JOIN roots q ON q.id = g.root
                    WHERE g.content = c.content AND g.state = 'known' AND q.offline = 0)
                JOIN roots r ON r.id = f.root WHERE c.state = 'read'
                ORDER BY c.attempts, c.wanted_at DESC, c.newest DESC, c.content LIMIT ?""",
                (limit,),
            ).fetchall()
            db.executemany(
                "UPDATE contents SET state = 'understanding' WHERE content = ?",
                [(r["content"],) for r in rows],
            )
            return [
                Waiting(
                    content=r["content"],
                    kind=Kind(r["kind"]),
                    file=r["file"],
                    path=Path(_decoded(join(r["base"], r["path"]))),
                    stat=Stat(r["size"], r["mtime_ns"], r["ctime_ns"], r["inode"], r["device"]),
                    read_generation=r["read_generation"],
                    parts=_parts(db, r["content"]),
                    attempts=r["attempts"],
                )
                for r in rows
            ]

    def release_contents(self, items: Iterable[Waiting], doubted: bool = False) -> None:
        """Puts contents back that were taken and not finished. When `doubted`, their files have
        changed under us and are read again first."""
        with self._database.writing() as db:
            for item in items:
                db.execute(
                    "UPDATE contents SET state = 'read' WHERE content = ? AND "
                    "state = 'understanding'",
                    (item.content,),
                )
                if doubted:
                    db.execute(
                        """UPDATE files SET state = 'pending', due_at = ?
                        WHERE id = ? AND state = 'known'""",
                        (time.time() + AGAIN_S, item.file),
                    )

    def finish_understanding(
        self,
        key: str,
        outcomes: Sequence[Understood | NotUnderstood],
        generations: Mapping[str, str],
    ) -> None:
        """Makes the new generations of understood contents the live ones. One whose reading
        changed meanwhile is thrown away."""
        with self._database.writing() as db:
            for outcome in outcomes:
                item = outcome.item
                if isinstance(outcome, NotUnderstood):
                    db.execute(
                        """UPDATE contents SET attempts = attempts + 1, reason = ?, sentence = ?,
                            state = CASE WHEN attempts + 1 < ? THEN 'read' ELSE 'failed' END,
                            model_key = ?
                        WHERE content = ? AND state = 'understanding'""",
                        (outcome.reason, outcome.sentence, ATTEMPTS, key, item.content),
                    )
                    continue
                generation = generations[item.content]
                db.execute(
                    """INSERT OR IGNORE INTO trash SELECT understood_generation FROM contents
                    WHERE content = ? AND read_generation = ?
                        AND understood_generation IS NOT NULL""",
                    (item.content, item.read_generation),
                )
                done = db.execute(
                    """UPDATE contents SET state = 'understood', understood_generation = ?,
                        model_key = ?, captions = ?, vectors = ?, attempts = 0, wanted_at = 0,
                        reason = ?, sentence = ?
                    WHERE content = ? AND read_generation = ?""",
                    (
                        generation,
                        key,
                        len(outcome.passages),
                        len(outcome.rows),
                        outcome.reason,
                        outcome.sentence,
                        item.content,
                        item.read_generation,
                    ),
                ).rowcount
                if not done:
                    db.execute("INSERT OR IGNORE INTO trash VALUES (?)", (generation,))

    # -- upkeep --------------------------------------------------------------------------------

    def recover(self) -> None:
        """Puts back what an ended process had taken; what an older extractor has read is read
        again."""
        with self._database.writing() as db:
            db.execute("UPDATE files SET state = 'pending' WHERE state = 'reading'")
            db.execute("UPDATE contents SET state = 'read' WHERE state = 'understanding'")
            db.execute(
                """UPDATE files SET state = 'pending', attempts = 0, due_at = 0
                WHERE state = 'known' AND content IN (
                    SELECT content FROM contents WHERE extractor != ?)""",
                (EXTRACTOR_VERSION,),
            )

    def requeue_models(self, key: str) -> int:
        """Sends back to stage 2 what another model than `key` has understood or failed at; its
        rows stay until the new ones are there. Returns how many contents."""
        with self._database.writing() as db:
            return db.execute(
                """UPDATE contents SET state = 'read', attempts = 0
                WHERE read_generation IS NOT NULL AND state IN ('understood', 'failed')
                    AND model_key IS NOT ?""",
                (key,),
            ).rowcount

    def requeue_short(self, counts: Mapping[str, int], present: Collection[str]) -> int:
        """Does again what the store holds fewer (or more) rows of than were written: it was
        walked back by a power cut. Returns how many contents."""
        with self._database.writing() as db:
            rows = db.execute(
                """SELECT content, words, captions, vectors, read_generation,
                    understood_generation FROM contents WHERE read_generation IS NOT NULL"""
            ).fetchall()
            unread = [
                (r["content"],) for r in rows if counts.get(r["read_generation"], 0) != r["words"]
            ]
            lost = [
                (r["content"],)
                for r in rows
                if (generation := r["understood_generation"])
                and (
                    counts.get(generation, 0) != r["captions"]
                    or (r["vectors"] and generation not in present)
                )
            ]
            db.executemany("UPDATE contents SET extractor = 0 WHERE content = ?", unread)
            db.executemany(
                """UPDATE files SET state = 'pending', attempts = 0, due_at = 0
                WHERE content = ? AND state = 'known'""",
                unread,
            )
            db.executemany(
                "UPDATE contents SET state = 'read' WHERE content = ? AND state = 'understood'",
                lost,
            )
        return len(unread) + len(lost)

    def drop_orphans(self) -> int:
        """Forgets contents that no path leads to; their generations go to the trash."""
        with self._database.writing() as db:
            db.execute("DELETE FROM lost")
            orphans = "NOT EXISTS (SELECT 1 FROM files f WHERE f.content = contents.content)"
            for column in ("read_generation", "understood_generation"):
                db.execute(
                    f"""INSERT OR IGNORE INTO trash SELECT {column} FROM contents
                    WHERE {column} IS NOT NULL AND {orphans}"""
                )
            return db.execute(f"DELETE FROM contents WHERE {orphans}").rowcount

    def trash(self) -> list[str]:
        """Generations to remove from the store."""
        with self._database.reading() as db:
            return [row["generation"] for row in db.execute("SELECT generation FROM trash")]

    def emptied(self, generations: Iterable[str]) -> None:
        """Strikes removed generations off the trash."""
        with self._database.writing() as db:
            db.executemany("DELETE FROM trash WHERE generation = ?", [(g,) for g in generations])

    def generations(self) -> set[str]:
        """Every generation that a content points at."""
        with self._database.reading() as db:
            rows = db.execute(
                """SELECT read_generation AS g FROM contents UNION
                SELECT understood_generation FROM contents"""
            )
            return {row["g"] for row in rows if row["g"]}

    def remaining(self) -> dict[tuple[str, str | None], int]:
        """How many files wait for each (stage, kind); the kind of an unread file is a guess."""
        with self._database.reading() as db:
            rows = db.execute(
                """SELECT 'read' AS stage, f.kind, count(*) AS n FROM files f
                JOIN roots r ON r.id = f.root AND r.offline = 0
                WHERE f.state IN ('pending', 'reading') GROUP BY f.kind
                UNION ALL SELECT 'understand', c.kind, count(*) FROM contents c
                WHERE c.state IN ('read', 'understanding') GROUP BY c.kind"""
            )
            return {(row["stage"], row["kind"]): row["n"] for row in rows}


def _decoded(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _parts(db: Connection, content: str) -> tuple[Place, ...]:
    rows = db.execute("SELECT place FROM parts WHERE content = ? ORDER BY ordinal", (content,))
    return tuple(_place(row["place"]) for row in rows)


def _place(written: str | None) -> Place:
    if written is None:
        return None
    place = json.loads(written)
    return Page(place["page"]) if "page" in place else Span(place["start_s"], place["end_s"])


def _fresh(db: Connection, file: Pending) -> bool:
    row = db.execute(
        "SELECT fresh FROM files WHERE id = ? AND state = 'reading'", (file.id,)
    ).fetchone()
    return row is not None and bool(row["fresh"])


def _settle(
    db: Connection,
    file: Pending,
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


def _refuse(db: Connection, outcome: Refused) -> None:
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
    _bin(db, outcome.content)
    db.execute(
        """INSERT INTO contents(content, item, kind, state, reason, sentence, attempts, extractor)
        VALUES (?, ?, ?, 'failed', ?, ?, ?, ?) ON CONFLICT(content) DO UPDATE SET
            state = 'failed', reason = excluded.reason, sentence = excluded.sentence,
            attempts = excluded.attempts, extractor = excluded.extractor, words = 0, captions = 0,
            vectors = 0, read_generation = NULL, understood_generation = NULL""",
        (outcome.content, item_of(outcome.content), outcome.kind, *said, EXTRACTOR_VERSION),
    )
    _link(db, file, outcome.stat, outcome.content)


def _link(db: Connection, file: Pending, stat: Stat, content: str) -> None:
    """Points a file at its content; the stat is of the moment it was hashed."""
    db.execute(
        """UPDATE files SET state = 'known', content = ?, reason = NULL, sentence = NULL,
            attempts = 0, fresh = 0, size = ?, mtime_ns = ?, ctime_ns = ?, inode = ?, device = ?,
            kind = (SELECT kind FROM contents WHERE content = ?)
        WHERE id = ? AND state = 'reading'""",
        (
            content,
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
        "UPDATE contents SET newest = max(newest, ?) WHERE content = ?",
        (stat.mtime_ns / 1e9, content),
    )


def _found_again(db: Connection, content: str) -> bool:
    return (
        db.execute(
            "DELETE FROM lost WHERE id = (SELECT id FROM lost WHERE content = ? LIMIT 1)",
            (content,),
        ).rowcount
        > 0
    )


def _bin(db: Connection, content: str) -> None:
    """Puts whatever generations a content has on the trash list."""
    for column in ("read_generation", "understood_generation"):
        db.execute(
            f"""INSERT OR IGNORE INTO trash SELECT {column} FROM contents
            WHERE content = ? AND {column} IS NOT NULL""",
            (content,),
        )


def _store(db: Connection, read: Read, generation: str | None) -> None:
    facts = read.facts or Facts("")
    # a title that is only the file's name is told from the path, which may change
    title = "" if facts.title == title_of(read.file.path) else facts.title
    if generation is not None:
        _bin(db, read.content)
        db.execute(
            """INSERT INTO contents(content, item, kind, state, read_generation, words)
            VALUES (?, ?, ?, 'read', ?, ?) ON CONFLICT(content) DO UPDATE SET
                kind = excluded.kind, state = 'read', words = excluded.words,
                read_generation = excluded.read_generation, understood_generation = NULL,
                captions = 0, vectors = 0, attempts = 0, reason = NULL, sentence = NULL""",
            (read.content, item_of(read.content), read.kind, generation, len(read.passages)),
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
        [(read.content, n, _written(place)) for n, place in enumerate(read.parts)],
    )
    db.execute("DELETE FROM thumbs WHERE content = ?", (read.content,))
    if read.thumb is not None:
        db.execute(
            "INSERT INTO thumbs VALUES (?, ?, ?, ?)",
            (read.content, read.thumb.width_px, read.thumb.height_px, read.thumb.webp),
        )


def _written(place: Place) -> str | None:
    match place:
        case Page(page):
            return json.dumps({"page": page})
        case Span(start_s, end_s):
            return json.dumps({"start_s": start_s, "end_s": end_s})
        case None:
            return None
