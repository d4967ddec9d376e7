"""What is forgotten leaves no byte in the data directory, and stays forgotten."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from indexer.catalog.forget_list import ForgetList
from indexer.catalog.words.sketches import sketch_of
from indexer.maintenance import housekeeping
from indexer.maintenance.verify import Verifier
from indexer.scan.reconcile import reconcile
from indexer.types.text.tokens import tokens
from model.interface import Content, Float32, Text, Vectors
from tests.fake_model import FakeModel
from tests.library import Small, small

# Words that stand nowhere else, in a text, in a file's name and in its title.
CANARY = "xyzzyplugh"
NAME = "quuxfrobnicate"
HOUR_S = 3600


class Signed(FakeModel):
    """Gives every text a vector of its own, so that its bytes can be told from all others."""

    def vector_of(self, text: str) -> Float32:
        seed = int.from_bytes(text.encode()[-8:], "big")
        vector = np.random.default_rng(seed).standard_normal(self.fingerprint.dim)
        return (vector / np.linalg.norm(vector)).astype(np.float32)

    def _vectors(self, content: Content) -> Vectors:
        if not isinstance(content, Text):
            return super()._vectors(content)
        vector = self.vector_of(content.text)
        return Vectors(vector, vector)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Small]:
    with small(tmp_path / "lib", tmp_path / "data", Signed()) as library:
        for n in range(12):
            library.write(f"{n}.txt", f"The boat number {n} lies in the river.")
        yield library


def needles(library: Small, text: str) -> list[bytes]:
    """A text's unique words as they may lie in a file, its vector and its sketch."""
    assert isinstance(library.model, Signed)
    needles = [word.encode(code) for word in (CANARY, NAME) for code in ("utf-8", "utf-16-le")]
    return [*needles, library.model.vector_of(text).tobytes(), sketch_of(tokens(text)) or b""]


def holding(data: Path, needles: list[bytes]) -> list[tuple[str, bytes]]:
    """Which file of the data directory holds which of the needles."""
    leaks = []
    for path in sorted(path for path in data.rglob("*") if path.is_file()):
        held = path.read_bytes().lower()
        for needle in needles:
            if needle.lower() in held:
                leaks.append((str(path.relative_to(data)), needle[:40]))
    return leaks


def data_of(library: Small) -> Path:
    return library.catalog.file.parent


def written(library: Small) -> tuple[Path, str]:
    text = f"A garden and {CANARY} in it."
    path = library.write(f"{NAME}.txt", text)
    Picture.new("RGB", (64, 48), (250, 5, 5)).save(library.folder / "p.png")
    library.service.run_once()
    return path, text


def test_fault_94_what_is_forgotten_leaves_no_byte(library: Small) -> None:
    path, text = written(library)
    sought = needles(library, text)
    where = {name.split("/")[0] for name, _ in holding(data_of(library), sought)}
    assert where == {"catalog.sqlite", "catalog.sqlite-wal", "lance"} or where == {
        "catalog.sqlite-wal", "lance"
    }  # fmt: skip
    assert len({needle for _, needle in holding(data_of(library), sought)}) >= 3, "it was there"
    calls = library.pipeline.understanding.model_calls
    assert ForgetList(library.catalog.database).add_path(path) == [path]
    assert library.found(CANARY) == [], "gone from search at once"
    assert library.catalog.items.search_names(NAME, 5) == []
    library.pipeline.housekeeping.erase(everything=True)
    assert holding(data_of(library), sought) == []
    assert Verifier(library.catalog, library.store).check().defects == []
    assert len(library.found("boat")) == 12
    # and stays forgotten: the file is still there, under its old name and under a new one
    library.service.run_once()
    path.rename(path.with_name(f"new-{NAME}.txt"))
    library.service.run_once()
    shutil.copy(path.with_name(f"new-{NAME}.txt"), path)
    library.service.run_once()
    library.pipeline.housekeeping.erase(everything=True)
    assert library.found(CANARY) == []
    assert holding(data_of(library), sought) == []
    assert library.pipeline.understanding.model_calls == calls
    assert path.read_text() == text, "the file itself was never touched"


def test_fault_94_a_deleted_file_is_erased_at_the_next_tidying(library: Small) -> None:
    path, text = written(library)
    path.unlink()
    library.service.run_once()
    assert holding(data_of(library), needles(library, text)) == []
    assert Verifier(library.catalog, library.store).check().defects == []


@pytest.mark.slow
def test_fault_94_a_removed_folder_is_erased(library: Small, tmp_path: Path) -> None:
    with small(tmp_path / "other", tmp_path / "data", Signed()) as other:
        path = other.write(f"{NAME}.txt", f"A garden and {CANARY} in it.")
        other.service.run_once()
        assert other.found(CANARY) == [path]
        other.catalog.roots.remove(other.folder)
        other.service.run_once()
        assert holding(data_of(other), needles(other, path.read_text())) == []
        assert len(other.found("boat")) == 12


@pytest.mark.slow
def test_the_thumbnail_of_a_forgotten_picture_goes(library: Small) -> None:
    written(library)
    item = library.catalog.items.at_path(library.folder / "p.png")
    assert item is not None
    thumb = library.catalog.items.thumb(item.content)
    assert thumb is not None
    assert holding(data_of(library), [thumb[20:60]])
    ForgetList(library.catalog.database).add_content(item.content)
    library.pipeline.housekeeping.erase(everything=True)
    assert holding(data_of(library), [thumb[20:60], item.content.encode()]) == []


@pytest.mark.slow
def test_remembering_brings_it_back(library: Small) -> None:
    path, _ = written(library)
    forgotten = ForgetList(library.catalog.database)
    forgotten.add_path(path)
    library.service.run_once()
    assert library.found(CANARY) == []
    assert forgotten.remember(library.folder / "0.txt", None) == 0
    assert library.catalog.items.at_path(path) is None
    assert forgotten.remember(None, None) == 2
    library.service.run_once()
    assert library.found(CANARY) == [path]


@pytest.mark.slow
def test_every_copy_of_a_content_is_forgotten(library: Small) -> None:
    path, text = written(library)
    copy = shutil.copy(path, library.folder / "copy.txt")
    library.service.run_once()
    forgotten = ForgetList(library.catalog.database).add_path(Path(copy))
    assert sorted(forgotten) == sorted([path, Path(copy)])
    library.pipeline.housekeeping.erase()
    assert holding(data_of(library), needles(library, text)) == []


@pytest.mark.slow
def test_a_kill_between_forgetting_and_erasing_loses_no_promise(
    library: Small, tmp_path: Path
) -> None:
    path, text = written(library)
    ForgetList(library.catalog.database).add_path(path)
    assert holding(data_of(library), needles(library, text)) != []
    with small(tmp_path / "lib", tmp_path / "data", Signed()) as again:  # the next process
        again.service.run_once()
        assert holding(data_of(again), needles(again, text)) == []


def test_erasing_is_due_within_the_hour_however_busy_it_is(
    library: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, text = written(library)
    path.unlink()
    reconcile(library.catalog)
    library.pipeline.reading.run()
    assert holding(data_of(library), needles(library, text)) != []
    assert housekeeping.TIDY_S < HOUR_S
    monkeypatch.setattr(housekeeping, "TIDY_S", 0.0)  # as if so much time had passed
    library.pipeline.reading.run()
    assert holding(data_of(library), needles(library, text)) == []
