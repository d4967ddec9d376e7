"""The commands of what is kept: `forget`, `remember`, `verify`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from web.cli.group import as_json
from web.cli.program import Program, absolute_path


@click.command()
@click.argument("file")
@as_json
@click.pass_obj
def forget(program: Program, file: str, as_json: bool) -> None:
    """Forget a file for good: no byte of it is kept, and it is not read again.

    FILE is a path, or an id as `search --json` tells it. The file itself is not touched."""
    from indexer.catalog.records import ITEM
    from web.cli.output.reports import show_forgotten

    if not ITEM.fullmatch(file):
        file = str(Path(file).absolute())
    with program.open_library(write=True) as library:
        show_forgotten(library.forget(file), as_json)


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--all", "everything", is_flag=True, help="Everything that was forgotten.")
@click.pass_obj
def remember(program: Program, file: Path | None, everything: bool) -> None:
    """Take `forget` back: a file, or all, may be read again."""
    if (file is None) is not everything:
        raise click.UsageError("Name a file, or say --all.")
    with program.open_library(write=True) as library:
        library.remember(absolute_path(file))
    click.echo("It is read again, by a running server now, else by `recollect index`.")


@click.command()
@click.option("--deep", is_flag=True, help="Also read your files again and compare.")
@click.option("--repair", is_flag=True, help="Make good what can be made good.")
@as_json
@click.pass_obj
def verify(program: Program, deep: bool, repair: bool, as_json: bool) -> None:
    """Prove that the index is whole: catalog, tables and checksums agree.

    Exit code 0 when it is, 1 when a fault is left."""
    from web.cli.output.reports import show_verdict

    with program.open_library(write=True, repair=repair) as library:
        verdict = library.verify(deep=deep, repair=repair)
    show_verdict(verdict, as_json)
    if not verdict["sound"]:
        sys.exit(1)
