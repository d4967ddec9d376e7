"""What is to be done next, and what was done: every change of state of a file or a content.

Each `finish_...` is one SQLite transaction that makes new generations the live ones; it comes
after the store's sync and before anything old is removed, so a kill at any point leaves either
the old state or the new one.
"""

# Values are always bound; what is put into SQL by name are conditions of our own.
# ruff: noqa: S608

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from indexer.catalog.database import Database
from indexer.catalog.entries import (
    AGAIN_S,
    contain,
    decoded,
    found_again,
    is_fresh,
    link,
    parts_of,
    refuse,
    settle,
    store,
)
from indexer.catalog.forget import Forgotten
from indexer.catalog.queries import FIRST, PLACES, reached
from indexer.catalog.records import member_from
from indexer.files.walk import Stat, join
from indexer.types.changes import Changes
from indexer.types.contents import FailedContent, PendingContent, UnderstoodContent
from indexer.types.outcomes import (
    ATTEMPTS,
    Known,
    Outcome,
    PendingFile,
    Read,
    Refused,
    Salvaged,
    Skipped,
    Unsettled,
)
from indexer.types.pieces import EXTRACTOR_VERSION
from indexer.types.places import Kind, Place
from indexer.vectors.rows import passages_sum, vectors_sum

# Nothing is put off for longer: what is due later than this was put off before the clock was set.
CLOCK_SET_S = 60.0


@dataclass(frozen=True, slots=True)
class KnownContent:
    """What is known of a content from earlier; `current`: by this version of the extractor."""

    current: bool
    read_generation: str | None
    parts: tuple[Place, ...]
    words_sum: str | None


RELEASE_FILE = "UPDATE files SET state = 'pending' WHERE id = ? AND state = 'reading'"
RELEASE_CONTENT = "UPDATE contents SET state = 'read' WHERE content = ? AND state = 'understanding'"


class Queue:
    """The catalog as the pipeline sees it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._forgotten = Forgotten(database)
        # Taken and not put back yet: a disk that fails may keep us from that, too.
        self._unreleased: list[tuple[int]] = []
        self._contents: list[tuple[str]] = []

    # -- stage 1 -------------------------------------------------------------------------------

    def claim_files(self, limit: int) -> list[PendingFile]:
        """Takes the newest files that have settled; they are `reading` from now on."""
        unreleased = list(self._unreleased)
        with self._database.writing() as db:
            db.executemany(RELEASE_FILE, unreleased)
            rows = db.execute(
                """SELECT f.id, f.path, f.attempts, r.path AS base FROM files f
                JOIN roots r ON r.id = f.root AND r.offline = 0
                WHERE f.state = 'pending' AND (f.due_at <= :now OR f.due_at > :now + :clock_set_s)
                ORDER BY f.mtime_ns DESC, f.id LIMIT :limit""",
                {"now": time.time(), "clock_set_s": CLOCK_SET_S, "limit": limit},
            ).fetchall()
            claimed = [(r["id"],) for r in rows]
            db.executemany("UPDATE files SET state = 'reading' WHERE id = ?", claimed)
        del self._unreleased[: len(unreleased)]
        return [
            PendingFile(r["id"], Path(decoded(join(r["base"], r["path"]))), r["attempts"])
            for r in rows
        ]

    def release_files(self, files: Iterable[PendingFile]) -> None:
        """Puts files back that were taken and not finished."""
        claimed = [(file.id,) for file in files]
        try:
            with self._database.writing() as db:
                db.executemany(RELEASE_FILE, claimed)
        except BaseException:
            self._unreleased += claimed
            raise

    def next_due(self) -> float | None:
        """When the next pending file will have settled (unix s); None when none is pending."""
        with self._database.reading() as db:
            due = db.execute(
                """SELECT min(f.due_at) FROM files f JOIN roots r ON r.id = f.root
                WHERE f.state = 'pending' AND r.offline = 0"""
            ).fetchone()[0]
        return None if due is None else float(due)

    def before(self, content: str) -> KnownContent | None:
        """What is known of a content, None when nothing is."""
        with self._database.reading() as db:
            row = db.execute(
                "SELECT extractor, read_generation, words_sum FROM contents WHERE content = ?",
                (content,),
            ).fetchone()
            if row is None:
                return None
            parts = parts_of(db, content)
        return KnownContent(
            row["extractor"] == EXTRACTOR_VERSION, row["read_generation"], parts, row["words_sum"]
        )

    def finish_reading(
        self, outcomes: Sequence[Outcome], generations: Mapping[str, str]
    ) -> Changes:
        """Writes down what came of a batch; `generations` are the new ones by content (a content
        that was read again and is the same as before has none). A file that changed since it was
        taken stays pending. Returns how the outcomes correct the counts of the last look."""
        correction = Changes()
        with self._database.writing() as db:
            for outcome in outcomes:
                fresh = is_fresh(db, outcome.file)
                match outcome:
                    case Unsettled(file):
                        settle(db, file, "pending", due_at=time.time() + AGAIN_S)
                    case Skipped(file, "forgotten", _):
                        self._forgotten.add_file(db, file.id)
                        correction += Changes(added=-int(fresh))
                    case Skipped(file, reason, sentence):
                        settle(db, file, "skipped", reason=reason, sentence=sentence)
                        correction += Changes(added=-int(fresh))
                    case Refused():
                        refuse(db, outcome)
                    case Known(file, stat, content):
                        link(db, file, stat, content)
                        if fresh and found_again(db, content):
                            correction += Changes(added=-1, moved=1, gone=-1)
                    case Read(file, stat, _, content):
                        for read in outcome.whole:
                            store(db, read, generations.get(read.content))
                        link(db, file, stat, content)
            for outcome in outcomes:  # a member may be a file of the same batch
                if isinstance(outcome, Read):
                    contain(db, outcome)
        return correction

    def adopt(self, read: Read, generation: str, key: str, adopted: Salvaged) -> None:
        """Makes what an earlier catalog's model call left behind the understanding of a content
        that was just read as `generation`."""
        with self._database.writing() as db:
            db.execute(
                """UPDATE contents SET state = 'understood', understood_generation = ?,
                    model_key = ?, captions = ?, vectors = ?, captions_sum = ?, vectors_sum = ?
                WHERE content = ? AND read_generation = ? AND state = 'read'""",
                (
                    adopted.understood_generation,
                    key,
                    len(adopted.captions),
                    adopted.vectors,
                    passages_sum(read.kind, adopted.captions),
                    adopted.vectors_sum,
                    read.content,
                    generation,
                ),
            )

    # -- stage 2 -------------------------------------------------------------------------------

    def claim_contents(self, limit: int) -> list[PendingContent]:
        """Takes the most wanted, then the newest contents for the model."""
        with self._database.writing() as db:
            db.executemany(RELEASE_CONTENT, self._contents)
            known = "+f.state = 'known' AND r.offline = 0"
            chosen = db.execute(
                f"""SELECT c.content FROM contents c WHERE c.state = 'read' AND {reached(known)}
                ORDER BY c.attempts, c.wanted_at DESC, c.newest DESC, c.content LIMIT ?""",
                (limit,),
            ).fetchall()
            self._contents = [(r["content"],) for r in chosen]
            ways = db.execute(
                f"""SELECT c.kind, c.attempts, c.read_generation, f.*, r.path AS base
                FROM {PLACES} f JOIN contents c ON c.content = f.content
                JOIN roots r ON r.id = f.root WHERE {known}
                ORDER BY {FIRST}""",
                {"contents": json.dumps([content for (content,) in self._contents])},
            ).fetchall()
            first = {way["content"]: way for way in reversed(ways)}
            rows = [first[content] for (content,) in self._contents]
            db.executemany(
                "UPDATE contents SET state = 'understanding' WHERE content = ?", self._contents
            )
            return [
                PendingContent(
                    content=r["content"],
                    kind=Kind(r["kind"]),
                    file=r["file"],
                    path=Path(decoded(join(r["base"], r["path"]))),
                    stat=Stat(r["size"], r["mtime_ns"], r["ctime_ns"], r["inode"], r["device"]),
                    read_generation=r["read_generation"],
                    parts=parts_of(db, r["content"]),
                    attempts=r["attempts"],
                    member=member_from(r),
                )
                for r in rows
            ]

    def release_contents(self, items: Iterable[PendingContent], doubted: bool = False) -> None:
        """Puts contents back that were taken and not finished. When `doubted`, their files have
        changed under us and are read again first."""
        with self._database.writing() as db:
            for item in items:
                db.execute(RELEASE_CONTENT, (item.content,))
                if doubted:
                    db.execute(
                        """UPDATE files SET state = 'pending', due_at = ?
                        WHERE id = ? AND state = 'known'""",
                        (time.time() + AGAIN_S, item.file),
                    )
        if not doubted:
            self._contents = []

    def finish_understanding(
        self,
        key: str,
        outcomes: Sequence[UnderstoodContent | FailedContent],
        generations: Mapping[str, str],
    ) -> None:
        """Makes the new generations of understood contents the live ones. One whose reading
        changed meanwhile is thrown away."""
        with self._database.writing() as db:
            for outcome in outcomes:
                item = outcome.item
                db.execute("DELETE FROM drafts WHERE content = ?", (item.content,))
                if isinstance(outcome, FailedContent):
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
                        model_key = ?, captions = ?, vectors = ?, captions_sum = ?,
                        vectors_sum = ?, attempts = 0, wanted_at = 0, reason = ?, sentence = ?
                    WHERE content = ? AND read_generation = ?""",
                    (
                        generation,
                        key,
                        len(outcome.passages),
                        len(outcome.rows),
                        passages_sum(item.kind, outcome.passages),
                        vectors_sum(outcome.rows),
                        outcome.reason,
                        outcome.sentence,
                        item.content,
                        item.read_generation,
                    ),
                ).rowcount
                if not done:
                    db.execute("INSERT OR IGNORE INTO trash VALUES (?)", (generation,))
