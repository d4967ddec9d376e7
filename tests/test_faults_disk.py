"""Any write, rename or fsync may fail or be the last: the index comes back to what it should be."""

from __future__ import annotations

import errno
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from indexer.files.disk_room import disk_error
from tests.faults import Fault, Op, compile_faulty_library, run_with_fault
from tests.kills import compare_after_restart, edit_folder
from web.cli.group import CommandGroup

ERRORS = (errno.EIO, errno.ENOSPC, 0)
# A run makes about 300 writes, 130 fsyncs and 70 renames and takes some seconds, so not every one
# is tried: the first few are, and from each to the next it is at most so much of the way already
# gone. Which call is the nth differs from run to run, as threads do.
STRIDES: dict[Op, float] = {"write": 0.5, "fsync": 0.4, "rename": 0.3}
BEGUN_ANEW = 3  # every so many runs start without an index: all of it is made on that disk


LANCE = "lance error: LanceError(IO): Unable to rename file: {} (os error {}), commit.rs:1663:50"


@pytest.mark.parametrize(
    ("problem", "beginning"),
    [
        (OSError(errno.EIO, "Input/output error"), "gave an error"),
        (OSError(errno.EROFS, "Read-only file system"), "gave an error"),
        (OSError(errno.ENOSPC, "No space left on device"), "is full"),
        (RuntimeError(LANCE.format("Input/output error", 5)), "gave an error"),
        (RuntimeError(LANCE.format("No space left on device", 28)), "is full"),
        (sqlite3.OperationalError("disk I/O error"), "gave an error"),
        (sqlite3.OperationalError("database or disk is full"), "is full"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory"), None),
        (RuntimeError(LANCE.format("Operation not supported", 50)), None),
        (ValueError("no such column"), None),
    ],
)
def test_fault_03_what_a_disk_does_is_said_in_a_sentence(
    problem: Exception, beginning: str | None
) -> None:
    @click.command()
    def read() -> None:
        raise problem

    done = CliRunner().invoke(CommandGroup(commands=[read]), ["read"])
    if beginning is None:
        assert disk_error(problem) is None
        assert done.exception is problem, "a fault of ours is not put down to the disk"
    else:
        assert done.output.startswith("Error: The disk " + beginning)
        assert done.exit_code == 1


@pytest.mark.slow
@pytest.mark.parametrize("op", ["write", "rename", "fsync"])
def test_fault_03_any_call_may_fail_or_be_the_last(tmp_path: Path, op: Op) -> None:
    library = compile_faulty_library(tmp_path)
    if library is None:
        pytest.skip("NOT RUN: no gcc to compile the faults with, or no leave to meet calls")
    chance = random.Random(op)
    folder, data = tmp_path / "folder", tmp_path / "data"
    folder.mkdir()
    at, hit, killed, anew = 1, 0, 0, True
    while True:
        if anew:
            shutil.rmtree(data, ignore_errors=True)
        edit_folder(folder, chance, at)
        fault = Fault(op, at, chance.choice(ERRORS), chance.choice([1, 1, 3]))
        outcome = run_with_fault(library, folder, data, fault)
        print(fault, outcome.ended, outcome.verdict)
        assert outcome.verdict.good, fault
        assert "Traceback" not in outcome.said, outcome.said
        # a program that cannot even open its library says so and ends; a person starts it again
        assert outcome.alone or outcome.refused or outcome.killed, outcome.said
        if not outcome.struck:
            if anew:
                break  # beyond the last call
            anew = True  # which has more of them
            continue
        assert outcome.killed is (fault.error == 0), fault
        hit, killed = hit + 1, killed + outcome.killed
        at += chance.randrange(1, 3 + int(at * STRIDES[op]))
        anew = hit % BEGUN_ANEW == 0
    assert hit >= 8
    assert killed


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
        edit_folder(folder, random.Random(3), 0)
        ballast = data / "ballast"
        ballast.write_bytes(bytes(5_900_000))  # what is left is half of what the index takes
        running = subprocess.Popen(
            [sys.executable, "-m", "tests.faults", "serve", folder, data],
            cwd=Path(__file__).parent.parent,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert running.stdout is not None
        assert "paused" in running.stdout.readline(), "it says that it waits"
        ballast.unlink()
        output = running.stdout.read()
        assert running.wait(60) == 0, output
        running.stdout.close()
        assert compare_after_restart(folder, data).good
    finally:
        subprocess.run(["umount", data], check=True)
