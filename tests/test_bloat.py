from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bench.bloat import age
from indexer.vectors import store
from tests.library import Small, small


@pytest.mark.slow
def test_fault_09_edits_do_not_bloat_the_index(tmp_path: Path) -> None:
    aged = age(tmp_path, minutes=90, files=300, edits=2)
    assert aged.equal, "the index is the one built from scratch"
    assert aged.faults == 0
    assert aged.largest <= 2.5 * aged.fresh
    assert aged.last <= 2.5 * aged.fresh


def commit_often(library: Small) -> None:
    """What reading many thousand files leaves: as many versions as commits."""
    for n in range(25):
        library.write(f"{n}.txt", f"The boat number {n} lies in the river.")
    library.service.run_once()
    for _ in range(25):
        library.store.tables.write("words", lambda table: table.delete("ordinal < 0"))
        library.pipeline.housekeeping.count_commit()
    assert versions(library) >= 25


def versions(library: Small) -> int:
    return len(list((library.store.tables.path("words") / "_versions").glob("*.manifest")))


@pytest.mark.parametrize("serving", [False, True])
def test_fault_09_what_many_commits_leave_is_cleaned_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, serving: bool
) -> None:
    with small(tmp_path / "lib", tmp_path / "data") as library:
        commit_often(library)
        housekeeping = library.pipeline.housekeeping
        if serving:
            housekeeping.tidy()
            assert housekeeping.tidy_again_s == store.KEEP_VERSIONS.total_seconds()
            monkeypatch.setattr(store, "KEEP_VERSIONS", timedelta(milliseconds=1))  # it has passed
            housekeeping.tidy()
        else:
            housekeeping.tidy(thoroughly=True)
        assert versions(library) <= 2
        assert housekeeping.tidy_again_s is None
        assert len(library.found("boat")) == 25
