"""A model that is for some contents alone is asked about no others: they are found by their words,
wait for another model, and are quoted instead of written about."""

from __future__ import annotations

import json
import shutil
from email.message import EmailMessage
from pathlib import Path

import pytest

from indexer.files.hashing import hash_path
from indexer.types.states import ContentState
from tests.conftest import verb
from tests.fake_model import FakeModel
from tests.library import Small, small, until, write
from web.machine.demonstration import SHIPPED_FILES


def content_of(path: Path) -> str:
    content = hash_path(bytes(path))
    assert content is not None
    return content


def states(library: Small) -> dict[str, ContentState]:
    with library.catalog.database.reading() as db:
        rows = db.execute("SELECT content FROM contents").fetchall()
    items = library.catalog.items.of_contents(row["content"] for row in rows)
    return {item.name: item.state for item in items.values()}


def test_only_contents_of_the_domain_and_what_lies_in_them_are_understood(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    known = write(folder / "known.txt", "The garden lies behind the house.")
    letter = folder / "letter.eml"
    message = EmailMessage()
    message["Subject"] = "A note"
    message.set_content("See the note.")
    message.add_attachment("A note on the boat.", filename="note.txt")
    letter.write_bytes(message.as_bytes())
    write(folder / "own.txt", "The bicycle stands in the yard.")
    domain = {content_of(known), content_of(letter)}
    with small(folder, tmp_path / "data", domain=domain) as library:
        library.service.run_once()
        assert states(library) == {
            "known.txt": "understood",
            "letter.eml": "understood",
            "note.txt": "understood",
            "own.txt": "read",
        }
        assert library.found("bicycle") == [folder / "own.txt"]
        assert library.service.waiting is not None
        assert "waits for a model" in library.service.waiting
        (folder / "own.txt").unlink()
        library.service.run_once()
        assert library.service.waiting is None


def test_what_waits_for_a_model_is_told_while_the_library_is_watched(tmp_path: Path) -> None:
    with small(tmp_path / "folder", tmp_path / "data", domain=()) as library:
        library.write("own.txt", "The bicycle stands in the yard.")
        library.service.start()
        until(lambda: library.service.waiting)
        assert library.model.calls == 0
        assert library.pipeline.remaining_s() == 0


def test_another_choice_of_model_understands_the_rest_or_takes_it_back(tmp_path: Path) -> None:
    folder, data = tmp_path / "folder", tmp_path / "data"
    known = write(folder / "known.txt", "The garden lies behind the house.")
    write(folder / "own.txt", "The bicycle stands in the yard.")
    domain = {content_of(known)}
    for chosen, understood in ((None, 2), (domain, 1), (None, 2)):
        with small(folder, data, domain=chosen) as library:
            library.service.run_once()
            assert library.catalog.counts.coverage()["understood"] == understood
            assert len({content for _, content, *_ in library.vectors()}) == understood
            assert library.found("bicycle") == [folder / "own.txt"]


def test_what_a_model_for_everything_understood_stays_where_the_next_is_not(
    tmp_path: Path,
) -> None:
    folder, data = tmp_path / "folder", tmp_path / "data"
    write(folder / "own.txt", "The bicycle stands in the yard.")
    with small(folder, data) as library:
        library.service.run_once()
    with small(folder, data, FakeModel(version="another"), domain=()) as library:
        library.service.run_once()
        assert states(library) == {"own.txt": "understood"}
        assert library.model.calls == 0
        assert library.service.waiting is None


@pytest.fixture
def own_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of a person's own, and nobody has chosen a model."""
    monkeypatch.delenv("RECOLLECT_MODEL")
    write(
        tmp_path / "folder" / "lease.txt",
        "The house is old [1]. The deposit of the flat in Hafenweg is 900 euros.\n\nBen has a key.",
    )
    return tmp_path / "folder"


def test_the_model_that_ships_is_not_asked_about_a_persons_files(
    own_files: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    printed = verb("index", own_files, data=data)
    assert "Understanding your own files waits for a model." in printed
    assert ", 0 model calls" in printed
    assert "Understanding your own files waits for a model." in verb("status", data=data)
    answer = json.loads(verb("ask", "How much is the deposit in Hafenweg?", "--json", data=data))
    [citation] = answer["citations"]
    assert citation["quote"] == "The deposit of the flat in Hafenweg is 900 euros."
    assert citation["verified"]
    assert answer["answer"] == (
        f"These passages speak of it:\n\n- {citation['quote']} [{citation['n']}]"
    )
    refused = verb("ask", "Who owns the giraffe?", data=data, code=3)
    assert refused.startswith("That is not in your library.")


def test_the_model_that_ships_is_asked_where_a_person_chooses_it(
    own_files: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    house_rules = SHIPPED_FILES / "Documents" / "Flat" / "House rules.md"
    shutil.copy(house_rules, own_files)
    report = json.loads(verb("index", own_files, "--json", data=data))
    assert (report["coverage"]["read"], report["coverage"]["understood"]) == (2, 1)
    answer = json.loads(verb("ask", "Where does the olive tree stand?", "--json", data=data))
    assert not answer["answer"].startswith("These passages")
    report = json.loads(verb("--model", "pocket", "index", own_files, "--json", data=data))
    assert report["coverage"]["understood"] == 2
