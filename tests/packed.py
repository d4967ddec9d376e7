"""The tiny checkpoint in the layouts of the published 4-bit ones: written by compressed-tensors
itself, and as plain bfloat16 whose values lie on the grid."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

GROUP = 32
KEPT = ["lm_head", "re:.*embed_vision.*", "re:.*embed_audio.*"]


def _stock(directory: Path, dtype: str) -> Any:
    import torch
    from transformers import Gemma4UnifiedForConditionalGeneration

    kind = Gemma4UnifiedForConditionalGeneration
    return kind.from_pretrained(directory, dtype=getattr(torch, dtype), local_files_only=True)


def write(source: Path, into: Path, dtype: str = "bfloat16") -> Any:
    """Compress the checkpoint in `source` into `into`, drafter and all; gives the library's own
    decompressed model, the reference."""
    import torch
    from compressed_tensors.compressors import ModelCompressor
    from compressed_tensors.quantization import (
        QuantizationArgs,
        QuantizationConfig,
        QuantizationScheme,
        apply_quantization_config,
    )

    weights = QuantizationArgs(
        num_bits=4, type="int", symmetric=True, strategy="group", group_size=GROUP
    )
    config = QuantizationConfig(
        config_groups={"group_0": QuantizationScheme(targets=["Linear"], weights=weights)},
        ignore=KEPT, format="pack-quantized",
    )  # fmt: skip
    model = _stock(source, dtype)
    apply_quantization_config(model, config, show_progress=False)
    with torch.no_grad():
        for module in model.modules():
            if getattr(module, "quantization_scheme", None) is not None:
                groups = module.weight.float().view(len(module.weight), -1, GROUP)
                scale = groups.abs().amax(-1) / 7.5
                module.weight_scale.data = scale.to(module.weight.dtype)
    compressor = ModelCompressor.from_pretrained_model(model, "pack-quantized")
    assert compressor is not None
    compressor.compress_model(model)
    shutil.copytree(source, into, dirs_exist_ok=True)
    (into / "model.safetensors").unlink()
    model.save_pretrained(into)
    compressor.update_config(into)
    compressor.decompress_model(model)
    return model.eval()


def write_on_grid(source: Path, into: Path) -> None:
    """The same model in plain bfloat16, every decoder weight on a grid of 4 bits per group."""
    import torch

    from model.weights.tensor_layout import is_decoder_linear

    model = _stock(source, "float32")
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if is_decoder_linear(name):
                groups = weight.view(len(weight), -1, GROUP)
                furthest = groups.gather(-1, groups.abs().argmax(-1, keepdim=True))
                step = furthest / -8
                groups.copy_((groups / step).round().clamp(-8, 7) * step)
    shutil.copytree(source, into, dirs_exist_ok=True)
    model.to(torch.bfloat16).save_pretrained(into)


def change_config(directory: Path, change: Any) -> None:
    """Let `change` edit the configuration in place."""
    file = directory / "config.json"
    config = json.loads(file.read_text())
    change(config)
    file.write_text(json.dumps(config))
