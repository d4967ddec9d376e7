"""The checkpoints on this machine: found by name and checked, or listed.

Nothing here imports torch, so listing models and refusing a broken checkpoint cost milliseconds.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NotRequired, TypedDict

from model.interface import ModelError
from model.weights.checkpoint import POCKET, Checkpoint
from model.weights.model_file import check_regular_files
from model.weights.published import DEFAULT, HUB_ID, KNOWN, MODELS, drafter_of, model_folder
from model.weights.shards import StoredTensor, check_shards, read_json_object

_POCKET_WHAT = "The demonstration model that ships with the program; it knows its own world only."


class ModelListing(TypedDict):
    """One line of `recollect model list`. `directory` is None where the model is not here."""

    name: str
    what: str
    directory: str | None
    size_bytes: int
    present: bool
    in_use: bool
    demonstration: bool
    drafter: bool
    readers: NotRequired[list[str]]  # of the small readers: what they cannot do
    engine: NotRequired[str]  # the address of the program that serves it


def find_checkpoint(
    name: str | Path = "pocket", drafter: Path | None = None, models: Path = MODELS
) -> Checkpoint:
    """The checkpoint called `name`: `pocket`, a directory, or the hub id of one that was pulled
    into `models` or lies in the hub's own cache.

    Checks everything that can be checked without loading; raises ModelError with the cure.
    """
    directory, drafter = _locate(str(name), drafter, models)
    check_regular_files(directory)
    config = read_json_object(directory / "config.json")
    if config.get("model_type") != "gemma4_unified":
        raise ModelError(
            f"{directory} holds a model of type {config.get('model_type', 'unknown')}; "
            f"Recollect needs one of type gemma4_unified, such as {DEFAULT}."
        )
    check_shards(directory)
    if not (directory / "tokenizer.json").is_file():
        raise ModelError(f"{directory} has no tokenizer.json; download the checkpoint again.")
    if not (directory / "chat_template.jinja").is_file() and not read_json_object(
        directory / "tokenizer_config.json"
    ).get("chat_template"):
        raise ModelError(
            f"{directory} has no chat template; use an instruction-tuned checkpoint (-it)."
        )
    if drafter is not None:
        check_regular_files(drafter)
        check_shards(drafter)
    shown = str(name) if HUB_ID.fullmatch(str(name)) or name == "pocket" else directory.name
    checkpoint = Checkpoint(shown, directory, drafter, directory == POCKET.resolve())
    checkpoint.layout  # noqa: B018 - refuses a packing that is not read
    if drafter is not None:
        _check_drafter(checkpoint, drafter)
    return checkpoint


def list_models(in_use: str | None = "pocket", models: Path = MODELS) -> list[ModelListing]:
    """The shipped model, the published ones with whether they are here, and the one in use."""
    listed: list[ModelListing] = []
    for name in dict.fromkeys(["pocket", *KNOWN, *_pulled(models), in_use or "pocket"]):
        known = KNOWN.get(name)
        try:
            checkpoint: Checkpoint | None = find_checkpoint(name, models=models)
        except ModelError:
            checkpoint = None
        what = known.what if known else "Given by its directory or hub id."
        published_bytes = known.size_bytes if known else 0
        listed.append(
            {
                "name": name,
                "what": _POCKET_WHAT if name == "pocket" else what,
                "directory": str(checkpoint.directory) if checkpoint else None,
                "size_bytes": checkpoint.size_bytes if checkpoint else published_bytes,
                "present": checkpoint is not None,
                "in_use": name == in_use,
                "demonstration": name == "pocket",
                "drafter": checkpoint is not None and checkpoint.drafter is not None,
            }
        )
    return listed


def _pulled(models: Path) -> list[str]:
    """The hub ids of what was pulled, drafters left out."""
    names = []
    for record in sorted(models.glob("*/pulled.json")):
        name = record.parent.name.replace("--", "/", 1)
        kind = read_json_object(record.parent / "config.json").get("model_type")
        if "." + "partial" not in record.parent.name and kind == "gemma4_unified":
            names.append(name)
    return names


def _locate(name: str, drafter: Path | None, models: Path) -> tuple[Path, Path | None]:
    directory = POCKET if name == "pocket" else Path(name).expanduser()
    if not directory.is_dir() and HUB_ID.fullmatch(name):
        folder = _folder_of(name, models)
        if folder is None:
            raise ModelError(
                f"The model {name} is not on this machine; bring it here with "
                f"`recollect model pull {name}`, or give the directory that holds it: "
                "--model DIRECTORY."
            )
        directory, drafter = folder, drafter or _folder_of(drafter_of(name), models)
    if not (directory / "config.json").is_file():
        raise ModelError(
            f"There is no model at {directory}; a model is a directory with config.json, "
            "*.safetensors and tokenizer.json."
        )
    directory = directory.resolve()
    if drafter is None and (directory / "assistant" / "config.json").is_file():
        drafter = directory / "assistant"
    return directory, drafter


def _folder_of(hub_id: str, models: Path) -> Path | None:
    pulled = model_folder(hub_id, models)
    return pulled if pulled.is_dir() else _downloaded(hub_id)


def _downloaded(hub_id: str) -> Path | None:
    """The newest snapshot of a hub id in the shared cache; never asks the network."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(hub_id, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError, OSError):
        return None


def _check_drafter(checkpoint: Checkpoint, drafter: Path) -> None:
    """A drafter reads the states and the last keys and values of the model it was made for."""
    config = read_json_object(drafter / "config.json")
    kind = config.get("model_type")
    if kind != "gemma4_unified_assistant":
        raise ModelError(f"{drafter} is no drafter for this model but of type {kind}.")
    text, drafts = checkpoint.config["text_config"], config.get("text_config") or {}
    for what, its, ours in (
        ("width", config.get("backbone_hidden_size"), text.get("hidden_size")),
        ("vocabulary", drafts.get("vocab_size"), text.get("vocab_size")),
        ("head width", _head_width(checkpoint.drafter_tensors, "q"),
         _head_width(checkpoint.tensors, "k")),
    ):  # fmt: skip
        if its != ours:
            raise ModelError(
                f"The drafter in {drafter} is made for a model of {what} {its}, and "
                f"{checkpoint.name} has {ours}; use the drafter of this model, or move that "
                "folder away to go without."
            )


def _head_width(tensors: dict[str, StoredTensor], kind: str) -> int | None:
    """The width of a head in the last layer, which is a global one."""
    norms = {
        int(match[1]): stored.shape[0]
        for name, stored in tensors.items()
        if (match := re.search(rf"layers\.(\d+)\.self_attn\.{kind}_norm\.weight$", name))
    }
    return norms[max(norms)] if norms else None
