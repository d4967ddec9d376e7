"""The progress of indexing and of a download: bars on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from web.cli.output.console import err
from web.library.schemas.status import StatusJson


@contextmanager
def index_progress(quiet: bool) -> Iterator[Callable[[StatusJson], None] | None]:
    """Two bars, read and understood, on a terminal; nothing to a pipe."""
    if quiet or not err.is_terminal:
        yield None
        return
    columns = TextColumn("{task.description:>12}"), BarColumn(), TextColumn("{task.fields[count]}")
    with Progress(*columns, console=err, transient=True) as bars:
        tasks = {key: bars.add_task(key, count="") for key in ("read", "understood")}

        def report(status: StatusJson) -> None:
            coverage = status["coverage"]
            for key, done in (
                ("read", coverage["read"]),
                ("understood", coverage["understood"]),
            ):
                done = min(done + coverage["failed"], coverage["files"])
                count = f"{done:,} of {coverage['files']:,}"
                bars.update(tasks[key], total=coverage["files"], completed=done, count=count)

        yield report


@contextmanager
def download_progress() -> Iterator[Callable[[str, int, int], None]]:
    """How much of a model has arrived: a bar on a terminal, a line for each file elsewhere."""
    if not err.is_terminal:
        reported: set[str] = set()

        def report_file(file: str, done: int, total: int) -> None:
            if file not in reported:
                reported.add(file)
                err.print(f"{file}, {done / 1e6:,.0f} of {total / 1e6:,.0f} MB so far")

        yield report_file
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(),
               TransferSpeedColumn(), TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, console=err, transient=True) as bars:
        task = bars.add_task("", total=None)

        def report(file: str, done: int, total: int) -> None:
            bars.update(task, description=file, completed=done, total=total)

        yield report
