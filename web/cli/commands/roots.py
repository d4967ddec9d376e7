"""The commands of the watched folders: `roots`, `add`, `remove`."""

from __future__ import annotations

from pathlib import Path

import click

from web.cli.group import as_json
from web.cli.program import Program


@click.command()
@as_json
@click.pass_obj
def roots(program: Program, as_json: bool) -> None:
    """The watched folders."""
    from web.cli.output.root_tables import show_roots

    with program.open_library() as library:
        show_roots(library.roots(), as_json)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--take-in", is_flag=True, help="Watched folders in it become part of it.")
@click.pass_obj
def add(program: Program, folder: Path, take_in: bool) -> None:
    """Watch a folder from now on."""
    with program.open_library(write=True) as library:
        library.add(str(folder.absolute()), take_in)
    click.echo(f"{folder} is watched. A running server reads it now, `recollect index` otherwise.")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.pass_obj
def remove(program: Program, folder: Path) -> None:
    """Stop watching a folder and forget its files; the files are not touched."""
    from web.cli.output.phrases import count_phrase

    with program.open_library(write=True) as library:
        count = library.remove(str(folder.absolute()))
    click.echo(
        f"{folder} is forgotten with {count_phrase(count, 'file')}. The files were not touched."
    )
