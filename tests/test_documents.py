"""Every kind of document from the file to the hit: one of each is found at its own place."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from tests.conftest import recollect
from tests.documents import EACH, eml, every_kind, pptx
from tests.library import READER, small


def test_a_phrase_of_every_kind_is_found_in_its_file(tmp_path: Path) -> None:
    folder = tmp_path / "library"
    every_kind(folder)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with small(folder, tmp_path / "data") as library:
        library.service.run_once()
        assert library.catalog.files.failed() == []
        for name, _, words, _ in EACH:
            assert library.found(words)[:1] == [folder / name], words
        item = library.catalog.items.at_path(folder / "budget.xlsx")
        assert item is not None
        assert [library.catalog.items.label(item.content, page) for page in (1, 2, 3)] == [
            "Budget",
            "People",
            None,
        ]
        for name, _, _, page in EACH:
            assert READER.page(folder / name, page, 200)[8:12] == b"WEBP"
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.slow
def test_the_command_line_finds_each_kind_at_its_place(tmp_path: Path) -> None:
    folder, data = tmp_path / "library", tmp_path / "data"
    every_kind(folder)
    prices = pptx(tmp_path / "prices.pptx")
    with zipfile.ZipFile(prices, "a") as archive:
        archive.comment = b"not the bytes of any other"
    eml(folder / "offer.eml", prices)
    report = json.loads(recollect("index", folder, "--json", data=data))
    assert report["coverage"]["read"] == len(EACH) + 1
    assert report["coverage"]["failed"] == 0
    for name, _, words, page in EACH[:10]:  # the texts are looked for above
        answer = json.loads(recollect("search", words, "--json", data=data))
        hit = next(result for result in answer["hits"] if Path(result["path"]).name == name)
        assert hit["place"]["page"] == page, name
    answer = json.loads(recollect("search", "Mention the subsidy", "--json", data=data))
    [attached] = [hit for hit in answer["hits"] if hit["attached_to"]]
    assert Path(attached["path"]).name == "offer.eml"
    assert (attached["title"], attached["attached_to"]["title"]) == ("Ferry plan", "The keys")
    assert attached["place"] == {"page": 2, "label": "Slide 2"}
    shown = recollect("search", "Mention the subsidy", data=data)
    assert "document, Slide 2" in shown
    assert "attached to “The keys”, " in shown
