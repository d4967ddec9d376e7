"""The machine stops: only what was forced to disk is there afterwards."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from indexer.catalog.queue import Queue
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
