"""Faults of the storage that need no broken disk: other readers, other writers, other machines."""

from __future__ import annotations

import errno
import random
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from indexer.files.mounts import Mount
from indexer.types.passages import Passage, Source
from indexer.types.places import Kind
from indexer.vectors import checksums
from indexer.vectors.checksums import Checksums
from indexer.vectors.store import Store
from tests.conftest import Indexed, serve
from tests.library import small
from tests.test_store import new_name
from web.cli.serving import network_warning


def added(store: Store, word: str) -> str:
    generation = new_name()
    passages = [Passage(n, f"{word} {n}", None, Source.TEXT) for n in range(3)]
    store.add_words([(generation, f"{random.getrandbits(160):040x}", Kind.DOCUMENT, passages)])
    return generation


def test_fault_05_a_file_that_cannot_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    added(store, "boat")
    store.sync()
    real = checksums._sum

    def failing(file: str) -> tuple[int, str]:
        if "/data/" in file:
            raise OSError(errno.EIO, "Input/output error")
        return real(file)

    monkeypatch.setattr(checksums, "_sum", failing)
    [(table, file, sentence)] = store.repair.damaged_files()
    assert (table, file.parent.name) == ("words", "data")
    assert sentence == "cannot be read (Input/output error)"


def test_fault_05_a_line_of_the_sums_that_a_power_cut_tore_is_no_fault(tmp_path: Path) -> None:
    store = Store(tmp_path)
    added(store, "boat")
    store.sync()
    with open(tmp_path / "sums", "ab") as file:
        file.write(b"0123456789abcdef 17 words.lan")
    again = Store(tmp_path)
    added(again, "river")
    again.sync()
    assert again.repair.damaged_files() == []
    assert len(Checksums(tmp_path)._read()) == len(
        [p for p in tmp_path.glob("words.lance/**/*") if p.is_file() and p.suffix != ".json"]
    )


def test_fault_06_a_data_directory_on_a_network_is_warned_of() -> None:
    mounts = [Mount(Path("/"), "ext4"), Mount(Path("/mnt/share"), "nfs4")]
    warning = network_warning(Path("/mnt/share/recollect"), mounts)
    assert warning is not None
    assert "nfs4" in warning
    assert "--data" in warning
    assert network_warning(Path("/home/me/recollect"), mounts) is None


def test_fault_07_a_reader_whose_version_was_cleaned_up_reads_the_newest(tmp_path: Path) -> None:
    writer, reader = Store(tmp_path), Store(tmp_path)
    first, second = added(writer, "boat"), added(writer, "boat")
    assert reader.generations.passage_count() == 6
    meanwhile: list[Callable[[], None]] = [writer.erase, lambda: writer.remove([first])]

    def read(table: Any) -> list[dict[str, Any]]:
        rows = table.search().select(["generation"])
        if meanwhile:  # between the choice of the version and the reading of its files
            version = table.version
            while meanwhile:
                meanwhile.pop()()
            table.checkout(version)
        records: list[dict[str, Any]] = rows.to_list()
        return records

    records = reader.tables.read("words", read)
    assert {row["generation"] for row in records} == {second}
    assert set(reader.generations.counts()) == {second}


def test_fault_08_commits_that_meet_lose_and_revive_no_row(tmp_path: Path) -> None:
    """Two writers, as there never are two: the lock of the library is what keeps them apart."""
    first, second = Store(tmp_path), Store(tmp_path)
    kept: list[str] = []
    gone: list[str] = []
    faults: list[BaseException] = []

    def add() -> None:
        for n in range(12):
            kept.append(added(first, f"kept{n}"))

    def remove() -> None:
        for n in range(6):
            generation = added(second, f"gone{n}")
            second.remove([generation])
            gone.append(generation)
            if n % 3 == 2:
                second.optimize()

    def run(work: Any) -> None:
        try:
            work()
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=run, args=(work,)) for work in (add, remove)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    first.optimize()
    assert Store(tmp_path).generations.counts() == dict.fromkeys(kept, 3)
    assert len(gone) == 6


@pytest.mark.slow
def test_fault_13_a_server_that_is_told_to_stop_does_so_within_five_seconds(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "lib"
    folder.mkdir()
    for n in range(400):
        (folder / f"{n}.txt").write_text(f"The boat number {n} lies in the river. " * 50)
    served = serve("serve", folder, library=Indexed(folder, tmp_path / "data"))
    try:
        time.sleep(2)  # in the midst of it
        began = time.monotonic()
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(timeout=30) == 0
        took_s = time.monotonic() - began
    finally:
        served.process.kill()
        served.process.wait()
        if served.process.stdout is not None:
            served.process.stdout.close()
    assert took_s < 5
    with small(folder, tmp_path / "data") as library:
        library.pipeline.housekeeping.recover()
        states = library.catalog.counts.states()
        assert states.keys() <= {"pending", "read", "understood"}, "what was taken is put back"
