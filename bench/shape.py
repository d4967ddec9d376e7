"""A checkpoint of random weights in the shape of the published 12B, packed to int4 as it is."""

from __future__ import annotations

import functools
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from model.weights.checkpoint import POCKET

SHARD_BYTES = 2_000_000_000
VOCABULARY = 262_144
# Of the published model; `quick` has its proportions and a hundredth of its weights.
FULL = {
    "hidden_size": 3840, "intermediate_size": 15_360, "num_hidden_layers": 48,
    "num_attention_heads": 16, "num_key_value_heads": 8, "num_global_key_value_heads": 1,
    "head_dim": 256, "global_head_dim": 512, "sliding_window": 1024, "vocab_size": VOCABULARY,
}  # fmt: skip
FULL_DRAFTER = {"hidden_size": 1024, "intermediate_size": 8192, "num_hidden_layers": 4}
QUICK = FULL | {"hidden_size": 384, "intermediate_size": 1536, "num_hidden_layers": 12}
QUICK_DRAFTER = {"hidden_size": 128, "intermediate_size": 512, "num_hidden_layers": 4}


def write(
    directory: Path, shape: dict[str, Any], drafter: dict[str, Any], sparse: bool = False
) -> None:
    """A checkpoint of random codes in the layout of google/gemma-4-12B-it-qat-w4a16-ct, with a
    drafter in bfloat16, the shipped model's template, and its tokenizer filled up with words.
    `sparse` leaves holes in the files where the weights would be."""
    for name in ("tokenizer_config.json", "chat_template.jinja", "generation_config.json"):
        shutil.copy(POCKET / name, directory / name)
    tokenizer = json.loads((POCKET / "tokenizer.json").read_text())
    words = tokenizer["model"]["vocab"]
    first = 1 + max(*words.values(), *(token["id"] for token in tokenizer["added_tokens"]))
    words |= {f"unused{number}": number for number in range(first, VOCABULARY)}
    (directory / "tokenizer.json").write_text(json.dumps(tokenizer))
    shipped = json.loads((POCKET / "config.json").read_text())
    config = _config(shipped, shape)
    (directory / "config.json").write_text(json.dumps(config))
    _write_shards(directory, _model_tensors(config), 1, sparse)
    (directory / "assistant").mkdir()
    drafts = _drafter_config(shape, drafter)
    (directory / "assistant" / "config.json").write_text(json.dumps(drafts))
    _write_shards(directory / "assistant", _drafter_tensors(drafts), 2, sparse)


def _text(shape: dict[str, Any]) -> dict[str, Any]:
    layers = shape["num_hidden_layers"]
    kinds = ["full_attention" if at % 6 == 5 else "sliding_attention" for at in range(layers)]
    kinds[-1] = "full_attention"
    return shape | {
        "model_type": "gemma4_unified_text", "layer_types": kinds, "attention_k_eq_v": True,
        "final_logit_softcapping": 30.0, "tie_word_embeddings": True,
        "max_position_embeddings": 262_144, "use_bidirectional_attention": "vision",
    }  # fmt: skip


def _config(shipped: dict[str, Any], shape: dict[str, Any]) -> dict[str, Any]:
    ids = {name: value for name, value in shipped.items() if name.endswith(("_id", "_index"))}
    hidden = shape["hidden_size"]
    weights = {"num_bits": 4, "type": "int", "symmetric": True, "strategy": "group",
               "group_size": 32, "dynamic": False}  # fmt: skip
    group = {"targets": ["Linear"], "weights": weights, "input_activations": None,
             "output_activations": None, "format": "pack-quantized"}  # fmt: skip
    return ids | {
        "architectures": ["Gemma4UnifiedForConditionalGeneration"],
        "model_type": "gemma4_unified", "dtype": "bfloat16", "tie_word_embeddings": True,
        "transformers_version": shipped["transformers_version"],
        "text_config": _text(shape),
        "vision_config": {"mm_embed_dim": hidden, "output_proj_dims": hidden,
                          "model_type": "gemma4_unified_vision"},
        "audio_config": {"audio_embed_dim": 640, "model_type": "gemma4_unified_audio"},
        "quantization_config": {
            "quant_method": "compressed-tensors", "format": "pack-quantized",
            "config_groups": {"group_0": group},
            "ignore": ["lm_head", "re:.*embed_vision.*", "re:.*embed_audio.*"],
        },
    }  # fmt: skip


def _drafter_config(shape: dict[str, Any], drafter: dict[str, Any]) -> dict[str, Any]:
    text = _text(shape | drafter)
    return {
        "architectures": ["Gemma4UnifiedAssistantForCausalLM"], "dtype": "bfloat16",
        "model_type": "gemma4_unified_assistant", "backbone_hidden_size": shape["hidden_size"],
        "text_config": text | {"num_kv_shared_layers": drafter["num_hidden_layers"]},
    }  # fmt: skip


Shapes = dict[str, tuple[str, tuple[int, ...]]]


def _model_tensors(config: dict[str, Any]) -> Shapes:
    """Names, kinds and shapes of every tensor, from the model itself built without memory."""
    import torch
    from transformers import Gemma4UnifiedConfig, Gemma4UnifiedForConditionalGeneration

    plain = {name: value for name, value in config.items() if name != "quantization_config"}
    with torch.device("meta"):
        model = Gemma4UnifiedForConditionalGeneration(Gemma4UnifiedConfig(**plain))
    shapes: Shapes = {}
    for name, tensor in model.state_dict().items():
        if name == "lm_head.weight":
            continue
        if "language_model.layers" in name and name.endswith("_proj.weight"):
            base, (outputs, inputs) = name.removesuffix("weight"), tensor.shape
            shapes[f"{base}weight_packed"] = ("I32", (outputs, inputs // 8))
            shapes[f"{base}weight_scale"] = ("BF16", (outputs, inputs // 32))
            shapes[f"{base}weight_shape"] = ("I64", (2,))
        else:
            shapes[name] = ("BF16", tuple(tensor.shape))
    return shapes


def _drafter_tensors(config: dict[str, Any]) -> Shapes:
    import torch
    from transformers import Gemma4UnifiedAssistantConfig, Gemma4UnifiedAssistantForCausalLM

    with torch.device("meta"):
        model = Gemma4UnifiedAssistantForCausalLM(Gemma4UnifiedAssistantConfig(**config))
    return {name: ("BF16", tuple(tensor.shape)) for name, tensor in model.state_dict().items()
            if name != "lm_head.weight"}  # fmt: skip


def _write_shards(directory: Path, tensors: Shapes, seed: int, sparse: bool) -> None:
    """Random codes and small weights, into shards with an index, a block at a time."""
    rng = np.random.default_rng(seed)
    parts: list[Shapes] = [{}]
    size = 0
    for name, (kind, shape) in tensors.items():
        if size > SHARD_BYTES:
            parts.append({})
            size = 0
        parts[-1][name] = (kind, shape)
        size += _bytes(kind, shape)
    where = {}
    for at, part in enumerate(parts, start=1):
        file = directory / f"model-{at:05}-of-{len(parts):05}.safetensors"
        header: dict[str, Any] = {}
        end = 0
        for name, (kind, shape) in part.items():
            start, end = end, end + _bytes(kind, shape)
            header[name] = {"dtype": kind, "shape": shape, "data_offsets": [start, end]}
            where[name] = file.name
        encoded = json.dumps(header).encode()
        with file.open("wb") as opened:
            opened.write(len(encoded).to_bytes(8, "little") + encoded)
            if sparse:
                opened.truncate(8 + len(encoded) + end)
                continue
            for name, (kind, shape) in part.items():
                if kind == "I64":  # the shape that the packed codes have unpacked
                    rows, columns = tensors[name.replace("weight_shape", "weight_packed")][1]
                    opened.write(np.array([rows, columns * 8], dtype="<i8").tobytes())
                    continue
                for block in _values(name, kind, shape, rng):
                    opened.write(block)
    index = {"metadata": {}, "weight_map": where}
    (directory / "model.safetensors.index.json").write_text(json.dumps(index))


def _bytes(kind: str, shape: tuple[int, ...]) -> int:
    return int(np.prod(shape)) * {"BF16": 2, "I32": 4, "I64": 8}[kind]


def _values(
    name: str, kind: str, shape: tuple[int, ...], rng: np.random.Generator
) -> Iterator[bytes]:
    """Values of one tensor: random codes; the rest drawn once, begun elsewhere each time."""
    left = int(np.prod(shape)) * (4 if kind == "I32" else 2)
    drawn = b"" if kind == "I32" else _drawn(name)
    while left:
        count = min(left, 1 << 22)
        left -= count
        if kind == "I32":
            yield rng.bytes(count)
            continue
        start = 2 * int(rng.integers(0, len(drawn) // 2))
        yield (drawn[start:] + drawn[:start])[:count]


@functools.cache
def _kinds() -> dict[str, bytes]:
    """4 MB of bfloat16 numbers of each kind, all in a range that stays finite."""
    rng = np.random.default_rng(3)
    count = 1 << 21
    values = {
        "scale": rng.random(count, dtype=np.float32) * 0.001 + 0.0015,
        "weight": rng.standard_normal(count, dtype=np.float32) * 0.02,
        "one": np.ones(count, dtype="<f4"),
        "zero": np.zeros(count, dtype="<f4"),
    }
    return {
        kind: (array.view("<u4") >> 16).astype("<u2").tobytes() for kind, array in values.items()
    }


def _drawn(name: str) -> bytes:
    kind = "weight"
    if name.endswith("weight_scale"):
        kind = "scale"
    elif "norm" in name or "_ln" in name or name.endswith("layer_scalar"):
        kind = "zero" if name.endswith("bias") else "one"
    return _kinds()[kind]
