"""Files that are written faster than they are read are found in a whole state all the same."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from indexer.catalog.states import file_states
from indexer.scan import reconcile
from tests.library import Row, small, until

WHOLE = re.compile(r"Begin (\d+)( boat){60} end \1")


def text(number: int) -> str:
    return f"Begin {number}{' boat' * 60} end {number}"


def in_place(file: Path, content: str) -> None:
    file.write_text(content)


def by_renaming(file: Path, content: str) -> None:
    part = file.with_suffix(".part")
    part.write_text(content)
    part.replace(file)


@contextmanager
def rewritten(
    file: Path, write: Callable[[Path, str], None], every_s: float
) -> Iterator[list[int]]:
    """Writes the file again and again; the number of its last state."""
    over = threading.Event()
    last = [0]

    def rewrite() -> None:
        while not over.wait(every_s):
            last[0] += 1
            write(file, text(last[0]))

    thread = threading.Thread(target=rewrite)
    write(file, text(0))
    thread.start()
    try:
        yield last
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize("write", [in_place, by_renaming])
def test_fault_15_a_file_that_never_rests_is_found_in_a_whole_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path, str], None]
) -> None:
    monkeypatch.setattr(reconcile, "PATIENCE_S", 0.3)
    monkeypatch.setattr(file_states, "AGAIN_S", 0.05)
    with small(tmp_path / "lib", tmp_path / "data") as library:
        file = library.folder / "state.txt"
        with rewritten(file, write, 0.005) as last:
            library.service.start()
            until(lambda: library.found("boat"))
            assert _newest(library.rows()) >= 0
        until(lambda: _newest(library.rows()) == last[0])


@pytest.mark.slow
@pytest.mark.parametrize("write", [in_place, by_renaming])
def test_fault_15_a_file_that_is_rewritten_fifty_times_a_second_is_found_within_ten_seconds(
    tmp_path: Path, write: Callable[[Path, str], None]
) -> None:
    with small(tmp_path / "lib", tmp_path / "data") as library:
        file = library.folder / "state.txt"
        with rewritten(file, write, 0.02) as last:
            library.service.start()
            for _ in range(3):
                written = last[0]
                until(lambda written=written: _newest(library.rows()) >= written, within_s=10)  # type: ignore[misc]  # bound at once
        began = time.monotonic()
        until(lambda: _newest(library.rows()) == last[0], within_s=10)
        assert time.monotonic() - began < 10


def _newest(rows: list[Row]) -> int:
    matches = [WHOLE.fullmatch(row[4]) for row in rows]
    assert all(matches), "only whole states are shown"
    return max((int(match[1]) for match in matches if match), default=-1)
