"""The service as a unit of the person's own systemd (systemd.service(5), systemd.exec(5))."""

from __future__ import annotations

import shutil
from pathlib import Path

import platformdirs

from web.machine.background.manager import (
    MARK,
    ServiceCommand,
    ServiceState,
    call_manager,
    require,
)

UNIT = "recollect.service"

# What is left out, and why:
# - All that takes a mount namespace (ProtectSystem=, PrivateTmp= ...): in a user's unit it needs
#   user namespaces, which several distributions refuse, and the service would not start there.
# - SystemCallFilter=@system-service: the set of systemd 252 is without Landlock, and the children
#   that open files would go without. They confine themselves further than a unit can.
# - MemoryDenyWriteExecute=: the model's kernels are compiled when they are first used.
UNIT_TEXT = """\
# {mark}
# Changes of your own: systemctl --user edit recollect
[Unit]
Description=Recollect, a private memory for your documents, photos and recordings
# five starts in five minutes, then it stays down: another process may serve the library
StartLimitIntervalSec=300
StartLimitBurst=5

[Service]
Type=exec
ExecStart=:{command}
{environment}Restart=on-failure
RestartSec=5
# a command line that is wrong stays wrong
RestartPreventExitStatus=2
TimeoutStopSec=15
KillMode=mixed
# a child that opens files may run out of memory; the server starts another
OOMPolicy=continue
# the only line on standard output is a link that opens the library
StandardOutput=null
StandardError=journal
SyslogIdentifier=recollect
UMask=0077
NoNewPrivileges=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native

[Install]
WantedBy=default.target
"""


class Systemd:
    """The systemd of one user."""

    name = "systemd"
    log = f"journalctl --user --unit {UNIT}"

    @property
    def file(self) -> Path:
        return platformdirs.user_config_path("systemd") / "user" / UNIT

    @staticmethod
    def is_running() -> bool:
        """Whether this user has one that answers."""
        if shutil.which("systemctl") is None:
            return False
        shown = call_manager("systemctl", "--user", "show", "--property=Version", "--value")
        return shown.returncode == 0 and bool(shown.stdout.strip())

    def definition(self, command: ServiceCommand) -> bytes:
        environment = "".join(
            f"Environment={_quoted(f'{name}={value}')}\n"
            for name, value in sorted(command.environment.items())
        )
        words = " ".join(_quoted(word) for word in command.arguments)
        text = UNIT_TEXT.format(mark=MARK, command=words, environment=environment)
        return text.encode(errors="surrogateescape")

    def state(self) -> ServiceState:
        shown = call_manager(
            "systemctl", "--user", "show", UNIT, "--property=UnitFileState,MainPID"
        )
        require(shown)
        properties = dict(line.split("=", 1) for line in shown.stdout.splitlines() if "=" in line)
        is_enabled = properties.get("UnitFileState") == "enabled"
        pid = int(properties.get("MainPID") or 0)
        return ServiceState(is_enabled, pid or None)

    def start(self, *, restart: bool) -> None:
        self.reload()
        # an earlier start that failed too often does not count
        call_manager("systemctl", "--user", "reset-failed", UNIT)
        # by its path, since the manager may have another idea of where settings lie
        require(call_manager("systemctl", "--user", "enable", self.file))
        require(call_manager("systemctl", "--user", "restart" if restart else "start", UNIT))

    def stop(self) -> None:
        require(call_manager("systemctl", "--user", "disable", "--now", UNIT))

    def reload(self) -> None:
        require(call_manager("systemctl", "--user", "daemon-reload"))


def _quoted(word: str) -> str:
    """A word as a unit's file writes it: no specifier, no escape is left to be interpreted."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return '"' + escaped.replace("\n", "\\n") + '"'
