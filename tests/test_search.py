"""Search fuses words, names and vectors; the model here counts words, so each rank can be checked
by eye."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image as Picture

from indexer.types.places import Kind, Page
from indexer.types.scope import Scope
from model.interface import Image
from retriever.hits import Hit, source_of
from retriever.queries.periods import parse_day
from retriever.queries.query import Query, QueryError
from retriever.search import Searcher
from tests.library import Small, small


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    base = tmp_path_factory.mktemp("search")
    with small(base / "folder", base / "data") as made:
        made.write("letters/lease.txt", "The deposit of 1,850 euro is returned after 30 days.")
        made.write("letters/rent.txt", "Rent is due monthly. The deposit is not rent.")
        made.write("boats.md", "# Boats\n\nA red boat lay in the river. The red boat was old.")
        made.write("garden plan.txt", "Roses here, beans there.")
        made.write("invoice.txt", "Invoice RE-2024-0117, error E1234.")
        made.write("copy/lease again.txt", "The deposit of 1,850 euro is returned after 30 days.")
        for name, colour in (("sunset", (250, 10, 10)), ("meadow", (10, 240, 10))):
            Picture.new("RGB", (64, 48), colour).save(made.folder / f"{name}.png")
        os.utime(made.folder / "invoice.txt", (0, parse_day("2020-05-01") or 0))
        made.service.run_once()
        yield made


@pytest.fixture
def searcher(library: Small) -> Searcher:
    return Searcher(library.catalog, library.store, library.model)


def names(hits: list[Hit]) -> list[str]:
    return [hit.item.path.name for hit in hits]


def test_the_day_of_a_photo_is_that_of_the_clock_in_its_camera(tmp_path: Path) -> None:
    """In the evening of 31 December here, it was the morning of 1 January there."""
    clocks = {
        "tokyo": ("2024:01:01 08:00:00", "+09:00"),
        "hawaii": ("2023:12:31 20:00:00", "-10:00"),
    }
    with small(tmp_path / "folder", tmp_path / "data") as made:
        for name, (clock, offset) in clocks.items():
            exif = Picture.Exif()
            exif.get_ifd(0x8769).update({0x9003: clock, 0x9011: offset})
            colour = (250, 10, len(name))
            Picture.new("RGB", (64, 48), colour).save(made.folder / f"{name}.jpg", exif=exif)
        made.service.run_once()
        searcher = Searcher(made.catalog, made.store, made.model)

        def taken(after: str, before: str) -> list[str]:
            query = Query("red", scope=Scope(after=parse_day(after), before=parse_day(before)))
            return sorted(names(searcher.search(query)))

        assert taken("2024-01-01", "2024-01-02") == ["tokyo.jpg"]
        assert taken("2023-12-31", "2024-01-01") == ["hawaii.jpg"]
        assert taken("2024", "2025") == ["tokyo.jpg"]
        assert taken("2023-12-31", "2024-01-02") == ["hawaii.jpg", "tokyo.jpg"]


def test_the_file_with_all_words_comes_first(searcher: Searcher) -> None:
    hits = searcher.search(Query("deposit returned"))
    assert names(hits)[0] in {"lease.txt", "lease again.txt"}
    assert hits[0].found_by[0] == "words"
    assert hits[0].passage is not None
    assert hits[0].passage.place == Page(1)
    marked = [hits[0].snippet.text[a:b] for a, b in hits[0].snippet.marks]
    assert marked == ["deposit", "returned"]


def test_the_same_bytes_twice_are_one_hit_with_two_paths(searcher: Searcher) -> None:
    hits = searcher.search(Query("deposit euro", by="words"))
    leases = [hit for hit in hits if "lease" in hit.item.path.name]
    assert len(leases) == 1
    assert len(leases[0].item.paths) == 2


@pytest.mark.parametrize("words", ["RE-2024-0117", "E1234", "re-2024-0117"])
def test_exact_tokens_are_found_literally(searcher: Searcher, words: str) -> None:
    assert names(searcher.search(Query(words, by="words"))) == ["invoice.txt"]


def test_a_phrase_beats_scattered_words(searcher: Searcher) -> None:
    hits = searcher.search(Query("deposit is not rent"))
    assert names(hits)[0] == "rent.txt"


def test_a_photo_is_found_by_meaning(searcher: Searcher) -> None:
    hits = searcher.search(Query("the red", scope=Scope(kinds=frozenset({Kind.PHOTO}))))
    assert names(hits)[0] == "sunset.png"
    assert "meaning" in hits[0].found_by
    assert "meadow.png" not in names(hits)


def test_a_photo_is_found_by_another(searcher: Searcher, library: Small) -> None:
    import numpy as np

    green = np.zeros((20, 30, 3), np.uint8)
    green[..., 1] = 230
    assert names(searcher.search(Query(like=Image(green))))[0] == "meadow.png"


def test_a_file_is_found_by_its_name(searcher: Searcher) -> None:
    hits = searcher.search(Query("garden plan", by="words"))
    assert names(hits)[0] == "garden plan.txt"
    assert hits[0].found_by == ("name",)
    assert source_of(hits[0]) == "name"
    assert hits[0].passage is not None
    assert hits[0].passage.text.startswith("Roses here")


def test_filters_by_folder_date_and_item(searcher: Searcher, library: Small) -> None:
    inside = searcher.search(
        Query("deposit", scope=Scope(folders=frozenset({library.folder / "copy"})))
    )
    assert len(inside) == 1
    assert names(searcher.search(Query("invoice", scope=Scope(before=parse_day("2021"))))) == [
        "invoice.txt"
    ]
    assert searcher.search(Query("invoice", scope=Scope(after=parse_day("2021")), by="words")) == []
    boats = searcher.search(Query("boat"))[0].item.item
    assert names(searcher.search(Query("red river deposit", about=(boats,)))) == ["boats.md"]
    with pytest.raises(QueryError, match="no longer in the library"):
        searcher.search(Query("x", about=("a" * 26,)))


def test_a_folder_that_holds_nothing_finds_nothing(searcher: Searcher, tmp_path: Path) -> None:
    assert searcher.search(Query("deposit", scope=Scope(folders=frozenset({tmp_path})))) == []


def test_nothing_matches_is_an_answer(searcher: Searcher) -> None:
    assert searcher.search(Query("xylograph", by="words")) == []


@pytest.mark.parametrize("odd", ['"', "* (", "\\", "a AND NOT", "🙂", "x" * 2000, "'; DROP"])
def test_odd_queries_never_fail(searcher: Searcher, odd: str) -> None:
    assert len(searcher.search(Query(odd))) <= Query(odd).limit


def test_the_same_question_gives_the_same_list(searcher: Searcher) -> None:
    lists = [names(searcher.search(Query("red deposit river meeting"))) for _ in range(5)]
    assert lists.count(lists[0]) == 5


def test_what_was_deleted_is_not_found(tmp_path: Path) -> None:
    with small(tmp_path / "folder", tmp_path / "data") as made:
        path = made.write("note.txt", "The spare key is under the pot.")
        made.service.run_once()
        searcher = Searcher(made.catalog, made.store, made.model)
        assert names(searcher.search(Query("spare key"))) == ["note.txt"]
        path.write_text("The spare lamp is in the cellar.")
        made.service.run_once()
        assert searcher.search(Query("spare key"))[0].snippet.text.startswith("The spare lamp")
        assert searcher.search(Query("key pot", by="words")) == []
        path.unlink()
        made.service.run_once()
        assert searcher.search(Query("spare")) == []
