"""Durability: written files survive a power cut, and a half-written version is set aside.

LanceDB never calls fsync on local disks (we traced it): a commit survives the death of the process
but not of the machine. So before the catalog calls anything indexed, everything written since the
last time is forced to disk from here: files first, then the directories that name them.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from indexer.files.atomic_replace import sync_path
from indexer.vectors.checksums import NAME, Checksums


class Durability:
    """Forces what is new under `folder` to disk, and takes its checksum. Files there are written
    once and never changed, so a name that was synced stays synced."""

    def __init__(self, folder: Path) -> None:
        self.sums = Checksums(folder)
        self._folder = folder
        self._synced: set[str] = set()

    def sync(self) -> int:
        """Force all files that are new since the last call, and their directories, to disk; returns
        how many files."""
        # An index may be committed meanwhile: what a manifest names is there once the manifest is,
        # so one that is not there yet before the listing waits for the next call.
        manifests = set(map(str, self._folder.glob("*.lance/_versions/*.manifest")))
        files, folders = _listing(self._folder)
        files -= {str(self._folder / NAME), str(self._folder / f"{NAME}.new")}
        files = {file for file in files if not file.endswith(".manifest") or file in manifests}
        new = sorted(files - self._synced, key=lambda file: ("_versions" in file, file))
        for file in new:
            with contextlib.suppress(FileNotFoundError):  # cleaned up meanwhile
                sync_path(Path(file))
        changed = {str(Path(file).parent) for file in new}
        for folder in sorted(folders, key=len, reverse=True):
            if folder in changed or folder not in self._synced:
                with contextlib.suppress(FileNotFoundError):
                    sync_path(Path(folder))
                parent = str(Path(folder).parent)
                changed.add(parent)
        if new:
            self.sums.keep(files)
            sync_path(self._folder)
        self._synced = files | folders
        return len(new)

    def forget(self, table: Path) -> None:
        """Drops what is known of a table that is replaced under the same names."""
        inside = f"{table}{os.sep}"
        self._synced = {name for name in self._synced if not name.startswith(inside)}
        self.sums.forget(table.stem)

    def forget_file(self, file: Path) -> None:
        """Drops what is known of one file, whose name another is to have."""
        self._synced.discard(str(file))
        self.sums.forget_file(file)


def _listing(folder: Path) -> tuple[set[str], set[str]]:
    files: set[str] = set()
    folders: set[str] = set()
    unlisted = [str(folder)]
    while unlisted:
        with contextlib.suppress(FileNotFoundError), os.scandir(unlisted.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.add(entry.path)
                    unlisted.append(entry.path)
                else:
                    files.add(entry.path)
    return files, folders


def manifests_of(table: Path) -> list[Path]:
    """The manifests of a Lance table, one for each version, the newest last."""
    return sorted((table / "_versions").glob("*.manifest"), key=_version)


def set_aside_newest(table: Path, aside: Path, forget: Callable[[Path], None]) -> Path | None:
    """Move the newest manifest of a Lance table out of the way, so that the version before it
    opens; never deletes. The next version will have its name, so `forget` is told of it first.
    None, and nothing done, where there is no version before it."""
    manifests = manifests_of(table)
    if len(manifests) < 2:
        return None
    aside.mkdir(exist_ok=True)
    forget(manifests[-1])
    target = aside / f"{table.stem}-{manifests[-1].name}"
    manifests[-1].rename(target)
    return target


def _version(manifest: Path) -> int:
    """Manifests are named by version, or by 2^64 - 1 - version so that the newest lists first."""
    number = int(manifest.stem) if manifest.stem.isdigit() else -1
    return (1 << 64) - 1 - number if number > 1 << 63 else number
