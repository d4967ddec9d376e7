"""Kill the indexer at random moments: afterwards the index is the one built from scratch."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image as Picture

from tests.library import Small, small

# A real process: it indexes once, then watches and goes on, until it is killed.
INDEX = """
import sys, time
from pathlib import Path
from indexer.lock import LibraryLock
from tests.library import small
folder, data = map(Path, sys.argv[1:])
with LibraryLock(data), small(folder, data) as library:
    print("ready", flush=True)
    library.keeper.run_once()
    library.keeper.start()
    time.sleep(60)
"""
KILLS = 10


def meddle(folder: Path, chance: random.Random, round_: int) -> None:
    """What a person does in the meantime: adds, changes, saves atomically, renames, deletes."""
    for n in range(12):
        path = folder / f"f{chance.randrange(6)}" / f"{round_}-{n}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"round {round_} file {n}: " + "the boat lay in the river. " * n)
    Picture.new("RGB", (32, 32), (25 * round_, 0, 0)).save(path.with_suffix(".png"))
    files = sorted(folder.rglob("*.txt"))
    for path in chance.sample(files, min(len(files), 8)):
        what = chance.randrange(4)
        if what == 0:
            path.write_text(path.read_text() + f"Changed in round {round_}.")
        elif what == 1:
            part = path.with_suffix(".part")
            part.write_text(f"Saved anew in round {round_}, {path.name}.")
            part.replace(path)
        elif what == 2:
            path.rename(path.with_name(f"renamed-{round_}-{path.name}"))
        else:
            path.unlink()
    folders = sorted(path for path in folder.iterdir() if path.is_dir())
    chance.choice(folders).rename(folder / f"moved{round_}")


def indexed_and_killed(folder: Path, data: Path, after_s: float) -> None:
    """Starts the indexer and kills it that long after it has begun."""
    process = subprocess.Popen(
        [sys.executable, "-c", INDEX, folder, data],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n"
        time.sleep(after_s)
        assert process.poll() is None, "it was still at work"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()


def check(library: Small) -> None:
    """Nothing twice, nothing that nobody points at, nothing unfinished."""
    rows = [(content, ordinal) for content, ordinal, *_ in library.rows()]
    assert len(rows) == len(set(rows))
    assert library.store.generations() <= library.generations()
    assert library.catalog.states().keys() == {"understood"}
    assert library.catalog.queue() == 0


@pytest.mark.slow
def test_index_equals_one_from_scratch_after_every_kill(tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    folder, data = tmp_path / "lib", tmp_path / "data"
    folder.mkdir()
    for round_ in range(KILLS):
        meddle(folder, chance, round_)
        indexed_and_killed(folder, data, chance.uniform(0.0, 1.5))
    with small(folder, data) as library:
        library.keeper.run_once()
        check(library)
        rows = library.rows()
        files = {row.path for row in library.catalog.files(limit=10_000)}
    with small(folder, tmp_path / "scratch") as scratch:
        scratch.keeper.run_once()
        assert rows == scratch.rows()
        assert files == {row.path for row in scratch.catalog.files(limit=10_000)}
        assert files == set(folder.rglob("*.*"))


def test_a_kill_leaves_no_lock_and_no_child(tmp_path: Path) -> None:
    folder, data = tmp_path / "lib", tmp_path / "data"
    folder.mkdir()
    meddle(folder, random.Random(1), 0)
    indexed_and_killed(folder, data, 1.0)
    with small(folder, data) as library:
        library.keeper.run_once()
        check(library)
