from __future__ import annotations

from pathlib import Path

import pytest

from bench.bloat import age


@pytest.mark.slow
def test_fault_09_edits_do_not_bloat_the_index(tmp_path: Path) -> None:
    aged = age(tmp_path, minutes=90, files=300, edits=2)
    assert aged.equal, "the index is the one built from scratch"
    assert aged.faults == 0
    assert aged.largest <= 2.5 * aged.fresh
    assert aged.last <= 2.5 * aged.fresh
