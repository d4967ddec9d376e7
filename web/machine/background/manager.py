"""What a system's manager of services is to Recollect, and the command that it is given."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from web.library.display import display_text, one_line
from web.library.errors import LibraryError

# Stands in every definition that Recollect writes; a file without it is somebody else's.
MARK = "Written by `recollect service install`, which writes it anew; `remove` deletes it."
PATIENCE_S = 60.0  # for one call of the manager, which waits for the service to stop


@dataclass(frozen=True, slots=True)
class ServiceCommand:
    """What is run, with the variables of the environment that its settings come from."""

    arguments: Sequence[str]
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ServiceState:
    """What the manager knows: whether the service is started at login, and the process that runs
    now, None where none does."""

    enabled: bool
    pid: int | None


class ServiceManager(Protocol):
    """One manager of services of one user. Every call may raise LibraryError."""

    name: str
    log: str  # where the log is, as words after "Its log: "

    @property
    def file(self) -> Path:
        """Where the definition of the service lies."""

    def definition(self, command: ServiceCommand) -> bytes:
        """The file that makes a service of the command."""

    def state(self) -> ServiceState: ...

    def start(self, *, restart: bool) -> None:
        """Starts the service now and at every login; with `restart`, by a definition that has
        changed, also where it runs already."""

    def stop(self) -> None:
        """Stops the service and starts it no more; nothing where it is not known."""

    def reload(self) -> None:
        """Reads the definitions again, after one has gone."""


def call_manager(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs a program of the system. Raises LibraryError where it does not answer."""
    try:
        return subprocess.run(  # noqa: S603  systemctl or launchctl, with words of ours
            words, capture_output=True, text=True, errors="replace", timeout=PATIENCE_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        sentence = f"{words[0]} does not answer; start `recollect serve` by hand for now."
        raise LibraryError("service", sentence) from problem


def require(done: subprocess.CompletedProcess[str]) -> None:
    """Raises LibraryError with what a call said where it failed."""
    if done.returncode:
        said = one_line(display_text((done.stderr or done.stdout).strip()))
        command = " ".join(str(word) for word in done.args)
        sentence = f"`{command}` failed ({said}). Mend that, or start `recollect serve` by hand."
        raise LibraryError("service", sentence)
