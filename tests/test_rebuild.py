"""A catalog or a table that is lost or damaged: set aside and made anew, without the model."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from pathlib import Path

import pytest
from PIL import Image as Picture

from indexer.catalog.catalog import Catalog
from indexer.catalog.forget_list import ForgetList
from indexer.catalog.storage.errors import CatalogError
from indexer.catalog.storage.schema import MIGRATIONS
from indexer.maintenance.rebuild import CHOICES, open_catalog
from indexer.maintenance.verify import Verifier
from indexer.scan.reconcile import reconcile
from indexer.vectors.store import Store
from tests.library import Small, small
from tests.test_pipeline import beep, tree


def filled(library: Small) -> None:
    for n in range(5):
        library.write(f"{n}.txt", f"The boat number {n} lies in the river.")
    library.write("secret.txt", "A garden that nobody is to know.")
    Picture.new("RGB", (64, 48), (250, 5, 5)).save(library.folder / "p.png")
    beep(library.folder / "s.wav")
    library.service.run_once()
    ForgetList(library.catalog.database).add_path(library.folder / "secret.txt")
    library.service.run_once()


def damage(data: Path, how: str) -> None:
    file = data / "catalog.sqlite"
    if how == "lost":
        for part in data.glob("catalog.sqlite*"):
            part.unlink()
        return
    held = bytearray(file.read_bytes())
    chance = random.Random(7)
    first = 0 if how == "no database" else 4096 * 3
    for at in range(first, len(held), 512):
        held[at : at + 64] = chance.randbytes(64)
    file.write_bytes(bytes(held))


@pytest.mark.parametrize(
    "how",
    [
        "lost",
        pytest.param("torn pages", marks=pytest.mark.slow),
        pytest.param("no database", marks=pytest.mark.slow),
    ],
)
def test_fault_14_a_catalog_lost_or_corrupt_is_begun_anew_without_the_model(
    tmp_path: Path, how: str
) -> None:
    folder, data = tmp_path / "lib", tmp_path / "data"
    with small(folder, data) as library:
        filled(library)
        rows, vectors = library.rows(), library.vectors()
        names = {row.path: row.item for row in library.catalog.files.page()}
        own = tree(folder)
    damage(data, how)
    if how == "no database":
        with pytest.raises(CatalogError, match="recollect verify --repair"):
            Catalog(data / "catalog.sqlite")
    catalog = open_catalog(data / "catalog.sqlite")
    assert [root.path for root in catalog.roots.all()] == [folder], "the folders are remembered"
    catalog.close()
    if how != "lost":
        assert any("catalog.sqlite" in kept.name for kept in (data / "aside").iterdir())
    with small(folder, data) as library:
        library.service.run_once()
        assert library.pipeline.understanding.model_calls == 0
        assert library.rows() == rows
        assert library.vectors() == vectors
        assert {row.path: row.item for row in library.catalog.files.page()} == names
        assert library.catalog.counts.states() == {"understood": 7}
        assert library.store.generations.all() <= library.generations()
        assert library.found("garden") == [], "what was forgotten stays forgotten"
        assert Verifier(library.catalog, library.store).check(deep=True).defects == []
    assert tree(folder) == own


@pytest.mark.slow
def test_what_is_not_whole_in_the_store_is_understood_again(tmp_path: Path) -> None:
    folder, data = tmp_path / "lib", tmp_path / "data"
    with small(folder, data) as library:
        filled(library)
        rows, vectors = library.rows(), library.vectors()
        item = library.catalog.items.at_path(folder / "s.wav")
        assert item is not None
        assert item.understood_generation is not None
        library.store.remove([item.understood_generation])
        library.store.sync()  # a removal that is not durable is taken back
    damage(data, "lost")
    open_catalog(data / "catalog.sqlite").close()
    with small(folder, data) as library:
        library.service.run_once()
        calls = library.pipeline.understanding.model_calls
        assert 0 < calls <= 2, "the recording's parts, and no others"
        assert (library.rows(), library.vectors()) == (rows, vectors)


@pytest.mark.slow
def test_a_kill_while_adopting_sweeps_nothing(tmp_path: Path) -> None:
    folder, data = tmp_path / "lib", tmp_path / "data"
    with small(folder, data) as library:
        filled(library)
        rows = library.rows()
    damage(data, "lost")
    open_catalog(data / "catalog.sqlite").close()
    with small(folder, data) as library:
        library.pipeline.housekeeping.recover()
        reconcile(library.catalog)
        library.pipeline.reading.run(2)  # and the process ends here
    with small(folder, data) as library:
        library.service.run_once()
        assert library.pipeline.understanding.model_calls == 0
        assert library.rows() == rows


@pytest.mark.slow
def test_a_table_without_a_good_version_is_begun_anew_by_the_writer_alone(tmp_path: Path) -> None:
    folder, data = tmp_path / "lib", tmp_path / "data"
    with small(folder, data) as library:
        filled(library)
        rows, vectors = library.rows(), library.vectors()
    for manifest in (data / "lance" / "words.lance" / "_versions").glob("*.manifest"):
        manifest.write_bytes(b"torn")
    Store(data / "lance", replace_damaged=True)
    assert list((data / "lance" / "aside").iterdir())
    with small(folder, data) as library:
        library.service.run_once()
        assert (library.rows(), library.vectors()) == (rows, vectors)
        calls = library.pipeline.understanding.model_calls
        assert calls == 2, "captions and transcripts were in that table"


def test_fault_10_a_newer_librarys_data_is_refused_with_both_numbers_and_left_alone(
    tmp_path: Path,
) -> None:
    data = tmp_path / "data"
    Catalog(data / "catalog.sqlite").close()
    with sqlite3.connect(data / "catalog.sqlite") as db:
        db.execute("PRAGMA user_version = 999")
    db.close()
    before = (data / "catalog.sqlite").read_bytes()
    for opening in (Catalog, open_catalog):
        with pytest.raises(CatalogError, match=f"version 999.*knows {len(MIGRATIONS)}"):
            opening(data / "catalog.sqlite")
    assert (data / "catalog.sqlite").read_bytes() == before
    assert not (data / "aside").exists()


def test_fault_10_an_older_catalog_is_brought_up_to_date_with_all_it_knows(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with sqlite3.connect(data / "catalog.sqlite") as db:  # as the first release left it
        db.create_function("name_words", 1, lambda path: "words", deterministic=True)
        for statement in MIGRATIONS[0]:
            db.execute(statement)
        db.execute("INSERT INTO roots(path) VALUES (?)", (os.fsencode(tmp_path),))
        db.execute("PRAGMA user_version = 1")
    db.close()
    catalog = open_catalog(data / "catalog.sqlite")
    assert [root.path for root in catalog.roots.all()] == [tmp_path]
    assert catalog.counts.states() == {}
    catalog.close()


def test_choices_are_private_and_follow_a_change(tmp_path: Path) -> None:
    with small(tmp_path / "lib", tmp_path / "data") as library:
        filled(library)
        file = tmp_path / "data" / CHOICES
        assert file.stat().st_mode & 0o777 == 0o600
        assert b"secret" not in file.read_bytes()
        library.catalog.roots.remove(library.folder)
        library.service.run_once()
        assert '"roots": []' in file.read_text()
    shutil.rmtree(tmp_path / "data")
