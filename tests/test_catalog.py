from __future__ import annotations

import os
import sqlite3
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import docx
import pytest

from indexer.catalog.catalog import Catalog
from indexer.catalog.records import item_of
from indexer.catalog.roots import FolderError
from indexer.catalog.storage.errors import CatalogError
from indexer.catalog.storage.schema import MIGRATIONS
from indexer.catalog.storage.sql_functions import name_words
from indexer.scan.reconcile import reconcile
from indexer.types.places import Kind
from indexer.types.scope import Scope
from tests.library import Small, small


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    catalog = Catalog(tmp_path / "data" / "catalog.sqlite")
    yield catalog
    catalog.close()


def folder(path: Path) -> Path:
    path.mkdir(parents=True)
    return path


def test_item_of_is_short_opaque_and_stable() -> None:
    content = "00" * 20
    assert item_of(content) == item_of(content)
    assert len(item_of(content)) == 26
    assert item_of(content).isalnum()
    assert item_of("01" * 20) != item_of(content)


def test_catalog_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        catalog = Catalog(tmp_path / "data" / "catalog.sqlite")
    finally:
        os.umask(before)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data").iterdir()}
    assert modes == {0o600}
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    catalog.close()


def test_catalog_of_a_newer_program_is_refused_with_both_numbers(tmp_path: Path) -> None:
    file = tmp_path / "catalog.sqlite"
    Catalog(file).close()
    with sqlite3.connect(file) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(CatalogError) as problem:
        Catalog(file)
    assert "version 99" in str(problem.value)
    assert f"knows {len(MIGRATIONS)}" in str(problem.value)


def test_file_that_is_no_catalog_is_refused_and_kept(tmp_path: Path) -> None:
    file = tmp_path / "catalog.sqlite"
    file.write_text("shopping list\n" * 100)
    with pytest.raises(CatalogError, match="damaged"):
        Catalog(file)
    assert file.read_text().startswith("shopping list")


def test_folder_for_the_catalog_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(CatalogError, match="cannot be opened"):
        Catalog(tmp_path / "taken" / "catalog.sqlite")


def test_many_threads_share_one_catalog(catalog: Catalog, tmp_path: Path) -> None:
    names = [folder(tmp_path / f"r{n}") for n in range(8)]
    problems: list[BaseException] = []

    def work(path: Path) -> None:
        try:
            for _ in range(5):
                catalog.roots.add(path)
                catalog.counts.coverage()
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=work, args=(path,)) for path in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert sorted(root.path for root in catalog.roots.all()) == names


def test_folder_that_is_not_there(catalog: Catalog, tmp_path: Path) -> None:
    with pytest.raises(FolderError, match=r"There is no folder .*nowhere"):
        catalog.roots.add(tmp_path / "nowhere")


def test_file_instead_of_a_folder(catalog: Catalog, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    with pytest.raises(FolderError, match="add the folder it is in"):
        catalog.roots.add(tmp_path / "a.txt")


def test_adding_twice_or_inside_changes_nothing(catalog: Catalog, tmp_path: Path) -> None:
    outer = folder(tmp_path / "lib")
    inner = folder(outer / "inner")
    root = catalog.roots.add(outer)
    assert catalog.roots.add(outer) == root
    assert catalog.roots.add(inner) == root
    assert catalog.roots.add(tmp_path / "x" / ".." / "lib") == root
    assert catalog.roots.all() == [root]


def test_folder_with_an_alike_name_is_another(catalog: Catalog, tmp_path: Path) -> None:
    catalog.roots.add(folder(tmp_path / "lib"))
    catalog.roots.add(folder(tmp_path / "library"))
    assert len(catalog.roots.all()) == 2


def test_outer_folder_takes_over_the_files_of_inner_ones(catalog: Catalog, tmp_path: Path) -> None:
    inner = folder(tmp_path / "lib" / "inner")
    (inner / "a.txt").write_text("a")
    catalog.roots.add(inner)
    reconcile(catalog)
    before = catalog.files.page()
    outer = catalog.roots.add(tmp_path / "lib")
    assert [root.path for root in catalog.roots.all()] == [tmp_path / "lib"]
    assert outer.files == 1
    assert reconcile(catalog).added == 0
    assert [row.path for row in catalog.files.page()] == [row.path for row in before]


def test_hidden_folder_inside_a_root_can_be_a_root_of_its_own(
    catalog: Catalog, tmp_path: Path
) -> None:
    hidden = folder(tmp_path / "lib" / ".notes")
    (hidden / "a.txt").write_text("a")
    catalog.roots.add(tmp_path / "lib")
    catalog.roots.add(hidden)
    assert reconcile(catalog).added == 1
    assert len(catalog.roots.all()) == 2


def test_removing_a_folder_forgets_its_files(catalog: Catalog, tmp_path: Path) -> None:
    lib = folder(tmp_path / "lib")
    (lib / "a.txt").write_text("a")
    catalog.roots.add(lib)
    reconcile(catalog)
    assert catalog.roots.remove(lib) == 1
    assert catalog.files.page() == []
    with pytest.raises(FolderError, match="not a watched folder"):
        catalog.roots.remove(lib)
    assert (lib / "a.txt").read_text() == "a"


def test_removing_a_part_of_a_folder_says_why_not(catalog: Catalog, tmp_path: Path) -> None:
    catalog.roots.add(folder(tmp_path / "lib"))
    with pytest.raises(FolderError, match="lies inside one that is"):
        catalog.roots.remove(folder(tmp_path / "lib" / "part"))


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (b"a/BoatTrip2021.txt", "BoatTrip2021 Boat Trip 2021"),
        (b"red_bicycle.png", "red_bicycle"),
        (b".hidden", ".hidden"),
        (b"a/caf\xe9.txt", "caf?"),
    ],
)
def test_name_words(path: bytes, words: str) -> None:
    assert name_words(path) == words


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    base = tmp_path_factory.mktemp("library")
    with small(base / "lib", base / "data") as library:
        library.write("letters/BoatTrip.txt", "We went down the river in a boat.")
        library.write("letters/copy of BoatTrip.txt", "We went down the river in a boat.")
        library.write("money.md", "# Taxes\n\nAll the money went to the garden.")
        library.write("empty.txt", "")
        (library.folder / "program.bin").write_bytes(bytes(range(256)) * 8)
        os.utime(library.folder / "money.md", (1_000_000_000, 1_000_000_000))
        library.service.run_once()
        yield library


def test_same_bytes_are_one_item_with_two_paths(library: Small) -> None:
    item = library.catalog.items.at_path(library.folder / "letters" / "copy of BoatTrip.txt")
    assert item is not None
    assert item.paths == (
        library.folder / "letters" / "BoatTrip.txt",
        library.folder / "letters" / "copy of BoatTrip.txt",
    )
    assert item.path == item.paths[0]
    assert item.kind is Kind.DOCUMENT
    assert item.title == "BoatTrip"
    assert item.state == "understood"
    assert library.catalog.items.get(item.item) == item


def test_unknown_items_and_paths_are_none(library: Small) -> None:
    assert library.catalog.items.get("nothing") is None
    assert library.catalog.items.of_content("00" * 20) is None
    assert library.catalog.items.at_path(library.folder / "nowhere.txt") is None
    assert library.catalog.items.at_path(Path("/nowhere")) is None
    assert library.catalog.items.thumb("00" * 20) is None


def test_search_names_is_literal_and_ranked(library: Small) -> None:
    boat = library.catalog.items.at_path(library.folder / "letters" / "BoatTrip.txt")
    assert boat is not None
    assert library.catalog.items.search_names("boat trip", 9) == [boat.content]
    assert library.catalog.items.search_names("BOATTRIP", 9) == [boat.content]
    for odd in ('"', "* OR NOT (", "name:boat^", "letters/", "'; DROP TABLE files; --", "\0", "é"):
        assert len(library.catalog.items.search_names(odd, 9)) <= 1, "boat, or nothing"
    assert library.catalog.items.search_names("boat", 9, {Kind.PHOTO}) == []
    assert library.catalog.items.search_names("boat", 0) == []


def test_contents_in_a_folder_a_time_and_a_kind(library: Small) -> None:
    catalog = library.catalog
    money = catalog.items.at_path(library.folder / "money.md")
    boat = catalog.items.at_path(library.folder / "letters" / "BoatTrip.txt")
    assert money is not None
    assert boat is not None
    assert catalog.scopes.contents(Scope()) is None
    assert catalog.scopes.contents(Scope(folders=frozenset({library.folder / "letters"}))) == {
        boat.content
    }
    assert catalog.scopes.contents(Scope(folders=frozenset({library.folder.parent}))) == {
        boat.content,
        money.content,
    }
    assert catalog.scopes.contents(Scope(folders=frozenset({library.folder / "lett"}))) == set()
    assert catalog.scopes.contents(Scope(before=1_000_000_001.0)) == {money.content}
    assert catalog.scopes.contents(Scope(after=1_000_000_001.0)) == {boat.content}
    assert catalog.scopes.contents(Scope(kinds=frozenset({Kind.PHOTO}))) == set()


def test_coverage_counts_files_of_kinds_we_read(library: Small) -> None:
    catalog = library.catalog
    assert catalog.counts.coverage() == {"files": 4, "read": 3, "understood": 3, "failed": 1}
    assert catalog.counts.coverage({Kind.PHOTO})["files"] == 0
    assert catalog.counts.coverage(folder=library.folder / "letters")["files"] == 2
    assert catalog.counts.states() == {"failed": 1, "skipped": 1, "understood": 3}
    assert catalog.counts.waiting() == 0


def test_failures_carry_a_sentence(library: Small) -> None:
    [failure] = library.catalog.files.failed()
    assert failure.path == library.folder / "empty.txt"
    assert failure.reason == "empty"
    assert failure.sentence.endswith(".")
    assert failure.attempts == 1


def test_files_by_state_kind_and_page(library: Small) -> None:
    catalog = library.catalog
    assert [row.path.name for row in catalog.files.page()] == [
        "empty.txt",
        "BoatTrip.txt",
        "copy of BoatTrip.txt",
        "money.md",
        "program.bin",
    ]
    assert [row.path.name for row in catalog.files.page("skipped")] == ["program.bin"]
    assert catalog.files.count(kind=Kind.DOCUMENT) == 4
    assert [row.path.name for row in catalog.files.page(offset=3, limit=1)] == ["money.md"]


def test_only_live_generations_are_told(library: Small) -> None:
    money = library.catalog.items.at_path(library.folder / "money.md")
    assert money is not None
    assert money.read_generation is not None
    assert money.understood_generation is not None
    asked = [money.read_generation, money.understood_generation, "ff" * 16]
    assert library.catalog.items.live_generations(asked) == {
        money.read_generation: money.content,
        money.understood_generation: money.content,
    }


def test_counts_follow_what_another_process_commits(catalog: Catalog, tmp_path: Path) -> None:
    (folder(tmp_path / "lib") / "a.txt").write_text("a")
    catalog.roots.add(tmp_path / "lib")
    assert catalog.counts.coverage()["files"] == 0
    other = Catalog(catalog.file)
    reconcile(other)
    other.close()
    assert catalog.counts.coverage()["files"] == 1
    assert catalog.counts.states() == {"pending": 1}


def test_a_document_without_words_did_not_fail(tmp_path: Path) -> None:
    with small(tmp_path / "lib", tmp_path / "data") as library:
        docx.Document().save(str(library.folder / "blank sheet.docx"))
        library.write("boat.txt", "A boat.")
        library.write("nothing.txt", "")
        library.service.run_once()
        catalog = library.catalog
        assert catalog.counts.states() == {"empty": 1, "failed": 1, "understood": 1}
        assert catalog.counts.coverage()["failed"] == 1
        assert [failure.path.name for failure in catalog.files.failed()] == ["nothing.txt"]
        (row,) = catalog.files.page("empty")
        assert (row.path.name, row.state) == ("blank sheet.docx", "empty")
        assert row.sentence == "There are no words in this file."
        assert catalog.files.count("empty") == 1
        assert [row.path.name for row in catalog.files.page("failed")] == ["nothing.txt"]
        (content,) = catalog.items.search_names("sheet", 5)
        assert catalog.items.of_content(content) is not None, "found by its name"
