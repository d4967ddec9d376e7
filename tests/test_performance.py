"""The page of figures is what its generator makes of the kept results, and nothing is typed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from bench import performance
from bench.report import Report, Row
from tests.conftest import ROOT


def keep(folder: Path, name: str, rows: list[Row], **more: Any) -> Path:
    file = folder / f"{name}.json"
    result = {**Report(name, rows, seeds=[]).json(), "commit": "abc1234", "machine": "2 cores"}
    file.write_text(json.dumps({**result, **more}))
    return file


def test_the_page_is_made_of_the_kept_results() -> None:
    assert performance.PAGE.read_text(encoding="utf-8") == performance.page(), (
        "make it again: python -m bench page performance"
    )


def test_a_kept_result_holds_where_and_of_what_it_was_measured() -> None:
    kept = sorted(performance.RESULTS.glob("*.json"))
    assert kept
    for file in kept:
        result = json.loads(file.read_text(encoding="utf-8"))
        assert result["name"] == file.stem
        assert result["commit"]
        assert "cores" in result["machine"]
        assert (performance.HERE / f"{file.stem}.py").is_file(), "how would one repeat it?"


def test_each_figure_stands_beside_its_reference_and_its_goal(tmp_path: Path) -> None:
    keep(tmp_path, "embed", [
        Row("speed", "texts a second", 3_000.4, "texts/s", 1_500.2, 1.5),
        Row("slow", "wait | here", 2.0, "s", 1.0, 1.0, at_most=True),
        Row("share", "kept", 0.73, ""),
    ], quick=True)  # fmt: skip
    keep(tmp_path, "people", [Row("wait", "a wait", 0.2, "s", goal=0.25, at_most=True)])
    keep(tmp_path, "pocket", [Row("caption", "not of this page", 0.2, "")])
    page = performance.page(tmp_path)
    assert "| texts a second | 3,000 | 1,500 | texts/s | 2 | ≥ 1.5 | yes |" in page
    assert "| wait \\| here | 2 | 1 | s | 2 | ≤ 1 | **no** |" in page
    assert "| kept | 0.73 |  |  |  |  |  |" in page
    assert "| a wait | 0.2 |  | s |  | ≤ 0.25 | yes |" in page
    assert "python -m bench run embed --quick`" in page
    assert "`abc1234` on 2 cores" in page
    assert page.index("## people") < page.index("## embed")
    assert "not of this page" not in page


@pytest.mark.parametrize("harm", ["{", "[]", '{"name": "other", "rows": []}'])
def test_a_file_that_is_no_result_is_named(tmp_path: Path, harm: str) -> None:
    (tmp_path / "embed.json").write_text(harm)
    with pytest.raises(click.ClickException, match=r"embed\.json is no result"):
        performance.page(tmp_path)


def test_a_bench_that_is_not_there_is_told_with_those_that_are() -> None:
    process = subprocess.run(
        [sys.executable, "-m", "bench", "run", "nothing"], capture_output=True, text=True, cwd=ROOT
    )
    assert process.returncode == 2
    assert "'people'" in process.stderr
