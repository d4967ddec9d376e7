"""Checks this machine and this library, and says what to do about what is wrong."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NotRequired, TypedDict

from indexer.catalog.storage.errors import CatalogDamagedError
from indexer.catalog.storage.inspection import check_pages
from indexer.extract.process.reader import ReaderProcess
from indexer.files.lock import LibraryLock
from indexer.types.pieces import UnreadableError
from indexer.vectors.lance import lancedb_problem
from model.interface import ModelError
from web.library.client import Client
from web.library.display import display_text
from web.library.errors import LibraryError
from web.machine.watching import watched_folders

MIN_FREE_BYTES = 1_000_000_000


class Finding(TypedDict):
    """The result of one check; `table` has its parts in bytes, where it has parts."""

    what: str
    ok: bool
    said: str
    table: NotRequired[list[tuple[str, int]]]


class MemoryPart(TypedDict):
    what: str
    bytes: int


@dataclass(frozen=True)
class MemoryEstimate:
    """Where the chosen model goes and what it takes there, part by part. `problem` says why it
    does not fit, None where it does; `drafter` is False where one could be and is not here."""

    where: str
    lines: Sequence[MemoryPart]
    needed_bytes: int
    free_bytes: int
    total_bytes: int
    problem: str | None
    drafter: bool


@dataclass(frozen=True)
class EngineReport:
    """The model that another program serves: what it is and can do in one sentence, what it cannot
    in others, and the other machines that questions go to."""

    description: str
    limits: Sequence[str]
    remote_hosts: Sequence[str]


def run_checks(
    data: Path,
    estimate: Callable[[], MemoryEstimate],
    engine: Callable[[], EngineReport] | None = None,
) -> list[Finding]:
    """Runs every check; `estimate` says where the chosen model goes and what it needs there, or
    `engine` what serves it."""
    return [
        _python(),
        _lancedb(),
        _reading_child(),
        *_folder(data),
        _catalog(data),
        *(Finding(what=what, ok=ok, said=sentence) for what, ok, sentence in watched_folders(data)),
        *_server(data),
        *(_model_findings(estimate) if engine is None else _engine_findings(engine)),
    ]


def _python() -> Finding:
    version = ".".join(str(part) for part in sys.version_info[:3])
    return {"what": "Python", "ok": sys.version_info >= (3, 11), "said": version}


def _lancedb() -> Finding:
    problem = lancedb_problem()
    return {"what": "LanceDB", "ok": problem is None, "said": problem or "it works here"}


def _reading_child() -> Finding:
    """What prevents the child that opens files from doing more than reading."""
    try:
        with ReaderProcess() as reader:
            fences = reader.sandbox_layers()
    except UnreadableError:
        sentence = "it does not start; install Recollect again, or report this as a fault."
        return {"what": "Reading child", "ok": False, "said": sentence}
    if fences:
        sentence = f"cannot write, connect or start anything ({', '.join(fences)})"
    else:
        sentence = (
            "limited in time and memory only: this system offers no fence against writing and "
            "connecting. Index only files you trust, or use Linux 5.13 or newer."
        )
    return {"what": "Reading child", "ok": bool(fences), "said": sentence}


def _folder(data: Path) -> Iterator[Finding]:
    folder = next(folder for folder in (data, *data.parents) if folder.exists())
    if os.access(folder, os.W_OK):
        yield {"what": "Data directory", "ok": True, "said": display_text(data)}
    else:
        sentence = f"{display_text(folder)} cannot be written; name another with --data."
        yield {"what": "Data directory", "ok": False, "said": sentence}
    free_bytes = shutil.disk_usage(folder).free
    sentence = f"{free_bytes / 1e9:,.1f} GB free"
    if free_bytes < MIN_FREE_BYTES:
        sentence += "; make room, the index needs about a tenth of the size of your files."
    yield {"what": "Disk", "ok": free_bytes >= MIN_FREE_BYTES, "said": sentence}


def _catalog(data: Path) -> Finding:
    file = data / "catalog.sqlite"
    if not file.exists():
        sentence = "none yet; `recollect add FOLDER` begins one."
        return {"what": "Library", "ok": True, "said": sentence}
    try:
        check_pages(file)
    except CatalogDamagedError as problem:
        return {"what": "Library", "ok": False, "said": display_text(problem.sentence)}
    return {"what": "Library", "ok": True, "said": "its catalog is whole"}


def _server(data: Path) -> Iterator[Finding]:
    holder = LibraryLock(data).holder()
    if holder is None:
        yield {"what": "Server", "ok": True, "said": "not running"}
        return
    address = f" at {holder.url}" if holder.url else ""
    yield {"what": "Server", "ok": True, "said": f"running, process {holder.pid}{address}"}
    if holder.url is None:
        return
    try:
        with Client(holder.url, holder.token) as client:
            model = client.status()["model"]
    except LibraryError as problem:
        yield {"what": "Server", "ok": False, "said": problem.sentence}
        return
    sentence = model.get("problem")
    if sentence is None:
        size = f"loaded, {model['resident_bytes'] / 1e9:,.2f} GB"
        sentence = f"{model['name']}, {size if model.get('loaded') else 'not loaded now'}"
    yield {"what": "Its model", "ok": "problem" not in model, "said": sentence}


def _engine_findings(engine: Callable[[], EngineReport]) -> Iterator[Finding]:
    try:
        report = engine()
    except ModelError as problem:
        yield {"what": "Model", "ok": False, "said": problem.sentence}
        return
    yield {"what": "Model", "ok": True, "said": report.description}
    for sentence in report.limits:
        yield {"what": "Model", "ok": True, "said": sentence}
    if report.remote_hosts:
        sentence = f"questions and what they are about go to {', '.join(report.remote_hosts)}"
        yield {"what": "Another machine", "ok": True, "said": sentence}


def _model_findings(estimate: Callable[[], MemoryEstimate]) -> Iterator[Finding]:
    try:
        plan = estimate()
    except ModelError as problem:
        yield {"what": "Model", "ok": False, "said": str(problem)}
        return
    sentence = plan.where
    if not plan.drafter:
        sentence += (
            " It has no drafter here, so it writes one word at a time; a pull brings it along."
        )
    yield {"what": "Model", "ok": True, "said": sentence}
    sentence = plan.problem or (
        f"the model needs {plan.needed_bytes / 1e9:,.1f} GB at most, {plan.free_bytes / 1e9:,.1f} "
        f"GB of {plan.total_bytes / 1e9:,.0f} are free"
    )
    table = [(line["what"], line["bytes"]) for line in plan.lines]
    yield {"what": "Memory", "ok": plan.problem is None, "said": sentence, "table": table}
