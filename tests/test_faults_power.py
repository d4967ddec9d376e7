"""The machine stops: only what was forced to disk is there afterwards."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from indexer.catalog.queue import Queue
from indexer.scan.reconcile import reconcile
from indexer.vectors.durability import Durability
from tests.damages import halve
from tests.kills import compare_with_fresh, edit_folder
from tests.library import small


@pytest.mark.slow
def test_fault_02_what_was_called_understood_survives_a_power_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, data = tmp_path / "folder", tmp_path / "data"
    folder.mkdir()
    synced: dict[str, int] = {}
    cuts: list[Path] = []
    real_sync, real_flip = os.fsync, Queue.finish_understanding

    def noted(handle: int) -> None:
        real_sync(handle)
        synced[str(Path(f"/proc/self/fd/{handle}").readlink())] = os.fstat(handle).st_size

    def cut(self: Queue, *given: Any) -> None:
        """What a disk holds that lost its power just after this commit."""
        real_flip(self, *given)
        cuts.append(tmp_path / f"cut{len(cuts)}")
        shutil.copytree(data, cuts[-1])
        for file in (data / "lance").rglob("*"):
            if file.is_file() and synced.get(str(file)) != file.stat().st_size:
                os.truncate(cuts[-1] / file.relative_to(data), 0)

    monkeypatch.setattr(os, "fsync", noted)
    monkeypatch.setattr(Queue, "finish_understanding", cut)
    with small(folder, data) as library:
        for round_ in range(3):
            edit_folder(folder, random.Random(round_), round_)
            library.service.run_once()
    monkeypatch.undo()
    assert len(cuts) >= 3
    with small(folder, cuts[-1]) as library:
        library.service.run_once()
        assert library.model.calls == 0, "all of it was kept"
        assert compare_with_fresh(library).good
    for earlier in cuts[:-1]:
        with small(folder, earlier) as library:
            library.service.run_once()
            assert compare_with_fresh(library).good


def test_fault_02_a_power_cut_while_the_tables_are_compacted_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, data, cut = tmp_path / "folder", tmp_path / "data", tmp_path / "cut"
    emptied: list[Path] = []
    real_sync = Durability.sync

    def sync(self: Durability) -> int:
        """What a disk may hold that loses its power now: new names, of files without content."""
        if not cut.exists():
            shutil.copytree(data, cut)
            files = (data / "lance").glob("*.lance/data/*")
            emptied.extend(file for file in files if not self.sums.matches(file))
            for file in emptied:
                os.truncate(cut / file.relative_to(data), 0)
        return real_sync(self)

    with small(folder, data) as library:
        for name in "abc":
            library.write(f"{name}.txt", f"The boat {name} lies in the river.")
        library.service.run_once()
        (folder / "c.txt").unlink()
        reconcile(library.catalog, grace_s=0)
        library.pipeline.housekeeping.drop_orphans()
        monkeypatch.setattr(Durability, "sync", sync)
        library.store.optimize()
    assert len(emptied) == 3, "words, gist and body were written again"
    monkeypatch.undo()
    with small(folder, cut) as library:
        library.service.run_once()
        assert library.model.calls == 0
        assert compare_with_fresh(library).good


def test_fault_02_a_table_that_was_never_made_durable_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, data = tmp_path / "folder", tmp_path / "data"
    with small(folder, data) as library:
        library.write("a.txt", "The boat lies in the river.")
        reconcile(library.catalog)
        library.pipeline.reading.run()
        monkeypatch.setattr(Durability, "sync", fail)
        with pytest.raises(OSError, match="no power"):
            library.pipeline.understanding.run()
        monkeypatch.undo()
    for table in ("gist", "body"):  # it is read when a table is compacted
        [oldest, *_] = sorted((data / "lance").glob(f"{table}_*/_versions/*.manifest"))[::-1]
        halve([oldest])
    with small(folder, data) as library:
        library.service.run_once()
        library.write("b.txt", "The garden.")
        library.service.run_once()
        (folder / "b.txt").unlink()
        library.service.run_once()
        assert compare_with_fresh(library).good


def fail(*_: object) -> int:
    raise OSError("no power")
