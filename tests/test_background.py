"""The service of the library: its unit and its plist, checked by the tools that read them where
those are here, and the whole of it with a systemd of the test's own."""

from __future__ import annotations

import json
import os
import plistlib
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from indexer.files.lock import LibraryLock
from recollect import main
from tests.conftest import ENVIRONMENT
from tests.library import until
from web.library.errors import LibraryError
from web.machine.background import service
from web.machine.background.launchd import Launchd
from web.machine.background.manager import MARK, ServiceCommand, ServiceState
from web.machine.background.systemd import UNIT, Systemd
from web.machine.settings import load_settings

# What a person may have in names: spaces, quotes, and what a unit's file would interpret.
ODD = [
    "/bin/sh",
    "-c",
    "100% of %h",
    "$HOME ${HOME}",
    'a "b" \\n \\x41',
    "Größe",
    "two\nlines",
    ";",
]
# The keys of launchd.plist(5) that an agent of ours may use.
LAUNCHD_KEYS = {
    "Label", "Program", "ProgramArguments", "EnvironmentVariables", "RunAtLoad", "KeepAlive",
    "ThrottleInterval", "ExitTimeOut", "Umask", "StandardOutPath", "StandardErrorPath", "Nice",
    "WorkingDirectory", "ProcessType", "LimitLoadToSessionType", "LowPriorityIO",
}  # fmt: skip


def command_of(settings: dict[str, Any], model: str | None, **environment: str) -> ServiceCommand:
    return service.service_command(load_settings(settings), model, environment)


def verify(definition: bytes, folder: Path) -> str:
    """What `systemd-analyze verify` says of a unit; nothing where it is right."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("NOT RUN: systemd-analyze is not here; on Debian: apt install systemd")
    file = folder / UNIT
    file.write_bytes(definition)
    done = subprocess.run(
        ["systemd-analyze", "--user", "--man=no", "--generators=no", "verify", file],
        capture_output=True,
        text=True,
        env={**os.environ, "XDG_RUNTIME_DIR": str(folder)},
    )
    about = [line for line in done.stderr.splitlines() if UNIT in line or str(folder) in line]
    return "\n".join(about)


def test_the_unit_is_what_systemd_takes(tmp_path: Path) -> None:
    command = ServiceCommand(ODD, {"RECOLLECT_MODEL": 'models/100% "good"'})
    definition = Systemd().definition(command)
    assert verify(definition, tmp_path) == ""
    misspelt = definition.replace(b"Restart=", b"Restrat=")
    assert "Restrat" in verify(misspelt, tmp_path)  # else nothing was read


def test_the_unit_starts_at_login_and_after_a_failure() -> None:
    lines = Systemd().definition(ServiceCommand(["/bin/true"], {})).decode().splitlines()
    assert MARK in lines[0]
    for wanted in (
        "WantedBy=default.target",
        "Restart=on-failure",
        "StandardOutput=null",  # what is printed there opens the library
        "NoNewPrivileges=yes",
        "UMask=0077",
        'ExecStart=:"/bin/true"',
    ):
        assert wanted in lines


def test_the_plist_is_what_launchd_takes() -> None:
    launchd = Launchd()
    definition = launchd.definition(ServiceCommand(ODD, {"RECOLLECT_PORT": "0"}))
    assert MARK.encode() in definition
    content = plistlib.loads(definition)
    assert set(content) <= LAUNCHD_KEYS
    assert content["ProgramArguments"] == ODD
    assert content["EnvironmentVariables"] == {"RECOLLECT_PORT": "0"}
    assert content["RunAtLoad"] is True
    assert content["KeepAlive"] == {"SuccessfulExit": False}
    assert content["Umask"] == 0o077
    assert content["StandardOutPath"] == "/dev/null"
    assert f"{content['Label']}.plist" == launchd.file.name
    assert content["StandardErrorPath"] in launchd.log


def test_the_command_is_the_library_as_it_is_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "checkpoint").mkdir()
    variables = {
        "RECOLLECT_DATA": "elsewhere", "RECOLLECT_PORT": "7000", "RECOLLECT_MODEL": "checkpoint",
        "RECOLLECT_MODELS": "models", "XDG_CONFIG_HOME": "/settings", "PATH": "/bin", "KEY": "x",
    }  # fmt: skip
    settings = {"data": Path("data"), "models": Path("models")}
    command = command_of(settings, None, **variables)
    start = [sys.executable, "-P", "-m", "recollect", "--data", str(tmp_path / "data")]
    assert command.arguments == [*start, "serve"]
    assert command.environment == {
        "RECOLLECT_PORT": "7000",
        "RECOLLECT_MODEL": str(tmp_path / "checkpoint"),
        "RECOLLECT_MODELS": str(tmp_path / "models"),
        "XDG_CONFIG_HOME": "/settings",
    }
    assert command_of(settings, "pocket").arguments == [*start, "--model", "pocket", "serve"]
    engine = json.dumps({"url": "http://127.0.0.1:1/v1", "name": "x" * 300})
    assert command_of(settings, None, RECOLLECT_MODEL=engine).environment == {
        "RECOLLECT_MODEL": engine
    }
    named = command_of(settings, "checkpoint").arguments
    assert named == [*start, "--model", str(tmp_path / "checkpoint"), "serve"]


class FileManager(Systemd):
    """Keeps the definition as systemd would; starts nothing, and counts what it is asked."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.running: int | None = None
        self.starts: list[bool] = []

    @property
    def file(self) -> Path:
        return self._folder / UNIT

    def state(self) -> ServiceState:
        return ServiceState(self.running is not None, self.running)

    def start(self, *, restart: bool) -> None:
        self.starts.append(restart)
        self.running = os.getpid()

    def stop(self) -> None:
        self.running = None

    def reload(self) -> None:
        assert not self.file.exists()


def test_another_definition_is_taken_over_and_a_strange_one_is_not(tmp_path: Path) -> None:
    manager = FileManager(tmp_path / "units")
    background = service.BackgroundService(manager, tmp_path / "data")
    first, second = ServiceCommand(["/bin/a"], {}), ServiceCommand(["/bin/b"], {})
    assert background.install(first)
    assert not background.install(first)
    assert manager.file.stat().st_mode & 0o777 == 0o600  # a key of an engine may stand in it
    assert background.install(second)
    assert b'"/bin/b"' in manager.file.read_bytes()
    manager.running = None  # it has ended
    assert background.install(second)
    assert manager.starts == [True, True, False]
    assert background.remove()
    assert not background.remove()
    manager.file.write_text("[Service]\nExecStart=/bin/c\n")
    for call in (lambda: background.install(first), background.remove, background.status):
        with pytest.raises(LibraryError, match="did not write"):
            call()
    assert "/bin/c" in manager.file.read_text()


def test_a_library_in_use_is_not_taken_from_its_process(tmp_path: Path) -> None:
    manager = FileManager(tmp_path / "units")
    background = service.BackgroundService(manager, tmp_path / "data")
    with LibraryLock(tmp_path / "data"):
        with pytest.raises(LibraryError, match=f"Process {os.getpid()} holds"):
            background.install(ServiceCommand(["/bin/a"], {}))
        assert not manager.file.exists()
        manager.running = os.getpid()  # the process is the service's own
        assert background.install(ServiceCommand(["/bin/a"], {}))


@pytest.mark.parametrize("words", [["install"], ["remove"], ["status"]])
def test_without_a_manager_a_sentence_says_what_to_do(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # where no systemctl is
    monkeypatch.setattr(sys, "platform", "linux")
    result = CliRunner().invoke(main, ["--data", str(tmp_path / "data"), "service", *words])
    assert result.exit_code == 1
    assert re.fullmatch(
        r"Error: Neither systemd nor launchd .*`recollect serve`.*\n", result.stderr
    )
    assert list(tmp_path.iterdir()) == []


# From here on with a systemd of the test's own, which the person's own session never sees.

# In groups of its own, so that it never touches a process of another; and with a /run that says
# that this machine runs systemd.
MANAGER = """
set -e
for tree in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
  [ -e $tree/cgroup.procs ] || continue
  mkdir -p $tree/{name} && echo $$ > $tree/{name}/cgroup.procs
done
exec unshare --mount --cgroup sh -ec '
  mount -t tmpfs tmpfs /run
  mkdir -p /run/systemd/system
  exec {systemd} --user --log-target=console'
"""


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a session that has a systemd of its own."""
    systemd = Path("/lib/systemd/systemd")
    if not systemd.exists() or os.geteuid() != 0 or shutil.which("systemctl") is None:
        pytest.skip("NOT RUN: needs systemd and the right to start one apart (root)")
    base = tmp_path_factory.mktemp("session")
    runtime, config = base / "run", base / "config"
    runtime.mkdir(mode=0o700)
    config.mkdir()
    environment = {
        name: value for name, value in ENVIRONMENT.items() if not name.startswith("DBUS_")
    }
    environment |= {"XDG_RUNTIME_DIR": str(runtime), "XDG_CONFIG_HOME": str(config)}
    environment |= {"RECOLLECT_PORT": "0"}
    name = f"recollect-test-{os.getpid()}"
    log = base / "manager.log"
    with log.open("wb") as written:
        manager = subprocess.Popen(
            ["sh", "-c", MANAGER.format(name=name, systemd=systemd)],
            env=environment,
            stdout=written,
            stderr=written,
        )
    try:
        socket = runtime / "systemd" / "private"
        until(lambda: socket.exists() or manager.poll() is not None)
        if manager.poll() is not None:
            pytest.skip(f"NOT RUN: no systemd can be started apart here: {log.read_text()}")
        yield environment
    finally:
        manager.terminate()  # which stops its services first
        with suppress(subprocess.TimeoutExpired):
            manager.wait(timeout=30)
        for tree in ("", "systemd", "unified"):
            groups = [*(Path("/sys/fs/cgroup") / tree / name).rglob("cgroup.procs")]
            for group in sorted(groups, key=lambda file: -len(file.parts)):
                for pid in group.read_text().split():
                    os.kill(int(pid), signal.SIGKILL)
                with suppress(OSError):
                    group.parent.rmdir()
        manager.wait()


@pytest.fixture(scope="module")
def say(session: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Runs `recollect` in that session, on a library with one letter."""
    base = tmp_path_factory.mktemp("served in the background")
    (base / "letters").mkdir()
    (base / "letters" / "lease.txt").write_text("The deposit is 1,850 euro.\n")

    def run(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "recollect", "--data", base / "data 100%", *words],
            env=session,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("index", str(base / "letters"))
    return run


@pytest.mark.slow
def test_a_service_is_installed_restarted_and_removed(
    session: dict[str, str], say: Callable[..., str]
) -> None:
    def status() -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(say("service", "status", "--json"))
        return answer

    assert "not installed" in say("service", "status")
    assert "from now on" in say("service", "install")
    until(lambda: status()["link"] is not None)
    first = status()
    assert first["installed"]
    assert first["enabled"]
    with httpx.Client(trust_env=False) as browser:
        assert browser.get(first["link"], follow_redirects=True).status_code == 200
    assert "lease.txt" in say("search", "deposit", "--by", "words")
    assert "nothing was changed" in say("service", "install")
    assert status()["pid"] == first["pid"]
    assert first["link"].split("?")[0] in say("service", "status")

    kill = ["systemctl", "--user", "kill", "--signal=KILL", UNIT]
    subprocess.run(kill, env=session, check=True)
    until(lambda: status()["pid"] not in (None, first["pid"]) and status()["link"] is not None)

    assert "library stays" in say("service", "remove")
    assert status()["pid"] is None
    assert not Path(first["file"]).exists()
    assert "No service is installed" in say("service", "remove")
    assert "lease.txt" in say("search", "deposit", "--by", "words")


@pytest.mark.slow
def test_the_unit_leaves_the_children_their_sandbox(
    session: dict[str, str], tmp_path: Path
) -> None:
    """All that the unit allows and forbids, around `recollect doctor`."""

    def reading_child(*before: str) -> str:
        doctor = [sys.executable, "-P", "-m", "recollect", "--data", str(tmp_path), "doctor"]
        done = subprocess.run(
            [*before, *doctor, "--json"], env=session, capture_output=True, text=True, check=True
        )
        findings = {finding["what"]: finding for finding in json.loads(done.stdout)}
        return str(findings["Reading child"]["said"])

    unit = Systemd().definition(ServiceCommand(["/bin/true"], {})).decode()
    lines = unit.partition("[Service]")[2].partition("[Install]")[0].splitlines()
    left_out = ("Exec", "Restart", "Standard", "#", "Type", "KillMode", "Syslog")
    properties = [line for line in lines if line and not line.startswith(left_out)]
    assert "RestrictNamespaces=yes" in properties
    run = ["systemd-run", "--user", "--wait", "--pipe", "--quiet"]
    run += [f"--property={line}" for line in properties]
    inside = reading_child(*run)
    assert inside == reading_child()
    assert "seccomp" in inside
