"""Every change of state of a file or a content; no state is written anywhere else.

A new file is PENDING, or FAILED where it is a folder that may not be listed. From there:

====================  ======================================  ==================
a file                from                                    to
====================  ======================================  ==================
claim_files           PENDING                                 READING
release_files         READING                                 PENDING
release_all           READING                                 PENDING
postpone_file         READING                                 PENDING
retry_file_later      READING                                 PENDING
skip_file             READING                                 SKIPPED
fail_file             READING                                 FAILED
link_file             READING                                 KNOWN
reread_files          KNOWN                                   PENDING
reread_changed_files  any: its size, times or inode differ    PENDING
retry_failed_files    FAILED, KNOWN                           PENDING
fail_below            any                                     FAILED
hide_files            any                                     MISSING
restore_files         MISSING                                 what it was before
====================  ======================================  ==================

A new content is READ or FAILED. From there:

====================  ======================================  ==================
a content             from                                    to
====================  ======================================  ==================
write_read            any                                     READ
write_failed          any                                     FAILED
claim_contents        READ                                    UNDERSTANDING
release_contents      UNDERSTANDING                           READ
release_all           UNDERSTANDING                           READ
finish_understanding  READ, UNDERSTANDING                     UNDERSTOOD
fail_understanding    UNDERSTANDING                           READ, then FAILED
reuse_understanding   READ                                    UNDERSTOOD
redo_understanding    UNDERSTOOD                              READ
redo_other_models     UNDERSTOOD, FAILED                      READ
retry_contents        any                                     READ, where it was
====================  ======================================  ==================

Each function belongs into a transaction of its caller. From any other state a call changes nothing.
"""

# Values are always bound; what is put into SQL by name are the states and columns of this file.
# ruff: noqa: S608

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from sqlite3 import Connection

from indexer.catalog.records import item_of
from indexer.files.walk import Stat
from indexer.types.contents import FailedContent, UnderstoodContent
from indexer.types.outcomes import ATTEMPTS, Read, Refused, Salvaged
from indexer.types.pieces import EXTRACTOR_VERSION
from indexer.types.places import Kind
from indexer.types.states import AbsenceReason, ContentState, FileState
from indexer.vectors.rows import passages_sum, vectors_sum

AGAIN_S = 1.0  # how long a file that was caught changing is left alone

_CLEAR = "reason = NULL, sentence = NULL"
_IS_READING = f"id = ? AND state = '{FileState.READING}'"

# A file is the same when these are; the device's number may change with every plugging in.
IS_CHANGED = """s.size != f.size OR s.mtime_ns != f.mtime_ns OR s.ctime_ns != f.ctime_ns
    OR s.inode != f.inode"""
# Quiet since the later of its two times, but never waiting longer than from now on.
DUE_AT = "min(max(s.mtime_ns, s.ctime_ns) / 1e9, :now) + :settle"


# -- files that are read ---------------------------------------------------------------------------


def claim_files(db: Connection, files: Iterable[int]) -> None:
    """The files are being read from now on."""
    db.executemany(
        f"UPDATE files SET state = '{FileState.READING}' "
        f"WHERE id = ? AND state = '{FileState.PENDING}'",
        [(file,) for file in files],
    )


def release_files(db: Connection, files: Iterable[int]) -> None:
    """Puts files back that were claimed and not read."""
    db.executemany(
        f"UPDATE files SET state = '{FileState.PENDING}' WHERE {_IS_READING}",
        [(file,) for file in files],
    )


def release_all(db: Connection, contents: bool = True) -> None:
    """Puts back all files, and with `contents` those too, that were claimed and not finished."""
    db.execute(
        f"UPDATE files SET state = '{FileState.PENDING}' WHERE state = '{FileState.READING}'"
    )
    if contents:
        db.execute(
            f"UPDATE contents SET state = '{ContentState.READ}' "
            f"WHERE state = '{ContentState.UNDERSTANDING}'"
        )


def postpone_file(db: Connection, file: int) -> None:
    """The file changed while it was read: it is read a little later."""
    db.execute(
        f"UPDATE files SET state = '{FileState.PENDING}', {_CLEAR}, due_at = ? WHERE {_IS_READING}",
        (time.time() + AGAIN_S, file),
    )


def retry_file_later(db: Connection, refused: Refused) -> None:
    """The file could not be read, for a reason that may pass."""
    file = refused.file
    db.execute(
        f"""UPDATE files SET state = '{FileState.PENDING}', attempts = ?, due_at = ?, reason = ?,
        sentence = ? WHERE {_IS_READING}""",
        (file.attempts + 1, time.time() + AGAIN_S, refused.reason, refused.sentence, file.id),
    )


def skip_file(db: Connection, file: int, reason: str, sentence: str) -> None:
    """The file is none that is read; it has no content any more."""
    db.execute(
        f"""UPDATE files SET state = '{FileState.SKIPPED}', reason = ?, sentence = ?, due_at = 0,
        content = NULL, kind = NULL, fresh = 0 WHERE {_IS_READING}""",
        (reason, sentence, file),
    )


def fail_file(db: Connection, refused: Refused) -> None:
    """The file could not be read, and nothing is known of its content."""
    file = refused.file
    db.execute(
        f"""UPDATE files SET state = '{FileState.FAILED}', reason = ?, sentence = ?, attempts = ?,
        fresh = 0, kind = coalesce(?, kind) WHERE {_IS_READING}""",
        (refused.reason, refused.sentence, file.attempts + 1, refused.kind, file.id),
    )


def link_file(db: Connection, file: int, stat: Stat, content: str) -> None:
    """The file has this content; `stat` is of the moment it was hashed."""
    db.execute(
        f"""UPDATE files SET state = '{FileState.KNOWN}', content = ?, {_CLEAR},
            attempts = 0, fresh = 0, audited_at = ?, size = ?, mtime_ns = ?, ctime_ns = ?,
            inode = ?, device = ?,
            kind = (SELECT kind FROM contents WHERE content = ?)
        WHERE {_IS_READING}""",
        (
            content,
            time.time(),
            *(stat.size, stat.mtime_ns, stat.ctime_ns, stat.inode, stat.device),
            content,
            file,
        ),
    )


# -- files that are read again ---------------------------------------------------------------------


def reread_files(db: Connection, files: Iterable[int], due_at: float = 0.0) -> None:
    """Has known files read again, at `due_at` (unix s) at the earliest."""
    db.executemany(
        f"""UPDATE files SET state = '{FileState.PENDING}', attempts = 0, due_at = ?
        WHERE id = ? AND state = '{FileState.KNOWN}'""",
        [(due_at, file) for file in files],
    )


def reread_changed_files(db: Connection, now: float, settle_s: float, patience_s: float) -> None:
    """Has files read again whose row in `seen` differs, once they have been quiet for `settle_s`
    or were waited for as long as `patience_s`; their rows are those of `seen` from now on."""
    since = f"CASE WHEN f.state = '{FileState.PENDING}' THEN f.pending_since ELSE :now END"
    db.execute(
        f"""UPDATE files AS f SET size = s.size, mtime_ns = s.mtime_ns, ctime_ns = s.ctime_ns,
            inode = s.inode, device = s.device, state = '{FileState.PENDING}', attempts = 0,
            {_CLEAR}, pending_since = {since}, due_at = min({DUE_AT}, {since} + :patience)
        FROM seen s WHERE s.root = f.root AND s.path = f.path AND ({IS_CHANGED})""",
        {"now": now, "settle": settle_s, "patience": patience_s},
    )


def retry_failed_files(db: Connection, files: Iterable[int]) -> None:
    """Has files read again that could not be read, or whose content could not."""
    db.executemany(
        f"""UPDATE files SET state = '{FileState.PENDING}', attempts = 0, due_at = 0, {_CLEAR}
        WHERE id = ? AND state IN ('{FileState.FAILED}', '{FileState.KNOWN}')""",
        [(file,) for file in files],
    )


# -- files that cannot be seen ---------------------------------------------------------------------


def fail_below(
    db: Connection, root: int, bounds: tuple[bytes, bytes], reason: str, sentence: str
) -> None:
    """The files between these bounds lie in a folder that may not be listed."""
    db.execute(
        f"""UPDATE files SET state = '{FileState.FAILED}', reason = ?, sentence = ?
        WHERE root = ? AND path >= ? AND path < ?""",
        (reason, sentence, root, *bounds),
    )


def add_failed_folder(db: Connection, root: int, folder: bytes, reason: str, sentence: str) -> None:
    """Lists a folder that may not be listed as a failed file of size -1, if it is not there yet."""
    db.execute(
        f"""INSERT INTO files(root, path, size, mtime_ns, ctime_ns, inode, device, state, reason,
            sentence, attempts)
        VALUES (?, ?, -1, 0, 0, 0, 0, '{FileState.FAILED}', ?, ?, 1)
        ON CONFLICT(root, path) DO NOTHING""",
        (root, folder, reason, sentence),
    )


def hide_files(db: Connection, files: Iterable[tuple[int, AbsenceReason]], now: float) -> None:
    """The files are not there and are kept; what they were, and since when they are missing, is
    written down once."""
    rows = [(now, why, file) for file, why in files]
    db.executemany(
        """INSERT INTO absent(file, since, state, why) SELECT id, ?, state, ? FROM files
        WHERE id = ? ON CONFLICT(file) DO UPDATE SET why = excluded.why""",
        rows,
    )
    db.executemany(
        f"UPDATE files SET state = '{FileState.MISSING}' WHERE id = ?",
        [(file,) for _, _, file in rows],
    )


def restore_files(db: Connection, files: Collection[int]) -> None:
    """The files are there again, in the state they were in."""
    rows = [(file,) for file in files]
    db.executemany(
        f"""UPDATE files SET state = (SELECT CASE a.state WHEN '{FileState.READING}'
            THEN '{FileState.PENDING}' ELSE a.state END FROM absent a WHERE a.file = files.id)
        WHERE id = ? AND state = '{FileState.MISSING}'""",
        rows,
    )
    db.executemany("DELETE FROM absent WHERE file = ?", rows)


# -- contents --------------------------------------------------------------------------------------


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
            captions = 0, vectors = 0, attempts = 0, {_CLEAR}""",
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


def redo_other_models(db: Connection, key: str) -> int:
    """Has understood again what another model than `key` understood or failed at; returns how
    many contents."""
    return db.execute(
        f"""UPDATE contents SET state = '{ContentState.READ}', attempts = 0
        WHERE read_generation IS NOT NULL AND model_key IS NOT ?
            AND state IN ('{ContentState.UNDERSTOOD}', '{ContentState.FAILED}')""",
        (key,),
    ).rowcount


def retry_contents(db: Connection, contents: Iterable[str]) -> None:
    """Has contents understood again, or read again that could not be."""
    db.executemany(
        f"""UPDATE contents SET attempts = 0, {_CLEAR},
            state = CASE WHEN read_generation IS NULL THEN state ELSE '{ContentState.READ}' END,
            extractor = CASE WHEN read_generation IS NULL THEN 0 ELSE extractor END
        WHERE content = ?""",
        [(content,) for content in contents],
    )
