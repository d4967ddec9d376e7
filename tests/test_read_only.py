"""A data directory that may not be written: indexing is refused, searching goes on."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from indexer.catalog.catalog import Catalog
from indexer.catalog.storage.errors import CatalogError
from indexer.files.lock import FolderReadOnlyError, LibraryLock
from indexer.vectors.lance import connect
from indexer.vectors.store import Store
from indexer.vectors.tables import StoreError
from tests.conftest import recollect
from tests.library import as_nobody, small
from tests.test_room import tiny_disk


def filled(folder: Path, data: Path) -> None:
    with small(folder, data) as library:
        library.write("a.txt", "The boat lies in the river.")
        library.service.run_once()
        assert library.found("boat")


def test_fault_04_a_folder_that_may_not_be_written_can_still_be_searched(tmp_path: Path) -> None:
    filled(tmp_path / "lib", tmp_path / "data")  # loads what nobody may not read
    with as_nobody() as base:
        data = base / "data"
        filled(base / "lib", data)
        everything = [data, *sorted(data.rglob("*"))]
        for path in everything:
            path.chmod(0o500 if path.is_dir() else 0o400)
        before = {path: path.stat().st_mtime_ns for path in everything}
        try:
            lock = LibraryLock(data)
            assert lock.holder() is None
            with pytest.raises(FolderReadOnlyError, match=r"mode 0500.*mode 0700") as refused:
                lock.acquire()
            assert str(data) in str(refused.value)
            catalog, store = Catalog(data / "catalog.sqlite"), Store(data / "lance")
            assert store.generations.passage_count() == 1
            [item] = catalog.items.of_contents(catalog.passages.holding(["boat"])).values()
            assert item.path.name == "a.txt"
            assert catalog.items.search_names("a", 3)
            catalog.close()
            assert before == {path: path.stat().st_mtime_ns for path in [data, *data.rglob("*")]}
        finally:
            for path in everything:
                path.chmod(0o700)


def test_fault_04_no_other_folder_is_taken_instead() -> None:
    with as_nobody() as base:
        (base / "closed").mkdir(mode=0o500)
        with pytest.raises(CatalogError, match="belongs to you and can be written"):
            Catalog(base / "closed" / "data" / "catalog.sqlite")
        with pytest.raises(FolderReadOnlyError, match="cannot be made"):
            LibraryLock(base / "closed" / "data").acquire()


@pytest.mark.slow
def test_fault_04_a_disk_that_is_mounted_read_only(tmp_path: Path) -> None:
    folder = tmp_path / "lib"
    folder.mkdir()
    (folder / "a.txt").write_text("The boat lies in the river.")
    with tiny_disk(tmp_path / "disk", 1_000) as disk:  # indexing leaves 500 MB of a disk free
        recollect("index", folder, data=disk / "data")
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        answer = json.loads(recollect("search", "boat", "--json", data=disk / "data"))
        assert [hit["path"] for hit in answer["hits"]] == [str(folder / "a.txt")]
        for verb in ("index", "serve", "verify"):
            output = recollect(verb, data=disk / "data", code=1)
            assert "may not write to its data directory" in output
            assert "Traceback" not in output


def test_fault_10_tables_of_a_newer_lancedb_are_refused_and_left_alone(tmp_path: Path) -> None:
    Store(tmp_path)
    (tmp_path / "stamp").write_text("99.1.0")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(StoreError, match=r"LanceDB 99\.1\.0, and this program has \d+\.\d+"):
        Store(tmp_path)
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    (tmp_path / "stamp").write_text("0.9.0")
    connect(tmp_path)
    assert (tmp_path / "stamp").read_text() != "0.9.0"
