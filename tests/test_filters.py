"""Filters over any strings find what a filter in Python over all rows finds, and the same query
gives the same list."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.types.scope import Scope
from indexer.types.text.tokens import tokens
from retriever.queries.query import Query
from retriever.search import Searcher
from tests.library import Small, small

WORDS = "boat Boot café CAFÉ 30 3.5 naïve river's OR NOT \" * ( a-b 東京 x_y % ' ; -- ß".split()
TEXTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join) | st.text(max_size=6)
ROWS = [" ".join(WORDS[n % 7 :: 1 + n % 5]) + f" row{n}" for n in range(30)]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    base = tmp_path_factory.mktemp("filters")
    with small(base / "folder", base / "data") as made:
        for n, text in enumerate(ROWS):
            os.utime(made.write(f"{n % 3}/q{n}.txt", text), (n * 1000, n * 1000))
        made.service.run_once()
        yield made


def holds(number: int, text: str) -> bool:
    wanted = tokens(text)
    rows = (tokens(ROWS[number]), tokens(f"q{number}.txt"))
    return any(row[at : at + len(wanted)] == wanted for row in rows for at in range(len(row)))


def found(library: Small, query: Query) -> list[int]:
    hits = Searcher(library.catalog, library.store, library.model).search(query)
    return [int(hit.item.path.stem[1:]) for hit in hits]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(TEXTS.filter(tokens), max_size=2),
    st.lists(TEXTS.filter(tokens), max_size=2),
    st.none() | st.integers(0, 30_000),
    st.none() | st.integers(0, 30_000),
    st.none() | st.integers(0, 2),
)
def test_any_filters_find_what_a_filter_in_python_finds(
    library: Small,
    required: Sequence[str],
    excluded: Sequence[str],
    after: int | None,
    before: int | None,
    folder: int | None,
) -> None:
    folders = frozenset() if folder is None else frozenset({library.folder / str(folder)})
    scope = Scope(folders=folders, after=after, before=before)
    if not (required or excluded) and scope == Scope():
        return
    query = Query(scope=scope, required=tuple(required), excluded=tuple(excluded), limit=200)
    expected = {
        n
        for n in range(len(ROWS))
        if all(holds(n, text) for text in required)
        and not any(holds(n, text) for text in excluded)
        and (after is None or n * 1000 >= after)
        and (before is None or n * 1000 < before)
        and (folder is None or n % 3 == folder)
    }
    hits = found(library, query)
    assert (set(hits), len(hits)) == (expected, len(expected))


@pytest.mark.parametrize("words", ["boat café", "30 river's", "row3", "boat -café"])
def test_the_same_query_gives_the_same_list(library: Small, words: str) -> None:
    query = Query(words, limit=50)
    assert len({tuple(found(library, query)) for _ in range(50)}) == 1
    assert all(
        0 < hit.score <= 1
        for hit in Searcher(library.catalog, library.store, library.model).search(query)
    )
