"""How soon it finds, refuses, gives up and stops: bounds in seconds, on a machine that is idle.

The tests prove that each of these happens; how long it takes is measured here alone, because a test
suite that runs beside others cannot tell a slow program from a busy machine.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import psutil
from PIL import Image as Picture

from bench.report import Report, Row
from indexer.catalog.catalog import Catalog
from indexer.extract.process.pool import ReaderPool
from indexer.extract.process.reader import ReaderProcess
from indexer.files.lock import LibraryLock
from indexer.ingest.pipeline import Pipeline
from indexer.ingest.service import IndexService
from indexer.scan.reconcile import reconcile
from indexer.types.pieces import UnreadableError
from model.interface import Content, Evidence, Image, ModelError, Role, Text, Vectors
from model.runtime.runtime import Runtime
from model.weights.installed import find_checkpoint
from tests.fake_model import FakeModel
from tests.library import Small, small, until

LIMIT_S = 0.3  # what a reading child is given for one file
RENAMED = 50_000


def run(quick: bool) -> Report:
    rows: list[Row] = []
    for measure in MEASURES:
        with tempfile.TemporaryDirectory() as base:
            rows += measure(Path(base))
    with tempfile.TemporaryDirectory() as base:
        rows += renamed(Path(base), RENAMED // 10 if quick else RENAMED)
    return Report("latency", rows, seeds=[])


def _row(key: str, what: str, took_s: float, bound_s: float) -> Row:
    return Row(key, what, took_s, "s", goal=bound_s, at_most=True)


def _seconds(action: Callable[[], object]) -> float:
    began = time.monotonic()
    action()
    return time.monotonic() - began


@contextmanager
def _started(service: IndexService) -> Iterator[IndexService]:
    service.start()
    try:
        yield service
    finally:
        service.stop()


def _understood(library: Small, count: int) -> None:
    until(lambda: library.catalog.counts.coverage()["understood"] == count)


def saved(base: Path) -> list[Row]:
    with small(base / "files", base / "data") as library:
        library.write("old.txt", "garden")
        with _started(library.service):
            _understood(library, 1)
            path = library.write("new.txt", "a boat on the river")
            new_s = until(lambda: library.found("boat") == [path])
            _understood(library, 2)
            library.write("new.txt", "all the money")
            changed_s = until(lambda: library.found("money") == [path])
            path.unlink()
            gone_s = until(lambda: library.found("money") == [])
    return [
        _row("saved", "a new file, until its words are found", new_s, 5),
        _row("changed", "a changed file, until its new words are found", changed_s, 5),
        _row("deleted", "a deleted file, until its words are not found any more", gone_s, 5),
    ]


class SlowModel(FakeModel):
    """Takes 0.3 s for every batch, and tells when it was first asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()

    def embed(self, contents: Sequence[Content], role: Role = "item") -> list[Vectors]:
        self.asked.set()
        time.sleep(0.3)
        return super().embed(contents, role)


def busy_model(base: Path) -> list[Row]:
    model = SlowModel()
    with small(base / "files", base / "data", model) as library:
        text = "\n\n".join(f"Sentence {n} of a boat on the river. " * 30 for n in range(400))
        library.write("long.txt", text)
        library.service.start()
        assert model.asked.wait(60)
        path = library.write("new.txt", "all the money")
        found_s = until(lambda: library.found("money") == [path])
        stopped_s = _seconds(library.service.stop)
    return [
        _row("saved_busy", "the same of a new file beside a slow model", found_s, 5),
        _row("stop_busy", "stopping the indexer while the model works", stopped_s, 5),
    ]


def hanging_file(base: Path) -> list[Row]:
    with small(base / "files", base / "data") as library, ReaderProcess() as reader:
        good = library.write("good.txt", "boat")
        assert reader.extract(good)
        assert reader.pid is not None
        os.kill(reader.pid, signal.SIGSTOP)
        pipeline = Pipeline(library.catalog, library.store, ReaderPool([reader]), library.model)
        service = IndexService(library.catalog, pipeline, settle_s=0.0)
        service.start()
        until(lambda: library.catalog.counts.states() == {"reading": 1})
        stopped_s = _seconds(service.stop)
    return [_row("stop_hanging", "stopping the indexer while a file hangs", stopped_s, 5)]


def sparse_file(base: Path) -> list[Row]:
    with small(base / "files", base / "data") as library:
        os.truncate(library.write("a.txt", "boat"), 1 << 40)
        refused_s = _seconds(library.service.run_once)
        assert [failure.reason for failure in library.catalog.files.failed()] == ["too_large"]
    return [_row("sparse", "a sparse file of 1 TiB, until it is refused", refused_s, 10)]


def kernel_files(base: Path) -> list[Row]:
    """A root that holds a proc file system; no row where mounting is not allowed."""
    folder = base / "files"
    (folder / "kernel").mkdir(parents=True)
    (folder / "a.txt").write_text("words")
    command = ["mount", "-t", "proc", "none", str(folder / "kernel")]
    if subprocess.run(command, capture_output=True).returncode != 0:
        return []
    try:
        catalog = Catalog(base / "data" / "catalog.sqlite")
        catalog.roots.add(folder)
        looked_s = _seconds(lambda: reconcile(catalog))
        catalog.close()
    finally:
        subprocess.run(["umount", str(folder / "kernel")], check=True)
    return [_row("proc", "a look at a folder that holds /proc", looked_s, 2)]


# Reads two files in a child and waits in the second; prints the child's process number.
PARENT = """
import sys
from pathlib import Path
from indexer.extract.process.reader import ReaderProcess
reader = ReaderProcess()
reader.extract(Path(sys.argv[1]))
print(reader.pid, flush=True)
reader.extract(Path(sys.argv[2]))
"""


def child(base: Path) -> list[Row]:
    note, slow = base / "note.md", base / "slow.webp"
    note.write_text("# A note\n\nSome words about the harbour.")
    Picture.effect_noise((6000, 6000), 90).save(slow, "WEBP", quality=60, method=0)
    with ReaderProcess() as reader:
        started_s = _seconds(lambda: reader.extract(note))
    with ReaderProcess(limit_s=60) as reader:
        reader.extract(note)
        reader._limit_s = LIMIT_S

        def refused() -> None:
            try:
                reader.extract(slow)
            except UnreadableError as problem:
                assert problem.reason == "timeout"  # noqa: PT017  this is no test
            else:
                raise AssertionError("the slow file was read in time")

        refused_s = _seconds(refused)
    command = [sys.executable, "-c", PARENT, str(note), str(slow)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        orphan = psutil.Process(int(parent.stdout.readline()))
        time.sleep(LIMIT_S)
        parent.kill()
    ended_s = until(lambda: not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE)
    return [
        _row("child_start", "starting a reading child and reading one note", started_s, 3),
        _row("child_limit", f"ending a child that had {LIMIT_S} s for a file", refused_s, 3),
        _row("child_orphan", "a busy child, until it has ended after its parent", ended_s, 2),
    ]


def model(base: Path) -> list[Row]:
    """The model that ships: an answer and a caption that are broken off."""
    runtime = Runtime(find_checkpoint("pocket"), threads=1)
    runtime.people.embed([Text("ready")], "query")
    answer = runtime.people.answer("When is the course?", [Evidence(1, "Note", "On Monday.", None)])
    next(iter(answer))

    def broken_off() -> None:
        answer.close()  # type: ignore[attr-defined]  # a generator
        runtime.people.embed([Text("free again")], "query")

    freed_s = _seconds(broken_off)
    picture = Image(np.random.default_rng(1).integers(0, 256, (900, 900, 3), np.uint8))
    begun = threading.Event()

    def describe() -> None:
        begun.set()
        try:
            while True:
                runtime.files.describe(picture)
        except ModelError:
            pass  # the runtime was closed

    background = threading.Thread(target=describe)
    background.start()
    begun.wait()
    time.sleep(0.1)

    def closed() -> None:
        runtime.close()
        background.join(60)

    closed_s = _seconds(closed)
    return [
        _row("answer_stop", "an answer that nobody waits for, until the model is free", freed_s, 1),
        _row("model_close", "closing the model in the middle of a caption", closed_s, 1),
    ]


def server(base: Path) -> list[Row]:
    """A server with an open stream of its state, told to stop."""
    rows = []
    for sent in (signal.SIGTERM, signal.SIGINT):
        folder, data = base / sent.name / "files", base / sent.name / "data"
        folder.mkdir(parents=True)
        for n in range(50):
            (folder / f"{n}.txt").write_text(f"The boat number {n} lies in the river. " * 50)
        command = [sys.executable, "-m", "recollect", "--data", str(data), "serve", str(folder)]
        with subprocess.Popen(
            [*command, "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            holder = LibraryLock(data).holder()
            assert holder is not None
            assert holder.url is not None
            headers = {"Authorization": f"Bearer {holder.token}"}
            with (
                httpx.Client(base_url=holder.url, headers=headers, timeout=60) as client,
                client.stream("GET", "/api/status?stream=1") as status,
            ):
                next(status.iter_lines())
                began = time.monotonic()
                process.send_signal(sent)
                assert process.wait(60) == 0
                took_s = time.monotonic() - began
        what = f"a server with an open stream, until it has stopped after {sent.name}"
        rows.append(_row(f"server_{sent.name.lower()}", what, took_s, 5))
    return rows


def renamed(base: Path, count: int) -> list[Row]:
    with small(base / "files", base / "data") as library:
        for n in range(count):
            folder = library.folder / "old" / f"{n % 50}"
            if n < 50:
                folder.mkdir(parents=True)
            (folder / f"{n}.txt").write_text(f"boat number {n % 500}")
        library.service.run_once()
        with _started(library.service):
            time.sleep(2)
            new = library.folder / "new"
            (library.folder / "old").rename(new)
            took_s = until(
                lambda: (
                    all(new in path.parents for path in library.found("boat number 7"))
                    and library.found("boat number 7") != []
                )
            )
    what = f"a renamed folder of {count:,} files, until all is found under its new name"
    return [_row("renamed", what, took_s, 15)]


MEASURES = (saved, busy_model, hanging_file, sparse_file, kernel_files, child, model, server)
