"""Which weights, and where from: everything known of a model before a weight is loaded.

Nothing here imports torch before a card is asked for, so listing models, taking the fingerprint and
refusing a broken checkpoint cost milliseconds. Weights are safetensors only: loading them runs no
code, and code that a checkpoint brings along is never run.
"""

from __future__ import annotations

import functools
import hashlib
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypedDict

from model.decoding import vectors
from model.interface import Fingerprint, ModelCard, ModelError
from model.prompt.prompts import PROMPT_VERSION
from model.weights.placement import SMALL_BYTES
from model.weights.published import DEFAULT, HUB_ID, KNOWN, MODELS, drafter_of, model_folder
from model.weights.shards import (
    StoredTensor,
    check_shards,
    read_json_object,
    same_bytes,
    shard_files,
    stored_tensors,
)
from model.weights.tensor_layout import TensorLayout, detect_layout

POCKET = Path(__file__).parents[1] / "pocket"
# Shown more than this at once, the shipped model cites the wrong one as often as the right one.
POCKET_SOURCES = 1

# Tokens read at once at most, question, sources and all; more takes more memory.
CONTEXT_TOKENS = 8192

# The word table and the output layer, as published files call them.
EMBEDDING_NAME, LM_HEAD_NAME = "model.language_model.embed_tokens.weight", "lm_head.weight"
SAMPLED_BLOCKS = 16

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


@dataclass(frozen=True)
class Checkpoint:
    """A checked checkpoint on this machine; `drafter` is the directory of its MTP drafter. It reads
    `context_tokens` at once at most; with `int8_embedding` its word table is kept in int8."""

    name: str
    directory: Path
    drafter: Path | None
    demonstration: bool
    context_tokens: int = CONTEXT_TOKENS
    int8_embedding: bool = False

    @functools.cached_property
    def config(self) -> dict[str, Any]:
        return read_json_object(self.directory / "config.json")

    @functools.cached_property
    def tensors(self) -> dict[str, StoredTensor]:
        return stored_tensors(self.directory)

    @functools.cached_property
    def drafter_tensors(self) -> dict[str, StoredTensor]:
        return stored_tensors(self.drafter) if self.drafter is not None else {}

    @functools.cached_property
    def layout(self) -> TensorLayout:
        """Raises ModelError where the weights are packed in a way that is not read."""
        return detect_layout(self.directory, self.config, self.tensors)

    @property
    def said_tied(self) -> bool:
        """Whether the configuration says that the output layer is the word table."""
        text = self.config["text_config"]
        return bool(self.config.get("tie_word_embeddings", text.get("tie_word_embeddings", True)))

    @functools.cached_property
    def tied(self) -> bool:
        """The same, or the table is stored twice. Of two stored ones some places are compared;
        loading compares them whole."""
        if self.said_tied:
            return True
        table = self.tensors.get(EMBEDDING_NAME)
        head = self.tensors.get(LM_HEAD_NAME)
        return head is None or (table is not None and same_bytes(head, table, SAMPLED_BLOCKS))

    @functools.cached_property
    def weight_count(self) -> int:
        """How many numbers the model and its drafter hold."""
        return self.layout.count + sum(one.count for one in self.drafter_tensors.values())

    @functools.cached_property
    def size_bytes(self) -> int:
        return sum(shard.stat().st_size for shard in shard_files(self.directory))

    @functools.cached_property
    def fingerprint(self) -> Fingerprint:
        """What the vectors of this checkpoint are called; the drafter has no part in them."""
        text = self.config["text_config"]
        return Fingerprint(
            checkpoint=_hash(self.directory) + ("-int8" if self.int8_embedding else ""),
            layers=vectors.layers_version(int(text["num_hidden_layers"])),
            prompts=PROMPT_VERSION,
            matrices=vectors.MATRICES,
            dim=int(text["hidden_size"]),
        )

    @property
    def unloaded(self) -> ModelCard:
        """The card of a model that has not been loaded yet; costs nothing to tell."""
        return ModelCard(
            name=self.name,
            device="none",
            dtype="none",
            reason="It is loaded when it is first needed.",
            resident_bytes=0,
            drafter=self.drafter is not None,
            demonstration=self.demonstration,
            sources=POCKET_SOURCES if self.demonstration else 5,
        )

    def card(self) -> ModelCard:
        """The card as it will be once loaded on this machine. Imports torch to look around; raises
        ModelError where it does not fit."""
        from model.weights import memory_plan

        plan = memory_plan.require_plan(self)
        return replace(
            self.unloaded,
            device=plan.placement.device,
            dtype=plan.placement.dtype,
            reason=plan.placement.reason,
            resident_bytes=plan.weight_bytes,
        )


def find_checkpoint(
    name: str | Path = "pocket", drafter: Path | None = None, models: Path = MODELS
) -> Checkpoint:
    """The checkpoint called `name`: `pocket`, a directory, or the hub id of one that was pulled
    into `models` or lies in the hub's own cache.

    Checks everything that can be checked without loading; raises ModelError with the cure.
    """
    directory, drafter = _locate(str(name), drafter, models)
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
        check_shards(drafter)
    shown = str(name) if HUB_ID.fullmatch(str(name)) or name == "pocket" else directory.name
    found = Checkpoint(shown, directory, drafter, directory == POCKET.resolve())
    found.layout  # noqa: B018 - refuses a packing that is not read
    if drafter is not None:
        _check_drafter(found, drafter)
    return found


def list_models(in_use: str = "pocket", models: Path = MODELS) -> list[ModelListing]:
    """The shipped model, the published ones with whether they are here, and the one in use."""
    listed: list[ModelListing] = []
    for name in dict.fromkeys(["pocket", *KNOWN, *_pulled(models), in_use]):
        known = KNOWN.get(name)
        try:
            here: Checkpoint | None = find_checkpoint(name, models=models)
        except ModelError:
            here = None
        what = known.what if known else "Given by its directory or hub id."
        listed.append(
            {
                "name": name,
                "what": _POCKET_WHAT if name == "pocket" else what,
                "directory": str(here.directory) if here else None,
                "size_bytes": here.size_bytes if here else known.size_bytes if known else 0,
                "present": here is not None,
                "in_use": name == in_use,
                "demonstration": name == "pocket",
                "drafter": here is not None and here.drafter is not None,
            }
        )
    return listed


def _pulled(models: Path) -> list[str]:
    """The hub ids of what was pulled, drafters left out."""
    found = []
    for record in sorted(models.glob("*/pulled.json")):
        name = record.parent.name.replace("--", "/", 1)
        kind = read_json_object(record.parent / "config.json").get("model_type")
        if "." + "partial" not in record.parent.name and kind == "gemma4_unified":
            found.append(name)
    return found


def _locate(name: str, drafter: Path | None, models: Path) -> tuple[Path, Path | None]:
    directory = POCKET if name == "pocket" else Path(name).expanduser()
    if not directory.is_dir() and HUB_ID.fullmatch(name):
        found = _here(name, models)
        if found is None:
            raise ModelError(
                f"The model {name} is not on this machine; bring it here with "
                f"`recollect model pull {name}`, or give the directory that holds it: "
                "--model DIRECTORY."
            )
        directory, drafter = found, drafter or _here(drafter_of(name), models)
    if not (directory / "config.json").is_file():
        raise ModelError(
            f"There is no model at {directory}; a model is a directory with config.json, "
            "*.safetensors and tokenizer.json."
        )
    directory = directory.resolve()
    if drafter is None and (directory / "assistant" / "config.json").is_file():
        drafter = directory / "assistant"
    return directory, drafter


def _here(hub_id: str, models: Path) -> Path | None:
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


def _head_width(found: dict[str, StoredTensor], kind: str) -> int | None:
    """The width of a head in the last layer, which is a global one."""
    norms = {
        int(match[1]): one.shape[0]
        for name, one in found.items()
        if (match := re.search(rf"layers\.(\d+)\.self_attn\.{kind}_norm\.weight$", name))
    }
    return norms[max(norms)] if norms else None


def _hash(directory: Path) -> str:
    """Everything that decides what the model computes. Small weights are hashed whole; of large
    ones the size, the header and 64 blocks spread over each file, which a copy keeps and any
    further training changes."""
    told = hashlib.blake2b(digest_size=16)
    for name in ("config.json", "tokenizer.json", "chat_template.jinja", "tokenizer_config.json",
                 "processor_config.json", "preprocessor_config.json"):  # fmt: skip
        file = directory / name
        told.update(name.encode())
        told.update(file.read_bytes() if file.is_file() else b"")
    found = shard_files(directory)
    whole = sum(shard.stat().st_size for shard in found) <= SMALL_BYTES
    for shard in found:
        size_bytes = shard.stat().st_size
        told.update(f"{shard.name}:{size_bytes}".encode())
        with shard.open("rb") as weights:
            if whole:
                while block := weights.read(1 << 20):
                    told.update(block)
                continue
            told.update(weights.read(8 + int.from_bytes(weights.read(8), "little")))
            for part in range(64):
                weights.seek(size_bytes * part // 64)
                told.update(weights.read(1 << 16))
    return told.hexdigest()
