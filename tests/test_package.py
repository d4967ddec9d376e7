"""What people install: the wheel and the source distribution, built, looked through, and the wheel
used in an environment that has nothing else."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.library import until

ROOT = Path(__file__).parents[1]
UNREACHABLE = "Could not find a version|Connection|Temporary failure|timed out"
MOST_BYTES = 16 << 20  # of wheel and source distribution each; most of it are the weights of pocket

# Of the environments; others by name: PYTHONS="python3.12 python3.13" make package
PYTHONS = os.environ.get("PYTHONS", sys.executable).split()

pytestmark = pytest.mark.slow


def build(tree: Path, folder: Path, *targets: str) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder), *targets]
    subprocess.run(command, cwd=tree, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of both."""
    return build(ROOT, tmp_path_factory.mktemp("dist"))


def wheel_of(folder: Path) -> Path:
    (wheel,) = folder.glob("*.whl")
    return wheel


def contents(built: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of both, by its name."""
    with zipfile.ZipFile(wheel_of(built)) as wheel:
        for name in wheel.namelist():
            yield name, wheel.read(name)
    (source,) = built.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        for member in archive:
            if (opened := archive.extractfile(member)) is not None:
                yield member.name, opened.read()


def test_both_are_of_a_size_that_can_be_sent(built: Path) -> None:
    sizes = {file.name: file.stat().st_size for file in built.iterdir()}
    print({name: f"{size / 1e6:.1f} MB" for name, size in sizes.items()})
    assert len(sizes) == 2
    assert all(size < MOST_BYTES for size in sizes.values()), sizes


def test_nothing_of_this_machine_is_in_them(built: Path) -> None:
    own = {str(ROOT).encode(), sys.prefix.encode()}
    names = []
    for name, content in contents(built):
        names.append(name)
        assert not any(path in content for path in own), name
        assert not re.search(r"\.pyc$|\.sqlite|\.lance|/\.venv|/\.git/|\.log$", name), name
    assert len(names) > 500  # else nothing was looked at


def test_the_source_distribution_makes_the_same_wheel(built: Path, tmp_path: Path) -> None:
    (source,) = built.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        archive.extractall(tmp_path, filter="data")
    (tree,) = tmp_path.iterdir()
    again = wheel_of(build(tree, tmp_path / "dist", "-t", "wheel"))
    assert again.read_bytes() == wheel_of(built).read_bytes()


@pytest.fixture(scope="module", params=PYTHONS, ids=lambda python: Path(python).name)
def empty(
    request: pytest.FixtureRequest, built: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A new environment with the wheel and what it asks for; the folder of its programs."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([request.param, "-m", "venv", folder], check=True)
    install = [str(folder / "bin" / "pip"), "install", "--quiet", str(wheel_of(built))]
    install += ["--constraint", str(ROOT / "constraints.txt")]
    done = subprocess.run(install, capture_output=True, text=True)
    if done.returncode and re.search(UNREACHABLE, done.stderr):
        pytest.skip(f"NOT RUN: pip finds no packages here: {done.stderr[-300:]}")
    assert done.returncode == 0, done.stderr
    return folder / "bin"


def test_the_wheel_alone_gives_the_demonstration(empty: Path, tmp_path: Path) -> None:
    """From another folder, by a person who has neither files nor settings yet."""
    inherited = ("RECOLLECT_", "XDG_", "PYTHON", "COVERAGE", "COV_")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(inherited)}
    environment |= {"HOME": str(tmp_path / "home"), "COLUMNS": "120"}
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "home").mkdir()
    server = subprocess.Popen(
        [empty / "recollect", "demo", "--port", "0"],
        cwd=elsewhere,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert server.stdout is not None
    try:
        link = next(m[0] for line in server.stdout if (m := re.search(r"http://\S+", line)))
        with httpx.Client(trust_env=False, follow_redirects=True, timeout=60) as browser:
            page = browser.get(link)
            assert page.status_code == 200
            for script in re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text):
                assert browser.get(httpx.URL(link).join(script)).status_code == 200, script
            search = httpx.URL(link).join("/api/search")

            def hits(by: str) -> list[str]:
                found = browser.get(search, params={"q": "deposit", "by": by}).json()
                return [hit["path"] for hit in found["hits"]]

            until(lambda: any("Lease" in path for path in hits("words")), 120)
            status = httpx.URL(link).join("/api/status")
            until(lambda: browser.get(status).json()["queue"] == 0, 300)
            assert any("Lease" in path for path in hits("all"))  # the shipped model is loaded
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=60) == 0
    finally:
        server.kill()
        server.stdout.close()
        server.wait()
    assert list(elsewhere.iterdir()) == []
