"""The index of a large table of vectors: what it finds, and that nothing depends on it."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np
import pytest

from indexer.catalog.forget_list import ForgetList
from indexer.types.contents import VectorRow
from indexer.types.places import Kind
from indexer.vectors import search as search_module
from indexer.vectors import store as store_module
from indexer.vectors import vector_indexes
from indexer.vectors.lance import filter_of
from indexer.vectors.store import Store
from model.interface import Float32
from retriever.meaning import Meaning
from retriever.queries.query import Query
from retriever.search import Searcher
from tests.library import small, until

KEY, DIM, ROWS = "0123456789ab", 48, 600
TABLE = f"body_{KEY}"
KINDS = [Kind.DOCUMENT, Kind.DOCUMENT, Kind.PHOTO]
FOUND_AT_LEAST = 0.98


@pytest.fixture(autouse=True)
def tables_are_large() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store_module, "RESIDENT_BYTES", 0)
        yield


def vectors(seed: int, count: int) -> Float32:
    chance = np.random.default_rng(seed)
    centres = chance.standard_normal((12, DIM))
    matrix = centres[chance.integers(0, 12, count)] + 0.6 * chance.standard_normal((count, DIM))
    unit: Float32 = (matrix / np.linalg.norm(matrix, axis=1, keepdims=True)).astype(np.float32)
    return unit


def add(store: Store, matrix: Float32, first: int = 0) -> None:
    """A row a content: row n belongs to generation and content n, in hexadecimal digits."""
    store.add_vectors(
        KEY,
        DIM,
        [
            (f"{n:x}", f"{n:x}", KINDS[n % 3], [VectorRow(n, None, None, vector)])
            for n, vector in enumerate(matrix, start=first)
        ],
    )
    store.sync()


def indexes(store: Store) -> list[str]:
    return [index.name for index in store.tables[TABLE].list_indices()]


def found(store: Store, vector: Float32, limit: int = 10) -> list[int]:
    return [match.ordinal for match in store.search.vectors(KEY, "body", vector, limit)]


def exact(matrix: Float32, vector: Float32, limit: int = 10) -> list[int]:
    return [int(n) for n in np.argsort(-(matrix @ vector))[:limit]]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store whose table has an index, at rest."""
    folder = tmp_path_factory.mktemp("built") / "store"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store_module, "RESIDENT_BYTES", 0)
        store = Store(folder)
        add(store, vectors(1, ROWS))
        assert indexes(store) == []
        store.indexes.maintain(wait=True)
        assert indexes(store) == [f"nearest_{ROWS}"]
    return folder


@pytest.fixture
def folder(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "store"))


def test_an_index_finds_what_an_exact_scan_finds(folder: Path) -> None:
    store, matrix, asked = Store(folder), vectors(1, ROWS), vectors(2, 40)
    shares = []
    for query in asked:
        photos = store.search.vectors(KEY, "body", query, 10, {Kind.PHOTO})
        is_photo = np.arange(ROWS) % 3 == 2
        wanted = [int(n) for n in np.argsort(-(matrix @ query)) if is_photo[n]][:10]
        shares.append(len({match.ordinal for match in photos} & set(wanted)) / 10)
        shares.append(len(set(found(store, query)) & set(exact(matrix, query))) / 10)
    assert np.mean(shares) >= FOUND_AT_LEAST
    far = {f"{n:x}" for n in exact(-matrix, asked[0], 5)}
    matches = store.search.vectors(KEY, "body", asked[0], 10, None, far)
    assert {match.content for match in matches} == far, "a filter loses nothing that it allows"


def test_what_is_not_indexed_yet_is_found_and_what_was_removed_is_not(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vector_indexes, "MOST_UNINDEXED", 30)
    store, later = Store(folder), vectors(3, 30)
    add(store, later, ROWS)
    assert [found(store, vector, 1) for vector in later[:5]] == [[ROWS + n] for n in range(5)]
    store.remove([f"{n:x}" for n in range(100)])
    assert store.optimize(), "many rows were not in the index"
    statistics = store.tables[TABLE].index_stats(f"nearest_{ROWS}")
    assert statistics.num_unindexed_rows == 0
    assert [found(store, vector, 1) for vector in later[:5]] == [[ROWS + n] for n in range(5)]
    assert set(found(store, vectors(1, ROWS)[0], 1_000)) == set(range(100, ROWS + 30))


def test_erasing_takes_the_index_of_what_was_erased(folder: Path) -> None:
    store = Store(folder)
    files = {file.parent.name for file in folder.glob(f"{TABLE}.lance/_indices/*/*")}
    store.remove(["7"])
    store.erase()
    left = {file.parent.name for file in folder.glob(f"{TABLE}.lance/_indices/*/*")}
    assert not files & left
    assert set(found(store, vectors(1, ROWS)[7], 1_000)) == set(range(ROWS)) - {7}
    assert store.repair.damaged_files() == []


@pytest.mark.parametrize("file", ["index.idx", "auxiliary.idx"])
@pytest.mark.parametrize("is_lost", [False, True])
def test_a_damaged_index_stops_nothing(folder: Path, file: str, is_lost: bool) -> None:
    matrix, asked = vectors(1, ROWS), vectors(2, 5)
    for path in folder.glob(f"{TABLE}.lance/_indices/*/{file}"):
        data = bytearray(path.read_bytes())
        middle = slice(len(data) // 3, len(data) // 2)
        data[middle] = bytes(255 - byte for byte in data[middle])
        path.unlink() if is_lost else path.write_bytes(data)
    store = Store(folder)
    assert [found(store, query) for query in asked] == [exact(matrix, query) for query in asked]
    assert store.repair.damaged_files() == []
    add(store, vectors(4, 10), ROWS)
    store.remove(["7"])
    store.optimize()  # which reads an index that it believes to be whole
    assert set(found(store, asked[0], 1_000)) == set(range(ROWS + 10)) - {7}
    assert indexes(store) == []
    assert store.tables.has_trusted_index(TABLE)
    assert store.repair.damaged_files() == []


def test_an_index_that_was_not_made_durable_is_taken_back(built: Path, tmp_path: Path) -> None:
    """A kill after its commit and before it was synced; the disk then has any part of it."""
    folder = tmp_path / "store"
    add(Store(folder), vectors(1, ROWS))
    command = [sys.executable, "-m", "indexer.vectors.vector_indexes"]
    with subprocess.Popen([*command, folder, TABLE, "nearest_1"], stdin=subprocess.PIPE) as child:
        assert child.wait(60) == 0
    assert indexes(Store(folder)) == ["nearest_1"]
    for file in folder.glob(f"{TABLE}.lance/_indices/*/*.idx"):
        file.write_bytes(file.read_bytes()[:100])
    store = Store(folder, replace_damaged=True)
    assert indexes(store) == []
    query = vectors(2, 1)[0]
    assert found(store, query) == exact(vectors(1, ROWS), query)


def test_a_build_ends_with_the_program_that_asked_for_it(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    add(Store(folder), vectors(1, ROWS))
    command = [
        sys.executable,
        "-m",
        "indexer.vectors.vector_indexes",
        str(folder),
        TABLE,
        "nearest_1",
    ]
    assert subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode == 1
    assert indexes(Store(folder)) == []


def test_a_kind_that_no_row_has_costs_no_search(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, query = Store(folder), vectors(2, 1)[0]
    filters: list[object] = []

    def noted(kinds: Collection[Kind] | None, contents: Collection[str] | None) -> object:
        filters.append(kinds)
        return filter_of(kinds, contents)

    monkeypatch.setattr(search_module, "filter_of", noted)
    for kinds in ({Kind.RECORDING}, {Kind.PHOTO, Kind.RECORDING}, set(Kind)):
        store.search.vectors(KEY, "body", query, 10, kinds)
    assert filters == [{Kind.PHOTO}, None]
    store.add_vectors(KEY, DIM, [("ff", "ff", Kind.RECORDING, [VectorRow(9, None, None, query)])])
    matches = store.search.vectors(KEY, "body", query, 10, {Kind.RECORDING})
    assert [match.content for match in matches] == ["ff"]


def test_all_tables_get_their_index_in_the_background(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    rows = [VectorRow(n, None, vector, vector) for n, vector in enumerate(vectors(1, 40))]
    store.add_vectors(KEY, DIM, [("a", "a", Kind.DOCUMENT, rows)])
    store.sync()
    store.indexes.maintain(wait=False)  # once: a library at rest is not tidied up again
    tables = [f"{space}_{KEY}" for space in ("gist", "body")]
    until(lambda: all(store.tables[table].list_indices() for table in tables))
    until(lambda: not store.indexes.is_building)
    assert [len(store.tables[table].list_indices()) for table in tables] == [1, 1]


def test_a_build_that_is_stopped_leaves_the_table_as_it_was(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    add(store, vectors(1, ROWS))
    store.indexes.maintain(wait=False)
    assert store.indexes.is_building
    store.remove(["7"])
    store.erase()  # which stops it: it would delete the files of the build
    assert not store.indexes.is_building
    assert set(found(store, vectors(1, 1)[0], 1_000)) == set(range(ROWS)) - {7}


def test_an_index_that_cannot_be_built_is_not_tried_at_once_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "store")
    add(store, vectors(1, 20))
    monkeypatch.setattr(sys, "executable", "/bin/false")
    store.indexes.maintain(wait=True)
    store.indexes.maintain(wait=True)
    assert indexes(store) == []
    assert len(found(store, vectors(1, 1)[0], 100)) == 20


def test_a_library_is_searched_by_its_index_and_shows_no_hidden_file(tmp_path: Path) -> None:
    with small(tmp_path / "folder", tmp_path / "data") as library:
        for number in range(12):
            library.write(f"{number}.txt", f"The boat number {number} lies in the river.")
        library.service.run_once()
        tables = [name for name in library.store.tables.names() if name != "words"]
        assert tables
        for table in tables:
            assert library.store.tables[table].list_indices(), "built before the command ends"

        query = Query("The boat number lies in the river.", limit=50)

        def near() -> int:
            nearness = Meaning(library.catalog, library.store, library.model).near(query, None)
            return len({content for of_kind in nearness for content, _ in of_kind})

        def shown() -> set[str]:
            searcher = Searcher(library.catalog, library.store, library.model)
            return {hit.item.path.name for hit in searcher.search(query)}

        assert near() == len(shown()) == 12
        ForgetList(library.catalog.database).add_path(tmp_path / "folder" / "3.txt")
        assert near() == 11
        assert shown() == {f"{n}.txt" for n in range(12) if n != 3}
        (tmp_path / "folder").rename(tmp_path / "away")
        library.service.run_once()
        assert near() == 0, "the drive is not there"
        assert shown() == set()


@pytest.mark.slow
def test_rows_come_and_go_and_every_search_finds_all_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vector_indexes, "MOST_UNINDEXED", 40)
    chance, store = random.Random(9), Store(tmp_path)
    matrix = vectors(5, 3_000)
    present: set[int] = set()
    added = 0
    for _ in range(60):
        match chance.randrange(7):
            case 0 | 1:
                count = chance.randrange(1, 60)
                add(store, matrix[added : added + count], added)
                present |= set(range(added, added + count))
                added += count
            case 2 if present:
                gone = chance.sample(sorted(present), min(len(present), chance.randrange(1, 30)))
                store.remove([f"{n:x}" for n in gone])
                present -= set(gone)
            case 3:
                store.indexes.maintain(wait=chance.random() < 0.3)
            case 4:
                store.optimize()
            case 5 if chance.random() < 0.3:
                store.erase()
            case 6 if chance.random() < 0.5:
                store.indexes.stop()
                store = Store(tmp_path, replace_damaged=True)
                store.repair.set_aside_unsynced()
        store.sync()
        query = matrix[chance.randrange(len(matrix))]
        assert set(found(store, query, 4_000)) == present
        if present:
            known = chance.choice(sorted(present))
            assert found(store, matrix[known], 1) == [known]
    store.indexes.stop()
    assert store.repair.damaged_files() == []
