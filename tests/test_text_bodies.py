"""A model that gives texts of the library a body alone: they are found, kept, checked and taken
over as before, and never compared with vectors of the make that had a gist for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as pillow

from indexer.ingest import understand
from indexer.maintenance.verify import Verifier
from indexer.types.places import Kind
from indexer.types.scope import Scope
from model.interface import (
    Content,
    Fingerprint,
    Image,
    ModelCard,
    ModelError,
    Role,
    Text,
    Vectors,
)
from retriever.queries.query import Query
from retriever.search import Searcher
from tests.fake_model import COLOURS, DIM, FakeModel
from tests.library import Small, small


class Bodies(FakeModel):
    """As a checkpoint that was not trained for gists of texts. With `after`, it gives no more
    answers after so many contents."""

    def __init__(self, after: int | None = None) -> None:
        super().__init__()
        self.after = after

    @property
    def card(self) -> ModelCard:
        return replace(super().card, text_gists=False)

    @property
    def fingerprint(self) -> Fingerprint:
        return Fingerprint("fake", "counts,texts=body", "1", self.version, DIM)

    def embed(self, contents: Sequence[Content], role: Role = "item") -> list[Vectors]:
        if self.after is not None and self.calls >= self.after:
            raise ModelError("The machine was switched off.")
        return [
            replace(vectors, gist=None) if role == "item" and isinstance(content, Text) else vectors
            for content, vectors in zip(contents, super().embed(contents, role), strict=True)
        ]


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Small]:
    with small(tmp_path / "lib", tmp_path / "data", Bodies()) as library:
        fill(library)
        library.service.run_once()
        yield library


def fill(library: Small) -> None:
    library.write("boat.txt", "a red boat")
    library.write("garden.txt", "the garden")
    for colour in ("red", "green"):
        pixels = np.full((64, 64, 3), COLOURS[colour], np.uint8)
        pillow.fromarray(pixels).save(library.folder / f"{colour}.png")


def searched(library: Small, query: Query) -> list[tuple[str, str]]:
    hits = Searcher(library.catalog, library.store, library.model).search(query)
    return [(hit.item.path.name, str(hit.found_by)) for hit in hits]


def spaces(library: Small) -> dict[str, int]:
    """How many vectors each space of the model in use has."""
    tables = [
        name for name, *_ in library.vectors() if name.endswith(library.model.fingerprint.key)
    ]
    return {space: sum(name.startswith(space) for name in tables) for space in ("gist", "body")}


def test_texts_have_a_body_and_pictures_both(library: Small) -> None:
    assert spaces(library) == {"gist": 2, "body": 4}
    report = Verifier(library.catalog, library.store).check(deep=True)
    assert report.sound
    assert report.vectors == 6


def test_texts_and_pictures_are_found_by_meaning(library: Small) -> None:
    found = [name for name, _ in searched(library, Query("boat red"))]
    assert found[0] == "boat.txt"
    assert "red.png" in found
    assert "garden.txt" not in found
    only = Query("boat red", scope=Scope(kinds=frozenset({Kind.DOCUMENT})))
    assert [name for name, _ in searched(library, only)] == ["boat.txt"]


def test_a_text_is_as_near_as_its_body(library: Small) -> None:
    """It is not ranked behind for want of a gist."""
    nearness = {}
    for model in (Bodies(), FakeModel()):
        with small(library.folder, library.folder.parent / model.fingerprint.key, model) as other:
            other.service.run_once()
            meaning = Searcher(other.catalog, other.store, model)._meaning
            assert meaning is not None
            documents, *_ = list(meaning.near(Query("red boat"), None))
            nearness[model.card.text_gists] = [near for _, near in sorted(documents.items())]
    assert nearness[False] == nearness[True] != []


def test_an_example_finds_what_is_seen(library: Small) -> None:
    green = np.full((32, 32, 3), COLOURS["green"], np.uint8)
    example = Query(like=Image(green))
    assert [name for name, _ in searched(library, example)] == ["green.png"]


def test_lost_bodies_are_noticed_and_made_again(library: Small) -> None:
    before = library.vectors()
    library.store.remove(
        {
            item.understood_generation
            for item in [library.catalog.items.at_path(library.folder / "boat.txt")]
            if item is not None and item.understood_generation is not None
        }
    )
    verifier = Verifier(library.catalog, library.store)
    assert not verifier.check().sound
    assert verifier.repair().again == 1
    library.service.run_once()
    assert verifier.check(deep=True).sound
    assert library.vectors() == before


def test_a_long_text_goes_on_where_it_was_cut_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(understand, "FEW_PASSAGES", 2)
    monkeypatch.setattr(understand, "EMBEDDED_AT_ONCE", 2)
    text = "".join(f"boat is number {n}. {'The garden lies by the river. ' * 19}" for n in range(6))
    with small(tmp_path / "lib", tmp_path / "whole", Bodies()) as library:
        library.write("book.txt", text)
        library.service.run_once()
        whole, calls = library.vectors(), library.model.calls
    assert calls > 4
    with small(tmp_path / "lib", tmp_path / "cut", Bodies(after=2)) as library:
        with pytest.raises(ModelError):
            library.service.run_once()
        assert library.catalog.counts.coverage()["understood"] == 0
    with small(tmp_path / "lib", tmp_path / "cut", Bodies()) as library:
        library.pipeline.housekeeping.recover()
        library.service.run_once()
        assert library.model.calls == calls - 2
        assert library.vectors() == whole


def test_a_library_with_gists_for_texts_is_understood_anew(tmp_path: Path) -> None:
    """Beside the old vectors, which are searched no more and go."""
    with small(tmp_path / "lib", tmp_path / "data", FakeModel()) as library:
        fill(library)
        library.service.run_once()
        assert spaces(library) == {"gist": 4, "body": 4}
    old, new = FakeModel().fingerprint.key, Bodies().fingerprint.key
    with small(tmp_path / "lib", tmp_path / "data", Bodies()) as library:
        library.pipeline.housekeeping.recover()
        assert not library.store.search.has_vectors(new)
        assert [name for name, _ in searched(library, Query("boat"))] == ["boat.txt"], (
            "by its words"
        )
        library.service.run_once()
        assert library.catalog.counts.coverage()["understood"] == 4
        assert spaces(library) == {"gist": 2, "body": 4}
        live = {name for name, *_ in library.vectors()}
        assert not any(name.endswith(old) for name in live)
        assert "red.png" in [name for name, _ in searched(library, Query("boat red"))]
        assert Verifier(library.catalog, library.store).check(deep=True).sound
