"""The commands that keep the index up to date: `index`, `status`, `accept`, `retry`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from web.cli.group import as_json
from web.cli.program import Program, absolute_path

if TYPE_CHECKING:
    from web.library.protocol import LibraryProtocol
    from web.library.schemas.files import FileJson


@click.command()
@click.argument("folders", nargs=-1, type=click.Path(path_type=Path))
@as_json
@click.pass_obj
def index(program: Program, folders: tuple[Path, ...], as_json: bool) -> None:
    """Bring the index up to date and stop."""
    from web.cli.output.progress import index_progress
    from web.cli.output.root_tables import show_index, show_missing
    from web.cli.output.status import show_demonstration, show_waiting

    with program.open_library(write=True) as library:
        for folder in folders:
            library.add(str(folder.absolute()))
        with index_progress(quiet=as_json) as report:
            result = library.index(report)
        show_index(result, as_json)
        if not as_json:
            show_missing(library.roots())
            if (now := library.status()).get("waiting"):
                show_waiting(now)
                show_demonstration(now)


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--partial", is_flag=True, help="List what was read in part, and what is not read.")
@as_json
@click.pass_obj
def status(program: Program, file: Path | None, partial: bool, as_json: bool) -> None:
    """What is read, what is understood, what has failed: of everything, or of one file."""
    from web.cli.output.status import show_file, show_files, show_status

    with program.open_library() as library:
        if partial:
            show_files(_partial_files(library), as_json)
        elif file is None:
            show_status(library.status(), as_json)
        else:
            show_file(library.file(str(file.absolute())), as_json)


def _partial_files(library: LibraryProtocol) -> list[FileJson]:
    """Every file that was read in part."""
    files: list[FileJson] = []
    while page := library.files("partial", offset=len(files), limit=1_000)["files"]:
        files += page
    return files


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.pass_obj
def accept(program: Program, folder: Path | None) -> None:
    """Accept that what went missing is gone: in one watched folder, or in all of them."""
    with program.open_library(write=True) as library:
        count = library.accept(absolute_path(folder))
    _announce(count, "forgotten")


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.pass_obj
def retry(program: Program, file: Path | None) -> None:
    """Try failed files again: one, or all."""
    with program.open_library(write=True) as library:
        count = library.retry(absolute_path(file))
    _announce(count, "tried again")


def _announce(count: int, what: str) -> None:
    click.echo(f"{count:,} to be {what}, by a running server now, else by `recollect index`.")
