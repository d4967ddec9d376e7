"""The commands that serve the browser page: `serve`, and `demo` with a library made for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click
import platformdirs

from web.cli.program import Program

DEMONSTRATION = platformdirs.user_data_path("recollect-demonstration")

port_option = click.option(
    "--port", type=click.IntRange(0, 65535), help="Default 7878; 0 takes a free one."
)
open_option = click.option(
    "--open/--no-open", "open_browser", default=False, help="Open the browser."
)


@click.command()
@click.argument("folders", nargs=-1, type=click.Path(path_type=Path))
@port_option
@open_option
@click.pass_obj
def serve(
    program: Program, folders: tuple[Path, ...], port: int | None, open_browser: bool
) -> None:
    """Watch folders, keep the index true, and serve the browser page."""
    from web.cli.serving import serve_library

    settings = program.settings
    port = settings.port if port is None else port
    serve_library(lambda: program.build(settings, True), settings.data, folders, port, open_browser)


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@port_option
@open_option
@click.pass_context
def demo(context: click.Context, folder: Path | None, port: int | None, open_browser: bool) -> None:
    """Write the demonstration library, then serve it."""
    from web.machine.demonstration import copy_demonstration

    program: Program = context.obj
    if context.find_root().params["data"] is None:  # a data directory of its own, not the person's
        settings = program.settings.model_copy(update={"data": DEMONSTRATION / "data"})
        context.obj = replace(program, settings=settings)
    folder = folder or DEMONSTRATION / "library"
    copy_demonstration(folder)
    click.echo(f"The demonstration library is in {folder}.")
    context.invoke(serve, folders=(folder,), port=port, open_browser=open_browser)
