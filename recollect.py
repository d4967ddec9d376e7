"""Recollect, from the top: the wiring, and the verbs there are.

Read this first. `build()` names every part of the program and hands it the parts below it; from
there the arrows point down only: recollect -> web -> retriever -> indexer -> model. Heavy parts are
imported where they are used, so that `recollect --help` answers at once.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from web.cli.commands.indexing import accept, index, retry, status
from web.cli.commands.machine import doctor, model
from web.cli.commands.maintenance import forget, remember, verify
from web.cli.commands.queries import ask, search
from web.cli.commands.roots import add, remove, roots
from web.cli.commands.server import demo, serve
from web.cli.group import CommandGroup
from web.cli.program import Program

if TYPE_CHECKING:
    from web.library.library import Library
    from web.machine.settings import Settings

# Before anything heavy is imported: no library may ask a model hub, or report to its makers.
os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1", ORT_DISABLE_TELEMETRY="1")


def build(settings: Settings, mend: bool = False) -> Library:
    """The wiring. No weight is loaded before the first call that needs one. With `mend`, for the
    library's one writer, what is too damaged to be opened is set aside and begun anew."""
    from indexer.catalog.catalog import Catalog
    from indexer.extract.process.pool import ReaderPool
    from indexer.extract.process.reader import ReaderProcess
    from indexer.files.disk_room import DiskRoom
    from indexer.ingest.constraints import WorkConstraints, parse_hours
    from indexer.ingest.pipeline import Pipeline
    from indexer.ingest.service import IndexService
    from indexer.maintenance.rebuild import open_catalog
    from indexer.scan.rescan import RescanTimes
    from indexer.vectors.store import Store
    from model.runtime.runtime import Runtime
    from web.library.library import Library
    from web.library.notifier import Notifier
    from web.machine.models import selected_checkpoint

    data = settings.data
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    checkpoint = selected_checkpoint(settings)
    # So small that sharing its sums out among threads costs more than it saves, above all on a
    # machine that is busy with other things.
    threads = settings.threads or (1 if checkpoint.demonstration else None)
    runtime = Runtime(checkpoint, threads, unload_after_s=settings.unload_after_s)
    file = data / "catalog.sqlite"
    catalog = open_catalog(file) if mend else Catalog(file)
    store = Store(data / "lance", mend)
    # A reader apart, so that a person's page never waits behind the indexer's large files.
    room = DiskRoom(data, round(settings.least_free_mb * 1e6))
    pipeline = Pipeline(catalog, store, ReaderPool(), runtime.files, room)
    bell = Notifier()
    day_s = 86400.0
    service = IndexService(
        catalog,
        pipeline,
        times=RescanTimes(
            rescan_s=settings.rescan_s,
            network_poll_s=settings.network_poll_s,
            grace_s=settings.missing_grace_days * day_s,
        ),
        audit_s=settings.audit_days * day_s,
        constraints=WorkConstraints(
            parse_hours(settings.understand_hours),
            settings.understand_on_battery,
            settings.understand_max_load,
        ),
        on_progress=bell.notify,
    )
    return Library(catalog, store, runtime, pipeline, service, ReaderProcess(), bell)


VERBS = [
    serve, demo, index, search, ask, status, roots, add, remove, accept, retry, forget, remember,
    verify, doctor, model,
]  # fmt: skip


@click.group(
    cls=CommandGroup, commands=VERBS, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.option("--data", type=click.Path(path_type=Path), help="Where the library's index is kept.")
@click.option("--model", help="A model by name or directory.")
@click.version_option(package_name="recollect")
@click.pass_context
def main(context: click.Context, data: Path | None, model: str | None) -> None:
    """A private memory for everything you have read, seen and heard.

    Recollect watches folders of documents, photos and recordings, finds the right page, picture
    or second, and answers questions with citations. Nothing leaves this machine.
    """
    from web.machine.settings import load_settings

    given = {"data": data, "model": model}
    settings = load_settings({name: said for name, said in given.items() if said is not None})
    context.obj = Program(settings, build)


if __name__ == "__main__":
    main()
