"""Recollect, from the top: the settings, the wiring, and the verbs of the command line.

Read this first. `build()` names every part of the program and hands it the parts below it; from
there the arrows point down only: recollect -> web -> retriever -> indexer -> model. Heavy parts are
imported where they are used, so that `recollect --help` answers at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click
import platformdirs
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

if TYPE_CHECKING:
    from model.checkpoint import Checkpoint
    from web.client import Client
    from web.library import Library

# Before anything below is imported: no library may ask a model hub, or report to its makers.
os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1", ORT_DISABLE_TELEMETRY="1")

NOTHING_FOUND = 3  # exit codes: 0 done, 1 failed, 2 bad usage, 3 nothing found
CONFIG = platformdirs.user_config_path("recollect") / "config.toml"
DEMONSTRATION = platformdirs.user_data_path("recollect-demonstration")


class Settings(BaseSettings):
    """Defaults < config.toml < RECOLLECT_* < flags. Frozen once read."""

    model_config = SettingsConfigDict(
        env_prefix="RECOLLECT_", toml_file=CONFIG, frozen=True, extra="forbid"
    )

    data: Path = platformdirs.user_data_path("recollect")
    model: str = "pocket"
    models: Path = platformdirs.user_data_path("recollect-models")  # where pulled ones lie
    context: int = Field(default=8192, ge=1024, le=262_144)  # tokens read at once; takes memory
    drafter: bool = True  # draft ahead where the model has a drafter
    embedding: Literal["bfloat16", "int8"] = "bfloat16"  # of the model's word table
    port: int = Field(default=7878, ge=0, le=65535)
    rescan_s: float = Field(default=600.0, gt=0)
    network_poll_s: float = Field(default=120.0, gt=0)  # no events come from a network
    missing_grace_days: float = Field(default=7.0, ge=0)  # until a sudden loss is believed
    audit_days: float = Field(default=7.0, ge=0)  # until a file is hashed again; 0 is never
    understand_hours: str = ""  # like 22-6; any time where it is empty
    understand_on_battery: bool = True
    understand_max_load: float = Field(default=1.0, gt=0, le=1)  # share of others' processor use
    least_free_mb: float = Field(default=500.0, ge=0)  # indexing stops before the disk is full
    threads: int | None = Field(default=None, ge=1)  # of the processor, for the model
    unload_after_s: float | None = Field(default=None, gt=0)  # an idle model gives its memory back

    @field_validator("understand_hours")
    @classmethod
    def hours_are_hours(cls, written: str) -> str:
        from indexer.limits import parse_hours

        parse_hours(written)
        return written

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def chosen(settings: Settings) -> Checkpoint:
    """The model in use, as the settings want it. Raises ModelProblem where it is not here."""
    from model.checkpoint import find

    found = find(settings.model, models=settings.models)
    return replace(
        found,
        drafter=found.drafter if settings.drafter else None,
        context_tokens=settings.context,
        int8_embedding=settings.embedding == "int8",
    )


def build(settings: Settings, mend: bool = False) -> Library:
    """The wiring. No weight is loaded before the first call that needs one. With `mend`, for the
    library's one writer, what is too damaged to be opened is set aside and begun anew."""
    from indexer.catalog import Catalog
    from indexer.extract.child import Reader
    from indexer.extract.readers import Readers
    from indexer.keeper import Keeper
    from indexer.limits import Limits, parse_hours
    from indexer.lookout import Times
    from indexer.pipeline import Pipeline
    from indexer.rebuild import open_catalog
    from indexer.room import Room
    from indexer.store import Store
    from model.runtime import Runtime
    from web.bell import Bell
    from web.library import Library

    data = settings.data
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    checkpoint = chosen(settings)
    # So small that sharing its sums out among threads costs more than it saves, above all on a
    # machine that is busy with other things.
    threads = settings.threads or (1 if checkpoint.demonstration else None)
    runtime = Runtime(checkpoint, threads, unload_after_s=settings.unload_after_s)
    file = data / "catalog.sqlite"
    catalog = open_catalog(file) if mend else Catalog(file)
    store = Store(data / "lance", mend)
    # A reader apart, so that a person's page never waits behind the indexer's large files.
    room = Room(data, round(settings.least_free_mb * 1e6))
    pipeline = Pipeline(catalog, store, Readers(), runtime.files, room)
    bell = Bell()
    day_s = 86400.0
    keeper = Keeper(
        catalog,
        pipeline,
        times=Times(
            rescan_s=settings.rescan_s,
            network_poll_s=settings.network_poll_s,
            grace_s=settings.missing_grace_days * day_s,
        ),
        audit_s=settings.audit_days * day_s,
        limits=Limits(
            parse_hours(settings.understand_hours),
            settings.understand_on_battery,
            settings.understand_max_load,
        ),
        on_progress=bell.ring,
    )
    return Library(catalog, store, runtime, pipeline, keeper, Reader(), bell)


@contextmanager
def opened(
    settings: Settings, *, write: bool = False, mend: bool = True
) -> Iterator[Library | Client]:
    """The library: through the server that holds it where there is one, else in this process.
    With `write` this process becomes its one writer for the while, and mends what it finds too
    damaged to be opened unless told not to."""
    from indexer.lock import LibraryLock
    from web.client import Client

    lock = LibraryLock(settings.data)
    held = lock.holder()
    if held is not None and held.url is not None:
        with Client(held.url, held.token) as client:
            yield client
        return
    if write:
        lock.acquire()
    library = build(settings, mend=write and mend)
    try:
        yield library
    finally:
        library.close()
        lock.release()


# --- the command line


class Verbs(click.Group):
    """Verbs in the order they are written here; problems a person can mend end in a sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        from indexer.lock import FolderReadOnly, LibraryHeld
        from indexer.room import NoRoom
        from indexer.roots import FolderProblem
        from indexer.schema import CatalogProblem
        from indexer.store import StoreProblem
        from model.interface import ModelProblem
        from web.problems import LibraryProblem

        mendable = (LibraryProblem, LibraryHeld, FolderProblem, CatalogProblem, StoreProblem)
        try:
            return super().invoke(ctx)
        except (*mendable, FolderReadOnly, ModelProblem, NoRoom, PermissionError) as problem:
            raise click.ClickException(str(problem)) from problem


as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--data", type=click.Path(path_type=Path), help="Where the library's index is kept.")
@click.option("--model", help="A model by name or directory.")
@click.version_option(package_name="recollect")
@click.pass_context
def main(context: click.Context, data: Path | None, model: str | None) -> None:
    """A private memory for everything you have read, seen and heard.

    Recollect watches folders of documents, photos and recordings, finds the right page, picture
    or second, and answers questions with citations. Nothing leaves this machine.
    """
    given: dict[str, Any] = {"data": data, "model": model}
    try:
        context.obj = Settings(**{name: said for name, said in given.items() if said is not None})
    except ValidationError as wrong:
        first = wrong.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise click.ClickException(
            f"The setting “{name}” cannot be used: {first['msg']}. It is set in {CONFIG} "
            f"or RECOLLECT_{name.upper()}."
        ) from wrong


@main.command()
@click.argument("folders", nargs=-1, type=click.Path(path_type=Path))
@click.option("--port", type=click.IntRange(0, 65535), help="Default 7878; 0 takes a free one.")
@click.option("--open/--no-open", "open_browser", default=False, help="Open the browser.")
@click.pass_obj
def serve(
    settings: Settings, folders: tuple[Path, ...], port: int | None, open_browser: bool
) -> None:
    """Watch folders, keep the index true, and serve the browser page."""
    from web.serving import run

    port = settings.port if port is None else port
    run(lambda: build(settings, mend=True), settings.data, folders, port, open_browser)


@main.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--port", type=click.IntRange(0, 65535), help="Default 7878; 0 takes a free one.")
@click.option("--open/--no-open", "open_browser", default=False, help="Open the browser.")
@click.pass_context
def demo(context: click.Context, folder: Path | None, port: int | None, open_browser: bool) -> None:
    """Write the demonstration library, then serve it."""
    from web.demonstration import write

    settings: Settings = context.obj
    if context.find_root().params["data"] is None:  # apart from the person's own library
        settings = settings.model_copy(update={"data": DEMONSTRATION / "data"})
        context.obj = settings
    folder = folder or DEMONSTRATION / "library"
    write(folder)
    click.echo(f"The demonstration library is in {folder}.")
    context.invoke(serve, folders=(folder,), port=port, open_browser=open_browser)


@main.command()
@click.argument("folders", nargs=-1, type=click.Path(path_type=Path))
@as_json
@click.pass_obj
def index(settings: Settings, folders: tuple[Path, ...], as_json: bool) -> None:
    """Bring the index up to date and stop."""
    from web import terminal

    with opened(settings, write=True) as library:
        for folder in folders:
            library.add(str(folder))
        with terminal.progress(quiet=as_json) as told:
            done = library.index(told)
        terminal.show_index(done, as_json)
        if not as_json:
            terminal.show_missing(library.roots())


@main.command()
@click.argument("words", nargs=-1)
@click.option("--like", type=click.Path(path_type=Path), help="An example picture or sound.")
@click.option("--kind", type=click.Choice(["document", "photo", "recording"]))
@click.option("--in", "folder", type=click.Path(path_type=Path), help="Only in this folder.")
@click.option("--after", metavar="D", help="From this day on, like 2024-03-14.")
@click.option("--before", metavar="D", help="Before this day.")
@click.option("--limit", metavar="N", type=click.IntRange(1, 200), default=10, show_default=True)
@as_json
@click.pass_obj
def search(
    settings: Settings,
    words: tuple[str, ...],
    like: Path | None,
    kind: str | None,
    folder: Path | None,
    after: str | None,
    before: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """Find the page, picture or second by words, or by an example."""
    from web import terminal

    if not words and like is None:
        raise click.UsageError("Say what to look for, or give an example with --like FILE.")
    with opened(settings) as library:
        found = library.search(
            " ".join(words),
            kind=kind,
            folder=str(folder.absolute()) if folder else None,
            after=after,
            before=before,
            limit=limit,
            like=like,
        )
    terminal.show_search(found, as_json)
    if not found["hits"]:
        sys.exit(NOTHING_FOUND)


@main.command()
@click.argument("question", nargs=-1, required=True)
@click.option("--about", type=click.Path(path_type=Path), help="Ask about this file only.")
@as_json
@click.pass_obj
def ask(settings: Settings, question: tuple[str, ...], about: Path | None, as_json: bool) -> None:
    """Ask a question; the answer streams, with citations."""
    from web import terminal

    with opened(settings) as library:
        item = library.item_of(str(about)) if about else None
        found = terminal.show_answer(library.ask(" ".join(question), about=item), as_json)
    if not found:
        sys.exit(NOTHING_FOUND)


@main.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@as_json
@click.pass_obj
def status(settings: Settings, file: Path | None, as_json: bool) -> None:
    """What is read, what is understood, what has failed: of everything, or of one file."""
    from web import terminal

    with opened(settings) as library:
        if file is None:
            terminal.show_status(library.status(), as_json)
        else:
            terminal.show_file(library.file(str(file.absolute())), as_json)


@main.command()
@as_json
@click.pass_obj
def roots(settings: Settings, as_json: bool) -> None:
    """The watched folders."""
    from web import terminal

    with opened(settings) as library:
        terminal.show_roots(library.roots(), as_json)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.pass_obj
def add(settings: Settings, folder: Path) -> None:
    """Watch a folder from now on."""
    with opened(settings, write=True) as library:
        library.add(str(folder.absolute()))
    click.echo(f"{folder} is watched. A running server reads it now, `recollect index` otherwise.")


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.pass_obj
def remove(settings: Settings, folder: Path) -> None:
    """Stop watching a folder and forget its files; the files are not touched."""
    with opened(settings, write=True) as library:
        forgotten = library.remove(str(folder.absolute()))
    click.echo(f"{folder} is forgotten with {forgotten:,} files. The files were not touched.")


@main.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.pass_obj
def accept(settings: Settings, folder: Path | None) -> None:
    """Accept that what went missing is gone: in one watched folder, or in all of them."""
    with opened(settings, write=True) as library:
        count = library.accept(str(folder.absolute()) if folder else None)
    click.echo(f"{count:,} to be forgotten, by a running server now, else by `recollect index`.")


@main.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.pass_obj
def retry(settings: Settings, file: Path | None) -> None:
    """Try failed files again: one, or all."""
    with opened(settings, write=True) as library:
        count = library.retry(str(file.absolute()) if file else None)
    click.echo(f"{count:,} to be tried again, by a running server now, else by `recollect index`.")


@main.command()
@click.argument("file")
@as_json
@click.pass_obj
def forget(settings: Settings, file: str, as_json: bool) -> None:
    """Forget a file for good: no byte of it is kept, and it is not read again.

    FILE is a path, or an id as `search --json` tells it. The file itself is not touched."""
    from web.terminal import show_forgotten

    with opened(settings, write=True) as library:
        show_forgotten(library.forget(file), as_json)


@main.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--all", "everything", is_flag=True, help="Everything that was forgotten.")
@click.pass_obj
def remember(settings: Settings, file: Path | None, everything: bool) -> None:
    """Take `forget` back: a file, or all, may be read again."""
    if (file is None) is not everything:
        raise click.UsageError("Name a file, or say --all.")
    with opened(settings, write=True) as library:
        library.remember(str(file.absolute()) if file else None)
    click.echo("It is read again, by a running server now, else by `recollect index`.")


@main.command()
@click.option("--deep", is_flag=True, help="Also read your files again and compare.")
@click.option("--repair", is_flag=True, help="Make good what can be made good.")
@as_json
@click.pass_obj
def verify(settings: Settings, deep: bool, repair: bool, as_json: bool) -> None:
    """Prove that the index is whole: catalog, tables and checksums agree.

    Exit code 0 when it is, 1 when a fault is left."""
    from web.terminal import show_verdict

    with opened(settings, write=True, mend=repair) as library:
        verdict = library.verify(deep=deep, repair=repair)
    show_verdict(verdict, as_json)
    if not verdict["sound"]:
        sys.exit(1)


@main.command()
@as_json
@click.pass_obj
def doctor(settings: Settings, as_json: bool) -> None:
    """Check this machine and this library, and say what to do about what is wrong."""
    from web.doctor import Planned, examine
    from web.terminal import show_findings

    def planned() -> Planned:
        from model import memory

        checkpoint = chosen(settings)
        plan = memory.plan(checkpoint)
        return Planned(
            where=plan.where,
            lines=plan.lines,
            needed_bytes=plan.needed_bytes,
            free_bytes=plan.free_bytes,
            total_bytes=plan.total_bytes,
            problem=memory.problem(checkpoint, plan),
            drafter=checkpoint.drafter is not None or not settings.drafter,
        )

    if not show_findings(examine(settings.data, planned), as_json):
        sys.exit(1)


@main.group()
def model() -> None:
    """The models there are, and which one is in use."""


@model.command("list")
@as_json
@click.pass_obj
def model_list(settings: Settings, as_json: bool) -> None:
    """Models that can be used on this machine."""
    from model.checkpoint import list_models
    from web.terminal import show_models

    show_models(list_models(settings.model, settings.models), as_json)


@model.command("pull")
@click.argument("name", required=False)
@click.pass_obj
def model_pull(settings: Settings, name: str | None) -> None:
    """Bring a model and its drafter here from the Hugging Face hub; goes on where it was cut.

    The one verb that asks another machine for anything.
    """
    from model.published import DEFAULT
    from model.pull import pull
    from web import terminal

    name = name or DEFAULT
    with terminal.arriving() as told:
        place = pull(name, settings.models, told)
    click.echo(f"{name} is in {place}. Use it with: recollect model use {name}")


@model.command("use")
@click.argument("name")
@click.pass_obj
def model_use(settings: Settings, name: str) -> None:
    """Use this model from now on: a name from `model list`, or a directory."""
    from model import memory
    from web.config import write

    if Path(name).expanduser().is_dir():
        name = str(Path(name).expanduser().absolute())
    wanted = settings.model_copy(update={"model": name})
    memory.require(chosen(wanted))
    write(CONFIG, "model", name)
    click.echo(f"{name} is in use from now on, as {CONFIG} says; restart a running server. What")
    click.echo("another model understood is understood anew; words are found meanwhile.")
    if os.environ.get("RECOLLECT_MODEL", name) != name:
        click.echo("RECOLLECT_MODEL names another one and goes first; unset it.", err=True)


if __name__ == "__main__":
    main()
