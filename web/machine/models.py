"""The models of this machine, and the one the settings choose: found, planned for, brought here.

The one file of web/ that imports more of model/ than its interface, errors and runtime, because
these commands are about the models themselves. No weights are loaded here, and nothing heavy is
imported before it is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from web.machine.settings import CONFIG, EngineSettings, Settings

if TYPE_CHECKING:
    from model.readers.packages import Readers
    from model.served.address import EngineAddress
    from model.weights.checkpoint import Checkpoint
    from model.weights.installed import ModelListing
    from web.machine.doctor import EngineReport, MemoryEstimate


def engine_address(settings: Settings) -> EngineAddress | None:
    """The engine that serves the model in use; None where the model is a checkpoint. Raises
    ModelError where the address cannot be one."""
    from model.served.address import EngineAddress, is_url

    if isinstance(settings.model, EngineSettings):
        return EngineAddress(**settings.model.model_dump())
    return EngineAddress(settings.model) if is_url(settings.model) else None


def selected_readers(settings: Settings) -> Readers | None:
    """The readers that ship in packages, where they are the model in use; else None. Raises
    ModelError where they are not installed."""
    from model.readers.packages import NAME, find_readers

    return find_readers(settings.threads) if settings.model == NAME else None


def selected_checkpoint(settings: Settings) -> Checkpoint:
    """The checkpoint in use, as the settings want it. Raises ModelError where it is not here."""
    from model.weights.installed import find_checkpoint

    checkpoint = find_checkpoint(str(settings.model), models=settings.models)
    return replace(
        checkpoint,
        drafter=checkpoint.drafter if settings.drafter else None,
        context_tokens=settings.context,
        int8_embedding=settings.embedding == "int8",
    )


def model_domain(settings: Settings) -> frozenset[str] | None:
    """The contents that the model in use is for, None for all: the demonstration model knows the
    demonstration's files only, and is asked about others where a person has chosen it."""
    from web.machine.demonstration import shipped_contents

    return None if "model" in settings.model_fields_set else shipped_contents()


def available_models(settings: Settings) -> list[ModelListing]:
    """The checkpoints, the readers, and the model of the engine where one is used."""
    from model.readers.packages import NAME
    from model.weights.installed import list_models

    address = engine_address(settings)
    in_use = None if address is not None or settings.model == NAME else str(settings.model)
    listed = [*list_models(in_use, settings.models), _readers_listing(settings)]
    if address is None:
        return listed
    served: ModelListing = {
        "name": address.label,
        "what": "Served by another program.",
        "directory": None,
        "size_bytes": 0,
        "present": False,
        "in_use": True,
        "demonstration": False,
        "drafter": False,
        "engine": address.url,
    }
    return [*listed, served]


def _readers_listing(settings: Settings) -> ModelListing:
    from model.interface import ModelError
    from model.readers.packages import NAME, WHAT, find_readers

    try:
        readers = find_readers()
    except ModelError:
        readers = None
    return {
        "name": NAME,
        "what": WHAT,
        "directory": None,
        "size_bytes": readers.size_bytes if readers else 0,
        "present": readers is not None,
        "in_use": settings.model == NAME,
        "demonstration": False,
        "drafter": False,
        "readers": list(readers.unloaded.limits) if readers else [],
    }


def engine_report(address: EngineAddress) -> EngineReport:
    """Asks the engine what it can do. Raises ModelError where it cannot be used."""
    from model.served.served_model import ServedModel
    from web.machine.doctor import EngineReport

    model = ServedModel(address)
    try:
        known = model.capabilities()
    finally:
        model.close()
    return EngineReport(known.description(address), known.sentences, address.remote_hosts)


def memory_estimate(settings: Settings) -> MemoryEstimate:
    """What the chosen model takes of this machine. Raises ModelError where it is not here."""
    from model.weights import memory_plan
    from web.machine.doctor import MemoryEstimate

    if (readers := selected_readers(settings)) is not None:
        return _readers_estimate(readers)
    checkpoint = selected_checkpoint(settings)
    plan = memory_plan.plan_memory(checkpoint)
    return MemoryEstimate(
        where=plan.where,
        lines=plan.lines,
        needed_bytes=plan.needed_bytes,
        free_bytes=plan.free_bytes,
        total_bytes=plan.total_bytes,
        problem=memory_plan.plan_problem(checkpoint, plan),
        drafter=checkpoint.drafter is not None or not settings.drafter,
    )


def _readers_estimate(readers: Readers) -> MemoryEstimate:
    from model.weights.system_memory import system_memory
    from web.machine.doctor import MemoryEstimate

    free_bytes, total_bytes = system_memory()
    fits = readers.needed_bytes <= free_bytes
    return MemoryEstimate(
        where=" ".join(["The readers run on the processor.", *readers.unloaded.limits]),
        lines=[{"what": part.read_by, "bytes": part.needed_bytes} for part in readers.parts],
        needed_bytes=readers.needed_bytes,
        free_bytes=free_bytes,
        total_bytes=total_bytes,
        problem=None if fits else "The readers need more memory than is free; close a program.",
        drafter=True,
    )


def download_model(
    settings: Settings, name: str | None, report: Callable[[str, int, int], None]
) -> tuple[str, Path]:
    """Downloads a model, the default one where none is named; its name and its folder."""
    from model.weights.published import DEFAULT
    from model.weights.pull import pull_model

    name = name or DEFAULT
    return name, pull_model(name, settings.models, report)


def use_model(settings: Settings, name: str) -> str:
    """Sets the model to use from now on, and gives the name it was written down by. Raises
    ModelError where it is not here or does not fit, LibraryError where it cannot be set."""
    from model.weights import memory_plan
    from web.machine.config_file import set_option

    named = settings.model_copy(update={"model": name})
    if (address := engine_address(named)) is not None:
        set_option(CONFIG, "model", address.url)
        return address.url
    if selected_readers(named) is not None:
        set_option(CONFIG, "model", name)
        return name
    if Path(name).expanduser().is_dir():
        name = str(Path(name).expanduser().absolute())
    memory_plan.require_plan(selected_checkpoint(settings.model_copy(update={"model": name})))
    set_option(CONFIG, "model", name)
    return name
