"""A Gemma 4 Unified checkpoint as the GGUF files that llama.cpp loads: model, projector, drafter.

    .venv/engines/llamacpp/bin/python -m bench.engines.gguf_files CHECKPOINT FOLDER

llama.cpp's own converter is no part of any package of the index, and needs torch. The names of
metadata and tensors are those of llama.cpp's `gguf-py`, which this imports, and of its
`conversion/gemma.py`, read at 061b8c5. Runs where `gguf` and NumPy are; imports nothing of the
product, whose environment has no `gguf`.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Tensors = dict[str, Float32]

# What llama.cpp's parser of answers has to see of a model's output.
VISIBLE = {
    "<|channel>", "<channel|>", "<|tool_call>", "<tool_call|>", "<|tool_response>",
    "<tool_response|>",
}  # fmt: skip
CHANNELS = 3
LAYER = re.compile(r"(?:model\.language_model|model)\.layers\.(\d+)\.(.+)")
LAYER_NAMES = {
    "input_layernorm.weight": "attn_norm.weight",
    "self_attn.q_proj.weight": "attn_q.weight",
    "self_attn.k_proj.weight": "attn_k.weight",
    "self_attn.v_proj.weight": "attn_v.weight",
    "self_attn.o_proj.weight": "attn_output.weight",
    "self_attn.q_norm.weight": "attn_q_norm.weight",
    "self_attn.k_norm.weight": "attn_k_norm.weight",
    "post_attention_layernorm.weight": "post_attention_norm.weight",
    "pre_feedforward_layernorm.weight": "ffn_norm.weight",
    "post_feedforward_layernorm.weight": "post_ffw_norm.weight",
    "mlp.gate_proj.weight": "ffn_gate.weight",
    "mlp.up_proj.weight": "ffn_up.weight",
    "mlp.down_proj.weight": "ffn_down.weight",
    "layer_scalar": "layer_output_scale.weight",
}
TOP_NAMES = {
    "embed_tokens.weight": "token_embd.weight",
    "norm.weight": "output_norm.weight",
    "pre_projection.weight": "nextn.pre_projection.weight",
    "post_projection.weight": "nextn.post_projection.weight",
}
_MEDIA_NAMES = {
    "model.vision_embedder.patch_dense.weight": "v.patch_embd.weight",
    "model.vision_embedder.patch_dense.bias": "v.patch_embd.bias",
    "model.vision_embedder.patch_ln1.weight": "v.patch_norm.1.weight",
    "model.vision_embedder.patch_ln1.bias": "v.patch_norm.1.bias",
    "model.vision_embedder.patch_ln2.weight": "v.patch_norm.2.weight",
    "model.vision_embedder.patch_ln2.bias": "v.patch_norm.2.bias",
    "model.vision_embedder.pos_norm.weight": "v.patch_norm.3.weight",
    "model.vision_embedder.pos_norm.bias": "v.patch_norm.3.bias",
    "model.vision_embedder.pos_embedding": "v.position_embd.weight",
    "model.embed_vision.embedding_projection.weight": "mm.input_projection.weight",
    "model.embed_audio.embedding_projection.weight": "mm.a.input_projection.weight",
}


def read_tensors(file: Path) -> Tensors:
    """Every tensor of a safetensors file in bfloat16 or float32, as float32."""
    data = file.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    tensors: Tensors = {}
    for name, stored in header.items():
        start, end = (8 + length + offset for offset in stored["data_offsets"])
        if stored["dtype"] == "BF16":  # the upper half of a float32
            upper = np.frombuffer(data[start:end], dtype=np.uint16).astype(np.uint32)
            values = (upper << np.uint32(16)).view(np.float32)
        else:
            values = np.frombuffer(data[start:end], dtype=np.float32)
        tensors[name] = values.reshape(stored["shape"])
    return tensors


def read_json(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return content


def write_files(checkpoint: Path, folder: Path) -> None:
    """Writes `model.gguf`, `mmproj.gguf` and, where there is a drafter, `drafter.gguf`."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = read_tensors(checkpoint / "model.safetensors")
    config = read_json(checkpoint / "config.json")
    writer = gguf.GGUFWriter(str(folder / "model.gguf"), "gemma4")
    describe_text(writer, config["text_config"])
    add_vocabulary(writer, checkpoint)
    settings = read_json(checkpoint / "generation_config.json")
    writer.add_array("tokenizer.ggml.suppress_tokens", settings.get("suppress_tokens") or [])
    _add_text_tensors(writer, tensors, config["text_config"])
    finish(writer)
    _write_projector(folder / "mmproj.gguf", tensors, config)
    drafter = checkpoint / "assistant"
    if (drafter / "config.json").is_file():
        config = read_json(drafter / "config.json")
        writer = gguf.GGUFWriter(str(folder / "drafter.gguf"), "gemma4-assistant")
        describe_text(writer, config["text_config"])
        add_vocabulary(writer, checkpoint)
        writer.add_uint32("gemma4-assistant.embedding_length_out", config["backbone_hidden_size"])
        layers = config["text_config"]["num_hidden_layers"]
        writer.add_uint32("gemma4-assistant.nextn_predict_layers", layers)
        weights = read_tensors(drafter / "model.safetensors")
        _add_text_tensors(writer, weights, config["text_config"])
        finish(writer)


def finish(writer: gguf.GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def global_shape(text: dict[str, Any]) -> tuple[int, int]:
    """Head width and key-value heads of the global layers."""
    layers = [index for index, kind in enumerate(text["layer_types"]) if kind == "full_attention"]
    own = (text.get("per_layer_config") or {}).get(str(layers[0]), {})
    return (
        own.get("head_dim", text.get("global_head_dim") or text["head_dim"]),
        own.get(
            "num_key_value_heads",
            text.get("num_global_key_value_heads") or text["num_key_value_heads"],
        ),
    )


def describe_text(writer: gguf.GGUFWriter, text: dict[str, Any]) -> None:
    sliding = [kind == "sliding_attention" for kind in text["layer_types"]]
    width, heads = global_shape(text)
    writer.add_block_count(text["num_hidden_layers"])
    writer.add_context_length(text["max_position_embeddings"])
    writer.add_embedding_length(text["hidden_size"])
    writer.add_feed_forward_length(text["intermediate_size"])
    writer.add_head_count(text["num_attention_heads"])
    writer.add_head_count_kv([text["num_key_value_heads"] if each else heads for each in sliding])
    writer.add_layer_norm_rms_eps(text["rms_norm_eps"])
    writer.add_key_length(width)
    writer.add_value_length(width)
    writer.add_key_length_swa(text["head_dim"])
    writer.add_value_length_swa(text["head_dim"])
    writer.add_sliding_window(text["sliding_window"])
    writer.add_sliding_window_pattern(sliding)
    writer.add_shared_kv_layers(text["num_kv_shared_layers"])
    writer.add_embedding_length_per_layer_input(0)
    rope = text["rope_parameters"]
    writer.add_rope_freq_base(rope["full_attention"]["rope_theta"])
    writer.add_rope_freq_base_swa(rope["sliding_attention"]["rope_theta"])
    writer.add_rope_dimension_count(width)
    writer.add_rope_dimension_count_swa(text["head_dim"])
    if text.get("final_logit_softcapping"):
        writer.add_final_logit_softcapping(text["final_logit_softcapping"])
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)


def add_vocabulary(writer: gguf.GGUFWriter, checkpoint: Path) -> None:
    tokenizer = read_json(checkpoint / "tokenizer.json")
    vocabulary: dict[str, int] = tokenizer["model"]["vocab"]
    special = {token["id"]: token["special"] for token in tokenizer["added_tokens"]}
    texts = dict(sorted((index, text) for text, index in vocabulary.items()))
    texts |= {token["id"]: token["content"] for token in tokenizer["added_tokens"]}
    tokens = [texts[index] for index in sorted(texts)]
    types = []
    for index, text in enumerate(tokens):
        if text in VISIBLE or (index in special and not special[index]):
            types.append(gguf.TokenType.USER_DEFINED)
        elif index in special:
            types.append(gguf.TokenType.CONTROL)
        elif re.fullmatch(r"<0x[0-9A-F]{2}>", text):
            types.append(gguf.TokenType.BYTE)
        else:
            types.append(gguf.TokenType.NORMAL)
    merges = [
        pair if isinstance(pair, str) else " ".join(pair) for pair in tokenizer["model"]["merges"]
    ]
    names = read_json(checkpoint / "tokenizer_config.json")
    writer.add_tokenizer_model("gemma4")
    writer.add_token_list(tokens)
    writer.add_token_scores([-1000.0] * len(tokens))
    writer.add_token_types(types)
    writer.add_token_merges(merges)
    writer.add_bos_token_id(tokens.index(names["bos_token"]))
    writer.add_eos_token_id(tokens.index(names["eot_token"]))
    writer.add_unk_token_id(tokens.index(names["unk_token"]))
    writer.add_pad_token_id(tokens.index(names["pad_token"]))
    writer.add_mask_token_id(tokens.index(names["mask_token"]))
    writer.add_add_space_prefix(False)
    writer.add_add_bos_token(True)
    writer.add_chat_template((checkpoint / "chat_template.jinja").read_text("utf-8"))


def _add_text_tensors(writer: gguf.GGUFWriter, tensors: Tensors, text: dict[str, Any]) -> None:
    for name, values in tensors.items():
        if match := LAYER.fullmatch(name):
            writer.add_tensor(f"blk.{match[1]}.{LAYER_NAMES[match[2]]}", values)
        elif short := TOP_NAMES.get(name.removeprefix("model.").removeprefix("language_model.")):
            writer.add_tensor(short, values)
    # Global layers turn a part of each head only. The others are turned by next to nothing,
    # because llama.cpp has no way to leave out dimensions in the middle.
    width, _ = global_shape(text)
    turned = int(width * text["rope_parameters"]["full_attention"]["partial_rotary_factor"] / 2)
    factors = [1.0] * turned + [1e30] * (width // 2 - turned)
    writer.add_tensor("rope_freqs.weight", np.array(factors, dtype=np.float32))


def _write_projector(file: Path, tensors: Tensors, config: dict[str, Any]) -> None:
    vision, audio, text = config["vision_config"], config["audio_config"], config["text_config"]
    writer = gguf.GGUFWriter(str(file), "clip")
    writer.add_type("mmproj")
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_clip_has_vision_encoder(True)
    writer.add_clip_has_audio_encoder(True)
    writer.add_string("clip.vision.projector_type", "gemma4uv")
    writer.add_string("clip.audio.projector_type", "gemma4ua")
    for part, width in (("vision", vision["mm_embed_dim"]), ("audio", audio["audio_embed_dim"])):
        writer.add_uint32(f"clip.{part}.embedding_length", width)
        writer.add_uint32(f"clip.{part}.projection_dim", text["hidden_size"])
        for key in ("feed_forward_length", "block_count", "attention.head_count"):
            writer.add_uint32(f"clip.{part}.{key}", 0)  # there is no encoder
        writer.add_float32(f"clip.{part}.attention.layer_norm_epsilon", 1e-6)
    writer.add_uint32("clip.vision.image_size", 224)
    writer.add_uint32("clip.vision.patch_size", vision["patch_size"])
    writer.add_uint32("clip.vision.projector.scale_factor", vision["pooling_kernel_size"])
    writer.add_array("clip.vision.image_mean", [0.0, 0.0, 0.0])
    writer.add_array("clip.vision.image_std", [1.0, 1.0, 1.0])
    writer.add_uint32("clip.audio.num_mel_bins", audio["audio_embed_dim"])
    side = vision["patch_size"] * vision["pooling_kernel_size"]
    for name, short in _MEDIA_NAMES.items():
        values = tensors[name]
        if "patch_dense.weight" in name or "patch_ln1" in name:
            values = np.ascontiguousarray(values[..., _by_channel(side)])
        elif "pos_embedding" in name:
            values = np.ascontiguousarray(values.transpose(1, 0, 2))
        writer.add_tensor(short, values)
    finish(writer)


def _by_channel(side: int) -> NDArray[np.int64]:
    """Where each value of a patch stands: llama.cpp cuts pictures into a plane for each channel,
    the checkpoint has the three channels of a pixel together."""
    order = np.arange(side * side * CHANNELS, dtype=np.int64).reshape(side, side, CHANNELS)
    return order.transpose(2, 0, 1).reshape(-1)


if __name__ == "__main__":
    write_files(Path(sys.argv[1]), Path(sys.argv[2]))
