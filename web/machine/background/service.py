"""The service of this library: installed, removed, and how it is."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from indexer.files.atomic_replace import replace_file
from indexer.files.lock import LibraryLock
from web.library.client import Client
from web.library.display import display_text
from web.library.errors import LibraryError
from web.machine.background.launchd import Launchd
from web.machine.background.manager import MARK, ServiceCommand, ServiceManager
from web.machine.background.systemd import Systemd
from web.machine.settings import Settings

# Besides RECOLLECT_*: config.toml and the downloaded models are found by these.
CARRIED = frozenset({"XDG_CONFIG_HOME", "XDG_DATA_HOME"})
LINK_S = 2.0  # how long the server may take to give a link


class ServiceStatus(TypedDict):
    """The service as `recollect service status` tells it. `link` opens one more browser, where the
    library is served; `log` is the command that shows the log."""

    installed: bool
    enabled: bool
    pid: int | None
    url: str | None
    link: str | None
    manager: str
    file: str
    data: str
    log: str


def find_manager() -> ServiceManager:
    """The manager of services that this user has. Raises LibraryError where there is none."""
    if sys.platform == "darwin":
        return Launchd()
    if sys.platform.startswith("linux") and Systemd.is_running():
        return Systemd()
    raise LibraryError(
        "service",
        "Neither systemd nor launchd answers for this user here; log in to a session of your own, "
        "or have `recollect serve` started by whatever starts your other programs.",
    )


def service_command(
    settings: Settings, model: str | None, environment: Mapping[str, str]
) -> ServiceCommand:
    """What serves the library as it is now: its data directory, the model where one was named on
    the command line, and the settings of the environment. Its folders stand in the catalog."""
    # -P: never import from the folder that the service is started in
    arguments = [sys.executable, "-P", "-m", "recollect", "--data", str(settings.data.absolute())]
    if model is not None:
        arguments += ["--model", _absolute_model(model)]
    kept = {
        name: value
        for name, value in environment.items()
        if name in CARRIED or (name.startswith("RECOLLECT_") and name != "RECOLLECT_DATA")
    }
    if "RECOLLECT_MODEL" in kept:
        kept["RECOLLECT_MODEL"] = _absolute_model(kept["RECOLLECT_MODEL"])
    if "RECOLLECT_MODELS" in kept:
        kept["RECOLLECT_MODELS"] = str(settings.models.absolute())
    return ServiceCommand([*arguments, "serve"], kept)


def _absolute_model(name: str) -> str:
    """A model that is named as a directory is the same one from any other directory."""
    directory = Path(name).expanduser()
    with suppress(OSError):  # an engine's section as JSON is too long for a name
        if directory.is_dir():
            return str(directory.absolute())
    return name


@dataclass(frozen=True, slots=True)
class BackgroundService:
    """The service of the library in `data`, as one manager keeps it."""

    manager: ServiceManager
    data: Path

    def install(self, command: ServiceCommand) -> bool:
        """Writes the definition and starts the service; whether anything had to be changed. Raises
        LibraryError where another process serves the library, or the manager refuses."""
        file, wanted = self.manager.file, self.manager.definition(command)
        present = self._definition()
        state = self.manager.state()
        if present == wanted and state.enabled and state.pid is not None:
            return False
        holder = LibraryLock(self.data).holder()
        if holder is not None and holder.pid != state.pid:
            raise LibraryError(
                "held", f"Process {holder.pid} holds this library; stop it, then install again."
            )
        if present != wanted:
            try:
                file.parent.mkdir(parents=True, exist_ok=True)
                replace_file(file, wanted)
            except OSError as problem:
                raise LibraryError("service", _sentence(file, problem)) from problem
        self.manager.start(restart=present != wanted)
        return True

    def remove(self) -> bool:
        """Stops the service and deletes its definition; whether there was one."""
        if self._definition() is None:
            return False
        self.manager.stop()
        try:
            self.manager.file.unlink(missing_ok=True)
        except OSError as problem:
            raise LibraryError("service", _sentence(self.manager.file, problem)) from problem
        self.manager.reload()
        return True

    def status(self) -> ServiceStatus:
        installed = self._definition() is not None
        state = self.manager.state()
        holder = LibraryLock(self.data).holder()
        link = None
        if holder is not None and holder.url is not None:
            with Client(holder.url, holder.token, patience_s=LINK_S) as client:
                try:
                    link = client.launch_link()
                except LibraryError:
                    link = None  # it does not answer now
        return {
            "installed": installed,
            "enabled": installed and state.enabled,
            "pid": state.pid,
            "url": holder.url if holder is not None else None,
            "link": link,
            "manager": self.manager.name,
            "file": display_text(self.manager.file),
            "data": display_text(self.data.absolute()),
            "log": self.manager.log,
        }

    def _definition(self) -> bytes | None:
        """The definition that is there, None where there is none. Raises LibraryError where it is
        not ours or cannot be read."""
        file = self.manager.file
        try:
            text = file.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as problem:
            raise LibraryError("service", _sentence(file, problem)) from problem
        if MARK.encode() not in text:
            raise LibraryError(
                "service", f"Recollect did not write {display_text(file)}; move it away first."
            )
        return text


def _sentence(file: Path, problem: OSError) -> str:
    reason = os.strerror(problem.errno or 0)
    return f"{display_text(file)} cannot be read or written ({reason}); see whose it is."
