"""The service as an agent of macOS' launchd (launchd.plist(5), launchctl(1))."""

from __future__ import annotations

import os
import plistlib
import re
from pathlib import Path

from web.machine.background.manager import (
    MARK,
    ServiceCommand,
    ServiceState,
    call_manager,
    require,
)

LABEL = "recollect.serve"
NOT_KNOWN = 113  # exit code of `launchctl print` for a service that is not loaded


class Launchd:
    """The launchd of one user's session."""

    name = "launchd"

    def __init__(self) -> None:
        self._log_file = Path.home() / "Library" / "Logs" / "recollect.log"
        self.log = f"tail -F '{self._log_file}'"

    @property
    def file(self) -> Path:
        return Path.home() / "Library" / "LaunchAgents" / f"{LABEL}.plist"

    def definition(self, command: ServiceCommand) -> bytes:
        content = {
            "Label": LABEL,
            "ProgramArguments": list(command.arguments),
            "EnvironmentVariables": dict(sorted(command.environment.items())),
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "ThrottleInterval": 10,
            "ExitTimeOut": 15,
            "Umask": 0o077,
            # the only line on standard output is a link that opens the library
            "StandardOutPath": os.devnull,
            "StandardErrorPath": str(self._log_file),
        }
        text = plistlib.dumps(content, sort_keys=False).decode()
        return text.replace("<plist ", f"<!-- {MARK} -->\n<plist ", 1).encode()

    def state(self) -> ServiceState:
        shown = call_manager("launchctl", "print", self._target)
        if shown.returncode == NOT_KNOWN:
            return ServiceState(False, None)
        require(shown)
        pid = re.search(r"^\s*pid = (\d+)$", shown.stdout, re.MULTILINE)
        return ServiceState(True, int(pid[1]) if pid else None)

    def start(self, *, restart: bool) -> None:
        self._log_file.parent.mkdir(parents=True, exist_ok=True)
        if restart:
            self.stop()
        require(call_manager("launchctl", "enable", self._target))
        if not self.state().enabled:
            require(call_manager("launchctl", "bootstrap", self._domain, self.file))
        elif self.state().pid is None:
            require(call_manager("launchctl", "kickstart", self._target))

    def stop(self) -> None:
        if self.state().enabled:
            require(call_manager("launchctl", "bootout", self._target))

    def reload(self) -> None:
        """Nothing to do: launchd keeps no definition that was booted out."""

    @property
    def _domain(self) -> str:
        return f"gui/{os.getuid()}"

    @property
    def _target(self) -> str:
        return f"{self._domain}/{LABEL}"
