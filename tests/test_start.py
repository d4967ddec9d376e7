"""Start and stop: whoever asks meanwhile has an answer, or a sentence, within seconds."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from indexer.files.lock import LibraryLock
from model.runtime.lifecycle import Lifecycle, LoadedModel
from tests.conftest import ROOT, verb
from tests.fake_model import FakeModel
from tests.library import Small, small, until
from tests.served import small_library
from web.http.server import make_server
from web.library import client
from web.library.library import Library

BOAT = "The boat lies in the river."


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory of three texts about boats, indexed with the model that ships."""
    base = tmp_path_factory.mktemp("start")
    (base / "lib").mkdir()
    for n in range(3):
        (base / "lib" / f"{n}.txt").write_text(f"The boat number {n} lies in the river.")
    verb("index", base / "lib", data=base / "data")
    return base / "data"


@pytest.fixture
def silent_server(indexed: Path, tmp_path: Path) -> Iterator[Path]:
    """A data directory that is held by a server which accepts connections and never answers, as one
    does whose process is stopped."""
    data = tmp_path / "data"
    shutil.copytree(indexed, data)
    with socket.create_server(("127.0.0.1", 0)) as listener, LibraryLock(data) as lock:
        lock.announce(f"http://127.0.0.1:{listener.getsockname()[1]}", "token")
        yield data


class LateRuntime:
    """Loads a model when `allowed` is set."""

    def __init__(self) -> None:
        self.allowed = threading.Event()
        self.model = FakeModel()

    def load(self, _: object) -> LoadedModel:
        assert self.allowed.wait(60)
        return cast(LoadedModel, self.model)


@pytest.fixture
def late(tmp_path: Path) -> Iterator[tuple[Library, LateRuntime]]:
    """A library as it is served right after its start: read and understood, with no model yet."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "note.txt").write_text(BOAT)
    runtime = LateRuntime()
    with small_library(tmp_path / "lib", tmp_path / "data", runtime.model) as library:
        lifecycle = library._runtime.lifecycle
        assert isinstance(lifecycle, Lifecycle)
        lifecycle.unload()
        lifecycle._load = runtime.load
        yield library, runtime
        runtime.allowed.set()


def test_the_first_search_is_by_words_at_once_and_by_meaning_with_the_model(
    late: tuple[Library, LateRuntime],
) -> None:
    library, runtime = late
    library.warm()
    first = library.search(BOAT)
    assert [hit["found_by"] for hit in first["hits"]] == [["words"]]
    assert first["loading"]
    assert "the model is being loaded" in first["problem"]
    assert "problem" not in library.search(BOAT, by="words")
    runtime.allowed.set()
    until(lambda: "loading" not in library.search(BOAT))
    (hit,) = library.search(BOAT)["hits"]
    assert "meaning" in hit["found_by"]


def test_a_terminal_without_a_server_waits_for_the_model(late: tuple[Library, LateRuntime]) -> None:
    library, runtime = late
    threading.Timer(0.2, runtime.allowed.set).start()
    assert "loading" not in library.search("boat")


def test_a_verb_behind_a_stopped_server_gives_up_with_a_sentence(
    silent_server: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.SIGN_OF_LIFE_S <= 3.5
    monkeypatch.setattr(client, "SIGN_OF_LIFE_S", 0.1)
    for words in (["search", "boat"], ["status"], ["index"], ["ask", "boat?"], ["forget", "0.txt"]):
        assert "does not answer; stop it" in verb(*words, data=silent_server, code=1)


def test_a_second_server_is_refused_before_anything_heavy_is_imported(silent_server: Path) -> None:
    program = """
import sys
from recollect import main
try:
    main()
finally:
    print(sorted({"fastapi", "lancedb", "torch", "pyarrow"} & set(sys.modules)))
"""
    refused = subprocess.run(
        [sys.executable, "-c", program, "--data", silent_server, "serve", "--port", "0"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
    )
    assert refused.returncode == 1
    assert refused.stdout == "[]\n"
    assert "already served" in refused.stderr
    assert "wait for it, or stop it" in refused.stderr


def test_serving_starts_though_what_a_kill_left_takes_long_to_put_back(tmp_path: Path) -> None:
    with small(tmp_path / "lib", tmp_path / "data") as library:
        library.write("a.txt", "The boat lies in the river.")
        housekeeping = library.pipeline.housekeeping
        with housekeeping.quiet():  # nothing can be put back now
            library.service.start()
            assert library.found("boat") == []
        until(lambda: library.found("boat"))


def test_the_signal_itself_starts_the_time_to_stop() -> None:
    called: list[str] = []
    server = make_server(lambda: None, stopping=lambda: called.append("stopping"))  # type: ignore[arg-type]  # no request comes
    server.handle_exit(signal.SIGTERM, None)
    assert called == ["stopping"]
    assert server.should_exit


def cut_vectors(data: Path) -> None:
    for file in (data / "lance").glob("[gb]*_*.lance/data/*"):
        file.write_bytes(file.read_bytes()[:40])


def lose_manifests(data: Path) -> None:
    for file in (data / "lance").glob("[gb]*_*.lance/_versions/*.manifest"):
        file.write_bytes(b"torn")


@pytest.mark.parametrize("damage", [cut_vectors, lose_manifests])
def test_fault_05_a_terminal_without_a_server_finds_words_in_damaged_tables(
    indexed: Path, tmp_path: Path, damage: object
) -> None:
    data = tmp_path / "data"
    shutil.copytree(indexed, data)
    assert callable(damage)
    damage(data)
    found = verb("search", "river", "--json", data=data)
    assert all(f"{n}.txt" in found for n in range(3))
    assert "Only words were searched" in found
    assert "recollect verify --repair" in found
    assert "3 files" in verb("status", data=data)
    assert "1 added" not in verb("index", data=data)
    assert "problem" not in verb("search", "river", "--json", data=data)


def test_index_reads_before_it_compares_checksums(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small(tmp_path / "lib", tmp_path / "data") as library:
        library.write("a.txt", "The boat lies in the river.")
        states: list[dict[str, int]] = []
        monkeypatch.setattr(
            library.store.repair,
            "check_files",
            lambda: states.append(library.catalog.counts.states()),
        )
        library.service.run_once()
        assert states == [{"understood": 1}]


def test_fault_14_repairing_a_lost_catalog_drops_nothing_that_may_be_taken_over(
    tmp_path: Path,
) -> None:
    folder, data = tmp_path / "lib", tmp_path / "data"
    with small(folder, data) as library:
        library.write("a.txt", "The boat lies in the river.")
        library.service.run_once()
        rows, vectors = library.rows(), library.vectors()
    for part in data.glob("catalog.sqlite*"):
        part.unlink()
    verb("verify", "--repair", data=data)
    with small(folder, data) as library:
        library.service.run_once()
        assert library.model.calls == 0
        assert (library.rows(), library.vectors()) == (rows, vectors)


def test_fault_14_a_file_that_never_rests_keeps_no_rows_of_a_lost_catalog(tmp_path: Path) -> None:
    folder, data = tmp_path / "lib", tmp_path / "data"
    with small(folder, data) as library:
        library.write("a.txt", "The boat lies in the river.")
        library.write("log.txt", "The first line of a log.")
        library.service.run_once()
    for part in data.glob("catalog.sqlite*"):
        part.unlink()
    (folder / "a.txt").unlink()
    with small(folder, data) as library:
        library.service.run_once()
        with library.catalog.database.writing() as db:  # it was read, and changes again
            db.execute("UPDATE files SET state = 'pending', due_at = 1e12")
        library.catalog.database.keep_note("adopting", "1")
        library.pipeline.housekeeping.tidy()
        assert _orphans(library) == set()


def _orphans(library: Small) -> set[str]:
    return library.store.generations.all() - library.generations()
