"""A model from the hub onto this machine.

A pull goes into a folder of its own that is no model yet. It resumes an interrupted file, checks
every file against the hash the hub names, and only then becomes the model's folder. Files are not
downloaded by `huggingface_hub`: it resumes within one call only. Its partial file has a random name
and is removed when the call fails, so the next process starts again at byte 0 (2.4.0,
findings/huggingface_download_starts_again.sh). Importing this imports nothing heavy.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from model.interface import ModelError
from model.weights.hub import (
    RemoteFile,
    download_file,
    file_digest,
    list_remote_files,
    network_allowed,
)
from model.weights.published import DEFAULT, HUB_ID, KNOWN, MODELS, drafter_of, model_folder
from model.weights.shards import read_json_object

KINDS = ("gemma4_unified", "gemma4_unified_assistant")
# Left free on the disk besides the model.
SPARE_BYTES = 500_000_000
RECORD = "pulled.json"


# Called while files arrive: the file's name, bytes so far in all, bytes in all.
PullProgress = Callable[[str, int, int], None]


def pull_model(
    name: str, models: Path = MODELS, on_progress: PullProgress = lambda _file, _done, _total: None
) -> Path:
    """Bring a model and its drafter here, or bring them up to date; gives the model's folder.
    Raises ModelError with the cure; what has arrived by then is kept for the next try."""
    from filelock import FileLock, Timeout

    if not HUB_ID.fullmatch(name):
        raise ModelError(f"“{name}” is no name of the hub; one looks like {DEFAULT}.")
    try:
        models.mkdir(parents=True, exist_ok=True)
        with FileLock(models / "pull.lock", timeout=0), network_allowed():
            wanted = [_RepositoryPull(name, models)]
            drafter = _RepositoryPull(drafter_of(name), models, optional=name not in KNOWN)
            wanted += [drafter] if drafter.files else []
            _make_room(wanted, models)
            total = sum(repository.size_bytes for repository in wanted)
            done = 0
            for repository in wanted:
                repository.run(_adding(on_progress, done, total))
                done += repository.size_bytes
            for repository in wanted:
                repository.finish()
    except Timeout as why:
        raise ModelError("Another pull is running; wait for it, or stop it.") from why
    except OSError as why:
        raise _disk_error(why, models) from why
    return model_folder(name, models)


def _adding(on_progress: PullProgress, before: int, total: int) -> Callable[[str, int], None]:
    def add(file: str, count: int) -> None:
        on_progress(file, before + count, total)

    return add


def _at(on_progress: Callable[[str, int], None], file: str, before: int, count: int) -> None:
    on_progress(file, before + count)


class _RepositoryPull:
    """The pull of one repository of the hub into its folder."""

    def __init__(self, name: str, models: Path, optional: bool = False) -> None:
        self.name = name
        self.folder = model_folder(name, models)
        self.partial = self.folder.with_name(self.folder.name + ".partial")
        known = KNOWN.get(name)
        begun = read_json_object(self.partial / RECORD).get("revision")
        revision = str(begun) if begun else known.revision if known else None
        self.revision, files = list_remote_files(name, revision, optional)
        self.files = [remote for remote in files if remote.name != RECORD]
        if self.files and not any(remote.name.endswith(".safetensors") for remote in self.files):
            raise ModelError(f"{name} has no weights in safetensors; choose another model.")

    @property
    def size_bytes(self) -> int:
        return sum(remote.size_bytes for remote in self.files)

    @property
    def is_installed(self) -> bool:
        return self._record(self.folder) == self._record_of_hub() and all(
            (self.folder / remote.name).is_file() for remote in self.files
        )

    @property
    def missing_bytes(self) -> int:
        if self.is_installed:
            return 0
        stored_bytes = [
            path.stat().st_size
            for remote in self.files
            for path in (self.partial / remote.name, self._waiting(remote))
            if path.is_file()
        ]
        return max(0, self.size_bytes - sum(stored_bytes))

    def run(self, on_progress: Callable[[str, int], None]) -> None:
        """Fetch and check every file into the partial folder; the small ones first, so that a wrong
        model is refused before its weights are fetched."""
        if self.is_installed:
            return
        self.partial.mkdir(exist_ok=True)
        (self.partial / RECORD).write_text(json.dumps(self._record_of_hub(), indent=2))
        done = 0
        for remote in sorted(self.files, key=lambda remote: (remote.size_bytes, remote.name)):
            if not (self.partial / remote.name).is_file():
                self._fetch(remote, partial(_at, on_progress, remote.name, done))
            done += remote.size_bytes
            on_progress(remote.name, done)
            if remote.name == "config.json":
                self._check_kind()

    def finish(self) -> None:
        """Replace the model's folder by the pulled one."""
        if self.is_installed:
            return
        old = self.folder.with_name(self.folder.name + ".old")
        shutil.rmtree(old, ignore_errors=True)
        if self.folder.exists():
            self.folder.rename(old)
        self.partial.rename(self.folder)
        shutil.rmtree(old, ignore_errors=True)

    def _fetch(self, remote: RemoteFile, on_progress: Callable[[int], None]) -> None:
        target, waiting = self.partial / remote.name, self._waiting(remote)
        earlier = self.folder / remote.name
        if earlier.is_file() and _record_digest(self._record(self.folder), remote) == remote.digest:
            os.link(earlier, target)
            return
        download_file(self.name, self.revision, remote, waiting, on_progress)
        if file_digest(waiting, remote) != remote.digest:
            waiting.unlink()
            raise ModelError(
                f"{remote.name} of {self.name} arrived with another content than the hub says it "
                "has; it was thrown away. Pull again to fetch that file anew."
            )
        waiting.replace(target)

    def _waiting(self, remote: RemoteFile) -> Path:
        return self.partial / f"{remote.name}.part"

    def _check_kind(self) -> None:
        kind = read_json_object(self.partial / "config.json").get("model_type")
        if kind not in KINDS:
            shutil.rmtree(self.partial)
            raise ModelError(
                f"{self.name} is of type {kind or 'unknown'}; Recollect needs one of type "
                f"{KINDS[0]}, such as {DEFAULT}. Nothing was kept."
            )

    def _record_of_hub(self) -> dict[str, Any]:
        digests = {remote.name: remote.digest for remote in self.files}
        return {"name": self.name, "revision": self.revision, "files": digests}

    @staticmethod
    def _record(directory: Path) -> dict[str, Any]:
        return read_json_object(directory / RECORD)


def _record_digest(record: dict[str, Any], remote: RemoteFile) -> str | None:
    files = record.get("files")
    return files.get(remote.name) if isinstance(files, dict) else None


def _make_room(wanted: list[_RepositoryPull], models: Path) -> None:
    missing_bytes = sum(repository.missing_bytes for repository in wanted)
    free_bytes = shutil.disk_usage(models).free
    if missing_bytes and missing_bytes + SPARE_BYTES > free_bytes:
        raise ModelError(
            f"{wanted[0].name} needs {missing_bytes / 1e9:.1f} GB more on the disk of {models}, "
            f"and {free_bytes / 1e9:.1f} GB are free; make room, or name another place for "
            "models with RECOLLECT_MODELS. Nothing was downloaded."
        )


def _disk_error(why: OSError, models: Path) -> ModelError:
    if why.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return ModelError(
            f"The disk of {models} is full; what has arrived is kept. Make room and run the same "
            "command again to go on."
        )
    return ModelError(f"{models} cannot be written ({why}); name another with RECOLLECT_MODELS.")
