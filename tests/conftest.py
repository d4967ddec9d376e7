"""The demonstration library, read once by the real program with the model that ships, and a real
server on a copy of it."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from click.testing import CliRunner
from filelock import FileLock

from indexer.catalog.catalog import Catalog
from tests.library import until

if TYPE_CHECKING:
    from tests.served import Running

# One thread a process: the suite runs two processes on two cores, and threads of torch that wait
# for each other there took three times the processor time. Before anybody imports torch.
os.environ.update(HF_HUB_OFFLINE="1", ORT_DISABLE_TELEMETRY="1", OMP_NUM_THREADS="1")
# A person has chosen the model that ships; without that it is asked about its own files alone.
os.environ["RECOLLECT_MODEL"] = "pocket"
ROOT = Path(__file__).parent.parent
ENVIRONMENT = {**os.environ, "COLUMNS": "120"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--seed", type=int, default=secrets.randbelow(1 << 32), help="of a sequence of kills"
    )


def pytest_report_header(config: pytest.Config) -> str:
    names = ("transformers", "torch", "lancedb")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    return f"seed: {config.getoption('seed')}; with {versions}"


def recollect(*words: str | Path, data: Path, code: int = 0) -> str:
    """Runs the command line as a person would; what it printed. Fails on another exit code."""
    process = subprocess.run(
        [sys.executable, "-m", "recollect", "--data", data, *words],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=ENVIRONMENT,
    )
    assert process.returncode == code, (
        f"exit {process.returncode}\n{process.stdout}\n{process.stderr}"
    )
    return process.stdout if code == 0 else process.stdout + process.stderr


def verb(*words: str | Path, data: Path, code: int = 0) -> str:
    """The same command line without a process of its own, which costs seconds: for what a verb
    does once the program runs. What it printed, as `recollect` returns it."""
    from recollect import main

    given = ["--data", str(data), *(str(word) for word in words)]
    result = CliRunner().invoke(main, given, env={"COLUMNS": "120"}, catch_exceptions=False)
    assert result.exit_code == code, f"exit {result.exit_code}\n{result.output}"
    return result.stdout if code == 0 else result.stdout + result.stderr


@dataclass(frozen=True)
class Indexed:
    """A folder and the data directory it was read into."""

    folder: Path
    data: Path


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Indexed:
    """The demonstration library, indexed. For reading only; take `demonstration_copy` to change."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    made = Indexed(shared / "demonstration" / "library", shared / "demonstration" / "data")
    with FileLock(shared / "demonstration.lock"):
        done = shared / "demonstration" / "done.json"
        if not done.exists():
            from web.machine.demonstration import copy_demonstration

            copy_demonstration(made.folder)
            done.write_text(recollect("index", made.folder, "--json", data=made.data))
            report = json.loads(done.read_text())
            assert report["coverage"]["understood"] == report["coverage"]["files"] > 0
    return made


@pytest.fixture
def demonstration_copy(demonstration: Indexed, tmp_path: Path) -> Indexed:
    """The same index over the same folder, in a data directory of the test's own."""
    shutil.copytree(demonstration.data, tmp_path / "data")
    return Indexed(demonstration.folder, tmp_path / "data")


@dataclass(frozen=True)
class Served:
    """A running server: `link` is what it printed for the browser, `url` its root."""

    link: str
    url: str
    process: subprocess.Popen[str]
    library: Indexed

    @property
    def token(self) -> str:
        from indexer.files.lock import LibraryLock

        holder = LibraryLock(self.library.data).holder()
        assert holder is not None
        assert holder.token is not None
        return holder.token


def serve(*words: str | Path, library: Indexed) -> Served:
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "recollect", "--data", library.data, *words, "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env=ENVIRONMENT,
    )
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if link := re.search(r"http://\S+", line):
            url = re.match(r"http://[^/]+", link.group())
            assert url is not None
            return Served(link.group(), url.group(), process, library)
    raise AssertionError("the server ended: " + "".join(lines))


def stop(served: Served) -> None:
    served.process.send_signal(signal.SIGTERM)
    try:
        assert served.process.wait(timeout=60) == 0
    finally:
        served.process.kill()
        if served.process.stdout is not None:
            served.process.stdout.close()


@pytest.fixture(scope="module")
def demo_server(
    demonstration: Indexed, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """A real server on the indexed demonstration library."""
    data = tmp_path_factory.mktemp("served") / "data"
    shutil.copytree(demonstration.data, data)
    served = serve("serve", library=Indexed(demonstration.folder, data))
    headers = {"Authorization": f"Bearer {served.token}"}
    address = f"{served.url}/api/search"
    until(lambda: "loading" not in httpx.get(address, params={"q": "key"}, headers=headers).json())
    yield served
    stop(served)


@pytest.fixture
def lib(tmp_path: Path) -> Path:
    """An empty folder to be watched."""
    (tmp_path / "lib").mkdir()
    return tmp_path / "lib"


@pytest.fixture
def catalog(tmp_path: Path, lib: Path) -> Iterator[Catalog]:
    """A catalog with `lib` as its only root."""
    catalog = Catalog(tmp_path / "data" / "catalog.sqlite")
    catalog.roots.add(lib)
    yield catalog
    catalog.close()


@pytest.fixture
def api(served: Running) -> Iterator[httpx.Client]:
    """A client of the server that the test's file serves."""
    with served.program() as client:
        yield client
