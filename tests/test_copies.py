"""Copies of a document are one hit: the same words in another format, or with a small change."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.catalog.words.sketches import shared, sketch_of
from indexer.extract.pages.mupdf import pymupdf
from indexer.types.scope import Scope
from retriever.hits import Hit
from retriever.queries.query import Query
from retriever.search import Searcher
from tests.conftest import verb
from tests.library import Small, small

WORDS = [
    f"{a}{b}" for a in "tin mar sel dov ric pal hun".split() for b in "ora eck umi ast".split()
]


def prose(seed: int, count: int = 240) -> str:
    chance = random.Random(seed)
    return "\n".join(" ".join(chance.choices(WORDS, k=8)) + "." for _ in range(count // 8))


LEASE = f"The lease of the lighthouse. {prose(1)}"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    base = tmp_path_factory.mktemp("copies")
    with small(base / "folder", base / "data") as made:
        made.write("drafts/lease.txt", LEASE)
        made.write("drafts/lease v2.txt", f"{LEASE}\nSigned in Rostock.")
        made.write("backup/lease.txt", LEASE)
        body = "".join(f"<p>{line}</p>" for line in LEASE.splitlines())
        made.write("final/lease.html", f"<title>The lease</title>{body}")
        document = pymupdf.open()
        page = document.new_page()
        assert page.insert_textbox(pymupdf.Rect(50, 50, 550, 800), LEASE, fontsize=9) > 0
        document.save(made.folder / "final" / "lease.pdf")
        made.write("final/other lease.txt", f"The lease of the lighthouse. {prose(2)}")
        for number in range(12):
            made.write(f"notes/{number}.txt", f"A lighthouse. {prose(10 + number, 80)}")
        made.service.run_once()
        yield made


def files(hit: Hit) -> set[str]:
    paths = {path for item in (hit.item, *hit.copies) for path in item.paths}
    return {f"{path.parent.name}/{path.name}" for path in paths}


def test_copies_are_one_hit_with_all_their_paths(library: Small) -> None:
    hits = library.hits("lease of the lighthouse")
    copies = {"drafts/lease.txt", "drafts/lease v2.txt", "backup/lease.txt", "final/lease.html",
              "final/lease.pdf"}  # fmt: skip
    [lease] = [files(hit) for hit in hits if "drafts/lease.txt" in files(hit)]
    assert lease == copies
    assert [files(hit) for hit in hits if "final/other lease.txt" in files(hit)] == [
        {"final/other lease.txt"}
    ]


def test_what_only_a_copy_holds_finds_that_copy(library: Small) -> None:
    assert library.hits("signed in Rostock")[0].item.path.name == "lease v2.txt"


def test_in_a_folder_the_copy_there_is_found(library: Small) -> None:
    folder = library.folder / "final"
    first = {"final/lease.html", "final/lease.pdf"}
    hits = library.hits("lease lighthouse", folders=frozenset({folder}))
    assert first in [files(hit) for hit in hits]


def test_a_list_of_filters_alone_shows_every_copy(library: Small) -> None:
    searcher = Searcher(library.catalog, library.store, library.model)
    folder = library.folder / "final"
    hits = searcher.search(Query(scope=Scope(folders=frozenset({folder}))))
    assert {hit.item.path.name for hit in hits} == {"lease.html", "lease.pdf", "other lease.txt"}


def test_copies_do_not_depend_on_how_many_hits_are_asked_for(library: Small) -> None:
    searcher = Searcher(library.catalog, library.store, library.model)
    query = Query("lease of the lighthouse", limit=50)
    whole = [(hit.item.content, files(hit)) for hit in searcher.search(query)]
    assert len(whole) == 14
    for limit in (1, 3, 5):
        parts: list[tuple[str, set[str]]] = []
        while len(parts) < len(whole):
            hits = searcher.search(replace(query, limit=limit, offset=len(parts)))
            parts += [(hit.item.content, files(hit)) for hit in hits]
            assert hits.has_more == (len(parts) < len(whole))
        assert parts == whole


def test_the_terminal_says_where_else_it_is(library: Small) -> None:
    data = library.catalog.file.parent
    asked = ["search", "lease of the lighthouse", "--by", "words"]
    hits = json.loads(verb(*asked, "--json", data=data))["hits"]
    [lease] = [hit for hit in hits if len(hit["also_in"]) == 4]
    others = [Path(copy["path"]).name for copy in (lease, *lease["also_in"])]
    assert sorted(others) == ["lease v2.txt", "lease.html", "lease.pdf", "lease.txt", "lease.txt"]
    assert verb(*asked, data=data).count("also in ") == 4


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(30, 2_000), st.floats(0, 0.1))
def test_a_sketch_tells_how_much_two_texts_share(seed: int, count: int, changed: float) -> None:
    chance = random.Random(seed)
    words = [str(chance.randrange(5_000)) for _ in range(count)]
    other = [f"x{word}" if chance.random() < changed else word for word in words]
    runs, others = ({tuple(text[i : i + 4]) for i in range(count - 3)} for text in (words, other))
    true = len(runs & others) / len(runs | others)
    first, second = (np.frombuffer(sketch_of(text) or b"", "<u4") for text in (words, other))
    assert abs(float(shared(first, second[None])[0]) - true) < 0.2
