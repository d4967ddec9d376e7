"""The command that has the server started at login: `service`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from web.cli.group import as_json
from web.cli.program import Program

if TYPE_CHECKING:
    from web.machine.background.service import BackgroundService


@click.group()
def service() -> None:
    """Have the library served in the background: from login on, and again after a failure."""


@service.command("install")
@click.pass_context
def service_install(context: click.Context) -> None:
    """Serve this library from now on, and from every login on.

    The service is a unit of your own systemd, or an agent of launchd on macOS. It takes the data
    directory, the model and the RECOLLECT_* variables as they are now; the folders are those of
    the library. Installing again takes over what has changed, and does nothing where nothing
    has."""
    from web.machine.background.service import service_command

    program: Program = context.obj
    model = context.find_root().params["model"]
    background = _background_service(program)
    if background.install(service_command(program.settings, model, os.environ)):
        click.echo("Recollect is served in the background from now on, and from every login on.")
    else:
        click.echo("It is installed and running already; nothing was changed.")
    click.echo("`recollect service status` gives a link that opens it.")


@service.command("remove")
@click.pass_obj
def service_remove(program: Program) -> None:
    """Stop the service and start it no more; the library stays as it is."""
    background = _background_service(program)
    if background.remove():
        click.echo(f"The service is removed. The library stays in {program.settings.data}.")
    else:
        click.echo("No service is installed; nothing was changed.")


@service.command("status")
@as_json
@click.pass_obj
def service_status(program: Program, as_json: bool) -> None:
    """Whether the service is installed and running, a link to it, and where its log is."""
    from web.cli.output.machine_tables import show_service

    show_service(_background_service(program).status(), as_json)


def _background_service(program: Program) -> BackgroundService:
    from web.machine.background.service import BackgroundService, find_manager

    return BackgroundService(find_manager(), program.settings.data)
