"""A disk that fails: the nth write, rename or fsync in the data directory gives an error, or is the
last thing the indexer does. A small library compiled from C stands between it and the system.

    python -m tests.faults serve FOLDER DATA    the program, until everything is understood
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import click

from indexer.files.lock import LibraryLock
from tests.kills import Verdict, compare_after_restart
from tests.library import small
from web.cli.group import CommandGroup

Op = Literal["write", "rename", "fsync"]
HERE = Path(__file__).parent
LONGEST_S = 120.0


@dataclass(frozen=True, slots=True)
class Fault:
    """From the nth call on, so many calls fail with this error; with 0 the first one kills."""

    op: Op
    at: int
    error: int
    calls: int = 1

    def __str__(self) -> str:
        what = errno.errorcode.get(self.error, "SIGKILL")
        return f"{what} at {self.op} {self.at} and {self.calls - 1} more"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`struck`: there were so many calls. `alone`: the program came to rest by itself. `refused`:
    it ended in a sentence for a person, who can start it again. `killed`: by the fault."""

    struck: bool
    alone: bool
    refused: bool
    killed: bool
    verdict: Verdict
    said: str

    @property
    def ended(self) -> str:
        return "alone" if self.alone else "killed" if self.killed else self.said.splitlines()[-1]


def compile_faulty_library(folder: Path) -> Path | None:
    """The library that fails; None where there is no C compiler, or no Linux that lets calls be
    met."""
    if shutil.which("gcc") is None or sys.platform != "linux":
        return None
    made = folder / "faulty.so"
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-O1", "-o", made, HERE / "faulty.c", "-ldl"], check=True
    )
    met = {**os.environ, "LD_PRELOAD": str(made), "FAULT_OP": "rename"}
    return made if subprocess.run(["true"], env=met, check=False).returncode == 0 else None


def run_with_fault(library: Path, folder: Path, data: Path, fault: Fault) -> Outcome:
    """Runs the indexer on a disk with this fault until it is at rest, ends or dies; then judges
    what a restart on a sound disk makes of it."""
    seen = data.with_name("seen")
    seen.unlink(missing_ok=True)
    faulty = {
        "LD_PRELOAD": str(library),
        "FAULT_OP": fault.op,
        "FAULT_AT": str(fault.at),
        "FAULT_FOR": str(fault.calls),
        "FAULT_ERRNO": str(fault.error),
        "FAULT_UNDER": str(data),
        "FAULT_SEEN": str(seen),
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults", "serve", folder, data],
        cwd=HERE.parent,
        env={**os.environ, "OMP_NUM_THREADS": "1", **faulty},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=2 * LONGEST_S,
        check=False,
    )
    verdict = compare_after_restart(folder, data)
    lines = done.stdout.splitlines()
    return Outcome(
        struck=seen.exists(),
        alone=done.returncode == 0,
        refused=bool(lines) and lines[-1].startswith("Error: "),
        killed=done.returncode == -signal.SIGKILL,
        verdict=verdict,
        said=done.stdout[-3000:],
    )


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("data", type=click.Path(path_type=Path))
def serve(folder: Path, data: Path) -> None:
    """The program as it serves, until everything is understood."""
    import indexer.ingest.service

    assert hasattr(indexer.ingest.service, "PAUSE_S")
    indexer.ingest.service.PAUSE_S = 0.05
    files = len([path for path in folder.rglob("*") if path.is_file()])
    with LibraryLock(data), small(folder, data) as library:
        library.service.start()
        until = time.monotonic() + LONGEST_S
        looked = library.service.rescan
        while looked.rescanned_at is None or library.catalog.counts.states() != {
            "understood": files
        }:
            assert time.monotonic() < until, (
                library.catalog.counts.states(),
                library.service.problem,
            )
            time.sleep(0.02)
        library.service.stop()
        for _ in range(5):
            with contextlib.suppress(Exception):  # the index service would come back to it, too
                library.pipeline.housekeeping.tidy(thoroughly=True)
                break


if __name__ == "__main__":
    CommandGroup(commands=[serve])()
