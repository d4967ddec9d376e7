"""The commands for other programs: `mcp`, and `token`."""

from __future__ import annotations

import click

from web.cli.group import as_json
from web.cli.program import Program


@click.command()
@click.pass_obj
def mcp(program: Program) -> None:
    """Serve agents over the Model Context Protocol, on standard input and output.

    Meant to be started by a program such as Claude Desktop or VS Code: docs/programs.md has the
    lines for each. A running `recollect serve` is used, and offers the same at its address /mcp."""
    from web.cli.lasting_library import LastingLibrary
    from web.http.server import reported_errors
    from web.mcp.server import library_server

    access = LastingLibrary(program)
    try:
        with reported_errors(lambda line: click.echo(line, err=True)):
            library_server(access).run("stdio")
    finally:
        access.close()


@click.command()
@as_json
@click.pass_obj
def token(program: Program, as_json: bool) -> None:
    """Print the key with which programs use the API of this library.

    Whoever has it can read and change the library. Deleting the file `token` in the data directory
    makes a new one at the next start."""
    from indexer.files.lock import LibraryLock
    from web.cli.output.console import print_json
    from web.http.security import load_or_create_token

    data = program.settings.data
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = load_or_create_token(data / "token")
    holder = LibraryLock(data).holder()
    if as_json:
        print_json({"token": key, "url": holder.url if holder is not None else None})
    else:
        click.echo(key)
