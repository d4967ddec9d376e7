"""Every change of state of a content.

A new content is READ or FAILED. From there:

====================  ======================================  ==================
a content             from                                    to
====================  ======================================  ==================
write_read            any                                     READ
write_failed          any                                     FAILED
claim_contents        READ                                    UNDERSTANDING
release_contents      UNDERSTANDING                           READ
release_all_contents  UNDERSTANDING                           READ
finish_understanding  READ, UNDERSTANDING                     UNDERSTOOD
fail_understanding    UNDERSTANDING                           READ, then FAILED
reuse_understanding   READ                                    UNDERSTOOD
redo_understanding    UNDERSTOOD                              READ
redo_other_models     UNDERSTOOD, FAILED                      READ
drop_understanding    UNDERSTOOD                              READ
retry_contents        any                                     READ, where it was
====================  ======================================  ==================

Each function belongs into a transaction of its caller. From any other state a call changes nothing.
"""

# Values are always bound; what is put into SQL by name are the states and columns of this file.
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Collection, Iterable
from sqlite3 import Connection

from indexer.catalog.conditions import within
from indexer.catalog.records import item_of
from indexer.types.contents import FailedContent, UnderstoodContent
from indexer.types.outcomes import ATTEMPTS, Read, Refused, Salvaged
from indexer.types.pieces import EXTRACTOR_VERSION
from indexer.types.places import Kind
from indexer.types.states import ContentState
from indexer.vectors.rows import passages_sum, vectors_sum


def write_read(
    db: Connection, content: str, kind: Kind, generation: str, words: int, words_sum: str
) -> None:
    """The content was read as `generation`; what was understood of it before is no more."""
    db.execute(
        f"""INSERT INTO contents(content, item, kind, state, read_generation, words, words_sum)
        VALUES (?, ?, ?, '{ContentState.READ}', ?, ?, ?) ON CONFLICT(content) DO UPDATE SET
            kind = excluded.kind, state = excluded.state, words = excluded.words,
            words_sum = excluded.words_sum,
            read_generation = excluded.read_generation, understood_generation = NULL,
            captions = 0, vectors = 0, attempts = 0, reason = NULL, sentence = NULL""",
        (content, item_of(content), kind, generation, words, words_sum),
    )


def write_failed(db: Connection, content: str, kind: Kind, refused: Refused) -> None:
    """The content could not be read; it has no generations any more."""
    db.execute(
        f"""INSERT INTO contents(content, item, kind, state, reason, sentence, attempts, extractor)
        VALUES (?, ?, ?, '{ContentState.FAILED}', ?, ?, ?, ?) ON CONFLICT(content) DO UPDATE SET
            state = excluded.state, reason = excluded.reason, sentence = excluded.sentence,
            attempts = excluded.attempts, extractor = excluded.extractor, words = 0, captions = 0,
            vectors = 0, read_generation = NULL, understood_generation = NULL""",
        (
            content,
            item_of(content),
            kind,
            refused.reason,
            refused.sentence,
            refused.file.attempts + 1,
            EXTRACTOR_VERSION,
        ),
    )


def claim_contents(db: Connection, contents: Iterable[str]) -> None:
    """The model is at work on these contents from now on."""
    db.executemany(
        f"UPDATE contents SET state = '{ContentState.UNDERSTANDING}' "
        f"WHERE content = ? AND state = '{ContentState.READ}'",
        [(content,) for content in contents],
    )


def release_contents(db: Connection, contents: Iterable[str]) -> None:
    """Puts contents back that were claimed and not finished."""
    db.executemany(
        f"UPDATE contents SET state = '{ContentState.READ}' "
        f"WHERE content = ? AND state = '{ContentState.UNDERSTANDING}'",
        [(content,) for content in contents],
    )


def release_all_contents(db: Connection) -> None:
    """Puts all contents back that were claimed and not finished."""
    db.execute(
        f"UPDATE contents SET state = '{ContentState.READ}' "
        f"WHERE state = '{ContentState.UNDERSTANDING}'"
    )


def finish_understanding(
    db: Connection, key: str, outcome: UnderstoodContent, generation: str
) -> bool:
    """The model with this key understood the content as `generation`; false, with nothing changed,
    where it was read anew meanwhile."""
    return (
        db.execute(
            f"""UPDATE contents SET state = '{ContentState.UNDERSTOOD}', understood_generation = ?,
                model_key = ?, captions = ?, vectors = ?, captions_sum = ?, vectors_sum = ?,
                attempts = 0, wanted_at = 0, reason = ?, sentence = ?
            WHERE content = ? AND read_generation = ?
                AND state IN ('{ContentState.READ}', '{ContentState.UNDERSTANDING}')""",
            (
                generation,
                key,
                len(outcome.passages),
                len(outcome.rows),
                passages_sum(outcome.item.kind, outcome.passages),
                vectors_sum(outcome.rows),
                outcome.reason,
                outcome.sentence,
                outcome.item.content,
                outcome.item.read_generation,
            ),
        ).rowcount
        > 0
    )


def fail_understanding(db: Connection, key: str, outcome: FailedContent) -> None:
    """The model with this key understood nothing of the content; it is tried ATTEMPTS times."""
    db.execute(
        f"""UPDATE contents SET attempts = attempts + 1, reason = ?, sentence = ?, model_key = ?,
            state = CASE WHEN attempts + 1 < ? THEN '{ContentState.READ}'
                ELSE '{ContentState.FAILED}' END
        WHERE content = ? AND state = '{ContentState.UNDERSTANDING}'""",
        (outcome.reason, outcome.sentence, key, ATTEMPTS, outcome.item.content),
    )


def reuse_understanding(
    db: Connection, key: str, read: Read, generation: str, reused: Salvaged
) -> bool:
    """What an earlier catalog left in the store is the understanding of a content that was just
    read as `generation`; false where it is read anew already."""
    cursor = db.execute(
        f"""UPDATE contents SET state = '{ContentState.UNDERSTOOD}', understood_generation = ?,
            model_key = ?, captions = ?, vectors = ?, captions_sum = ?, vectors_sum = ?
        WHERE content = ? AND read_generation = ? AND state = '{ContentState.READ}'""",
        (
            reused.understood_generation,
            key,
            len(reused.captions),
            reused.vectors,
            passages_sum(read.kind, reused.captions),
            reused.vectors_sum,
            read.content,
            generation,
        ),
    )
    return cursor.rowcount > 0


def redo_understanding(db: Connection, contents: Iterable[str]) -> int:
    """Has contents understood again; returns how many. Their rows stay until the new ones are
    there."""
    return db.executemany(
        f"UPDATE contents SET state = '{ContentState.READ}', attempts = 0 "
        f"WHERE content = ? AND state = '{ContentState.UNDERSTOOD}'",
        [(content,) for content in contents],
    ).rowcount


def redo_other_models(db: Connection, key: str, domain: Collection[str] | None = None) -> int:
    """Has understood again what another model than `key` understood or failed at, of the `domain`
    where one is given; returns how many contents."""
    condition, bound = within("content", domain)
    return db.execute(
        f"""UPDATE contents SET state = '{ContentState.READ}', attempts = 0
        WHERE read_generation IS NOT NULL AND model_key IS NOT ?2 AND {condition}
            AND state IN ('{ContentState.UNDERSTOOD}', '{ContentState.FAILED}')""",
        (*bound, key),
    ).rowcount


def drop_understanding(db: Connection, key: str, domain: Collection[str]) -> int:
    """What the model `key` understood of contents outside its `domain` is no more; returns of how
    many."""
    condition, bound = within("content", domain)
    of_model = f"""state = '{ContentState.UNDERSTOOD}' AND model_key = ?2 AND NOT {condition}"""
    db.execute(
        f"""INSERT OR IGNORE INTO trash SELECT understood_generation FROM contents
        WHERE {of_model} AND understood_generation IS NOT NULL""",
        (*bound, key),
    )
    return db.execute(
        f"""UPDATE contents SET state = '{ContentState.READ}', understood_generation = NULL,
            captions = 0, vectors = 0, attempts = 0, reason = NULL, sentence = NULL
        WHERE {of_model}""",
        (*bound, key),
    ).rowcount


def retry_contents(db: Connection, contents: Iterable[str]) -> None:
    """Has contents understood again, or read again that could not be."""
    db.executemany(
        f"""UPDATE contents SET attempts = 0, reason = NULL, sentence = NULL,
            state = CASE WHEN read_generation IS NULL THEN state ELSE '{ContentState.READ}' END,
            extractor = CASE WHEN read_generation IS NULL THEN 0 ELSE extractor END
        WHERE content = ?""",
        [(content,) for content in contents],
    )
