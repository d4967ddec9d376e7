"""`verify` finds what does not agree, and `--repair` makes good only what was damaged."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image as Picture

from indexer.maintenance.verify import Verifier, VerifyReport
from indexer.types.passages import Passage, Source
from indexer.types.places import Kind
from indexer.vectors.store import Store
from tests.library import Small, small


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Small]:
    with small(tmp_path / "lib", tmp_path / "data") as library:
        for n in range(6):
            library.write(f"{n}.txt", f"The boat number {n} lies in the river.")
        Picture.new("RGB", (64, 48), (250, 5, 5)).save(library.folder / "p.png")
        library.service.run_once()
        yield library


def verifier(library: Small) -> Verifier:
    return Verifier(library.catalog, library.store)


def codes(verdict: VerifyReport) -> list[str]:
    return sorted({fault.code for fault in verdict.defects})


def generation_of(library: Small, name: str, column: str = "read_generation") -> str:
    item = library.catalog.items.at_path(library.folder / name)
    assert item is not None
    generation = getattr(item, column)
    assert isinstance(generation, str)
    return generation


def test_a_sound_library_is_found_sound(library: Small) -> None:
    verdict = verifier(library).check(deep=True)
    assert verdict.defects == []
    assert verdict.sound
    assert (verdict.passages, verdict.files) == (7, 7)
    assert verdict.vectors == 14, "a gist and a body for each text, a gist and a body for a caption"


def test_rows_that_are_gone_are_found_and_made_again(library: Small) -> None:
    before, vectors = library.rows(), library.vectors()
    calls = library.pipeline.understanding.model_calls
    library.store.remove([generation_of(library, "0.txt")])
    library.store.remove([generation_of(library, "1.txt", "understood_generation")])
    assert codes(verifier(library).check()) == ["read", "understood"]
    verdict = verifier(library).repair()
    assert verdict.again == 2
    library.service.run_once()
    assert verifier(library).check().sound
    assert library.rows() == before
    assert library.vectors() == vectors
    assert library.pipeline.understanding.model_calls == calls + 1, "only where vectors were lost"


def test_rows_nobody_points_at_are_found_and_swept(library: Small) -> None:
    item = library.catalog.items.at_path(library.folder / "0.txt")
    assert item is not None
    [passages] = library.store.generations.passages([generation_of(library, "0.txt")]).values()
    library.store.add_words([("ab" * 16, item.content, item.kind, passages)])
    assert codes(verifier(library).check()) == ["orphan"]
    assert verifier(library).repair().sound
    assert "ab" * 16 not in library.store.generations.all()


def test_a_changed_row_is_found(library: Small) -> None:
    library.store.tables["words"].update(
        where="ordinal = 0 AND text LIKE '%number 3%'", values={"text": "Nothing of the sort."}
    )
    assert codes(verifier(library).check()) == ["index", "read"] or codes(
        verifier(library).check()
    ) == ["read"]
    verifier(library).repair()
    library.service.run_once()
    assert library.found("number 3")[0] == library.folder / "3.txt"
    assert verifier(library).check().sound


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("words", "content"),
        ("gist", "kind"),
        ("body", "generation"),
        *(
            pytest.param(table, column, marks=pytest.mark.slow)
            for table, column in [
                *(("words", "kind"), ("words", "generation"), ("gist", "content")),
                *(("gist", "generation"), ("body", "content"), ("body", "kind")),
            ]
        ),
    ],
)
def test_a_row_that_says_it_is_of_another_is_found(library: Small, table: str, column: str) -> None:
    """As a flipped bit makes one: the words and the vector themselves are whole."""
    rows, vectors = library.rows(), library.vectors()
    [name] = [full for full in library.store.tables.names() if full.startswith(table)]
    changed = {"content": "ab" * 20, "kind": "recording", "generation": "\x00" * 32}[column]
    library.store.tables[name].update(where="ordinal = 0", values={column: changed})
    assert codes(verifier(library).check())
    assert verifier(library).repair().sound
    library.service.run_once()
    assert verifier(library).check().defects == []
    assert (library.rows(), library.vectors()) == (rows, vectors)


@pytest.mark.parametrize(
    "seed",
    [
        pytest.param(0, marks=pytest.mark.slow),
        1,
        # the last four met column names, a panic and a version's name that was used again
        *(pytest.param(n, marks=pytest.mark.slow) for n in [*range(2, 10), 19, 28, 46, 51]),
    ],
)
def test_fault_05_a_flipped_byte_in_any_file_is_found_and_mended(library: Small, seed: int) -> None:
    chance = random.Random(seed)
    before, vectors = library.rows(), library.vectors()
    files = sorted(
        path
        for path in (library.catalog.file.parent / "lance").rglob("*")
        if path.is_file() and path.name != "latest_version_hint.json" and ".lance/" in str(path)
    )
    for path in files if seed == 0 else chance.sample(files, 6):
        if not path.exists():
            continue  # set aside with a table that was made anew
        held = bytearray(path.read_bytes())
        held[chance.randrange(len(held))] ^= 1 << chance.randrange(8)
        path.write_bytes(bytes(held))
        verdict = verifier(library).check()
        assert "file" in codes(verdict), path
        assert verifier(library).repair().sound or verifier(library).check().sound, path
        library.service.run_once()
        assert verifier(library).check().defects == []
        assert library.rows() == before
        assert library.vectors() == vectors


def test_the_name_of_a_version_that_was_set_aside_is_used_again(tmp_path: Path) -> None:
    """The next version is no damaged one, and is forced to disk like any other."""
    passages = [Passage(0, "The boat lies in the river.", None, Source.TEXT)]
    store = Store(tmp_path)
    store.add_words([("aa" * 16, "bb" * 20, Kind.DOCUMENT, passages)])
    store.sync()
    newest = min((tmp_path / "words.lance" / "_versions").glob("*.manifest"))
    newest.write_bytes(b"")
    store = Store(tmp_path)
    assert not newest.exists()
    store.add_words([("cc" * 16, "dd" * 20, Kind.DOCUMENT, passages)])
    assert newest.exists()
    store.sync()
    assert store.repair.damaged_files() == []


def test_bytes_changed_behind_an_unchanged_time_are_found_by_a_deep_look(library: Small) -> None:
    path = library.folder / "2.txt"
    status = path.stat()
    with library.catalog.database.writing() as db:  # as if the disk had forgotten: same stat
        db.execute(
            "UPDATE files SET content = (SELECT content FROM contents WHERE kind = 'photo') "
            "WHERE path = ?",
            (os.fsencode(path.name),),
        )
    assert "bytes" not in codes(verifier(library).check())
    assert "bytes" in codes(verifier(library).check(deep=True))
    verifier(library).repair(deep=True)
    library.service.run_once()
    assert verifier(library).check(deep=True).sound
    assert path.stat().st_mtime_ns == status.st_mtime_ns
    assert library.found("number 2")[0] == path


def test_a_spoilt_thumbnail_is_made_again(library: Small) -> None:
    with library.catalog.database.writing() as db:
        db.execute("UPDATE thumbs SET webp = x'00112233'")
    assert codes(verifier(library).check()) == ["thumb"]
    calls = library.pipeline.understanding.model_calls
    verifier(library).repair()
    library.service.run_once()
    assert verifier(library).check().sound
    assert library.pipeline.understanding.model_calls == calls
