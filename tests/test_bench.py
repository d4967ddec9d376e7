"""The bench command lists what there is, and its report has the shape that is kept."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bench.report import Report, Row


def test_every_bench_is_listed_with_what_it_measures() -> None:
    process = subprocess.run(
        [sys.executable, "-m", "bench", "list"], capture_output=True, text=True, check=True
    )
    lines = process.stdout.splitlines()
    assert lines
    for line in lines:
        name, _, what = line.partition(" ")
        assert name
        assert what.strip(), f"{name} does not say what it measures"


@pytest.mark.parametrize(
    ("row", "ratio", "met"),
    [
        (Row("a", "faster", 3.0, "s", reference=2.0, goal=1.4), 1.5, True),
        (Row("a", "slower", 3.0, "s", reference=2.0, goal=1.4, at_most=True), 1.5, False),
        (Row("a", "share", 0.9, "", goal=0.9), None, True),
        (Row("a", "no goal", 0.9, ""), None, None),
    ],
)
def test_a_goal_is_on_the_ratio_where_there_is_a_reference(
    row: Row, ratio: float | None, met: bool | None
) -> None:
    assert row.ratio == ratio
    assert row.met is met


def test_the_report_has_the_keys_that_documents_are_made_from() -> None:
    report = Report("name", [Row("a", "what", 1.0, "s")], seeds=[1]).json()
    assert set(report) == {"name", "commit", "machine", "seeds", "rows"}
    assert set(report["rows"][0]) == {
        "key", "what", "ours", "reference", "unit", "ratio", "goal", "at_most", "met",
    }  # fmt: skip
