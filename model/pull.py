"""A model from the hub onto this machine: the one place that goes online, when it is asked to.

A pull goes into a folder of its own
that is no model yet: it goes on where it was cut, also after a restart (the hub's own library
begins a cut file anew), checks every file against the hash the hub names, and only then becomes
the model's folder. Importing this imports nothing heavy.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from model.interface import ModelProblem
from model.published import DEFAULT, HUB_ID, KNOWN, MODELS, drafter_of, folder
from model.shards import json_of

WANTED = re.compile(r"[\w.-]+\.(safetensors|json|jinja)|tokenizer\.model|LICENSE|README\.md")
KINDS = ("gemma4_unified", "gemma4_unified_assistant")
BLOCK_BYTES = 1 << 20
# A connection that brings nothing so many times in a row is given up.
MOST_TRIES = 5
PATIENCE_S = 1.0
# Left free on the disk besides the model.
SPARE_BYTES = 500_000_000
RECORD = "pulled.json"


# Told while files arrive: which one, bytes so far in all, bytes in all.
Told = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Remote:
    """A file on the hub. `digest` is its sha256, or for small files git's sha1 of it."""

    name: str
    size_bytes: int
    digest: str


def pull(name: str, models: Path = MODELS, told: Told = lambda _file, _done, _total: None) -> Path:
    """Bring a model and its drafter here, or bring them up to date; gives the model's folder.
    Raises ModelProblem with the cure; what has arrived by then is kept for the next try."""
    from filelock import FileLock, Timeout

    if not HUB_ID.fullmatch(name):
        raise ModelProblem(f"“{name}” is no name of the hub; one looks like {DEFAULT}.")
    try:
        models.mkdir(parents=True, exist_ok=True)
        with FileLock(models / "pull.lock", timeout=0), _online():
            wanted = [_Pull(name, models)]
            drafter = _Pull(drafter_of(name), models, optional=name not in KNOWN)
            wanted += [drafter] if drafter.files else []
            _make_room(wanted, models)
            total = sum(one.size_bytes for one in wanted)
            done = 0
            for one in wanted:
                one.run(_adding(told, done, total))
                done += one.size_bytes
            for one in wanted:
                one.finish()
    except Timeout as why:
        raise ModelProblem("Another pull is running; wait for it, or stop it.") from why
    except OSError as why:
        raise _in_words(why, models) from why
    return folder(name, models)


def _adding(told: Told, before: int, total: int) -> Callable[[str, int], None]:
    def add(file: str, count: int) -> None:
        told(file, before + count, total)

    return add


def _at(told: Callable[[str, int], None], file: str, before: int, count: int) -> None:
    told(file, before + count)


class _Pull:
    """One repository of the hub, on its way into its folder."""

    def __init__(self, name: str, models: Path, optional: bool = False) -> None:
        self.name = name
        self.folder = folder(name, models)
        self.partial = self.folder.with_name(self.folder.name + ".partial")
        known = KNOWN.get(name)
        begun = json_of(self.partial / RECORD).get("revision")
        revision = str(begun) if begun else known.revision if known else None
        self.revision, self.files = _listed(name, revision, optional)
        if self.files and not any(one.name.endswith(".safetensors") for one in self.files):
            raise ModelProblem(f"{name} has no weights in safetensors; choose another model.")

    @property
    def size_bytes(self) -> int:
        return sum(one.size_bytes for one in self.files)

    @property
    def here_already(self) -> bool:
        return self._record(self.folder) == self._record_of_hub() and all(
            (self.folder / one.name).is_file() for one in self.files
        )

    @property
    def missing_bytes(self) -> int:
        if self.here_already:
            return 0
        here = [
            path.stat().st_size
            for one in self.files
            for path in (self.partial / one.name, self._waiting(one))
            if path.is_file()
        ]
        return max(0, self.size_bytes - sum(here))

    def run(self, told: Callable[[str, int], None]) -> None:
        """Every file into the partial folder, each checked; the small ones first, so that the
        wrong model is known before its weights arrive."""
        if self.here_already:
            return
        self.partial.mkdir(exist_ok=True)
        (self.partial / RECORD).write_text(json.dumps(self._record_of_hub(), indent=2))
        done = 0
        for one in sorted(self.files, key=lambda one: (one.size_bytes, one.name)):
            if not (self.partial / one.name).is_file():
                self._fetch(one, partial(_at, told, one.name, done))
            done += one.size_bytes
            told(one.name, done)
            if one.name == "config.json":
                self._check_kind()

    def finish(self) -> None:
        """What has arrived takes the place of what was there."""
        if self.here_already:
            return
        old = self.folder.with_name(self.folder.name + ".old")
        shutil.rmtree(old, ignore_errors=True)
        if self.folder.exists():
            self.folder.rename(old)
        self.partial.rename(self.folder)
        shutil.rmtree(old, ignore_errors=True)

    def _fetch(self, one: Remote, told: Callable[[int], None]) -> None:
        target, waiting = self.partial / one.name, self._waiting(one)
        earlier = self.folder / one.name
        if earlier.is_file() and _record_digest(self._record(self.folder), one) == one.digest:
            os.link(earlier, target)
            return
        _download(self.name, self.revision, one, waiting, told)
        if _digest(waiting, one) != one.digest:
            waiting.unlink()
            raise ModelProblem(
                f"{one.name} of {self.name} arrived with another content than the hub says it has; "
                "it was thrown away. Pull again to fetch that file anew."
            )
        waiting.replace(target)

    def _waiting(self, one: Remote) -> Path:
        return self.partial / f"{one.name}.part"

    def _check_kind(self) -> None:
        kind = json_of(self.partial / "config.json").get("model_type")
        if kind not in KINDS:
            shutil.rmtree(self.partial)
            raise ModelProblem(
                f"{self.name} is of type {kind or 'unknown'}; Recollect needs one of type "
                f"{KINDS[0]}, such as {DEFAULT}. Nothing was kept."
            )

    def _record_of_hub(self) -> dict[str, Any]:
        digests = {one.name: one.digest for one in self.files}
        return {"name": self.name, "revision": self.revision, "files": digests}

    @staticmethod
    def _record(directory: Path) -> dict[str, Any]:
        return json_of(directory / RECORD)


def _record_digest(record: dict[str, Any], one: Remote) -> str | None:
    files = record.get("files")
    return files.get(one.name) if isinstance(files, dict) else None


@contextmanager
def _online() -> Iterator[None]:
    """Lets the hub's library ask its hub for the while. Everywhere else it is forbidden."""
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = False
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def _listed(name: str, revision: str | None, optional: bool) -> tuple[str, list[Remote]]:
    """The commit of a model, and the files of it that are wanted. Empty where there is none and it
    is `optional`."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

    try:
        info = HfApi().model_info(name, revision=revision, files_metadata=True, timeout=30)
    except RepositoryNotFoundError as why:
        if optional:
            return "", []
        raise ModelProblem(
            f"The hub has no model called {name}, or shows it to members only; "
            f"check the name, such as {DEFAULT}."
        ) from why
    except HfHubHTTPError as why:
        status = why.response.status_code
        if status in (401, 403):
            raise ModelProblem(
                f"The hub does not give {name} to everybody (status {status}); accept its terms on "
                "its page, then sign in with `hf auth login`."
            ) from why
        raise ModelProblem(f"The hub answered with status {status}; try again later.") from why
    except Exception as why:
        _unreachable(why)
    files = []
    for one in info.siblings or []:
        if not WANTED.fullmatch(one.rfilename) or one.rfilename == RECORD:
            continue
        digest = one.lfs.sha256 if one.lfs is not None else one.blob_id
        if one.size is None or not digest:
            raise ModelProblem(f"The hub names no hash of {one.rfilename} of {name}; not pulled.")
        files.append(Remote(one.rfilename, int(one.size), digest))
    return str(info.sha), files


def _make_room(wanted: list[_Pull], models: Path) -> None:
    missing_bytes = sum(one.missing_bytes for one in wanted)
    free_bytes = shutil.disk_usage(models).free
    if missing_bytes and missing_bytes + SPARE_BYTES > free_bytes:
        raise ModelProblem(
            f"{wanted[0].name} needs {missing_bytes / 1e9:.1f} GB more on the disk of {models}, "
            f"and {free_bytes / 1e9:.1f} GB are free; make room, or name another place for "
            "models with RECOLLECT_MODELS. Nothing was downloaded."
        )


def _download(
    name: str, revision: str, one: Remote, into: Path, told: Callable[[int], None]
) -> None:
    """Append what is missing to `into`, again and again as long as something arrives."""
    from huggingface_hub import hf_hub_url
    from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status

    url = hf_hub_url(name, one.name, revision=revision)
    tries = 0
    while True:
        here = into.stat().st_size if into.is_file() else 0
        if here == one.size_bytes and into.is_file():
            return
        if here > one.size_bytes:
            into.unlink()
            here = 0
        headers = {**build_hf_headers(), "Accept-Encoding": "identity"}
        if here:
            headers["Range"] = f"bytes={here}-"
        try:
            with (
                get_session().stream("GET", url, headers=headers, follow_redirects=True,
                                     timeout=30) as answer,
                into.open("ab") as file,
            ):  # fmt: skip
                hf_raise_for_status(answer)
                if here and answer.status_code != 206:
                    file.truncate(0)
                    here = 0
                for block in answer.iter_bytes():
                    file.write(block)
                    here += len(block)
                    tries = 0
                    told(here)
            if here == one.size_bytes:
                continue
            why: Exception | None = None
        except OSError as problem:
            if problem.errno is not None:  # the disk's, not the line's
                raise
            why = problem
        except Exception as problem:
            why = problem
        tries += 1
        if tries >= MOST_TRIES:
            raise ModelProblem(
                f"The connection broke while {one.name} of {name} was fetched, {here:,} of "
                f"{one.size_bytes:,} bytes are here and kept; run the same command again to go on."
            ) from why
        time.sleep(PATIENCE_S * 2 ** (tries - 1))


def _digest(file: Path, one: Remote) -> str:
    """sha256 of a large file; of a small one the sha1 that git gives it."""
    if len(one.digest) == 64:
        told = hashlib.sha256()
    else:
        told = hashlib.sha1(usedforsecurity=False)
        told.update(f"blob {one.size_bytes}\0".encode())
    with file.open("rb") as opened:
        while block := opened.read(BLOCK_BYTES):
            told.update(block)
    return told.hexdigest()


def _unreachable(why: Exception) -> NoReturn:
    raise ModelProblem(
        f"The hub cannot be reached ({type(why).__name__}); check the connection. A model that is "
        "here already works without one, and any directory does: --model DIRECTORY."
    ) from why


def _in_words(why: OSError, models: Path) -> ModelProblem:
    if why.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return ModelProblem(
            f"The disk of {models} is full; what has arrived is kept. Make room and run the same "
            "command again to go on."
        )
    return ModelProblem(f"{models} cannot be written ({why}); name another with RECOLLECT_MODELS.")
