"""A damaged table stops nothing: the service starts, words answer, and the index is repaired in the
background, without a person."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from pathlib import Path

import pytest

from indexer.catalog.catalog import Catalog
from indexer.ingest.pipeline import Pipeline
from indexer.ingest.service import IndexService
from indexer.maintenance.verify import Verifier
from indexer.scan.reconcile import reconcile
from indexer.vectors.census import readable_rows
from indexer.vectors.checksums import Checksums
from indexer.vectors.row_process import RowProcess, RowProcessEndedError, UnreadableRowsError
from indexer.vectors.store import Store
from indexer.vectors.tables import StoreError, Tables
from tests.conftest import Indexed, recollect, serve, stop
from tests.damages import DAMAGES, alter, data_files, halve
from tests.fake_model import FakeModel
from tests.kills import compare_with_fresh
from tests.library import READERS, Row, Small, small, until
from web.cli import serving
from web.library.forgetting import Forgetting


def indexed(base: Path) -> tuple[list[Row], list[tuple[str, str, int, bytes]]]:
    """Makes a library of several commits; its rows and vectors."""
    with small(base / "lib", base / "data") as library:
        for group in range(3):
            for n in range(5):
                library.write(f"{group}{n}.txt", f"The boat number {group}{n} lies in the river.")
            library.service.run_once()
        return library.rows(), library.vectors()


def opened(base: Path) -> Small:
    """The library as `serve` opens it."""
    data = base / "data"
    catalog = Catalog(data / "catalog.sqlite")
    store = Store(data / "lance", replace_damaged=True)
    model = FakeModel()
    pipeline = Pipeline(catalog, store, READERS, model)
    service = IndexService(catalog, pipeline, settle_s=0.2, quiet_s=0.5)
    return Small(base / "lib", catalog, store, model, pipeline, service)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Row], list[object]]:
    base = tmp_path_factory.mktemp("damaged")
    rows, vectors = indexed(base)
    return base, rows, list(vectors)


@pytest.mark.parametrize(
    "damage",
    [  # a process that reads what is left of a table takes a second to start
        pytest.param(damage, marks=pytest.mark.slow if damage[-1] in "123" else ())
        for damage in DAMAGES
    ],
)
@pytest.mark.parametrize("once", [False, True], ids=["serving", "once"])
def test_fault_05_a_damaged_table_is_repaired_without_a_person(
    whole: tuple[Path, list[Row], list[object]], tmp_path: Path, damage: str, once: bool
) -> None:
    base, rows, vectors = whole
    shutil.copytree(base / "data", tmp_path / "data")
    (tmp_path / "lib").symlink_to(base / "lib")
    DAMAGES[damage](tmp_path / "data")
    library = opened(tmp_path)
    try:
        if once:
            library.service.run_once()
        else:
            library.service.start()
            until(lambda: is_sound(library, rows, vectors), within_s=60)
            until(lambda: library.service.problem is None)
        with library.pipeline.housekeeping.quiet():  # not between rows and their flip
            assert (library.rows(), library.vectors()) == (rows, vectors)
            assert Verifier(library.catalog, library.store).check().sound
        assert len(library.found("boat")) == len(rows)
    finally:
        library.service.stop()
        library.catalog.close()


@pytest.fixture
def damaged(
    whole: tuple[Path, list[Row], list[object]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Path, list[str]]:
    """A library of which each table has a flipped byte, and the tables with such a file that were
    opened to be read since: LanceDB may end the process over one."""
    base, _, _ = whole
    shutil.copytree(base / "data", tmp_path / "data")
    (tmp_path / "lib").symlink_to(base / "lib")
    for table in ("words", "gist_*", "body_*"):
        file = data_files(tmp_path / "data", table)[0]
        held = bytearray(file.read_bytes())
        held[len(held) // 3] ^= 1
        file.write_bytes(held)
    opened_tables = []
    real = Tables.__getitem__

    def recording(tables: Tables, name: str) -> object:
        if Checksums(tmp_path / "data" / "lance").wrong(name):
            opened_tables.append(name)
        return real(tables, name)

    monkeypatch.setattr(Tables, "__getitem__", recording)
    return tmp_path, opened_tables


def test_fault_05_no_table_with_a_damaged_file_is_read_before_it_is_replaced(
    whole: tuple[Path, list[Row], list[object]], damaged: tuple[Path, list[str]]
) -> None:
    _, rows, vectors = whole
    base, opened_tables = damaged
    library = opened(base)
    assert opened_tables  # to see that they open, of which no row is read
    opened_tables.clear()
    try:
        with pytest.raises(StoreError, match="verify --repair"):  # who searches before the repair
            library.vectors()
        assert not Verifier(library.catalog, library.store).check().sound
        library.service.run_once()
        assert opened_tables == []
        assert (library.rows(), library.vectors()) == (rows, vectors)
    finally:
        library.service.stop()
        library.catalog.close()


def test_fault_05_a_serving_library_reads_no_table_with_a_damaged_file(
    whole: tuple[Path, list[Row], list[object]], damaged: tuple[Path, list[str]]
) -> None:
    _, rows, vectors = whole
    base, opened_tables = damaged
    library = opened(base)
    opened_tables.clear()
    library.service.start()
    try:
        until(lambda: is_sound(library, rows, vectors), within_s=60)
        assert opened_tables == []
    finally:
        library.service.stop()
        library.catalog.close()


def test_fault_05_a_search_does_not_wait_until_a_table_is_replaced(
    whole: tuple[Path, list[Row], list[object]], tmp_path: Path
) -> None:
    base, _, _ = whole
    shutil.copytree(base / "data", tmp_path / "data")
    tables = Store(tmp_path / "data" / "lance").tables
    damaged, sound = (name for name in tables.names() if name != "words")
    rows = tables.read(sound, lambda table: table.count_rows())
    tables.refuse(damaged, "A file of it is damaged.")
    is_filling, goes_on = threading.Event(), threading.Event()

    def fill(fresh: object) -> None:
        is_filling.set()
        assert goes_on.wait(30)

    _, schema = tables.row_process.open(damaged)
    repair = threading.Thread(target=tables.replace, args=(damaged, schema, fill))
    repair.start()
    outcomes: list[object] = []

    def search() -> None:
        with pytest.raises(StoreError, match="damaged"):
            tables.read(damaged, lambda table: table.count_rows())
        outcomes.append(tables.read(sound, lambda table: table.count_rows()))

    try:
        assert is_filling.wait(30)
        searcher = threading.Thread(target=search)
        searcher.start()
        searcher.join(10)
        assert outcomes == [rows]
    finally:
        goes_on.set()
        repair.join(30)
        tables.row_process.close()


class EndingReader:
    """Reads ten rows, and ends over the one at offset 3."""

    def __init__(self) -> None:
        self.ends = 0

    def open(self, name: str) -> tuple[int, object]:
        return 10, None

    def take(self, name: str, start: int, end: int) -> range:
        if start <= 3 < end:
            self.ends += 1
            raise RowProcessEndedError("ended")
        return range(start, end)

    def close(self) -> None:
        """Nothing is open."""


def test_fault_05_rows_beside_one_that_ends_its_reader_are_kept(tmp_path: Path) -> None:
    reader = EndingReader()
    tables = Tables(tmp_path, None, lambda file: None, reader)
    tables.refuse("words", "A file of it is damaged.")
    reasons: list[str] = []
    read = [row for rows in readable_rows(tables, "words", reasons.append) for row in rows]
    assert sorted(read) == [0, 1, 2, 4, 5, 6, 7, 8, 9]
    assert len(reasons) == reader.ends <= 5


def test_fault_05_a_reader_that_ended_is_started_again(
    whole: tuple[Path, list[Row], list[object]],
) -> None:
    base, rows, _ = whole
    reader = RowProcess(base / "data" / "lance")
    try:
        count, schema = reader.open("words")
        assert count == len(rows)
        assert reader._process is not None
        reader._process.kill()
        with pytest.raises(RowProcessEndedError):
            reader.take("words", 0, 2)
        assert reader.take("words", 0, 2).num_rows == 2
        assert reader.take("words", 0, 2).schema.equals(schema)
        with pytest.raises(UnreadableRowsError):
            reader.open("missing")
    finally:
        reader.close()


def is_sound(library: Small, rows: list[Row], vectors: list[object]) -> bool:
    try:
        return (library.rows(), library.vectors()) == (rows, vectors)
    except Exception:  # a table is being replaced
        return False


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["words cut in half", "gist gone", "bits of the data 0"])
def test_fault_05_the_program_starts_searches_and_indexes_with_damaged_tables(
    damage: str, tmp_path: Path
) -> None:
    folder, data = tmp_path / "lib", tmp_path / "data"
    folder.mkdir()
    for n in range(8):
        (folder / f"{n}.txt").write_text(f"The boat number {n} lies in the river.")
    recollect("index", folder, data=data)
    shutil.copytree(data, tmp_path / "copy")
    for copy in (data, tmp_path / "copy"):
        DAMAGES[damage](copy)
    recollect("index", data=tmp_path / "copy")
    assert json.loads(recollect("verify", "--json", data=tmp_path / "copy"))["sound"]
    served = serve("serve", library=Indexed(folder, data))
    try:
        until(lambda: json.loads(recollect("verify", "--json", data=data))["sound"], within_s=120)
        assert "boat" in recollect("search", "boat", data=data)
    finally:
        stop(served)


def test_fault_05_a_damaged_table_that_was_set_aside_concerns_nobody(
    whole: tuple[Path, list[Row], list[object]], tmp_path: Path
) -> None:
    base, rows, vectors = whole
    shutil.copytree(base / "data", tmp_path / "data")
    (tmp_path / "lib").symlink_to(base / "lib")
    for pattern in ("*.lance/data/*", "aside/*.lance/data/*"):
        halve(sorted((tmp_path / "data" / "lance").glob(pattern)))
        library = opened(tmp_path)
        try:
            library.service.run_once()
            assert (library.rows(), library.vectors()) == (rows, vectors)
            assert Verifier(library.catalog, library.store).check().sound
        finally:
            library.service.stop()
            library.catalog.close()


def test_fault_05_no_damaged_row_is_copied_into_a_file_with_a_checksum_of_its_own(
    tmp_path: Path,
) -> None:
    with small(tmp_path / "lib", tmp_path / "data") as library:
        for name in "abc":
            library.write(f"{name}.txt", f"The boat {name} lies in the river.")
        library.service.run_once()
        (library.folder / "c.txt").unlink()
        item = library.catalog.items.at_path(library.folder / "a.txt")
        assert item is not None
        flipped = item.content[:-1] + ("1" if item.content[-1] == "0" else "0")
        alter(tmp_path / "data", "gist_*.lance/data/*", item.content, flipped)
        library.service.run_once()  # compacts, because a file has gone
        assert Verifier(library.catalog, library.store).check().sound
        assert {content for _, content, *_ in library.vectors()} == {
            content for content, *_ in library.rows()
        }


def test_fault_05_what_is_forgotten_goes_though_a_table_is_damaged(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with small(tmp_path / "lib", data) as library:
        for name in ("kept", "secret"):
            library.write(f"{name}.txt", f"The {name} boat lies in the river.")
        library.service.run_once()
        halve(sorted((data / "lance").glob("words.lance/data/*")))
        forgetting = Forgetting(library.catalog, library.pipeline.housekeeping)
        assert forgetting.forget(str(tmp_path / "lib" / "secret.txt"))["erased"]
        assert not [file for file in data.rglob("*") if file.is_file() and holds(file, "secret")]
        library.service.run_once()
        assert compare_with_fresh(library).good


def holds(file: Path, word: str) -> bool:
    return word.encode() in file.read_bytes()


@pytest.mark.parametrize(
    ("pattern", "old", "new"),
    [
        ("words.lance/data/*", "river", "rivfr"),
        ("words.lance/data/*", "text", "texu"),
        ("gist_*.lance/_versions/*", "ordinal", "ordinam"),
    ],
)
def test_fault_05_nothing_is_made_of_rows_that_changed_since_they_were_read(
    tmp_path: Path, pattern: str, old: str, new: str
) -> None:
    with small(tmp_path / "lib", tmp_path / "data") as library:
        library.write("a.txt", "The boat a lies in the river.")
        library.service.run_once()
        library.write("b.txt", "The boat b lies in the river.")
        reconcile(library.catalog)
        library.pipeline.reading.run()
    alter(tmp_path / "data", pattern, old, new)
    with small(tmp_path / "lib", tmp_path / "data") as library:
        library.service.run_once()
        verdict = compare_with_fresh(library)
        assert verdict.good, verdict


def test_an_end_says_its_sentence_however_long_closing_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    serving._exit_after(0.01, OSError(28, "No space left on device"))
    until(lambda: codes)
    time.sleep(0.05)
    assert codes == [1]
    assert "The disk is full" in capsys.readouterr().err
