"""The models of the hub that are known by name, and the folders of pulled ones. Never online."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import platformdirs

MODELS = platformdirs.user_data_path("recollect-models")
HUB_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")


@dataclass(frozen=True, slots=True)
class PublishedModel:
    """A known model. `revision` pins a commit of the hub where one was tested here; where it is
    None, the newest is taken and recorded."""

    what: str
    size_bytes: int
    drafter: str | None = None
    revision: str | None = None


DEFAULT = "google/gemma-4-12B-it-qat-w4a16-ct"
_QAT_DRAFTER = "google/gemma-4-12B-it-qat-q4_0-unquantized-assistant"
KNOWN = {
    DEFAULT: PublishedModel("Gemma 4 12B Unified in 4 bits.", 10_300_000_000, _QAT_DRAFTER),
    "google/gemma-4-12B-it-qat-q4_0-unquantized": PublishedModel(
        "The same, to be packed to 4 bits while it is loaded.", 23_900_000_000, _QAT_DRAFTER
    ),
    "google/gemma-4-12B-it": PublishedModel(
        "Gemma 4 12B Unified in bfloat16.", 23_900_000_000, "google/gemma-4-12B-it-assistant"
    ),
}


def drafter_of(name: str) -> str:
    """The hub id of a model's drafter."""
    known = KNOWN.get(name)
    return (known.drafter if known else None) or f"{name}-assistant"


def model_folder(name: str, models: Path = MODELS) -> Path:
    """Where a pulled model lies, whether it is there or not."""
    return models / name.replace("/", "--")
