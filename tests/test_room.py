"""A full disk pauses the indexing and nothing else; it goes on by itself when there is room."""

from __future__ import annotations

import errno
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from indexer.extract.process.pool import ReaderPool
from indexer.files.disk_room import DiskFullError, DiskRoom, is_full
from indexer.ingest.pipeline import Pipeline
from indexer.ingest.service import IndexService
from indexer.maintenance.verify import Verifier
from recollect import build
from tests.fake_model import FakeModel
from tests.library import READER, Small, small
from web.machine.settings import load_settings

MEGABYTE = 1 << 20


@contextmanager
def tiny_disk(folder: Path, size_mb: int) -> Iterator[Path]:
    """A file system of its own, a few megabytes large."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "tmpfs", folder],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"NOT RUN: mounting a small tmpfs is not allowed here ({mounted.stderr})")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=False)


def ballast(disk: Path, leave_bytes: int) -> Path:
    """Fills the disk up to so many bytes."""
    file = disk / "ballast"
    file.write_bytes(b"")
    with open(file, "ab") as opened:
        while (free := shutil.disk_usage(disk).free - leave_bytes) > 0:
            opened.write(bytes(min(free, MEGABYTE)))
            opened.flush()
    return file


def roomy(library: Small, data: Path, least_free_bytes: int) -> Pipeline:
    room = DiskRoom(data, least_free_bytes)
    return Pipeline(library.catalog, library.store, ReaderPool([READER]), FakeModel(), room)


def write_many(library: Small, first: int, count: int) -> None:
    for n in range(first, first + count):
        words = " ".join(f"word{n * 31 + at * 7919}" for at in range(800))
        library.write(f"{n}.txt", f"The boat number {n}. {words}")


def test_fault_03_indexing_stops_at_the_floor_says_how_much_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = [10 * MEGABYTE]
    usage = type(shutil.disk_usage(tmp_path))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(free[0] * 2, free[0], free[0]))
    with small(tmp_path / "lib", tmp_path / "data") as library:
        library.write("a.txt", "The boat lies in the river.")
        pipeline = roomy(library, tmp_path / "data", 4 * MEGABYTE)
        service = IndexService(library.catalog, pipeline)
        service.run_once()
        assert (tmp_path / "data" / "reserve").stat().st_size == MEGABYTE
        free[0] = MEGABYTE
        library.write("b.txt", "The garden is green.")
        with pytest.raises(DiskFullError, match=r"1\.0 MB free.*make room for 3\.1 MB") as full:
            service.run_once()
        assert str(tmp_path / "data") in str(full.value)
        assert library.found("boat") == [library.folder / "a.txt"], "searching goes on"
        assert library.catalog.counts.states()["pending"] == 1, "and nothing is lost"
        free[0] = 10 * MEGABYTE
        service.run_once()
        assert library.found("garden") == [library.folder / "b.txt"]
        pipeline.close()


@pytest.mark.parametrize(
    ("problem", "full"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), True),
        (RuntimeError("lance error: IO: No space left on device (os error 28), x.rs:7"), True),
        (sqlite3.OperationalError("database or disk is full"), True),
        (OSError(errno.EIO, "Input/output error"), False),
        (RuntimeError("something else"), False),
    ],
)
def test_a_full_disk_is_known_by_whoever_reports_it(problem: Exception, full: bool) -> None:
    assert is_full(problem) is full
    wrapped = RuntimeError("outer")
    wrapped.__cause__ = problem
    assert is_full(wrapped) is full


def until_full(library: Small, service: IndexService) -> None:
    for _ in range(40):
        write_many(library, len(list(library.folder.iterdir())), 10)
        service.run_once()


@pytest.mark.slow
def test_fault_03_a_disk_that_fills_up_while_indexing_loses_nothing(tmp_path: Path) -> None:
    """No floor here, so that every write of LanceDB and SQLite can be the one that fails."""
    with tiny_disk(tmp_path / "disk", 24) as disk, small(tmp_path / "lib", disk / "d") as library:
        write_many(library, 0, 30)
        pipeline = roomy(library, disk / "d", 0)
        service = IndexService(library.catalog, pipeline, settle_s=0.1, quiet_s=0.5)
        service.run_once()
        for leave in (300_000, 120_000, 40_000, 8_000, 0):
            filled = ballast(disk, leave)
            with pytest.raises((DiskFullError, OSError, RuntimeError, sqlite3.Error)) as full:
                until_full(library, service)
            assert is_full(full.value) or isinstance(full.value, DiskFullError), full.value
            assert library.found("boat"), "searching goes on"
            filled.unlink()
        for file in sorted(library.folder.glob("*.txt"))[40:]:
            file.unlink()
        service.run_once()
        service.run_once()
        rows = library.rows()
        verdict = Verifier(library.catalog, library.store).check()
        assert verdict.defects == []
        pipeline.close()
    with small(tmp_path / "lib", tmp_path / "scratch") as scratch:
        scratch.service.run_once()
        assert rows == scratch.rows()


@pytest.mark.slow
def test_fault_03_a_serving_library_resumes_alone(tmp_path: Path) -> None:
    with tiny_disk(tmp_path / "disk", 24) as disk, small(tmp_path / "lib", disk / "d") as library:
        pipeline = roomy(library, disk / "d", 4 * MEGABYTE)
        service = IndexService(library.catalog, pipeline, settle_s=0.1)
        service.start()
        try:
            library.write("a.txt", "The boat lies in the river.")
            wait_for(lambda: library.catalog.counts.coverage()["understood"] == 1)
            filled = ballast(disk, MEGABYTE)
            library.write("b.txt", "The garden is green.")
            wait_for(lambda: "make room for" in (service.problem or ""))
            assert library.found("boat") == [library.folder / "a.txt"]
            filled.unlink()
            wait_for(lambda: library.catalog.counts.coverage()["understood"] == 2)
            assert service.problem is None
        finally:
            service.stop()
            pipeline.close()


@pytest.mark.slow
def test_fault_03_on_a_full_disk_it_starts_searches_and_forgets(tmp_path: Path) -> None:
    with tiny_disk(tmp_path / "disk", 24) as disk:
        folder, data = tmp_path / "lib", disk / "d"
        folder.mkdir()
        for name in ("boat", "garden"):
            (folder / f"{name}.txt").write_text(f"The {name} is green.")
        settings = load_settings({"data": data, "least_free_mb": 1})
        library = build(settings, repair=True)
        library.add(str(folder))
        library.index()
        assert (data / "reserve").exists()
        library.close()
        ballast(disk, 0)
        library = build(settings, repair=True)
        try:
            library.service.start()
            assert library.search("boat", by="words")["hits"]
            wait_for(lambda: "The disk" in (library.service.problem or ""))
            ballast(disk, 0)
            assert library.forget(str(folder / "boat.txt"))["forgotten"]
            assert library.search("boat", by="words")["hits"] == []
        finally:
            library.close()


def wait_for(done: object, most_s: float = 60.0) -> None:
    assert callable(done)
    end = time.monotonic() + most_s
    while not done():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_the_reserve_is_private_and_gives_way(tmp_path: Path) -> None:
    room = DiskRoom(tmp_path, 0)
    room.check()
    reserve = tmp_path / "reserve"
    assert reserve.stat().st_mode & 0o777 == 0o600
    assert reserve.stat().st_blocks * 512 >= MEGABYTE, "it takes up its room"
    room.give_up()
    assert not reserve.exists()
    room.check()
    assert reserve.exists(), "and is taken again when there is room"
    assert [path.name for path in tmp_path.iterdir()] == ["reserve"]
