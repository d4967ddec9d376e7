"""What a walk did not see: gone, or kept because nobody may have wished it gone.

A drive that is not plugged in, a share that is empty for an hour, a sync that went wrong: files
vanish by the hundred without a person having meant it, and everything learned of them would be
lost with them. So a large share of a folder that vanishes at once is kept: hidden from every
search (a path that is not there is never shown) until a person accepts the loss, the files come
back, or the grace is over. What a pattern leaves out is not missing, and goes at once.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from indexer.catalog.tree.absences import MissingFile, RootLosses
from indexer.files.mounts import mount_of
from indexer.files.paths import join
from indexer.files.walk import Ancestry, UnlistedFolder
from indexer.types.states import AbsenceReason, FailureReason

# A loss is large when it is more files than this and more than this share of the folder's.
MANY_FILES = 50
MANY_SHARE = 0.3
# Losses this close to one another count as one: a deletion may come in many events.
AT_ONCE_S = 600.0
GRACE_S = 7 * 86400.0


_UNPERMITTED = (
    FailureReason.PERMISSION,
    "Recollect may not open this folder; allow reading it.",
    "Recollect may not open the folder this is in; allow reading it.",
)
_TOO_DEEP = (
    FailureReason.TOO_DEEP,
    "This lies deeper than the system lets a path be long; move it further up.",
    "The folder this is in lies deeper than the system lets a path be long; move it further up.",
)
# Why a folder could not be listed: a reason, and a sentence for it and for what is in it. Any
# other error is taken to pass by itself, and hides nothing.
UNLISTED = {errno.EACCES: _UNPERMITTED, errno.EPERM: _UNPERMITTED, errno.ENAMETOOLONG: _TOO_DEEP}


@dataclass(frozen=True, slots=True)
class ScanScope:
    """What is walked: a root and its folder, where in it, its device when it was last there, and
    the folders above `start` (None: it is excluded)."""

    root: int
    base: bytes
    start: bytes
    deep: bool
    device: int | None
    ancestry: Ancestry | UnlistedFolder | None


@dataclass(frozen=True, slots=True)
class Losses:
    """Which missing files are kept, and why; and how many others of the root count as gone, since
    when (unix s): None where that stays as it was."""

    kept: list[tuple[MissingFile, AbsenceReason]]
    gone: tuple[int, float] | None = None


def judge_losses(
    scope: ScanScope,
    missing: Collection[MissingFile],
    known: RootLosses,
    now: float,
    grace_s: float,
) -> Losses:
    """Decides about the missing files of a root, of which `known` is remembered."""
    unmounted = _unmounted(missing, scope, known.device)
    rest = [file for file in missing if file.id not in unmounted]
    kept = [(file, AbsenceReason.UNMOUNTED) for file in missing if file.id in unmounted]
    recent = known.gone if abs(now - known.gone_since) < AT_ONCE_S else 0
    lost = rest
    if len(rest) + recent > MANY_FILES:
        # what is there and was not seen is left out by a pattern, as somebody wished
        lost = [file for file in rest if not os.path.lexists(join(scope.base, file.path))]
    together = len(lost) + recent
    if together > MANY_FILES and together > MANY_SHARE * (known.files + recent):
        kept += [
            (file, AbsenceReason.MANY)
            for file in lost
            if file.since is None or now - file.since < grace_s
        ]
        return Losses(kept)
    return Losses(kept, (together, known.gone_since if recent else now) if lost else None)


def _unmounted(files: Collection[MissingFile], scope: ScanScope, device: int | None) -> set[int]:
    """Those that lay on another drive than the root itself, where that drive is not any more;
    `device` is the root's."""
    elsewhere = [file for file in files if file.device != scope.device]
    if not elsewhere:
        return set()
    mount = mount_of(Path(os.fsdecode(scope.base)))
    if mount is not None and mount.type == "overlay":
        return set()  # its files have devices of their own, whatever is mounted
    devices: dict[bytes, int | None] = {}

    def device_at(folder: bytes) -> int | None:
        if folder not in devices:
            try:
                devices[folder] = os.lstat(join(scope.base, folder)).st_dev
            except OSError:
                devices[folder] = device_at(folder.rpartition(b"/")[0]) if folder else None
        return devices[folder]

    return {file.id for file in elsewhere if device_at(file.path.rpartition(b"/")[0]) == device}
