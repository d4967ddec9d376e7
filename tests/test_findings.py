"""The form of the scripts in findings/. They are run by `make findings`: each installs packages."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "findings"
FIELDS = ["In short", "Versions", "Expected", "Instead", "Seen", "Source", "Matters"]
OURS = ("recollect", "indexer", "retriever", "model", "web", "training", "bench", "tests")
SCRIPTS = sorted(path for path in FOLDER.glob("*.sh") if path.name != "run.sh")


def test_there_are_findings() -> None:
    assert len(SCRIPTS) >= 16


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_finding_has_its_form(script: Path) -> None:
    text = script.read_text()
    head, _, body = text.partition("\nset -euo pipefail\n")
    assert head.startswith("#!/usr/bin/env bash\n")
    assert body, "set -euo pipefail comes right after the head"
    assert all(line.startswith("#") for line in head.splitlines())
    assert re.findall(r"^# ([A-Z][A-Za-z ]+):", head, re.MULTILINE) == FIELDS
    assert re.search(r"^# Versions: .*\d+\.\d+", head, re.MULTILINE)
    assert "work=$(mktemp -d)\ntrap 'rm -rf \"$work\"' EXIT\n" in body
    assert "changed: " in body
    for command in re.findall(r"pip install (?:.*\\\n)*.*", body):
        words = command.replace("\\\n", " ").split()[2:]
        packages = [word.strip("'\"") for word in words if re.match(r"['\"]\w", word)]
        pinned = [package for package in packages if "==" in package]
        assert packages
        assert pinned == [package for package in packages if not package.startswith("$")]
    imported = re.findall(r"^\s*(?:from|import) (\w+)", body, re.MULTILINE)
    assert not set(imported) & set(OURS)
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0


def test_the_table_is_up_to_date() -> None:
    command = [sys.executable, str(FOLDER / "table.py"), "--check"]
    assert subprocess.run(command, check=False).returncode == 0
