"""Real engines, each in an environment of its own that `make engines` makes: llama.cpp's server
with the weights of pocket, as a person would use it."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile
from PIL import Image as Picture

from indexer.vectors.store import Store
from model.gemma import Gemma
from model.interface import (
    AnswerCitation,
    AnswerEnd,
    AnswerText,
    Evidence,
    Image,
    ModelCard,
    Sound,
    Text,
)
from model.served.address import EngineAddress
from model.served.served_model import ServedModel
from model.weights.checkpoint import POCKET
from model.weights.installed import find_checkpoint
from recollect import build
from tests.conftest import ENVIRONMENT, ROOT, Indexed, serve, stop
from tests.library import until
from web.http.server import bind_loopback, port_of
from web.library.library import Library
from web.machine.settings import load_settings

LLAMA_PYTHON = ROOT / ".venv" / "engines" / "llamacpp" / "bin" / "python"
FILES = POCKET / "demonstration"
LISTED = json.loads((POCKET / "demonstration.json").read_text("utf-8"))
QUESTIONS = LISTED["questions"][:20]

pytestmark = [
    pytest.mark.engines,
    pytest.mark.skipif(
        not LLAMA_PYTHON.exists(), reason="run `make engines`: llama.cpp is not here"
    ),
]


@dataclass
class LlamaServer:
    """One server at one port, which may be killed and started again."""

    files: Path
    port: int
    options: Sequence[str] = ()
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def start(self) -> None:
        self.process = subprocess.Popen(
            [LLAMA_PYTHON, "-m", "bench.engines.llama_server", self.files, str(self.port),
             *self.options], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        until(self.answers)

    def answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/models", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(30)


@contextmanager
def llama(files: Path, *options: str) -> Iterator[LlamaServer]:
    listener = bind_loopback(0)
    server = LlamaServer(files, port_of(listener), options)
    listener.close()
    server.start()
    try:
        yield server
    finally:
        server.kill()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gguf")
    command: list[str | Path] = [LLAMA_PYTHON, "-m", "bench.engines.gguf_files", POCKET, folder]
    subprocess.run(command, cwd=ROOT, check=True)
    return folder


@pytest.fixture(scope="module")
def chat(files: Path) -> Iterator[LlamaServer]:
    with llama(files) as server:
        yield server


@pytest.fixture(scope="module")
def embeddings(files: Path) -> Iterator[LlamaServer]:
    with llama(files, "--embeddings") as server:
        yield server


@pytest.fixture(scope="module")
def model(chat: LlamaServer, embeddings: LlamaServer) -> Iterator[ServedModel]:
    made = ServedModel(EngineAddress(chat.url, embeddings_url=embeddings.url))
    yield made
    made.close()


def test_what_it_can_is_found_out(model: ServedModel) -> None:
    known = model.capabilities()
    assert (known.grammar, known.dim) == ("grammar", 192)
    assert known.pictures
    assert known.sounds
    assert known.logprobs
    assert known.sentences == ()


def test_one_that_gives_no_vectors_says_so(chat: LlamaServer) -> None:
    made = ServedModel(EngineAddress(chat.url))
    with closing(made):
        assert "embeddings_url" in made.capabilities().sentences[0]


def test_pictures_are_seen(model: ServedModel) -> None:
    right = 0
    photos = [file for file in LISTED["files"] if file["kind"] == "photo"]
    for file in photos:
        with Picture.open(FILES / file["path"]) as picture:
            words = model.describe(Image(np.asarray(picture.convert("RGB")))).words
        right += words == file["words"][0]["text"]
    assert right >= len(photos) * 0.6, f"{right} of {len(photos)}"


def test_sounds_are_heard(model: ServedModel) -> None:
    samples, rate_hz = soundfile.read(min(FILES.rglob("*.wav")), dtype="float32")
    assert "drill" in model.describe(Sound(samples[: 8 * rate_hz], rate_hz)).words


def test_an_answer_streams_and_its_quotes_cannot_be_invented(model: ServedModel) -> None:
    """The source says it in other words than the model was taught, so it would invent them."""
    words = "The deposit of 1,200 comes back within four weeks."
    source = Evidence(1, "lease.txt", words)
    events = list(model.answer("When does the deposit come back?", [source]))
    citations = [event for event in events if isinstance(event, AnswerCitation)]
    assert citations
    assert all(citation.quote in words for citation in citations)
    assert sum(isinstance(event, AnswerText) for event in events) > 3
    assert isinstance(events[-1], AnswerEnd)


def test_the_drafter_drafts_and_changes_nothing(model: ServedModel, files: Path) -> None:
    source = Evidence(1, "lease.txt", "The deposit for Garden Street 5 is 1200 euros.")
    question = "What is the deposit for Garden Street 5?"
    with llama(files, "--drafter") as server:
        drafting = ServedModel(EngineAddress(server.url))
        with closing(drafting):
            *drafted, end = drafting.answer(question, [source])
    alone = list(model.answer(question, [source]))[:-1]
    assert isinstance(end, AnswerEnd)
    assert end.draft_acceptance is not None  # counted by llama.cpp itself
    assert end.draft_acceptance > 0.2
    assert _text(drafted) == _text(alone)
    assert [event for event in drafted if isinstance(event, AnswerCitation)] == [
        event for event in alone if isinstance(event, AnswerCitation)
    ]


def test_it_judges_as_our_own_loader_does(model: ServedModel) -> None:
    question = "What is the deposit for Garden Street 5?"
    words = "The deposit for Garden Street 5 is 1200 euros."
    sources = [Evidence(1, "lease.txt", words), Evidence(2, "a.txt", "The garden is green.")]
    own = Gemma(find_checkpoint("pocket")).judge(question, sources)
    assert model.judge(question, sources) == pytest.approx(own, abs=0.01)


def test_an_answer_is_taken_back(model: ServedModel) -> None:
    began = time.monotonic()
    source = Evidence(1, "lease.txt", "word " * 3000)
    events = list(model.answer("What?", [source], (), lambda: time.monotonic() - began > 0.5))
    assert isinstance(events[-1], AnswerEnd)
    assert events[-1].reason == "cancelled"
    assert time.monotonic() - began < 10


def _text(events: Sequence[object]) -> str:
    return "".join(event.text for event in events if isinstance(event, AnswerText))


def answered(library: Library) -> tuple[int, int]:
    """How many of the questions have the right value, and how many cite the right file."""
    values = files = 0
    for entry in QUESTIONS:
        text, paths, cited = "", dict[int, str](), set[str]()
        for event in library.ask(entry["question"]):
            data: Any = event["data"]
            match event["event"]:
                case "source":
                    paths[data["n"]] = data["path"]
                case "token":
                    text += data["text"]
                case "citation":
                    cited.add(paths[data["n"]])
        values += entry["value"] in text
        files += any(path.endswith(entry["path"]) for path in cited)
    return values, files


@pytest.fixture(scope="module")
def demonstration_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(FILES, tmp_path_factory.mktemp("library") / "library"))


def test_the_questions_of_the_demonstration_beside_the_own_loader(
    chat: LlamaServer, embeddings: LlamaServer, demonstration: Indexed, demonstration_folder: Path,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Among as many sources as the small model finds its way."""
    card: Callable[[ServedModel], ModelCard] = ServedModel.card.fget  # type: ignore[attr-defined]  # a property
    one_source = property(lambda model: replace(card(model), sources=1))
    monkeypatch.setattr(ServedModel, "card", one_source)
    engine = {"url": chat.url, "embeddings_url": embeddings.url}
    with closing(build(load_settings({"data": tmp_path / "data", "model": engine}))) as library:
        library.add(str(demonstration_folder))
        library.index()
        coverage = library.status()["coverage"]
        assert coverage["understood"] == coverage["files"] > 0
        values, cited = answered(library)
    shutil.copytree(demonstration.data, tmp_path / "own")
    with closing(build(load_settings({"data": tmp_path / "own", "model": "pocket"}))) as library:
        own_values, own_cited = answered(library)
    print(f"llama.cpp {values} right, {cited} cited; our own loader {own_values}, {own_cited}")
    # how many are right depends on the processor's rounding; here only that most still are
    assert values >= 0.5 * own_values
    assert cited >= 0.5 * own_cited


def rows(data: Path) -> dict[tuple[str, int], str]:
    return {
        (content, ordinal): text
        for content, _, ordinal, _, _, text in Store(data / "lance").generations.rows()
    }


def understood_by(
    server: LlamaServer, folder: Path, data: Path, disturb: Callable[[httpx.Client], None]
) -> dict[tuple[str, int], str]:
    """What `recollect serve` writes down of the folder; `disturb` is called with a client of it
    while the files are understood."""
    served = serve("serve", folder, library=Indexed(folder, data))
    headers = {"Authorization": f"Bearer {served.token}"}
    try:
        with httpx.Client(base_url=served.url, headers=headers, trust_env=False) as http:
            until(lambda: understood(http) >= 5)
            disturb(http)
            until(lambda: understood(http) == len(LISTED["files"]), 300)
            status = http.get("/api/status").json()
            assert status["failed"] == []
            assert "problem" not in status["model"]
            answers = [
                http.post("/api/ask", json={"question": entry["question"]}, timeout=60).text
                for entry in QUESTIONS
            ]
        assert all("event: done" in answer for answer in answers)
        assert sum("event: citation" in answer for answer in answers) >= 5
    finally:
        stop(served)
    return rows(data)


def understood(http: httpx.Client) -> int:
    return int(http.get("/api/status").json()["coverage"]["understood"])


def test_a_killed_server_and_its_return_leave_the_same_index(
    files: Path, embeddings: LlamaServer, demonstration_folder: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Undisturbed, and with kill -9 of the engine in the middle of the second stage."""
    with llama(files) as server:
        engine = {"url": server.url, "embeddings_url": embeddings.url}
        monkeypatch.setitem(ENVIRONMENT, "RECOLLECT_MODEL", json.dumps(engine))

        def kill_and_start(http: httpx.Client) -> None:
            server.kill()
            until(lambda: "problem" in http.get("/api/status").json()["model"])
            assert "start it there" in http.get("/api/status").json()["model"]["problem"]
            assert understood(http) < len(LISTED["files"])
            assert http.get("/api/search", params={"q": "Lindenstrasse"}).json()["hits"]
            server.start()

        whole = understood_by(server, demonstration_folder, tmp_path / "whole", lambda _: None)
        disturbed = understood_by(
            server, demonstration_folder, tmp_path / "disturbed", kill_and_start
        )
    assert disturbed == whole


def test_vectors_of_the_same_text_are_the_same_beside_others(model: ServedModel) -> None:
    texts = [Text(f"The boat number {n} lies in the river.") for n in range(9)]
    alone = [model.embed([text])[0].body for text in texts]
    for vectors, vector in zip(model.embed(texts), alone, strict=True):
        assert vectors.body is not None
        assert vector is not None
        assert float(vectors.body @ vector) > 0.9999
