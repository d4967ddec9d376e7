"""Kill the indexer at random moments: afterwards the index is the one built from scratch."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from indexer.files.lock import LibraryLock
from tests.damages import DAMAGES
from tests.kills import (
    STAGES,
    Kill,
    KillableIndexers,
    compare_after_restart,
    edit_folder,
    kill_repeatedly,
    resolve_name,
)
from tests.library import write

KILLS = 20


def test_every_named_stage_is_still_in_the_program() -> None:
    for places in STAGES.values():
        for module, name in places:
            owner, last = resolve_name(module, name)
            assert callable(getattr(owner, last)), f"{module}.{name}"


@pytest.fixture(scope="module")
def indexers() -> Iterator[KillableIndexers]:
    with KillableIndexers() as indexers:
        yield indexers


@pytest.mark.slow
def test_fault_01_index_equals_one_from_scratch_after_every_kill(
    tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """Another sequence of kills each time; `pytest --seed` repeats one."""
    seed = pytestconfig.getoption("seed")
    chance = random.Random(seed)
    stages: list[str | None] = [*STAGES, *[None] * (KILLS - len(STAGES))]
    chance.shuffle(stages)
    for kill, verdict in kill_repeatedly(tmp_path, stages, chance):
        print(kill, verdict)
        assert verdict is None or verdict.good, f"after {kill}; pytest --seed {seed} repeats it"


def test_a_kill_comes_after_a_call_that_another_thread_makes_too(
    tmp_path: Path, indexers: KillableIndexers
) -> None:
    folder = tmp_path / "folder"
    for n in range(8):
        write(folder / f"{n}.txt", f"The boat number {n} lies in the river.")
    assert indexers.kill(folder, tmp_path / "data", Kill("read", when="after"))


def test_fault_01_a_kill_leaves_no_lock_and_no_child(
    tmp_path: Path, indexers: KillableIndexers
) -> None:
    folder, data = tmp_path / "folder", tmp_path / "data"
    folder.mkdir()
    edit_folder(folder, random.Random(1), 0)
    assert indexers.kill(folder, data, Kill("flip", when="after"))
    assert LibraryLock(data).holder() is None
    DAMAGES["words cut in half"](data)
    verdict = compare_after_restart(folder, data)
    assert replace(verdict, again=0).good


def test_the_child_that_reads_ends_with_the_program(tmp_path: Path) -> None:
    program = """
import sys, time
from pathlib import Path
from tests.library import READER
list(READER.extract(Path(sys.argv[1])))
print(READER.pid, flush=True)
time.sleep(60)
"""
    file = tmp_path / "a.txt"
    file.write_text("The boat lay in the river.")
    process = subprocess.Popen(
        [sys.executable, "-c", program, file],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent,
    )
    assert process.stdout is not None
    child = psutil.Process(int(process.stdout.readline()))
    process.kill()
    process.wait()
    process.stdout.close()
    until = time.monotonic() + 5
    while child.is_running() and child.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < until, "the child outlives its parent"
        time.sleep(0.02)
