"""Ranking by words: function words find and mark nothing, what a file is about decides, and a list
does not depend on how much of it is asked for."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retriever.hits import Hit
from retriever.queries.query import Query
from retriever.search import Searcher
from tests.library import Small, small

NOTES = {
    "dog.txt": "A dog in the garden.",
    "cat.txt": "A cat on the roof of the house.",
    "sea.txt": "The sea in the morning, and a boat.",
    "shed.txt": "The shed in the garden was painted.",
    "hamlet.txt": "To be or not to be, that is the question.",
    "film.txt": "We watched Die Hard in the evening.",
    "wall.txt": "The wall is hard, and the floor is hard.",
    "hund.txt": "Der Hund liegt in der Sonne.",
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    base = tmp_path_factory.mktemp("relevance")
    with small(base / "folder", base / "data") as made:
        for name, text in NOTES.items():
            made.write(name, text)
        chance = random.Random(3)
        words = "harbour ferry ticket island storm lamp".split()
        for number in range(24):
            text = " ".join(chance.choices(words, k=12))
            made.write(f"log {number}.txt", f"{text}.\n\n" * chance.randint(1, 30))
        made.service.run_once()
        yield made


def names(hits: list[Hit]) -> list[str]:
    return [hit.item.path.name for hit in hits]


def marked(hit: Hit) -> set[str]:
    return {hit.snippet.text[start:end] for start, end in hit.snippet.marks}


@pytest.mark.parametrize(
    ("words", "first", "others", "marks"),
    [
        ("a dog in the garden", "dog.txt", {"shed.txt"}, {"dog", "garden"}),
        ("der Hund in der Sonne", "hund.txt", set(), {"Hund", "Sonne"}),
        ("what is on the roof", "cat.txt", set(), {"roof"}),
        ("die hard", "film.txt", {"wall.txt"}, {"Die", "Hard"}),  # rare here, and no article
    ],
)
def test_function_words_neither_find_nor_are_marked(
    library: Small, words: str, first: str, others: set[str], marks: set[str]
) -> None:
    hits = library.hits(words)
    assert names(hits)[0] == first
    assert set(names(hits)[1:]) == others
    assert marked(hits[0]) == marks


def test_function_words_alone_and_quoted_ones_are_found_literally(library: Small) -> None:
    assert names(library.hits("to be or not to be"))[0] == "hamlet.txt"
    [hit] = library.hits('"on the" roof')
    assert marked(hit) == {"on", "the", "roof"}
    assert {"cat.txt", "dog.txt"} <= set(names(library.hits("the")))


def test_what_a_file_is_about_comes_before_what_it_mentions(library: Small) -> None:
    library.write(
        "manual.txt", "\n\n".join(f"Valve {n}: turn the valve slowly." for n in range(90))
    )
    library.write("diary.txt", "Today somebody repaired a valve, at last. " + "And so on. " * 400)
    library.service.run_once()
    assert names(library.hits("valve")) == ["manual.txt", "diary.txt"]


def test_words_that_stand_apart_in_one_file_are_found_together(library: Small) -> None:
    between = "Nothing of this matters much. " * 60
    library.write("tour.txt", f"We saw the lighthouse. {between} We lost the compass.")
    library.write("shop.txt", "The lighthouse shop sells lighthouse lamps and lighthouse cards.")
    library.service.run_once()
    assert names(library.hits("lighthouse compass"))[0] == "tour.txt"


@settings(deadline=None, max_examples=8)
@given(
    words=st.lists(st.sampled_from("harbour ferry tickets island storm lamps the log 7".split()),
                   min_size=1, max_size=4),
    by=st.sampled_from(["words", "all"]),
    cut=st.integers(1, 20),
)  # fmt: skip
def test_a_shorter_list_is_the_beginning_of_a_longer_one(
    library: Small, words: list[str], by: str, cut: int
) -> None:
    searcher = Searcher(library.catalog, library.store, library.model)
    query = Query(" ".join(words), by="words" if by == "words" else "all", limit=60)
    whole = searcher.search(query)
    first = searcher.search(replace(query, limit=cut))
    rest = searcher.search(replace(query, offset=cut))
    assert [*first, *rest][: len(whole)] == whole
    assert first.has_more == (len(whole) > cut)
    assert all(0 < hit.score <= 1 for hit in whole)
    scores = [hit.score for hit in whole]
    assert scores == sorted(scores, reverse=True)
