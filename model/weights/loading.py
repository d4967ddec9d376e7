"""Weights from disk onto the device: the only file that builds the models of transformers.

Plain weights are read by transformers. Packed ones, and those that lie on the grid of 4 bits, are
read here: the model is built without memory, and each linear layer of the decoder is replaced by a
packed one as its tensors are read. Of the layers that are kept packed, at most one is unpacked at
any moment.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import (
    Gemma4UnifiedAssistantForCausalLM,
    Gemma4UnifiedConfig,
    Gemma4UnifiedForConditionalGeneration,
)
from transformers.conversion_mapping import get_model_conversion_mapping
from transformers.core_model_loading import rename_source_key
from transformers.initialization import no_init_weights
from transformers.utils import logging as transformers_logging

from model.interface import ModelError
from model.weights import quantization
from model.weights.checkpoint import EMBEDDING_NAME, LM_HEAD_NAME, Checkpoint
from model.weights.placement import Placement
from model.weights.shards import StoredTensor, same_bytes
from model.weights.tensor_layout import GROUP, PACKED, SCALE, SHAPE, is_decoder_linear

logger = logging.getLogger(__name__)

_DTYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "I64": torch.int64, "I32": torch.int32, "I8": torch.int8, "U8": torch.uint8,
}  # fmt: skip


def load_model(checkpoint: Checkpoint, placement: Placement) -> tuple[Any, Any | None]:
    """The model and its drafter, ready for inference. Raises ModelError where the files do not
    hold what their config.json says."""
    transformers_logging.disable_progress_bar()
    begun = time.perf_counter()
    model: Any
    if checkpoint.layout.kind == "plain":
        stock = Gemma4UnifiedForConditionalGeneration
        model = _load_plain(stock, checkpoint.directory, placement)
    else:
        model = _load_packed(checkpoint, placement)
    if checkpoint.int8_embedding:
        _shrink_table(model)
    drafter = None
    if checkpoint.drafter is not None:
        drafter = _load_plain(Gemma4UnifiedAssistantForCausalLM, checkpoint.drafter, placement)
    logger.info("%s loaded in %.1f s", checkpoint.name, time.perf_counter() - begun)
    return model, drafter


def _load_plain(kind: Any, directory: Path, placement: Placement) -> Any:
    try:
        model, report = kind.from_pretrained(
            directory,
            dtype=getattr(torch, placement.dtype),
            local_files_only=True,
            use_safetensors=True,
            output_loading_info=True,
        )
        model = model.to(placement.device).eval()
    except (OSError, RuntimeError, ValueError, KeyError) as why:
        raise _broken(directory, str(why).splitlines()[0]) from why
    if report["missing_keys"] or report["mismatched_keys"]:
        raise _unfitting(directory)
    return model.requires_grad_(False)


def _load_packed(checkpoint: Checkpoint, placement: Placement) -> Any:
    dtype = getattr(torch, placement.dtype)
    config = Gemma4UnifiedConfig.from_pretrained(checkpoint.directory, local_files_only=True)
    with torch.device("meta"), no_init_weights():
        model: Any = Gemma4UnifiedForConditionalGeneration(config).eval().to(dtype)
    loader = _PackedLoader(checkpoint, model, placement.device, dtype)
    try:
        loader.take_all()
        _compute_unstored(model, placement.device)
    except (RuntimeError, ValueError, KeyError, AttributeError) as why:
        raise _broken(checkpoint.directory, str(why).splitlines()[0]) from why
    if loader.tied:
        model.lm_head.weight = model.model.language_model.embed_tokens.weight
    if any(tensor.is_meta for tensor in [*model.parameters(), *model.buffers()]):
        raise _unfitting(checkpoint.directory)
    return model.requires_grad_(False)


class _PackedLoader:
    """Puts the tensors of a checkpoint into a model that was built without memory."""

    def __init__(self, checkpoint: Checkpoint, model: Any, device: str, dtype: torch.dtype) -> None:
        self._stored = checkpoint.tensors
        self._on_grid = checkpoint.layout.kind == "grid"
        head = self._stored.get(LM_HEAD_NAME)
        self.tied = checkpoint.tied and (
            checkpoint.configured_tied
            or head is None
            or same_bytes(head, self._stored[EMBEDDING_NAME])
        )
        self._model = model
        self._device = device
        self._dtype = dtype
        self._choice = quantization.choose_matmul(device, dtype)
        self._renamings = get_model_conversion_mapping(model)
        self._meta = model.state_dict()

    def take_all(self) -> None:
        """In the order of the files, so that a disk is read sequentially."""
        in_order = sorted(self._stored.items(), key=lambda item: (item[1].file, item[1].start))
        for name, stored in in_order:
            if name.endswith(PACKED):
                self._take_packed(name.removesuffix(PACKED))
            elif name.endswith((SCALE, SHAPE)) or (self.tied and name == LM_HEAD_NAME):
                continue
            elif self._on_grid and is_decoder_linear(name) and not stored.shape[1] % GROUP:
                self._take_grid(name)
            else:
                self._take_plain(name)

    def _take_packed(self, base: str) -> None:
        words, scale = self._stored[base + PACKED], self._stored[base + SCALE]
        shape = _read(self._stored[base + SHAPE]).tolist()
        if shape != [words.shape[0], words.shape[1] * 8]:
            raise ValueError(f"{base}weight_shape says {shape}, and its codes {words.shape}")
        nibbles = _read(words).view(torch.uint8).to(self._device)
        self._replace(base, nibbles, _read(scale).to(self._device, self._dtype))

    def _take_grid(self, name: str) -> None:
        recovered = quantization.recover_grid(_read(self._stored[name]).to(self._device))
        if recovered is None:
            raise ValueError(f"{name} does not lie on the grid of 4 bits that the others lie on")
        codes, scales = recovered
        self._replace(
            name.removesuffix("weight"), quantization.nibbles(codes), scales.to(self._dtype)
        )

    def _take_plain(self, name: str) -> None:
        target = rename_source_key(name, self._renamings, [], "model", self._meta)[0]
        wanted = self._meta.get(target)
        if wanted is None:
            logger.info("%s is not part of the model", name)
            return
        tensor = _read(self._stored[name])
        if tensor.shape != wanted.shape:
            raise ValueError(
                f"{name} is {tuple(tensor.shape)}, and should be {tuple(wanted.shape)}"
            )
        dtype = self._dtype if tensor.is_floating_point() else tensor.dtype
        module, last = self._owner(target)
        tensor = tensor.to(self._device, dtype)
        if last in module._buffers:
            module._buffers[last] = tensor
        else:
            setattr(module, last, nn.Parameter(tensor, requires_grad=False))

    def _replace(self, base: str, nibbles: torch.Tensor, scales: torch.Tensor) -> None:
        target = rename_source_key(base + "weight", self._renamings, [], "model", self._meta)[0]
        parent, last = self._owner(target.removesuffix(".weight"))
        stock = getattr(parent, last)
        expected, shape = (
            (stock.out_features, stock.in_features),
            (len(scales), nibbles.shape[1] * 2),
        )
        if expected != shape or stock.bias is not None:
            raise ValueError(f"{base}weight is {shape}, and should be {expected}")
        setattr(parent, last, quantization.PackedLinear(nibbles, scales, self._choice))

    def _owner(self, target: str) -> tuple[Any, str]:
        parent, _, last = target.rpartition(".")
        return self._model.get_submodule(parent), last


def _read(stored: StoredTensor) -> torch.Tensor:
    """One tensor from its file into memory of its own."""
    tensor = torch.empty(stored.shape, dtype=_DTYPES[stored.dtype])
    flat: Any = tensor.view(-1).view(torch.uint8).numpy()
    stored.read(memoryview(flat))
    return tensor


def _compute_unstored(model: Any, device: str) -> None:
    """What is computed from the config instead of stored: the embedding's scale, and the rotary
    frequencies of each kind of layer."""
    text = model.model.language_model
    rotary = text.rotary_emb
    text.rotary_emb = type(rotary)(rotary.config).to(device)
    embedding = text.embed_tokens
    embedding.embed_scale = torch.tensor(embedding.scalar_embed_scale, device=device)


def _shrink_table(model: Any) -> None:
    """The word table in int8, for the embedding and, where it shares it, the output layer."""
    text = model.model.language_model
    table = text.embed_tokens
    tied = model.lm_head.weight is table.weight
    codes, scales = quantization.quantize_int8(table.weight)
    text.embed_tokens = quantization.Int8Embedding(codes, scales, table.scalar_embed_scale)
    if tied:
        model.lm_head = quantization.Int8Head(codes, scales)


def _broken(directory: Path, why: str) -> ModelError:
    return ModelError(
        f"The weights in {directory} cannot be loaded ({why}); "
        "download the checkpoint again, or use the small model with --model pocket."
    )


def _unfitting(directory: Path) -> ModelError:
    return ModelError(f"The weights in {directory} do not fit its config.json; download it again.")
