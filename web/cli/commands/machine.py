"""The commands of this machine: `doctor`, and `model` for the models on it."""

from __future__ import annotations

import os
import sys
from functools import partial

import click

from web.cli.group import as_json
from web.cli.program import Program


@click.command()
@as_json
@click.pass_obj
def doctor(program: Program, as_json: bool) -> None:
    """Check this machine and this library, and say what to do about what is wrong."""
    from web.cli.output.machine_tables import show_findings
    from web.machine.doctor import run_checks
    from web.machine.models import engine_address, engine_report, memory_estimate

    settings = program.settings
    address = engine_address(settings)
    engine = None if address is None else partial(engine_report, address)
    findings = run_checks(settings.data, partial(memory_estimate, settings), engine)
    if not show_findings(findings, as_json):
        sys.exit(1)


@click.group()
def model() -> None:
    """The models there are, and which one is in use."""


@model.command("list")
@as_json
@click.pass_obj
def model_list(program: Program, as_json: bool) -> None:
    """Models that can be used on this machine."""
    from web.cli.output.machine_tables import show_models
    from web.machine.models import available_models

    show_models(available_models(program.settings), as_json)


@model.command("pull")
@click.argument("name", required=False)
@click.pass_obj
def model_pull(program: Program, name: str | None) -> None:
    """Bring a model and its drafter here from the Hugging Face hub; goes on where it was cut.

    The one verb that asks another machine for anything.
    """
    from web.cli.output.progress import download_progress
    from web.machine.models import download_model

    with download_progress() as report:
        name, folder = download_model(program.settings, name, report)
    click.echo(f"{name} is in {folder}. Use it with: recollect model use {name}")


@model.command("use")
@click.argument("name")
@click.pass_obj
def model_use(program: Program, name: str) -> None:
    """Use this model from now on: a name from `model list`, a directory, or an engine's address."""
    from web.machine.models import use_model
    from web.machine.settings import CONFIG

    name = use_model(program.settings, name)
    click.echo(f"{name} is in use from now on, as {CONFIG} says; restart a running server. What")
    click.echo("another model understood is understood anew; words are found meanwhile.")
    if os.environ.get("RECOLLECT_MODEL", name) != name:
        click.echo("RECOLLECT_MODEL names another one and goes first; unset it.", err=True)
