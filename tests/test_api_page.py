"""docs/api.md is what the program says of itself, and its recipes do what they say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from docs import api
from tests.conftest import ROOT, Served


@pytest.fixture(scope="module")
def bin_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the path with the command of this tree, whichever one is installed."""
    command = tmp_path_factory.mktemp("bin") / "recollect"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m recollect "$@"\n')
    command.chmod(0o755)
    return command.parent


def test_the_page_of_the_api_is_current(capsys: pytest.CaptureFixture[str]) -> None:
    assert api.main(["--check"]) == 0, capsys.readouterr().out


def test_the_page_names_every_address() -> None:
    text = api.PAGE.read_text("utf-8")
    for path, methods in api.api_schema()["paths"].items():
        for method in methods:
            assert f"### `{method.upper()} {path}`" in text


def run(recipe: str, served: Served, bin_folder: Path, *arguments: Path) -> str:
    """What a recipe prints, as a person would run it with Recollect on the path."""
    file = api.RECIPES / recipe
    environment = {
        **os.environ,
        "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "RECOLLECT_DATA": str(served.library.data),
        "URL": served.url,
        "KEY": served.token,
    }
    command = ["bash", "-euo", "pipefail"] if file.suffix == ".sh" else [sys.executable]
    process = subprocess.run(
        [*command, file, *arguments], capture_output=True, text=True, env=environment
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


def test_the_recipes_for_answers(demo_server: Served, bin_folder: Path) -> None:
    streamed = run("ask.sh", demo_server, bin_folder)
    names = [line for line in streamed.splitlines() if line.startswith("event: ")]
    assert names[0] == "event: source"
    assert names[-1] == "event: done"
    assert "event: citation" in names
    whole = json.loads(run("whole_answer.sh", demo_server, bin_folder))
    assert whole["citations"]
    assert whole["sources"]
    printed = run("ask.py", demo_server, bin_folder)
    assert whole["citations"][0]["quote"] in printed


def test_the_recipes_for_searches_and_files(demo_server: Served, bin_folder: Path) -> None:
    assert "deposit" in run("search.sh", demo_server, bin_folder).lower()
    assert len(run("search.sh", demo_server, bin_folder).splitlines()) >= 1
    photo = next(iter(sorted(demo_server.library.folder.rglob("*.jpg"))))
    assert json.loads(run("like.sh", demo_server, bin_folder, photo))["hits"][0]["path"] == str(
        photo
    )
    lines = run("every_file.py", demo_server, bin_folder).splitlines()
    headers = {"Authorization": f"Bearer {demo_server.token}"}
    count = httpx.get(f"{demo_server.url}/api/files?limit=1", headers=headers).json()["count"]
    assert len(set(lines)) == count > 10


def test_every_recipe_is_run() -> None:
    source = Path(__file__).read_text("utf-8")
    assert all(f'"{file.name}"' in source for file in api.RECIPES.iterdir())
