"""Every change of state of a file.

A new file is PENDING, or FAILED where it is a folder that may not be listed. From there:

====================  ======================================  ==================
a file                from                                    to
====================  ======================================  ==================
claim_files           PENDING                                 READING
release_files         READING                                 PENDING
release_all_files     READING                                 PENDING
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

Each function belongs into a transaction of its caller. From any other state a call changes nothing.
"""

# Values are always bound; what is put into SQL by name are the states and columns of this file.
# ruff: noqa: S608

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from sqlite3 import Connection

from indexer.files.walk import Stat
from indexer.types.outcomes import Refused
from indexer.types.states import AbsenceReason, FileState

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


def release_all_files(db: Connection) -> None:
    """Puts all files back that were claimed and not read."""
    db.execute(
        f"UPDATE files SET state = '{FileState.PENDING}' WHERE state = '{FileState.READING}'"
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
    or were waited for as long as `patience_s` (small ones a sixth of that); their rows are those
    of `seen` from now on."""
    since = f"CASE WHEN f.state = '{FileState.PENDING}' THEN f.pending_since ELSE :now END"
    db.execute(
        f"""UPDATE files AS f SET size = s.size, mtime_ns = s.mtime_ns, ctime_ns = s.ctime_ns,
            inode = s.inode, device = s.device, state = '{FileState.PENDING}', attempts = 0,
            {_CLEAR}, pending_since = {since},
            due_at = min({DUE_AT}, {since} + min(:patience, :patience / 6 + s.size / 1e6))
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
