"""A model that cannot be used, as a person meets it: on the command line and at the server.

What is wrong with the files is said in one sentence, and nothing is left half-done. A server whose
model cannot be loaded goes on finding words, and says what is missing.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from model.interface import Content, ModelError, Role, Vectors
from model.runtime.runtime import MOST_WAITING, Runtime
from model.weights.installed import find_checkpoint
from tests import tiny
from tests.conftest import ENVIRONMENT, ROOT, Indexed, Served, recollect, serve, stop, verb
from tests.fake_model import FakeModel
from tests.served import running, small_library, write_files
from web.library.client import Client
from web.library.errors import LibraryError
from web.library.library import Library


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write(tmp_path_factory.mktemp("pristine"))


@pytest.fixture
def folder(pristine: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pristine, tmp_path / "my model"))


def _truncated(folder: Path) -> None:
    shard = folder / "model.safetensors"
    shard.write_bytes(shard.read_bytes()[:-100])


def _other_kind(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "llama"}))


def _pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def _without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def _pipe(name: str) -> Callable[[Path], None]:
    def harm(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        os.mkfifo(folder / name)

    return harm


def _nothing(folder: Path) -> None:
    shutil.rmtree(folder)


HARMS = [
    pytest.param(_truncated, "damaged or was not downloaded to its end", id="truncated shard"),
    pytest.param(_other_kind, "of type llama", id="another architecture"),
    pytest.param(_pickled, "pickled", id="pickle"),
    pytest.param(_without("tokenizer.json"), "tokenizer", id="no tokenizer"),
    pytest.param(_without("assistant/model.safetensors"), "no weights", id="no drafter file"),
    pytest.param(_without("model.safetensors"), "no weights", id="no weights"),
    pytest.param(_nothing, "no model at", id="no such directory"),
]
MODEL_FILES = [
    *("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"),
    *("model.safetensors.index.json", "generation_config.json", "assistant/model.safetensors"),
]
VERBS = {
    "search": ["search", "deposit"],
    "ask": ["ask", "When?"],
    "serve": ["serve", "--port", "0"],
    "index": ["index"],
}


def one_sentence(data: Path, model: str, name: str) -> str:
    """What is said of a model that is refused; fails unless it is one line, with exit code 1."""
    process = subprocess.run(
        [sys.executable, "-m", "recollect", "--data", data, "--model", model, *VERBS[name]],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=ENVIRONMENT,
        timeout=60,
    )
    assert process.returncode == 1, process
    assert process.stdout == ""
    (line,) = process.stderr.splitlines()
    assert line.startswith("Error: ")
    return line


@pytest.mark.parametrize(("harm", "sentence"), HARMS[:1])
def test_a_harmed_model_is_refused_in_one_sentence(
    folder: Path, tmp_path: Path, harm: Callable[[Path], None], sentence: str
) -> None:
    harm(folder)
    assert sentence in one_sentence(tmp_path / "data", str(folder), "search")


@pytest.mark.parametrize("name", MODEL_FILES)
def test_fault_33_a_pipe_among_the_files_of_a_model_is_not_waited_for(
    folder: Path, name: str
) -> None:
    _pipe(name)(folder)
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(find_checkpoint, folder)
        try:
            with pytest.raises(ModelError):
                found.result(timeout=20)
        finally:
            if not found.done():  # a writer that ends lets the reader go on
                os.close(os.open(folder / name, os.O_WRONLY))


@pytest.mark.slow
@pytest.mark.parametrize("name", VERBS)
@pytest.mark.parametrize(("harm", "sentence"), HARMS)
def test_every_harm_is_refused_by_every_verb(
    folder: Path, tmp_path: Path, harm: Callable[[Path], None], sentence: str, name: str
) -> None:
    harm(folder)
    assert sentence in one_sentence(tmp_path / "data", str(folder), name)


def test_a_name_that_is_nowhere_says_how_to_go_on(tmp_path: Path) -> None:
    output = verb(
        "--model", "nobody/has-this-model", "ask", "When?", data=tmp_path / "data", code=1
    )
    assert "nobody/has-this-model" in output
    assert re.search("recollect model|--model|DIRECTORY", output)


def test_the_status_says_whether_the_model_is_loaded(tmp_path: Path) -> None:
    assert "pocket, not loaded now" in verb("status", data=tmp_path / "data")


def test_a_setting_of_the_model_that_cannot_be_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECOLLECT_UNLOAD_AFTER_S", "-1")
    output = verb("status", data=tmp_path / "data", code=1)
    assert "unload_after_s" in output
    assert "RECOLLECT_UNLOAD_AFTER_S" in output


@pytest.mark.slow
def test_a_server_gives_an_idle_model_back_and_loads_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Indexed(tmp_path / "folder", tmp_path / "data")
    made.folder.mkdir()
    monkeypatch.setitem(ENVIRONMENT, "RECOLLECT_UNLOAD_AFTER_S", "0.5")
    server = serve("serve", made.folder, library=made)
    headers = {"Authorization": f"Bearer {server.token}"}
    try:
        with httpx.Client(
            base_url=server.url, headers=headers, trust_env=False, timeout=60
        ) as http:

            def model() -> Any:
                return http.get("/api/model").json()

            assert eventually(lambda: model()["calls"] >= 1)  # it was warmed at the start
            assert eventually(lambda: not model()["loaded"])
            calls = model()["calls"]
            assert http.get("/api/search", params={"q": "boat"}).status_code == 200
            assert eventually(lambda: model()["calls"] == calls + 1)  # it is loaded for the next
            assert eventually(lambda: not model()["loaded"])
    finally:
        stop(server)


def eventually(true: Callable[[], object], within_s: float = 40.0) -> bool:
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(0.1)
    return False


@pytest.fixture(scope="module")
def broken(pristine: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server whose weights do not fit their config.json, which only loading them tells."""
    base = tmp_path_factory.mktemp("broken")
    model = Path(shutil.copytree(pristine, base / "model"))
    _misfit(model)
    made = Indexed(base / "folder", base / "data")
    made.folder.mkdir()
    (made.folder / "lease.txt").write_text("The deposit comes back in May.\n")
    (made.folder / "note.txt").write_text("A wombat sleeps at noon.\n")
    running = serve("--model", model, "serve", made.folder, library=made)
    yield running
    stop(running)


def _misfit(model: Path) -> None:
    config = json.loads((model / "config.json").read_text())
    config["text_config"]["intermediate_size"] += 8
    (model / "config.json").write_text(json.dumps(config))


def _mend(model: Path) -> None:
    config = json.loads((model / "config.json").read_text())
    config["text_config"]["intermediate_size"] -= 8
    (model / "config.json").write_text(json.dumps(config))


@pytest.mark.slow
def test_words_are_found_while_the_model_is_broken(broken: Served, tmp_path: Path) -> None:
    headers = {"Authorization": f"Bearer {broken.token}"}
    data = broken.library.data
    with httpx.Client(base_url=broken.url, headers=headers, trust_env=False, timeout=60) as http:
        status: dict[str, Any] = {}

        def tells() -> bool:
            status.update(http.get("/api/status").json())
            return "problem" in status["model"]

        assert eventually(tells)
        model = status["model"]
        where = str(broken.library.folder.parent / "model")
        assert where in model["problem"]
        assert model["loaded"] is False

        def search(words: str) -> dict[str, Any]:
            answer = http.get("/api/search", params={"q": words})
            assert answer.status_code == 200, answer.text
            result: dict[str, Any] = answer.json()
            return result

        assert eventually(lambda: search("deposit")["hits"])
        result = search("deposit")
        assert [Path(hit["path"]).name for hit in result["hits"]] == ["lease.txt"]
        assert "Only words were searched" in str(result["problem"])
        by_words = http.get("/api/search", params={"q": "wombat", "by": "words"}).json()
        assert len(by_words["hits"]) == 1
        assert "problem" not in by_words

        answer = http.post("/api/ask", json={"question": "When does the deposit come back?"})
        assert "event: error" in answer.text
        assert where in answer.text
        # a picture needs the model; a fault is no overload, nobody is told to come again soon
        picture = http.post("/api/search", content=_png(), headers={"Content-Type": "image/png"})
        assert picture.status_code == 503
        assert picture.json()["error"]["code"] == "model"
        assert "retry-after" not in picture.headers

        # a file that is not understood for the model's sake has not failed
        status = http.get("/api/status").json()
        assert status["failed"] == []
        assert status["coverage"]["read"] == 2
        assert status["coverage"]["understood"] == 0

    output = recollect("search", "deposit", data=data)
    assert "lease.txt" in output
    assert "which cannot be used" in recollect("status", data=data)
    assert where in recollect("doctor", data=data, code=1)
    asked_said = recollect("ask", "When does the deposit come back?", data=data, code=1)
    assert where in asked_said


@pytest.mark.slow
def test_a_mended_model_is_taken_up_without_a_restart(broken: Served) -> None:
    headers = {"Authorization": f"Bearer {broken.token}"}
    with httpx.Client(base_url=broken.url, headers=headers, trust_env=False, timeout=60) as http:
        _mend(broken.library.folder.parent / "model")
        assert eventually(
            lambda: http.get("/api/status").json()["coverage"]["understood"] == 2, within_s=60
        )
        model = http.get("/api/status").json()["model"]
        assert model["loaded"] is True
        assert "problem" not in model
        assert "problem" not in http.get("/api/search", params={"q": "deposit"}).json()
    assert re.search(r"Its model: .*loaded, \d", recollect("doctor", data=broken.library.data))


class StuckModel(FakeModel):
    """Thinks until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()
        self.go.set()

    def embed(self, contents: Sequence[Content], role: Role = "item") -> list[Vectors]:
        self.go.wait(60)
        return super().embed(contents, role)


def _people_waiting(library: Library) -> Sequence[object]:
    assert isinstance(library._runtime, Runtime)
    return library._runtime._people


@pytest.mark.slow
def test_more_questions_than_the_model_can_take_are_asked_to_come_again(tmp_path: Path) -> None:
    write_files(tmp_path / "folder")
    model = StuckModel()
    with (
        small_library(tmp_path / "folder", tmp_path / "data", model) as library,
        running(library) as server,
        server.program() as http,
        ThreadPoolExecutor(12) as pool,
    ):
        model.go.clear()

        def ask() -> str:
            with server.program() as client:
                return client.post("/api/ask", json={"question": "boat?"}, timeout=60).text

        def search() -> int:
            with server.program() as client:
                return client.get("/api/search", params={"q": "boat"}, timeout=60).status_code

        answers = [pool.submit(ask) for _ in range(8)]
        search_status = pool.submit(search)
        assert eventually(lambda: len(_people_waiting(library)) == MOST_WAITING)
        refused = http.get("/api/search", params={"q": "boat"})
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) > 0
        assert "ask again in a moment" in refused.json()["error"]["sentence"]
        with (
            Client(server.url, server.token) as client,  # what the command line says of it
            pytest.raises(LibraryError, match="ask again in a moment"),
        ):
            client.search("boat")
        by_words = http.get("/api/search", params={"q": "boat", "by": "words"})
        assert by_words.json()["hits"]  # words wait for no model
        model.go.set()
        assert search_status.result(30) == 200
        assert all("event: done" in answer.result(30) for answer in answers)


def _png() -> bytes:
    import io

    from PIL import Image as Picture

    out = io.BytesIO()
    Picture.new("RGB", (48, 48), (200, 10, 10)).save(out, "PNG")
    return out.getvalue()
