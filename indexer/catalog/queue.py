"""What is to be done next, and what was done: files to be read, contents to be understood.

Each `finish_...` is one SQLite transaction that makes new generations the live ones; it comes
after the store's sync and before anything old is removed, so a kill at any point leaves either
the old state or the new one.
"""

# Values are always bound; what is put into SQL by name are conditions of our own.
# ruff: noqa: S608

from __future__ import annotations

import json
import os
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection, Row

from indexer.catalog.conditions import FIRST, LIVE, PLACES, reached, within
from indexer.catalog.contents import content_rows
from indexer.catalog.forget_list import ForgetList
from indexer.catalog.recordings.sentences import write_sentences
from indexer.catalog.records import member_from
from indexer.catalog.states import content_states, file_states
from indexer.catalog.storage.database import Database
from indexer.catalog.words.writing import FoldedGeneration, folded, write_passages
from indexer.files.paths import join
from indexer.files.walk import Stat
from indexer.types.changes import Changes
from indexer.types.contents import FailedContent, PendingContent, UnderstoodContent
from indexer.types.outcomes import (
    Known,
    Outcome,
    PendingFile,
    Read,
    Refused,
    Salvaged,
    Skipped,
    Unsettled,
)
from indexer.types.passages import GenerationRow
from indexer.types.pieces import EXTRACTOR_VERSION
from indexer.types.places import Kind, Place
from indexer.types.states import ContentState, FailureReason, FileState

# Nothing is put off for longer: what is due later than this was put off before the clock was set.
CLOCK_SET_S = 60.0


@dataclass(frozen=True, slots=True)
class KnownContent:
    """What is known of a content from earlier; `current`: by this version of the extractor."""

    current: bool
    read_generation: str | None
    parts: tuple[Place, ...]
    words_sum: str | None


class Queue:
    """The catalog as the pipeline sees it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._forget_list = ForgetList(database)
        # Claimed and not released yet: a disk that fails may keep us from that, too.
        self._unreleased_files: list[int] = []
        self._claimed_contents: list[str] = []

    # -- stage 1 -------------------------------------------------------------------------------

    def claim_files(self, limit: int) -> list[PendingFile]:
        """Claims the newest files that have settled."""
        unreleased = list(self._unreleased_files)
        with self._database.writing() as db:
            file_states.release_files(db, unreleased)
            rows = db.execute(
                f"""SELECT f.id, f.path, f.attempts, r.path AS base FROM files f
                JOIN roots r ON r.id = f.root AND r.offline = 0
                WHERE f.state = '{FileState.PENDING}'
                    AND (f.due_at <= :now OR f.due_at > :now + :clock_set_s)
                ORDER BY f.mtime_ns DESC, f.id LIMIT :limit""",
                {"now": time.time(), "clock_set_s": CLOCK_SET_S, "limit": limit},
            ).fetchall()
            file_states.claim_files(db, [row["id"] for row in rows])
        del self._unreleased_files[: len(unreleased)]
        return [PendingFile(row["id"], _path(row), row["attempts"]) for row in rows]

    def release_files(self, files: Iterable[PendingFile]) -> None:
        """Puts files back that were claimed and not finished."""
        claimed = [file.id for file in files]
        try:
            with self._database.writing() as db:
                file_states.release_files(db, claimed)
        except BaseException:
            self._unreleased_files += claimed
            raise

    def next_due(self) -> float | None:
        """When the next pending file will have settled (unix s); None when none is pending."""
        with self._database.reading() as db:
            due = db.execute(
                f"""SELECT min(f.due_at) FROM files f JOIN roots r ON r.id = f.root
                WHERE f.state = '{FileState.PENDING}' AND r.offline = 0"""
            ).fetchone()[0]
        return None if due is None else float(due)

    def known_content(self, content: str) -> KnownContent | None:
        """What is known of a content, None when nothing is."""
        with self._database.reading() as db:
            row = db.execute(
                "SELECT extractor, read_generation, words_sum FROM contents WHERE content = ?",
                (content,),
            ).fetchone()
            if row is None:
                return None
            parts = content_rows.parts_of(db, content)
        return KnownContent(
            row["extractor"] == EXTRACTOR_VERSION, row["read_generation"], parts, row["words_sum"]
        )

    def finish_reading(
        self, outcomes: Sequence[Outcome], generations: Mapping[str, str]
    ) -> Changes:
        """Writes down what came of a batch; `generations` are the new ones by content (a content
        that was read again and is the same as before has none). A file that changed since it was
        claimed stays pending. Returns how the outcomes correct the counts of the last look."""
        correction = Changes()
        words = folded(
            (generations[read.content], read.content, read.kind, read.passages)
            for outcome in outcomes
            if isinstance(outcome, Read)
            for read in outcome.whole
            if read.content in generations
        )
        with self._database.writing() as db:
            for outcome in outcomes:
                fresh = _is_fresh(db, outcome.file)
                match outcome:
                    case Unsettled(file):
                        file_states.postpone_file(db, file.id)
                    case Skipped(file, FailureReason.FORGOTTEN, _):
                        self._forget_list.add_file(db, file.id)
                        correction += Changes(added=-int(fresh))
                    case Skipped(file, reason, sentence):
                        file_states.skip_file(db, file.id, reason, sentence)
                        correction += Changes(added=-int(fresh))
                    case Refused():
                        content_rows.write_refused(db, outcome)
                    case Known(file, stat, content):
                        content_rows.assign_content(db, file.id, stat, content)
                        if fresh and content_rows.take_lost(db, content):
                            correction += Changes(added=-1, moved=1, gone=-1)
                    case Read(file, stat, _, content):
                        for read in outcome.whole:
                            content_rows.write_content(db, read, generations.get(read.content))
                        content_rows.assign_content(db, file.id, stat, content)
            for outcome in outcomes:  # a member may be a file of the same batch
                if isinstance(outcome, Read):
                    content_rows.write_members(db, outcome)
            write_passages(db, words)
        return correction

    def reuse_understanding(self, read: Read, generation: str, key: str, reused: Salvaged) -> None:
        """Makes what an earlier catalog left in the store the understanding of a content that was
        just read as `generation`."""
        words: list[FoldedGeneration] = []
        if (understood := reused.understood_generation) is not None:
            words = folded([(understood, read.content, read.kind, reused.captions)])
        with self._database.writing() as db:
            if content_states.reuse_understanding(db, key, read, generation, reused):
                write_passages(db, words)

    # -- stage 2 -------------------------------------------------------------------------------

    def claim_contents(
        self,
        limit: int,
        unfinished: Sequence[str] = (),
        domain: Collection[str] | None = None,
    ) -> list[PendingContent]:
        """Claims the most wanted, then the newest contents for the model, of the `domain` where one
        is given. Of those that are `unfinished`, only the first, which comes last."""
        is_for_model, bound = within("c.content", domain)
        with self._database.writing() as db:
            content_states.release_contents(db, self._claimed_contents)
            readable = f"+f.state = '{FileState.KNOWN}' AND r.offline = 0"
            next_contents = db.execute(
                f"""SELECT c.content FROM contents c
                WHERE {is_for_model} AND {"" if domain is None else "+"}c.state =
                    '{ContentState.READ}' AND {reached(readable)}
                    AND c.content NOT IN (SELECT value FROM json_each(?2))
                ORDER BY c.attempts, c.wanted_at DESC, c.newest DESC, c.content LIMIT ?3""",
                (*bound, json.dumps(unfinished), limit),
            ).fetchall()
            next_contents += db.execute(
                f"""SELECT c.content FROM contents c WHERE c.content = ?
                AND c.state = '{ContentState.READ}' AND {reached(readable)}""",
                (unfinished[0] if unfinished else None,),
            ).fetchall()
            self._claimed_contents = [row["content"] for row in next_contents]
            places = db.execute(
                f"""SELECT c.kind, c.attempts, c.read_generation, c.words, c.words_sum, f.*,
                    r.path AS base
                FROM {PLACES} f JOIN contents c ON c.content = f.content
                JOIN roots r ON r.id = f.root WHERE {readable}
                ORDER BY {FIRST}""",
                {"contents": json.dumps(self._claimed_contents)},
            ).fetchall()
            first = {row["content"]: row for row in reversed(places)}
            rows = [first[content] for content in self._claimed_contents]
            content_states.claim_contents(db, self._claimed_contents)
            return [
                PendingContent(
                    content=row["content"],
                    kind=Kind(row["kind"]),
                    file=row["file"],
                    path=_path(row),
                    stat=Stat(*(row[name] for name in Stat.__slots__)),
                    read_generation=row["read_generation"],
                    parts=content_rows.parts_of(db, row["content"]),
                    attempts=row["attempts"],
                    member=member_from(row),
                    passages=row["words"],
                    words_sum=row["words_sum"],
                )
                for row in rows
            ]

    def has_outside(self, domain: Collection[str]) -> bool:
        """Whether a content that waits for a model is not of the `domain`."""
        condition, bound = within("c.content", domain)
        with self._database.reading() as db:
            row = db.execute(
                f"""SELECT 1 FROM contents c WHERE c.state = '{ContentState.READ}'
                AND NOT {condition} AND {reached(LIVE)} LIMIT 1""",
                bound,
            ).fetchone()
        return row is not None

    def release_contents(self, items: Iterable[PendingContent], doubted: bool = False) -> None:
        """Puts contents back that were claimed and not finished. When `doubted`, their files have
        changed meanwhile and are read again first."""
        released = list(items)
        with self._database.writing() as db:
            content_states.release_contents(db, [item.content for item in released])
            if doubted:
                due_at = time.time() + file_states.AGAIN_S
                file_states.reread_files(db, [item.file for item in released], due_at)
        if not doubted:
            self._claimed_contents = []

    def finish_understanding(
        self,
        key: str,
        outcomes: Sequence[UnderstoodContent | FailedContent],
        generations: Mapping[str, str],
    ) -> None:
        """Makes the new generations of understood contents the live ones. One whose reading
        changed meanwhile is thrown away."""
        understood: list[GenerationRow] = []
        words = {
            row.content: row
            for row in folded(
                (generations[o.item.content], o.item.content, o.item.kind, o.passages)
                for o in outcomes
                if isinstance(o, UnderstoodContent)
            )
        }
        with self._database.writing() as db:
            for outcome in outcomes:
                item = outcome.item
                db.execute("DELETE FROM drafts WHERE content = ?", (item.content,))
                if isinstance(outcome, FailedContent):
                    content_states.fail_understanding(db, key, outcome)
                    continue
                generation = generations[item.content]
                db.execute(
                    """INSERT OR IGNORE INTO trash SELECT understood_generation FROM contents
                    WHERE content = ? AND read_generation = ?
                        AND understood_generation IS NOT NULL""",
                    (item.content, item.read_generation),
                )
                if content_states.finish_understanding(db, key, outcome, generation):
                    understood.append((generation, item.content, item.kind, outcome.passages))
                else:
                    db.execute("INSERT OR IGNORE INTO trash VALUES (?)", (generation,))
            write_passages(db, [words[content] for _, content, *_ in understood])
            write_sentences(db, understood)


def _is_fresh(db: Connection, file: PendingFile) -> bool:
    """Whether a file that is being read has never been through the first stage."""
    row = db.execute(
        f"SELECT fresh FROM files WHERE id = ? AND state = '{FileState.READING}'", (file.id,)
    ).fetchone()
    return row is not None and bool(row["fresh"])


def _path(row: Row) -> Path:
    return Path(os.fsdecode(join(row["base"], row["path"])))
