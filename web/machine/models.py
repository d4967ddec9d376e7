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

from web.machine.settings import CONFIG, Settings

if TYPE_CHECKING:
    from model.weights.checkpoint import Checkpoint
    from model.weights.installed import ModelListing
    from web.machine.doctor import MemoryEstimate


def selected_checkpoint(settings: Settings) -> Checkpoint:
    """The model in use, as the settings want it. Raises ModelError where it is not here."""
    from model.weights.installed import find_checkpoint

    checkpoint = find_checkpoint(settings.model, models=settings.models)
    return replace(
        checkpoint,
        drafter=checkpoint.drafter if settings.drafter else None,
        context_tokens=settings.context,
        int8_embedding=settings.embedding == "int8",
    )


def available_models(settings: Settings) -> list[ModelListing]:
    from model.weights.installed import list_models

    return list_models(settings.model, settings.models)


def memory_estimate(settings: Settings) -> MemoryEstimate:
    """What the chosen model takes of this machine. Raises ModelError where it is not here."""
    from model.weights import memory_plan
    from web.machine.doctor import MemoryEstimate

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

    if Path(name).expanduser().is_dir():
        name = str(Path(name).expanduser().absolute())
    memory_plan.require_plan(selected_checkpoint(settings.model_copy(update={"model": name})))
    set_option(CONFIG, "model", name)
    return name
