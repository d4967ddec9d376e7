"""The container's files, as far as they can be checked without Docker: what the image is made from
is there and makes the same wheel, and the composition opens nothing to the network."""

from __future__ import annotations

import fnmatch
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from recollect import main
from web.http.server import LOOPBACK
from web.machine.settings import Settings

ROOT = Path(__file__).parents[1]


def instructions() -> list[tuple[str, str]]:
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def copied() -> list[str]:
    """What comes from the tree, in the order of the file."""
    rows = [rest.split() for word, rest in instructions() if word == "COPY"]
    return [name for row in rows if not row[0].startswith("--from") for name in row[:-1]]


def composition() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return content


def test_all_that_is_copied_is_in_the_tree_and_not_ignored() -> None:
    allowed = (ROOT / ".dockerignore").read_text().split()
    assert "*" in allowed
    for name in copied():
        assert (ROOT / name).exists(), name
        assert f"!{name}" in allowed, name
    sent = {name[1:] for name in allowed if name.startswith("!")}
    assert sent == set(copied())


@pytest.mark.slow
def test_what_is_copied_makes_the_wheel(tmp_path: Path) -> None:
    """The build step of the image, outside of it."""
    (tmp_path / "source").mkdir()
    for name in set(copied()) - {"constraints.txt"}:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / "source" / name)
        else:
            shutil.copy(ROOT / name, tmp_path / "source" / name)
    (step,) = [rest for word, rest in instructions() if word == "RUN" and "hatchling build" in rest]
    for tree, folder in ((tmp_path / "source", "image"), (ROOT, "tree")):
        words = step.replace("/dist", str(tmp_path / folder)).split()
        assert words[0] == "python"
        subprocess.run([sys.executable, *words[1:]], cwd=tree, check=True, capture_output=True)
    (image,), (whole,) = (tuple((tmp_path / name).glob("*.whl")) for name in ("image", "tree"))
    assert image.read_bytes() == whole.read_bytes()


def test_the_image_runs_a_command_there_is_as_a_user() -> None:
    found = dict(instructions())  # the last of each
    (program,) = json.loads(found["ENTRYPOINT"])
    command, folder = json.loads(found["CMD"])
    assert program == "recollect"
    assert command in main.commands
    assert found["USER"] != "root"
    mounted = {volume["target"] for volume in composition()["services"]["recollect"]["volumes"]}
    assert mounted == {folder, found["VOLUME"]}
    for name, path in re.findall(r"RECOLLECT_(\w+)=(\S+)", found["ENV"]):
        assert name.lower() in Settings.model_fields
        assert path.startswith(found["VOLUME"] + "/")
    python = found["FROM"].split(":")[1]
    assert fnmatch.fnmatch(python, "3.1[1-3]-slim-*")


def test_the_composition_opens_nothing_to_the_network() -> None:
    assert LOOPBACK == "127.0.0.1"
    service = composition()["services"]["recollect"]
    assert service["network_mode"] == "host"
    assert "ports" not in service
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    (library,) = [volume for volume in service["volumes"] if volume["type"] == "bind"]
    assert library["read_only"] is True
    assert not any("privileged" in key for key in service)
