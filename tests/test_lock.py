from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from indexer.files.lock import LibraryHeldError, LibraryLock

HOLD = """
import sys, time
from pathlib import Path
from indexer.files.lock import LibraryLock
lock = LibraryLock(Path(sys.argv[1]))
lock.acquire()
lock.announce("http://127.0.0.1:7878", "secret")
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def held(tmp_path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    process.stdout.close()
    return process


def test_second_process_is_told_at_once_who_holds_it(
    held: subprocess.Popen[str], tmp_path: Path
) -> None:
    began = time.perf_counter()
    try:
        with pytest.raises(LibraryHeldError, match=f"process {held.pid}.*7878") as problem:
            LibraryLock(tmp_path).acquire()
    finally:
        held.kill()
        held.wait()
    assert time.perf_counter() - began < 2
    assert problem.value.pid == held.pid
    assert problem.value.url == "http://127.0.0.1:7878"
    assert "secret" not in str(problem.value)


def test_killed_process_holds_nothing(held: subprocess.Popen[str], tmp_path: Path) -> None:
    holder = LibraryLock(tmp_path).holder()
    assert holder is not None
    assert holder.token == "secret"
    assert "secret" not in repr(holder)
    held.send_signal(signal.SIGKILL)
    held.wait()
    assert LibraryLock(tmp_path).holder() is None
    with LibraryLock(tmp_path) as lock:
        own = lock.holder()
        assert own is not None
        assert own.pid == os.getpid()
        assert own.url is None


def test_lock_is_private_and_given_back(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert LibraryLock(data).holder() is None
    with LibraryLock(data) as lock:
        lock.announce("http://127.0.0.1:1", "token")
        for path in data.iterdir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with pytest.raises(LibraryHeldError):
            LibraryLock(data).acquire()
    lock.release()
    assert not (data / "holder.json").exists()
    with LibraryLock(data):
        pass


def test_unreadable_holder_file_is_no_obstacle(tmp_path: Path) -> None:
    with LibraryLock(tmp_path):
        (tmp_path / "holder.json").write_text("{")
        with pytest.raises(LibraryHeldError, match="another process"):
            LibraryLock(tmp_path).acquire()
