"""Every error that a person may meet: one base, and the same sentence at the command line and over
HTTP."""

from __future__ import annotations

import errno
import importlib
import pkgutil
import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from fastapi import FastAPI
from fastapi.testclient import TestClient

import indexer
import model
import retriever
import web
from indexer.catalog.roots import FolderError
from indexer.catalog.storage.database import Database
from indexer.catalog.storage.errors import CatalogDamagedError, CatalogError
from indexer.files.disk_room import DiskFailingError, DiskFullError, LowDiskSpaceError
from indexer.files.lock import FolderReadOnlyError, Holder, LibraryHeldError
from indexer.types.passages import Passage, Source
from indexer.types.pieces import UnreadableError
from indexer.types.places import Kind
from indexer.vectors.store import Store
from indexer.vectors.tables import StoreError
from model.errors import RecollectError
from model.interface import ModelError, ModelMemoryError
from model.runtime.runtime import BusyError
from model.served.errors import ContentRefusedError, EngineError
from retriever.queries.query import QueryError
from tests.library import small, until
from tests.test_store import new_name
from web.cli.group import CommandGroup
from web.http.admission import TooBusyError
from web.http.byte_ranges import RangeError
from web.http.error_handlers import add_error_handlers
from web.library.errors import LibraryError, NotFoundError
from web.machine.doctor import run_checks

SENTENCE = "This cannot be done; do something else."

EXAMPLES: dict[type[RecollectError], Callable[[], RecollectError]] = {
    BusyError: lambda: BusyError(SENTENCE),
    CatalogDamagedError: lambda: CatalogDamagedError(Path("catalog.sqlite"), "malformed"),
    CatalogError: lambda: CatalogError(SENTENCE),
    ContentRefusedError: lambda: ContentRefusedError(SENTENCE),
    DiskFailingError: lambda: DiskFailingError(SENTENCE),
    DiskFullError: lambda: DiskFullError(SENTENCE),
    EngineError: lambda: EngineError(SENTENCE, 500, "out of paper"),
    FolderError: lambda: FolderError(SENTENCE),
    FolderReadOnlyError: lambda: FolderReadOnlyError(
        Path("missing"), OSError(errno.EACCES, "Permission denied")
    ),
    LibraryError: lambda: LibraryError("example", SENTENCE, 415),
    LibraryHeldError: lambda: LibraryHeldError(Holder(17, None)),
    LowDiskSpaceError: lambda: LowDiskSpaceError(SENTENCE),
    ModelError: lambda: ModelError(SENTENCE),
    ModelMemoryError: ModelMemoryError,
    NotFoundError: NotFoundError,
    QueryError: lambda: QueryError(SENTENCE),
    RangeError: RangeError,
    StoreError: lambda: StoreError(SENTENCE),
    TooBusyError: TooBusyError,
    UnreadableError: lambda: UnreadableError("corrupt", SENTENCE),
}


def subclasses(base: type[RecollectError]) -> Iterator[type[RecollectError]]:
    for derived in base.__subclasses__():
        yield derived
        yield from subclasses(derived)


def test_every_error_of_the_product_has_an_example() -> None:
    for package in (indexer, retriever, model, web):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    assert set(subclasses(RecollectError)) == set(EXAMPLES)


def over_http(problem: Exception) -> tuple[int, dict[str, str]]:
    app = FastAPI()
    add_error_handlers(app)

    @app.get("/api/fails")
    def fails() -> None:
        raise problem

    answer = TestClient(app).get("/api/fails")
    error: dict[str, str] = answer.json()["error"]
    return answer.status_code, error


def at_the_command_line(problem: Exception) -> tuple[int, str]:
    @click.command()
    def fails() -> None:
        raise problem

    result = CliRunner().invoke(CommandGroup(commands=[fails]), ["fails"])
    return result.exit_code, result.output


@pytest.mark.parametrize("kind", EXAMPLES, ids=lambda kind: kind.__name__)
def test_an_error_is_the_same_sentence_everywhere(kind: type[RecollectError]) -> None:
    error = EXAMPLES[kind]()
    assert str(error) == error.sentence
    assert error.sentence.endswith(".")
    assert re.fullmatch("[a-z]+(_[a-z]+)*", error.code)
    assert error.code != "internal", "that one is for faults without a sentence"
    status, answer = over_http(error)
    assert status == error.status
    assert 400 <= status < 600
    assert answer == {"code": error.code, "sentence": error.sentence}
    assert at_the_command_line(error) == (1, f"Error: {error.sentence}\n")


@pytest.mark.parametrize(
    ("problem", "status", "code"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), 507, "disk_full"),
        (OSError(errno.EIO, "Input/output error"), 503, "disk_failing"),
    ],
)
def test_a_fault_of_the_disk_is_the_same_sentence_everywhere(
    problem: OSError, status: int, code: str
) -> None:
    answered, error = over_http(problem)
    assert (answered, error["code"]) == (status, code)
    assert at_the_command_line(problem) == (1, f"Error: {error['sentence']}\n")


def test_another_fault_of_the_system_is_not_put_down_to_the_disk() -> None:
    with pytest.raises(FileNotFoundError):
        over_http(FileNotFoundError(errno.ENOENT, "No such file or directory"))


def test_a_catalog_that_is_damaged_while_it_is_open_has_its_sentence(tmp_path: Path) -> None:
    database = Database(tmp_path / "catalog.sqlite")
    with database.reading() as db:
        root = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'notes'").fetchone()[0]
        page_bytes = db.execute("PRAGMA page_size").fetchone()[0]
    database.close()
    content = bytearray(database.file.read_bytes())
    content[(root - 1) * page_bytes : root * page_bytes] = b"\x5a" * page_bytes
    database.file.write_bytes(content)
    database = Database(database.file)
    with pytest.raises(CatalogDamagedError) as met, database.reading() as db:
        db.execute("SELECT count(value) FROM notes").fetchone()
    assert "`recollect verify --repair`" in met.value.sentence
    database.close()


def test_a_write_to_a_full_disk_has_its_sentence(tmp_path: Path) -> None:
    database = Database(tmp_path / "catalog.sqlite")
    with database.reading() as db:  # lent again below: SQLite reports a full disk beyond it
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(DiskFullError) as met:
        database.keep_note("long", "x" * 400_000)
    assert "make room" in met.value.sentence
    assert isinstance(met.value.__cause__, sqlite3.OperationalError)
    database.close()


def test_a_table_that_is_damaged_while_it_is_open_has_its_sentence(tmp_path: Path) -> None:
    store = Store(tmp_path)
    generation = new_name()
    passages = [Passage(n, f"boat {n}", None, Source.TEXT) for n in range(100)]
    store.add_words([(generation, "ab", Kind.DOCUMENT, passages)])
    for file in (tmp_path / "words.lance" / "data").iterdir():
        file.write_bytes(b"\x5a" * file.stat().st_size)
    again = Store(tmp_path)
    with pytest.raises(StoreError, match="`recollect verify --repair`"):
        again.generations.passages([generation])


def test_doctor_and_the_catalog_name_one_cure(tmp_path: Path) -> None:
    file = tmp_path / "catalog.sqlite"
    file.write_bytes(b"this is no database" * 1000)
    with pytest.raises(CatalogDamagedError) as met:
        Database(file)

    def no_plan() -> None:
        raise ModelError(SENTENCE)

    findings = run_checks(tmp_path, no_plan)  # type: ignore[arg-type]  # it only raises
    [library] = [finding for finding in findings if finding["what"] == "Library"]
    assert not library["ok"]
    assert library["said"] == met.value.sentence


def test_a_damaged_index_names_its_cure_while_it_is_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damage = CatalogDamagedError(tmp_path / "catalog.sqlite", "malformed")

    def fail() -> None:
        raise damage

    with small(tmp_path / "folder", tmp_path / "data") as library:
        monkeypatch.setattr(library.service.rescan, "look", fail)
        library.service.start()
        assert until(lambda: library.service.problem == damage.sentence) < 60
