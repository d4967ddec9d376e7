"""Recollect, from the top: the wiring, and the commands there are.

Read this first. `build()` makes every part of the program and passes it the parts it depends on.
Packages import one way only: recollect -> web -> retriever -> indexer -> model. Heavy modules are
imported where they are used, so that `recollect --help` answers at once.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from web.cli.commands.conversations import conversations
from web.cli.commands.indexing import accept, index, retry, status
from web.cli.commands.machine import doctor, model
from web.cli.commands.maintenance import forget, remember, verify
from web.cli.commands.programs import mcp, token
from web.cli.commands.queries import ask, search
from web.cli.commands.recordings import recording
from web.cli.commands.roots import add, remove, roots
from web.cli.commands.server import demo, serve
from web.cli.commands.service import service
from web.cli.group import CommandGroup
from web.cli.program import Program

if TYPE_CHECKING:
    from indexer.catalog.records import Item
    from indexer.types.places import Place
    from model.interface import Image, ModelRuntime, Sound
    from web.library.library import Library
    from web.machine.settings import Settings

# Before anything heavy is imported: no library may contact a model hub or send usage reports.
os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1", ORT_DISABLE_TELEMETRY="1")


DAY_S = 86_400.0
SYSTEM_BYTES = 2 << 30  # for the system, and for this program without its model and children


def build(settings: Settings, repair: bool = False) -> Library:
    """The library in the data directory of these settings. No weights are loaded before the first
    call that needs them. With `repair`, for the library's one writer, a catalog or a table that
    cannot be opened is set aside and an empty one takes its place. Raises RecollectError."""
    from indexer.catalog.catalog import Catalog
    from indexer.extract.process.pool import ReaderPool
    from indexer.extract.process.reader import MEMORY_BYTES, ReaderProcess
    from indexer.files.disk_room import DiskRoom
    from indexer.ingest.constraints import WorkConstraints, parse_hours
    from indexer.ingest.pipeline import Pipeline
    from indexer.ingest.service import IndexService
    from indexer.maintenance.rebuild import open_catalog
    from indexer.scan.rescan import RescanTimes
    from indexer.vectors.store import Store
    from model.weights.system_memory import system_memory
    from retriever.recordings.recording import RecordingMinutes
    from web.library.conversations.conversations import Conversations
    from web.library.library import Library
    from web.library.notifier import Notifier
    from web.machine.models import model_domain

    data = settings.data
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    runtime, model_bytes = build_runtime(settings)
    domain = model_domain(settings)

    room = DiskRoom(data, round(settings.least_free_mb * 1e6))
    if repair:
        room.give_up_when_full()
    catalog_file = data / "catalog.sqlite"
    catalog = open_catalog(catalog_file) if repair else Catalog(catalog_file)
    store = Store(data / "lance", replace_damaged=repair)
    # What the model leaves is for the children that read; the last of them is for people.
    _, memory_bytes = system_memory()
    left_bytes = memory_bytes - model_bytes - SYSTEM_BYTES - MEMORY_BYTES
    readers = ReaderPool(memory_bytes=left_bytes)
    pipeline = Pipeline(catalog, store, readers, runtime.files, room, domain)

    def load_media(item: Item, place: Place) -> Image | Sound:
        with readers.lend() as lent:
            return lent.original(item.path, place, member=item.member)

    notifier = Notifier()
    service = IndexService(
        catalog,
        pipeline,
        times=RescanTimes(
            rescan_s=settings.rescan_s,
            network_poll_s=settings.network_poll_s,
            grace_s=settings.missing_grace_days * DAY_S,
        ),
        audit_s=settings.audit_days * DAY_S,
        constraints=WorkConstraints(
            parse_hours(settings.understand_hours),
            settings.understand_on_battery,
            settings.understand_max_load,
        ),
        on_progress=notifier.notify,
        afterwards=RecordingMinutes(catalog, runtime.files, load_media).write_next,
    )
    # People have a reader of their own: a page never waits behind the files that are indexed.
    reader = ReaderProcess()
    conversations = Conversations(data / "conversations.sqlite")
    return Library(
        catalog, store, runtime, pipeline, service, reader, notifier, conversations, domain
    )


def build_runtime(settings: Settings) -> tuple[ModelRuntime, int]:
    """The model in use, and the bytes of its weights in this process. No weights are loaded and no
    engine is asked before the first call. Raises ModelError where the model is not here, or the
    address of its engine cannot be one."""
    from web.machine.models import engine_address, selected_checkpoint, selected_readers

    if (address := engine_address(settings)) is not None:
        from model.served.served_model import ServedModel
        from model.served.served_runtime import ServedRuntime

        return ServedRuntime(ServedModel(address, settings.data / "engine.json")), 0
    from model.runtime.runtime import Runtime

    if (readers := selected_readers(settings)) is not None:
        runtime = Runtime(readers, load=readers.load, unload_after_s=settings.unload_after_s)
        return runtime, readers.needed_bytes
    checkpoint = selected_checkpoint(settings)
    # The demonstration model is so small that dividing its sums among threads costs more than it
    # saves, above all on a busy machine.
    threads = settings.threads or (1 if checkpoint.demonstration else None)
    runtime = Runtime(checkpoint, threads, unload_after_s=settings.unload_after_s)
    return runtime, checkpoint.size_bytes


COMMANDS = [
    serve, demo, index, search, ask, status, roots, add, remove, accept, retry, forget, remember,
    recording, conversations, verify, doctor, model, mcp, token, service,
]  # fmt: skip


@click.group(
    cls=CommandGroup, commands=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.option("--data", type=click.Path(path_type=Path), help="Where the library's index is kept.")
@click.option("--model", help="A model by name, directory, or engine’s address.")
@click.version_option(package_name="recollect")
@click.pass_context
def main(context: click.Context, data: Path | None, model: str | None) -> None:
    """A private memory for everything you have read, seen and heard.

    Recollect watches folders of documents, photos and recordings, finds the right page, picture
    or second, and answers questions with citations. Nothing leaves this machine.
    """
    from web.machine.settings import load_settings

    options = {"data": data, "model": model}
    given = {name: value for name, value in options.items() if value is not None}
    settings = load_settings(given)
    context.obj = Program(settings, build)


if __name__ == "__main__":
    main()
