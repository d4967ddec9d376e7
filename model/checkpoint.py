"""Which weights, and where from: everything known of a model before a weight is loaded.

Nothing here imports torch before a card is asked for, so listing models, taking the fingerprint and
refusing a broken checkpoint cost milliseconds. Weights are safetensors only: loading them runs no
code, and code that a checkpoint brings along is never run.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypedDict

from model import placement, vectors
from model.interface import Fingerprint, ModelCard, ModelProblem
from model.placement import SMALL_BYTES
from model.prompts import PROMPT_VERSION

POCKET = Path(__file__).parent / "pocket"
# Shown more than this at once, the shipped model cites the wrong one as often as the right one.
POCKET_SOURCES = 1

# Models of this architecture worth naming, and what their weights weigh on disk.
KNOWN = {
    "google/gemma-4-12B-it": 23_900_000_000,
    "google/gemma-4-12B-it-qat-q4_0-unquantized": 23_900_000_000,
}

_WHAT = {
    "pocket": "The demonstration model that ships with the program; it knows its own world only.",
    "google/gemma-4-12B-it": "Gemma 4 12B Unified in bfloat16.",
    "google/gemma-4-12B-it-qat-q4_0-unquantized": "The same, trained to be packed to 4 bits.",
}

_ITEM_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I8": 1, "U8": 1}
_ITEM_BYTES |= {"F8_E4M3": 1, "F8_E5M2": 1, "I16": 2, "BOOL": 1}
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


class Listed(TypedDict):
    """One line of `recollect model list`. `directory` is None where the model is not here."""

    name: str
    what: str
    directory: str | None
    size_bytes: int
    present: bool
    in_use: bool
    demonstration: bool


@dataclass(frozen=True)
class Checkpoint:
    """A checked checkpoint on this machine; `drafter` is the directory of its MTP drafter."""

    name: str
    directory: Path
    drafter: Path | None
    demonstration: bool

    @functools.cached_property
    def config(self) -> dict[str, Any]:
        return _json(self.directory / "config.json")

    @functools.cached_property
    def weight_count(self) -> int:
        """How many numbers the model and its drafter hold."""
        return sum(
            _count(tensor)
            for directory in (self.directory, self.drafter)
            if directory is not None
            for shard in _shards(directory)
            for tensor in _header(shard).values()
        )

    @functools.cached_property
    def size_bytes(self) -> int:
        return sum(shard.stat().st_size for shard in _shards(self.directory))

    @functools.cached_property
    def fingerprint(self) -> Fingerprint:
        """What the vectors of this checkpoint are called; the drafter has no part in them."""
        text = self.config["text_config"]
        return Fingerprint(
            checkpoint=_hash(self.directory),
            layers=vectors.layers(int(text["num_hidden_layers"])),
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
        ModelProblem where the weights do not fit."""
        chosen = placement.place(self.weight_count, self.name)
        return replace(
            self.unloaded,
            device=chosen.device,
            dtype=chosen.dtype,
            reason=chosen.reason,
            resident_bytes=chosen.weight_bytes(self.weight_count),
        )


def find(name: str | Path = "pocket", drafter: Path | None = None) -> Checkpoint:
    """The checkpoint called `name`: `pocket`, a directory, or the hub id of one already downloaded.

    Checks everything that can be checked without loading; raises ModelProblem with the cure.
    """
    directory, drafter = _locate(str(name), drafter)
    config = _json(directory / "config.json")
    if config.get("model_type") != "gemma4_unified":
        raise ModelProblem(
            f"{directory} holds a model of type {config.get('model_type', 'unknown')}; "
            "Recollect needs one of type gemma4_unified, such as google/gemma-4-12B-it."
        )
    if "quantization_config" in config:
        raise ModelProblem(
            f"The weights in {directory} are packed in a format that cannot be loaded yet; "
            "use the unpacked weights of the same model."
        )
    _check_weights(directory)
    if not (directory / "tokenizer.json").is_file():
        raise ModelProblem(f"{directory} has no tokenizer.json; download the checkpoint again.")
    if not (directory / "chat_template.jinja").is_file() and not _json(
        directory / "tokenizer_config.json"
    ).get("chat_template"):
        raise ModelProblem(
            f"{directory} has no chat template; use an instruction-tuned checkpoint (-it)."
        )
    if drafter is not None:
        kind = _json(drafter / "config.json").get("model_type")
        if kind != "gemma4_unified_assistant":
            raise ModelProblem(f"{drafter} is no drafter for this model but of type {kind}.")
        _check_weights(drafter)
    shown = str(name) if _HUB_ID.fullmatch(str(name)) or name == "pocket" else directory.name
    return Checkpoint(shown, directory, drafter, directory == POCKET.resolve())


def list_models(in_use: str = "pocket") -> list[Listed]:
    """The shipped model, the published ones with whether they are here, and the one in use."""
    listed: list[Listed] = []
    for name, size_bytes in {"pocket": 0, **KNOWN, in_use: KNOWN.get(in_use, 0)}.items():
        try:
            here: Checkpoint | None = find(name)
        except ModelProblem:
            here = None
        listed.append(
            {
                "name": name,
                "what": _WHAT.get(name, "Given by its directory or hub id."),
                "directory": str(here.directory) if here else None,
                "size_bytes": here.size_bytes if here else size_bytes,
                "present": here is not None,
                "in_use": name == in_use,
                "demonstration": name == "pocket",
            }
        )
    return listed


def _locate(name: str, drafter: Path | None) -> tuple[Path, Path | None]:
    directory = POCKET if name == "pocket" else Path(name).expanduser()
    if not directory.is_dir() and _HUB_ID.fullmatch(name):
        found = _downloaded(name)
        if found is None:
            raise ModelProblem(
                f"The model {name} is not on this machine; give the directory that holds it: "
                "--model DIRECTORY."
            )
        directory, drafter = found, drafter or _downloaded(f"{name}-assistant")
    if not (directory / "config.json").is_file():
        raise ModelProblem(
            f"There is no model at {directory}; a model is a directory with config.json, "
            "*.safetensors and tokenizer.json."
        )
    directory = directory.resolve()
    if drafter is None and (directory / "assistant" / "config.json").is_file():
        drafter = directory / "assistant"
    return directory, drafter


def _downloaded(hub_id: str) -> Path | None:
    """The newest snapshot of a hub id in the shared cache; never asks the network."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(hub_id, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError, OSError):
        return None


def _json(file: Path) -> dict[str, Any]:
    try:
        read = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as why:
        raise ModelProblem(
            f"{file} cannot be read ({why}); download the checkpoint again."
        ) from why
    return read if isinstance(read, dict) else {}


def _shards(directory: Path) -> list[Path]:
    index = _json(directory / "model.safetensors.index.json").get("weight_map")
    if index:
        return [directory / name for name in sorted(set(index.values()))]
    single = directory / "model.safetensors"
    return [single] if single.is_file() else []


def _check_weights(directory: Path) -> None:
    shards = _shards(directory)
    if not shards:
        pickled = any(directory.glob("*.bin")) or any(directory.glob("*.pt*"))
        raise ModelProblem(
            f"The weights in {directory} are pickled, and loading them could run code; "
            "use a checkpoint in safetensors."
            if pickled
            else f"{directory} has no weights (*.safetensors); download the checkpoint again."
        )
    for shard in shards:
        _header(shard)


def _header(shard: Path) -> dict[str, dict[str, Any]]:
    """The tensors a shard says it holds. Raises ModelProblem unless it holds every byte of them."""
    try:
        with shard.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            size_bytes = shard.stat().st_size
            tensors = json.loads(file.read(length)) if 8 + length <= size_bytes else None
    except OSError as why:
        raise ModelProblem(f"{shard} cannot be read ({why}).") from why
    except ValueError:
        tensors = None
    if isinstance(tensors, dict):
        tensors.pop("__metadata__", None)
        ends = [tensor["data_offsets"][1] for tensor in tensors.values()]
        if size_bytes == 8 + length + max(ends, default=0):
            return tensors
    raise ModelProblem(f"{shard} is damaged or was not downloaded to its end; download it again.")


def _count(tensor: dict[str, Any]) -> int:
    start, end = tensor["data_offsets"]
    return int(end - start) // _ITEM_BYTES.get(tensor["dtype"], 1)


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
    shards = _shards(directory)
    whole = sum(shard.stat().st_size for shard in shards) <= SMALL_BYTES
    for shard in shards:
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
