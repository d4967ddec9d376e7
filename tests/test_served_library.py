"""A library whose model an engine serves, as a person meets it: indexed, searched, asked, with the
engine going away and coming back."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from model.gemma import Gemma
from model.interface import ModelError
from model.served import connection, served_model
from model.served.address import EngineAddress
from model.served.capabilities import Capabilities
from model.weights.checkpoint import POCKET
from model.weights.installed import find_checkpoint
from recollect import build
from tests.browser import chromium, visit
from tests.conftest import verb
from tests.engine import NAME, Engine, Proxy, engine
from tests.library import until
from tests.served import running
from web.library.library import Library
from web.machine.models import engine_report
from web.machine.settings import EngineSettings, Settings, load_settings

FILES = POCKET / "demonstration"


@pytest.fixture(scope="module")
def served() -> Iterator[Engine]:
    import torch

    torch.set_num_threads(1)
    with engine(Gemma(find_checkpoint("pocket"))) as running:
        yield running


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A document, a photo and a recording of the demonstration library."""
    folder = tmp_path_factory.mktemp("folder")
    for name in ("Pictures/Home/Tea time.png", "Pictures/Winter/Late.png"):
        shutil.copy(FILES / name, folder)
    shutil.copy(min(FILES.rglob("*.wav")), folder / "note.wav")
    (folder / "lease.txt").write_text("The deposit for Garden Street 5 is 1200 euros.\n")
    return folder


def opened(url: str, folder: Path, data: Path) -> Library:
    library = build(load_settings({"data": data, "model": url}))
    library.add(str(folder))
    return library


@pytest.fixture(scope="module")
def indexed(
    served: Engine, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Library]:
    library = opened(served.url, folder, tmp_path_factory.mktemp("data") / "data")
    library.index()
    yield library
    library.close()


def vectors(library: Library) -> dict[str, list[tuple[str, int, bytes]]]:
    """Every vector by its table, those of an other order apart."""
    tables = library._store.tables
    return {
        name: sorted(
            (row["content"], row["ordinal"], np.float32(row["vector"]).tobytes())
            for row in tables.columns(name, ["content", "ordinal", "vector"]).to_pylist()
        )
        for name in tables.names()
        if name != "words"
    }


def test_everything_is_understood_and_found_by_meaning(indexed: Library) -> None:
    status = indexed.status()
    assert status["coverage"]["understood"] == status["coverage"]["files"] == 4
    assert status["model"]["name"] == NAME
    assert status["model"].get("loaded")
    result = indexed.search("a blue teapot in a room")
    assert "problem" not in result
    best = result["hits"][0]
    assert Path(best["path"]).name == "Tea time.png"
    assert "meaning" in best["found_by"]


def test_an_answer_quotes_the_file_that_holds_it(indexed: Library) -> None:
    events = list(indexed.ask("What is the deposit for Garden Street 5?"))
    done = events[-1]
    assert done["event"] == "done", done
    assert "1200" in str(done["data"])
    citations = [event["data"] for event in events if event["event"] == "citation"]
    assert citations
    assert "lease.txt" in str(citations[0])


def test_the_engine_goes_and_comes_back(
    served: Engine, folder: Path, indexed: Library, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Killed in the middle of stage 2: words are found meanwhile, and the index is in the end what
    it is without that."""
    monkeypatch.setattr(connection, "PAUSES_S", (0.0, 0.0))
    monkeypatch.setattr(served_model, "TRY_AGAIN_S", 0.1)
    monkeypatch.setattr("indexer.ingest.service.PAUSE_S", 0.2)
    proxy = Proxy(served.port)
    library = opened(proxy.url, folder, tmp_path / "data")
    gone = threading.Event()

    def vanish_after_a_picture(client: object, request: bytes) -> None:
        gone.set()

    proxy.always = None
    try:
        assert library._runtime.people.card  # nothing has been asked of it so far
        library.service.start()
        until(lambda: library.status()["coverage"]["understood"] >= 1)
        proxy.always = vanish_after_a_picture
        until(lambda: library.status()["model"].get("problem") or gone.is_set())
        result = library.search("deposit Garden Street")
        assert [Path(hit["path"]).name for hit in result["hits"]] == ["lease.txt"]
        assert "Only words were searched" in str(result.get("problem"))
        until(lambda: library.status()["model"].get("problem"))
        assert "start it there" in library.status()["model"]["problem"]
        assert library.status()["failed"] == []
        proxy.always = None
        until(lambda: library.status()["coverage"]["understood"] == 4)
        until(lambda: "problem" not in library.status()["model"])
        assert vectors(library) == vectors(indexed)
    finally:
        library.close()
        proxy.close()


def test_the_command_line_and_its_doctor_say_what_the_engine_is(
    served: Engine, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    listed = json.loads(verb("--model", served.url, "model", "list", "--json", data=data))
    (in_use,) = [model for model in listed if model["in_use"]]
    assert in_use["engine"] == in_use["name"] == served.url
    assert "served by another program" in verb("--model", served.url, "model", "list", data=data)
    output = verb("--model", served.url, "doctor", data=data)
    assert f"{NAME}, served by {served.url}, answers, takes pictures, takes sound" in output
    assert "Memory" not in output
    nowhere = "http://127.0.0.1:9/v1"
    with pytest.raises(ModelError, match=f"No engine answers at {nowhere}; start it there"):
        engine_report(EngineAddress(nowhere))


def test_another_machine_is_named_wherever_questions_go_to_it(tmp_path: Path) -> None:
    """Nothing is asked of it here: it is only said."""
    output = verb("--model", "http://gpu.example:8000/v1", "status", data=tmp_path / "data")
    assert "served by http://gpu.example:8000/v1" in output
    assert "go to gpu.example." in output
    told = json.loads(
        verb("--model", "http://gpu:8000/v1", "status", "--json", data=tmp_path / "other")
    )
    assert told["model"]["remote_hosts"] == ["gpu"]


@pytest.mark.browser
def test_the_page_says_where_questions_go_and_what_the_engine_cannot_do(
    indexed: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it would be of an engine on another machine that takes no sound."""
    monkeypatch.setattr(EngineAddress, "remote_hosts", property(lambda _: ("gpu.example",)))
    sentence = "It takes no sound, so recordings are found by name only."
    monkeypatch.setattr(Capabilities, "sentences", property(lambda _: (sentence,)))
    with chromium() as browser, running(indexed) as server, visit(browser, server) as tab:
        tab.open("/library")
        assert "go to gpu.example" in tab.see("#bars").inner_text()
        assert sentence in tab.see("main").inner_text()
        assert f"{NAME}, served by http://" in tab.see("main").inner_text()


def test_an_address_that_cannot_be_one_is_refused(tmp_path: Path) -> None:
    output = verb("--model", "http://", "status", data=tmp_path / "data", code=1)
    assert "is not the address of an engine" in output


def test_the_section_of_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[model]\nurl = "http://[::1]:1/v1"\nname = "gemma"\nkey = "secret"\n')
    monkeypatch.setitem(Settings.model_config, "toml_file", file)
    monkeypatch.delenv("RECOLLECT_MODEL")
    settings = load_settings({})
    assert isinstance(settings.model, EngineSettings)
    assert (settings.model.name, settings.model.key) == ("gemma", "secret")
    assert "secret" not in repr(settings)
    monkeypatch.setenv("RECOLLECT_MODEL", "http://127.0.0.1:1/v1")
    assert load_settings({}).model == "http://127.0.0.1:1/v1"
    assert load_settings({"model": "pocket"}).model == "pocket"
