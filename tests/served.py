"""A real server on a small real library; only the weights are left out (tests/fake_model.py)."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import httpx
import numpy as np
import soundfile
from fastapi import FastAPI
from PIL import Image as Picture

from indexer.catalog.catalog import Catalog
from indexer.catalog.records import Item
from indexer.extract.pages.mupdf import pymupdf
from indexer.extract.process.pool import ReaderPool
from indexer.extract.process.reader import ReaderProcess
from indexer.ingest.pipeline import Pipeline
from indexer.ingest.service import IndexService
from indexer.types.places import Place
from indexer.vectors.store import Store
from model.interface import (
    DEFAULT_WRITING,
    AnswerEnd,
    AnswerEvent,
    AnswerText,
    ConversationTurn,
    Evidence,
    Fingerprint,
    Image,
    ModelCard,
    Sound,
    WritingOptions,
)
from model.runtime.runtime import Runtime
from model.weights.checkpoint import Checkpoint
from retriever.recordings.recording import RecordingMinutes
from tests.fake_model import FakeModel
from web.http.app import create_app
from web.http.security import new_token
from web.http.server import bind_loopback, make_server, port_of, run_server
from web.library.conversations.conversations import Conversations
from web.library.library import Library
from web.library.notifier import Notifier

STATIC = Path(__file__).parent.parent / "web" / "static"
ODD_NAME = b'a \xff\n"name".txt'


class EndlessModel(FakeModel):
    """Writes until it is cancelled; `stopped` tells that it was."""

    def __init__(self) -> None:
        super().__init__()
        self.stopped = threading.Event()

    def answer(
        self,
        question: str,
        evidence: Sequence[Evidence],
        history: Sequence[ConversationTurn] = (),
        cancelled: Callable[[], bool] = lambda: False,
        options: WritingOptions = DEFAULT_WRITING,
    ) -> Iterator[AnswerEvent]:
        while not cancelled():
            yield AnswerText("more ")
            threading.Event().wait(0.02)
        self.stopped.set()
        yield AnswerEnd("cancelled", 1.0, 0, 1.0, None)


class WeightlessCheckpoint:
    """What a runtime asks of a checkpoint before it loads one."""

    def __init__(self, model: FakeModel) -> None:
        self.fingerprint: Fingerprint = model.fingerprint
        self.unloaded: ModelCard = model.card


@contextmanager
def small_library(folder: Path, data: Path, model: FakeModel | None = None) -> Iterator[Library]:
    """The library over `folder`, wired as `recollect.build` does, read and understood."""
    fake = model or FakeModel()
    checkpoint = cast(Checkpoint, WeightlessCheckpoint(fake))
    runtime = Runtime(checkpoint, load=lambda yield_turn: fake)
    catalog = Catalog(data / "catalog.sqlite")
    store = Store(data / "lance")
    readers = ReaderPool([ReaderProcess()])
    pipeline = Pipeline(catalog, store, readers, runtime.files)

    def load_media(item: Item, place: Place) -> Image | Sound:
        with readers.lend() as lent:
            return lent.original(item.path, place, member=item.member)

    minutes = RecordingMinutes(catalog, runtime.files, load_media)
    notifier = Notifier()
    service = IndexService(
        catalog,
        pipeline,
        settle_s=0.2,
        on_progress=notifier.notify,
        afterwards=minutes.write_next,
    )
    conversations = Conversations(data / "conversations.sqlite")
    library = Library(
        catalog, store, runtime, pipeline, service, ReaderProcess(), notifier, conversations
    )
    try:
        library.add(str(folder))
        library.index()
        yield library
    finally:
        library.close()


def write_files(folder: Path) -> None:
    """A document of two pages, a text, a photo, a recording and a file with an impossible name."""
    folder.mkdir(parents=True)
    lines = ["The red boat lies in the river.", "The meeting about money was loud."]
    with pymupdf.open() as document:
        for line in lines:
            document.new_page().insert_text((72, 72), line)
        document.save(folder / "boats.pdf")
    (folder / "garden.txt").write_text("The garden is green. Nobody came to the garden gate.\n")
    (folder / ODD_NAME.decode("utf-8", "surrogateescape")).write_text(
        "An oddly named file about zebras.\n"
    )
    Picture.new("RGB", (320, 200), (250, 10, 10)).save(folder / "sunset.png")
    seconds = np.arange(3 * 16_000) / 16_000
    sound = 0.5 * np.sin(2 * np.pi * 900 * seconds)
    soundfile.write(folder / "whistle.wav", sound.astype(np.float32), 16_000)


@dataclass(frozen=True)
class Running:
    """A server that answers on `port` until the end of the test."""

    app: FastAPI
    library: Library
    port: int
    token: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def launch_url(self) -> str:
        return str(self.app.state.launch_url())

    def program(self) -> httpx.Client:
        """A client with the token, as the command line is."""
        return self._client({"Authorization": f"Bearer {self.token}"})

    @contextmanager
    def browser(self) -> Iterator[httpx.Client]:
        """A client that came in by a launch link, and sends what a browser sends."""
        headers = {"Sec-Fetch-Site": "same-origin", "Origin": self.url}
        with self._client(headers) as client:
            entered = client.get(self.launch_url(), headers={"Sec-Fetch-Site": "none"})
            assert entered.status_code == 303
            yield client

    def stranger(self) -> httpx.Client:
        return self._client({})

    def item(self, name: str) -> str:
        """The id of a file, by its name."""
        files = self.library.files(limit=1000)["files"]
        (item_id,) = [file["id"] for file in files if file["name"] == name]
        assert item_id is not None
        return item_id

    def _client(self, headers: dict[str, str]) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers=headers, timeout=60.0, trust_env=False)


@contextmanager
def running(library: Library) -> Iterator[Running]:
    """Serves `library` from a thread of this process."""
    listener = bind_loopback(0)
    port, token = port_of(listener), new_token()
    app = create_app(library, static=STATIC, token=token, port=port)
    started = threading.Event()
    server = make_server(app, started.set)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        assert started.wait(60)
        yield Running(app, library, port, token)
    finally:
        server.should_exit = True
        thread.join(60)
        assert not thread.is_alive()


def main(folder: str, data: str) -> None:
    """Serves an endless model from a process of its own, until a signal."""
    with small_library(Path(folder), Path(data), EndlessModel()) as library:
        listener = bind_loopback(0)
        token = new_token()
        app = create_app(library, static=STATIC, token=token, port=port_of(listener))
        line = f"{port_of(listener)} {token}"
        run_server(app, listener, started=lambda: print(line, flush=True), report=print)
    print("closed", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
