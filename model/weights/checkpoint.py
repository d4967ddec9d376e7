"""Which weights, and where from: everything known of a model before a weight is loaded.

Nothing here imports torch, so listing models, taking the fingerprint and refusing a broken
checkpoint cost milliseconds. Weights are safetensors only: loading them runs no
code, and code that a checkpoint brings along is never run.
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.decoding import vectors
from model.interface import Fingerprint, ModelCard
from model.prompt.prompts import PROMPT_VERSION
from model.weights.placement import SMALL_BYTES
from model.weights.shards import (
    StoredTensor,
    read_json_object,
    same_bytes,
    shard_files,
    stored_tensors,
)
from model.weights.tensor_layout import TensorLayout, detect_layout

POCKET = Path(__file__).parents[1] / "pocket"
# With more sources than this, the shipped model cites a wrong one as often as the right one.
POCKET_SOURCES = 1
# A longer sound is heard worse: of two conversations a third of the words came wrong in pieces of
# 10 s, and nearly half in pieces of 15 s.
POCKET_CLIP_S = 10.0

# Tokens read at once at most, question, sources and all; more takes more memory.
CONTEXT_TOKENS = 8192

# The word table and the output layer, as published files call them.
EMBEDDING_NAME, LM_HEAD_NAME = "model.language_model.embed_tokens.weight", "lm_head.weight"
SAMPLED_BLOCKS = 16


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
    def configured_tied(self) -> bool:
        """Whether the configuration says that the output layer is the word table."""
        text = self.config["text_config"]
        return bool(self.config.get("tie_word_embeddings", text.get("tie_word_embeddings", True)))

    @functools.cached_property
    def tied(self) -> bool:
        """The same, or the table is stored twice. Samples of two stored tables are compared;
        loading compares them whole."""
        if self.configured_tied:
            return True
        table = self.tensors.get(EMBEDDING_NAME)
        head = self.tensors.get(LM_HEAD_NAME)
        return head is None or (table is not None and same_bytes(head, table, SAMPLED_BLOCKS))

    @functools.cached_property
    def weight_count(self) -> int:
        """How many numbers the model and its drafter hold."""
        return self.layout.count + sum(stored.count for stored in self.drafter_tensors.values())

    @functools.cached_property
    def size_bytes(self) -> int:
        return sum(shard.stat().st_size for shard in shard_files(self.directory))

    @functools.cached_property
    def fingerprint(self) -> Fingerprint:
        """Identifies the vectors of this checkpoint; the drafter does not affect them."""
        text = self.config["text_config"]
        return Fingerprint(
            checkpoint=_hash(self.directory) + ("-int8" if self.int8_embedding else ""),
            layers=vectors.layers_version(int(text["num_hidden_layers"]), self.text_gists),
            prompts=PROMPT_VERSION,
            matrices=vectors.MATRICES,
            dim=int(text["hidden_size"]),
        )

    @property
    def text_gists(self) -> bool:
        """Whether texts of the library get a gist, which takes the second half of the layers. It
        pays for the shipped model, which was trained for it: 97 of 100 questions find their
        paragraph among the first five with it, and 89 by the body alone (`bench run pocket`). Of
        models that were not, it finds texts badly (arXiv 2502.02013, 2512.19115)."""
        return self.demonstration

    @property
    def unloaded(self) -> ModelCard:
        """The card of a model that has not been loaded yet; it is free to make."""
        return ModelCard(
            name=self.name,
            device="none",
            dtype="none",
            reason="It is loaded when it is first needed.",
            resident_bytes=0,
            drafter=self.drafter is not None,
            demonstration=self.demonstration,
            sources=POCKET_SOURCES if self.demonstration else 5,
            clip_s=POCKET_CLIP_S if self.demonstration else 15.0,
            text_gists=self.text_gists,
        )


def _hash(directory: Path) -> str:
    """Everything that decides what the model computes. Small weights are hashed whole; of large
    ones the size, the header and 64 blocks spread over each file, which a copy keeps and any
    further training changes."""
    digest = hashlib.blake2b(digest_size=16)
    for name in ("config.json", "tokenizer.json", "chat_template.jinja", "tokenizer_config.json",
                 "processor_config.json", "preprocessor_config.json"):  # fmt: skip
        file = directory / name
        digest.update(name.encode())
        digest.update(file.read_bytes() if file.is_file() else b"")
    shards = shard_files(directory)
    whole = sum(shard.stat().st_size for shard in shards) <= SMALL_BYTES
    for shard in shards:
        size_bytes = shard.stat().st_size
        digest.update(f"{shard.name}:{size_bytes}".encode())
        with shard.open("rb") as weights:
            if whole:
                while block := weights.read(1 << 20):
                    digest.update(block)
                continue
            digest.update(weights.read(8 + int.from_bytes(weights.read(8), "little")))
            for part in range(64):
                weights.seek(size_bytes * part // 64)
                digest.update(weights.read(1 << 16))
    return digest.hexdigest()
