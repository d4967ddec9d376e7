"""Negative controls: with a guard switched off, what it guards against happens.

Each check tells whether all is well. It has to hold with the guard, and must not without it: else
it proves nothing. `docs/faults.md` has them as a table.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image as Picture

import indexer.files.walk
import indexer.ingest.read
import indexer.scan.missing
import indexer.vectors.durability
from indexer.catalog.items import Items
from indexer.catalog.queue import Queue
from indexer.extract.process.pool import ReaderPool
from indexer.extract.process.reader import ReaderProcess
from indexer.ingest.pipeline import Pipeline
from indexer.ingest.service import IndexService
from indexer.scan.events import Events
from indexer.scan.reconcile import reconcile
from indexer.scan.rescan import RescanTimes
from indexer.types.contents import VectorRow
from indexer.types.pieces import Extracted, UnreadableError
from indexer.types.places import Kind
from model.interface import Text
from retriever.queries.query import Query
from retriever.search import Searcher
from tests.library import small

Off = pytest.MonkeyPatch | None  # what to switch the guard off with, or None to leave it on
Check = Callable[[Path, Off], bool]


def settle(base: Path, off: Off) -> bool:
    """A file that is being written is not read yet."""
    with small(base / "lib", base / "data") as library:
        library.write("a.txt", "Half of a sen")
        reconcile(library.catalog, settle_s=0.0 if off else 5.0)
        return library.pipeline.reading.run() == 0


def rescan(base: Path, off: Off) -> bool:
    """A file that no event told of is found."""
    with small(base / "lib", base / "data") as library, pytest.MonkeyPatch.context() as deaf:
        deaf.setattr(Events, "take", lambda self: [])
        times = RescanTimes(settle_s=0.0, rescan_s=3600.0 if off else 0.2)
        service = IndexService(library.catalog, library.pipeline, times=times)
        service.start()
        _until(lambda: service.rescan.rescanned_at is not None, 30)
        library.write("a.txt", "A boat that no event told of.")
        is_found = _until(lambda: library.found("boat") != [], 1.5 if off else 30)
        service.stop()
        return is_found


def generation_filter(base: Path, off: Off) -> bool:
    """What an unfinished understanding of a file has left in the index is not found."""
    with small(base / "lib", base / "data") as library:
        file = library.write("a.txt", "A boat lay in the river.")
        reconcile(library.catalog)
        library.pipeline.reading.run()
        item = library.catalog.items.at_path(file)
        assert item is not None
        [ghost] = library.model.embed([Text("ghost")], role="query")
        fingerprint = library.model.fingerprint
        row = VectorRow(0, None, ghost.gist, ghost.body)
        rows = [("0" * 32, item.content, Kind.DOCUMENT, [row])]
        library.store.add_vectors(fingerprint.key, fingerprint.dim, rows)
        if off:
            off.setattr(Items, "live_generations", lambda self, asked: dict.fromkeys(asked, ""))
        searcher = Searcher(library.catalog, library.store, library.model)
        return searcher.search(Query("ghost")) == []


def fsync(base: Path, off: Off) -> bool:
    """Every file of the index is on the disk when the catalog calls something read."""
    synced: set[str] = set()
    missed: set[str] = set()
    real_sync, real_flip = os.fsync, Queue.finish_reading
    with small(base / "lib", base / "data") as library, pytest.MonkeyPatch.context() as patch:

        def noted(handle: int) -> None:
            synced.add(str(Path(f"/proc/self/fd/{handle}").readlink()))
            real_sync(handle)

        def flip(self: Queue, *given: object) -> object:
            tables = (base / "data" / "lance").glob("words.lance/*/*")
            missed.update({str(file) for file in tables} - synced)
            return real_flip(self, *given)  # type: ignore[arg-type]

        patch.setattr(os, "fsync", noted)
        patch.setattr(Queue, "finish_reading", flip)
        if off:
            off.setattr(indexer.vectors.durability, "sync_path", lambda path: None)
        before = {str(f) for f in (base / "data" / "lance").glob("words.lance/*/*")}
        synced |= before  # made before we listened
        library.write("a.txt", "A boat lay in the river.")
        reconcile(library.catalog)
        library.pipeline.reading.run()
        return not {file for file in missed if stat.S_ISREG(Path(file).stat().st_mode)}


def memory_cap(base: Path, off: Off) -> bool:
    """A file that takes more memory than a child may have is refused."""
    base.mkdir()
    file = base / "large.png"
    Picture.new("RGB", (9_000, 9_000)).save(file, compress_level=1)
    with ReaderProcess(memory_bytes=(8 << 30) if off else (400 << 20)) as reader:
        try:
            reader.extract(file)
        except UnreadableError as problem:
            return problem.reason == "too_large"
    return False


def mass_loss_brake(base: Path, off: Off) -> bool:
    """Many files that vanish at once and come back are not understood again."""
    if off:
        off.setattr(indexer.scan.missing, "MANY_FILES", 1_000_000)
    with small(base / "lib", base / "data") as library:
        for number in range(60):
            library.write(f"all/{number}.txt", f"Boat {number}.")
        library.write("other.txt", "A garden.")
        library.service.run_once()
        calls = library.model.calls
        (base / "lib" / "all").rename(base / "elsewhere")
        library.service.run_once()
        (base / "elsewhere").rename(base / "lib" / "all")
        library.service.run_once()
        return library.model.calls == calls


class Crashing(ReaderProcess):
    """A reader whose child dies of every file."""

    tries = 0

    def extract(self, path: Path, whole: bool = True) -> list[Extracted]:
        self.tries += 1
        raise UnreadableError("crashed", "It stopped.")


def attempt_bound(base: Path, off: Off) -> bool:
    """A file that ends its child each time is not read for ever."""
    if off:
        off.setattr(indexer.ingest.read, "ATTEMPTS", 1_000_000)
    with small(base / "lib", base / "data") as library, Crashing() as reader:
        pipeline = Pipeline(library.catalog, library.store, ReaderPool([reader]), library.model)
        library.write("a.txt", "The boat.")
        reconcile(library.catalog)
        for _ in range(8):
            with library.catalog.database.writing() as db:
                db.execute("UPDATE files SET due_at = 0")
            pipeline.reading.run()
        return reader.tries == 2


def excludes(base: Path, off: Off) -> bool:
    """Keys, histories and what can be made again are not read."""
    if off:
        off.setattr(indexer.files.walk, "is_excluded_file", lambda name: False)
        off.setattr(indexer.files.walk, "is_excluded_folder", lambda name: False)
    with small(base / "lib", base / "data") as library:
        for name in (".ssh/id_ed25519", ".git/config", "node_modules/a/readme.md", "b.txt.part"):
            library.write(name, "A boat.")
        reconcile(library.catalog)
        return library.catalog.files.page() == []


def _until(done: Callable[[], bool], longest_s: float) -> bool:
    until = time.monotonic() + longest_s
    while not done():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


CHECKS: list[Check] = [
    settle, rescan, generation_filter, fsync, memory_cap, mass_loss_brake, attempt_bound, excludes,
]  # fmt: skip
LONG = {rescan, mass_loss_brake, memory_cap}


@pytest.mark.parametrize(
    "check",
    [
        pytest.param(check, id=check.__name__, marks=[pytest.mark.slow] if check in LONG else [])
        for check in CHECKS
    ],
)
def test_what_a_guard_is_for_happens_without_it(
    tmp_path: Path, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert check(tmp_path / "on", None), "it holds with the guard"
    assert not check(tmp_path / "off", monkeypatch), "it does not without: the check can fail"
