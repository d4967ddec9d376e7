"""Which state follows which: every change, from every state, on a real catalog."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from sqlite3 import Connection

import pytest

from indexer.catalog.catalog import Catalog
from indexer.catalog.states import content_states, file_states
from indexer.files.walk import Stat
from indexer.types.contents import FailedContent, PendingContent, UnderstoodContent
from indexer.types.outcomes import PendingFile, Read, Refused, Salvaged
from indexer.types.places import Kind
from indexer.types.states import LISTED_STATES, AbsenceReason, ContentState, FileState
from web.cli.output.status import STATES

CONTENT = "ab" * 20
STAT = Stat(1, 2, 3, 4, 5)
FILE = PendingFile(1, Path("/lib/a.txt"), 0)
REFUSED = Refused(FILE, Kind.DOCUMENT, CONTENT, "crashed", "It crashed.", True, STAT)
PENDING = PendingContent(CONTENT, Kind.DOCUMENT, 1, Path("/lib/a.txt"), STAT, "g1", (), 0)
READ = Read(FILE, STAT, Kind.DOCUMENT, CONTENT, "a.txt", None, None, (), ())
F, C = FileState, ContentState
STORED_FILE_STATES = [state for state in F if state is not F.OFFLINE]

# Each change of a file: the states it may come from, and the one it leads to.
FILE_CHANGES: dict[str, tuple[Callable[[Connection], object], set[FileState], FileState]] = {
    "claim_files": (lambda db: file_states.claim_files(db, [1]), {F.PENDING}, F.READING),
    "release_files": (lambda db: file_states.release_files(db, [1]), {F.READING}, F.PENDING),
    "release_all_files": (file_states.release_all_files, {F.READING}, F.PENDING),
    "postpone_file": (lambda db: file_states.postpone_file(db, 1), {F.READING}, F.PENDING),
    "retry_file_later": (
        lambda db: file_states.retry_file_later(db, REFUSED),
        {F.READING},
        F.PENDING,
    ),
    "skip_file": (
        lambda db: file_states.skip_file(db, 1, "type", "Not read."),
        {F.READING},
        F.SKIPPED,
    ),
    "fail_file": (lambda db: file_states.fail_file(db, REFUSED), {F.READING}, F.FAILED),
    "link_file": (lambda db: file_states.link_file(db, 1, STAT, CONTENT), {F.READING}, F.KNOWN),
    "reread_files": (lambda db: file_states.reread_files(db, [1]), {F.KNOWN}, F.PENDING),
    "reread_changed_files": (
        lambda db: file_states.reread_changed_files(db, 9.0, 0.0, 0.0),
        set(STORED_FILE_STATES),
        F.PENDING,
    ),
    "retry_failed_files": (
        lambda db: file_states.retry_failed_files(db, [1]),
        {F.FAILED, F.KNOWN},
        F.PENDING,
    ),
    "fail_below": (
        lambda db: file_states.fail_below(db, 1, (b"a", b"b"), "permission", "Not allowed."),
        set(STORED_FILE_STATES),
        F.FAILED,
    ),
    "hide_files": (
        lambda db: file_states.hide_files(db, [(1, AbsenceReason.MANY)], 9.0),
        set(STORED_FILE_STATES),
        F.MISSING,
    ),
    "restore_files": (lambda db: file_states.restore_files(db, [1]), {F.MISSING}, F.KNOWN),
}
CONTENT_CHANGES: dict[
    str, tuple[Callable[[Connection], object], set[ContentState], ContentState]
] = {
    "write_read": (
        lambda db: content_states.write_read(db, CONTENT, Kind.DOCUMENT, "g2", 1, "sum"),
        set(C),
        C.READ,
    ),
    "write_failed": (
        lambda db: content_states.write_failed(db, CONTENT, Kind.DOCUMENT, REFUSED),
        set(C),
        C.FAILED,
    ),
    "claim_contents": (
        lambda db: content_states.claim_contents(db, [CONTENT]),
        {C.READ},
        C.UNDERSTANDING,
    ),
    "release_contents": (
        lambda db: content_states.release_contents(db, [CONTENT]),
        {C.UNDERSTANDING},
        C.READ,
    ),
    "release_all_contents": (content_states.release_all_contents, {C.UNDERSTANDING}, C.READ),
    "finish_understanding": (
        lambda db: content_states.finish_understanding(db, "key", UnderstoodContent(PENDING), "g2"),
        {C.READ, C.UNDERSTANDING},
        C.UNDERSTOOD,
    ),
    "fail_understanding": (
        lambda db: content_states.fail_understanding(
            db, "key", FailedContent(PENDING, "model", "No.")
        ),
        {C.UNDERSTANDING},
        C.READ,
    ),
    "reuse_understanding": (
        lambda db: content_states.reuse_understanding(
            db, "key", READ, "g1", Salvaged("g1", "g2", (), 0, None)
        ),
        {C.READ},
        C.UNDERSTOOD,
    ),
    "redo_understanding": (
        lambda db: content_states.redo_understanding(db, [CONTENT]),
        {C.UNDERSTOOD},
        C.READ,
    ),
    "redo_other_models": (
        lambda db: content_states.redo_other_models(db, "other"),
        {C.UNDERSTOOD, C.FAILED},
        C.READ,
    ),
    "retry_contents": (lambda db: content_states.retry_contents(db, [CONTENT]), set(C), C.READ),
}


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    """A catalog with a root, one content, and a file of it that was seen changed."""
    catalog = Catalog(tmp_path / "catalog.sqlite")
    with catalog.database.writing() as db:
        db.execute("INSERT INTO roots(id, path) VALUES (1, x'2f')")
        db.execute(
            "INSERT INTO contents(content, item, kind, state, read_generation, model_key) "
            "VALUES (?, 'item', 'document', 'read', 'g1', 'key')",
            (CONTENT,),
        )
        db.execute(
            "INSERT INTO files(id, root, path, size, mtime_ns, ctime_ns, inode, device, content) "
            "VALUES (1, 1, CAST('a.txt' AS BLOB), 1, 1, 1, 1, 1, ?)",
            (CONTENT,),
        )
    yield catalog
    catalog.close()


def _state(db: Connection, table: str) -> str:
    return str(db.execute(f"SELECT state FROM {table}").fetchone()[0])


@pytest.mark.parametrize(("change", "state"), [*product(FILE_CHANGES, STORED_FILE_STATES)])
def test_a_file_changes_state_only_as_allowed(
    catalog: Catalog, change: str, state: FileState
) -> None:
    call, allowed, target = FILE_CHANGES[change]
    with catalog.database.reading() as db:
        db.execute("CREATE TEMP TABLE seen AS SELECT *, 0 AS s FROM files")
        db.execute("UPDATE seen SET size = 2")
        with catalog.database.transaction(db):
            db.execute("UPDATE files SET state = ?", (state,))
            if state is F.MISSING:
                db.execute("INSERT INTO absent VALUES (1, 0, ?, 'many')", (F.KNOWN,))
            call(db)
        assert _state(db, "files") == (target if state in allowed else state)
        assert _state(db, "contents") == C.READ, "a content's state is its own"
        db.execute("DROP TABLE temp.seen")


@pytest.mark.parametrize(("change", "state"), [*product(CONTENT_CHANGES, ContentState)])
def test_a_content_changes_state_only_as_allowed(
    catalog: Catalog, change: str, state: ContentState
) -> None:
    call, allowed, target = CONTENT_CHANGES[change]
    with catalog.database.writing() as db:
        db.execute("UPDATE contents SET state = ?", (state,))
        call(db)
        assert _state(db, "contents") == (target if state in allowed else state)
        assert _state(db, "files") == F.PENDING, "a file's state is its own"


def test_a_content_fails_at_the_second_attempt(catalog: Catalog) -> None:
    outcome = FailedContent(PENDING, "model", "No.")
    with catalog.database.writing() as db:
        for state in (C.READ, C.FAILED):
            content_states.claim_contents(db, [CONTENT])
            content_states.fail_understanding(db, "key", outcome)
            assert _state(db, "contents") == state


def test_an_understanding_of_an_older_reading_is_refused(catalog: Catalog) -> None:
    with catalog.database.writing() as db:
        content_states.write_read(db, CONTENT, Kind.DOCUMENT, "g9", 1, "sum")
        assert not content_states.finish_understanding(db, "key", UnderstoodContent(PENDING), "g2")
        assert _state(db, "contents") == C.READ


@pytest.mark.parametrize("state", [F.PENDING, F.READING, F.FAILED, F.SKIPPED])
def test_a_file_comes_back_in_the_state_it_was_hidden_in(
    catalog: Catalog, state: FileState
) -> None:
    with catalog.database.writing() as db:
        db.execute("UPDATE files SET state = ?", (state,))
        file_states.hide_files(db, [(1, AbsenceReason.UNMOUNTED)], 9.0)
        file_states.restore_files(db, [1])
        assert _state(db, "files") == (F.PENDING if state is F.READING else state)


def test_every_change_is_in_the_tables() -> None:
    documented = f"{file_states.__doc__}{content_states.__doc__}"
    for name in {*FILE_CHANGES, *CONTENT_CHANGES}:
        assert f"\n{name} " in documented, name


def test_every_listed_state_has_words() -> None:
    assert STATES.keys() == LISTED_STATES
