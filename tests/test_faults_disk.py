"""Any write, rename or fsync may fail or be the last: the index comes back to what it should be."""

from __future__ import annotations

import errno
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults import Fault, Op, compiled, struck
from tests.kills import judged, meddle

ERRORS = (errno.EIO, errno.ENOSPC, 0)
REFUSED = "Problem: "  # CatalogProblem or StoreProblem, with a sentence


@pytest.mark.slow
@pytest.mark.parametrize("op", ["write", "rename", "fsync"])
def test_fault_03_any_call_may_fail_or_be_the_last(tmp_path: Path, op: Op) -> None:
    library = compiled(tmp_path)
    if library is None:
        pytest.skip("NOT RUN: no gcc to compile the faults with")
    chance = random.Random(op)
    folder, data = tmp_path / "folder", tmp_path / "data"
    folder.mkdir()
    at, hit = 1, 0
    while True:
        meddle(folder, chance, at)
        fault = Fault(op, at, chance.choice(ERRORS), chance.choice([1, 1, 3]))
        outcome = struck(library, folder, data, fault)
        print(fault, outcome.alone, outcome.verdict)
        assert outcome.verdict.good, fault
        # a program that cannot even open its library says so and ends; a person starts it again
        assert outcome.alone or fault.error == 0 or REFUSED in outcome.said, outcome.said
        if not outcome.struck:
            break
        hit += 1
        at += chance.randrange(2, 6 + at)  # closer together where everything begins
    assert hit >= 4


@pytest.mark.slow
def test_fault_03_a_disk_that_was_full_is_gone_on_with_alone(tmp_path: Path) -> None:
    data, folder = tmp_path / "data", tmp_path / "folder"
    data.mkdir()
    if (
        os.geteuid() != 0
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", data], check=False
        ).returncode
    ):
        pytest.skip("NOT RUN: only root may mount a small disk")
    try:
        folder.mkdir()
        meddle(folder, random.Random(3), 0)
        ballast = data / "ballast"
        ballast.write_bytes(bytes(5_700_000))
        running = subprocess.Popen(
            [sys.executable, "-m", "tests.faults", folder, data],
            cwd=Path(__file__).parent.parent,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert running.stdout is not None
        assert "paused" in running.stdout.readline(), "it says that it waits"
        ballast.unlink()
        said = running.stdout.read()
        assert running.wait(60) == 0, said
        running.stdout.close()
        assert judged(folder, data).good
    finally:
        subprocess.run(["umount", data], check=True)
