"""A checkpoint of the real architecture with random weights, small enough for every test.

The attention window is 64 tokens, so that short texts reach past it; the head is not tied to the
embedding, so that greedy text does not just repeat itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from model.interface import Image, Sound
from tests.golden import take

HIDDEN, WINDOW = 32, 64


def text_config(vocabulary: int, layers: int, hidden: int, **more: Any) -> dict[str, Any]:
    return {
        "model_type": "gemma4_unified_text",
        "vocab_size": vocabulary, "hidden_size": hidden, "intermediate_size": 2 * hidden,
        "num_hidden_layers": layers, "num_attention_heads": 4, "num_key_value_heads": 2,
        "num_global_key_value_heads": 1, "head_dim": 8, "global_head_dim": 16,
        "attention_k_eq_v": True, "sliding_window": WINDOW, "max_position_embeddings": 4096,
        # a global layer early on too: what a picture sees there reaches the words
        "layer_types": ["sliding_attention", "full_attention", "sliding_attention"][: layers - 1]
        + ["sliding_attention"] * (layers - 4) + ["full_attention"],
        "use_bidirectional_attention": "vision", "initializer_range": 0.2,
    } | more  # fmt: skip


def write(directory: Path, seed: int = 0, drafter: bool = True, layers: int = 3) -> Path:
    """Write a checkpoint into `directory`, in the published layout."""
    import torch
    from transformers import (
        Gemma4UnifiedAssistantConfig,
        Gemma4UnifiedAssistantForCausalLM,
        Gemma4UnifiedConfig,
        Gemma4UnifiedForConditionalGeneration,
        GenerationConfig,
    )

    tokenizer = take.small_tokenizer(directory)
    number = tokenizer.convert_tokens_to_ids
    shape = text_config(
        len(tokenizer), layers, HIDDEN, final_logit_softcapping=30.0, tie_word_embeddings=False
    )
    config = Gemma4UnifiedConfig(
        text_config=shape,
        vision_config={"mm_embed_dim": HIDDEN, "output_proj_dims": HIDDEN, "mm_posemb_size": 12},
        audio_config={"audio_embed_dim": 640},
        boi_token_id=number("<|image>"), eoi_token_id=number("<image|>"),
        image_token_id=number("<|image|>"), boa_token_id=number("<|audio>"),
        eoa_token_index=number("<audio|>"), audio_token_id=number("<|audio|>"),
        video_token_id=number("<mask>"), tie_word_embeddings=False, initializer_range=0.2,
    )  # fmt: skip
    torch.manual_seed(seed)
    Gemma4UnifiedForConditionalGeneration(config).save_pretrained(directory)
    GenerationConfig(
        eos_token_id=[number("<eos>"), number("<turn|>"), number("<|tool_response>")],
        pad_token_id=0, bos_token_id=2,
        suppress_tokens=[number("<image|>"), number("<audio|>")],
    ).save_pretrained(directory)  # fmt: skip
    (directory / "processor_config.json").write_text('{"image_processor": {"max_soft_tokens": 12}}')
    if drafter:
        assistant = Gemma4UnifiedAssistantConfig(
            text_config=text_config(len(tokenizer), 2, 16, num_kv_shared_layers=2),
            backbone_hidden_size=HIDDEN,
        )
        Gemma4UnifiedAssistantForCausalLM(assistant).save_pretrained(directory / "assistant")
        GenerationConfig(
            num_assistant_tokens=4, num_assistant_tokens_schedule="constant"
        ).save_pretrained(directory / "assistant")
    return directory


def picture(height_px: int = 120, width_px: int = 90) -> Image:
    return Image(take.picture(height_px, width_px))


def sound(seconds: float = 0.5) -> Sound:
    return Sound(take.sound(int(seconds * 16_000)), 16_000)


def words(rng: np.random.Generator, count: int) -> str:
    known = ["red", "bicycle", "the", "garden", "at", "ten", "a", "cyan", "signal", "near", "3.5"]
    return " ".join(rng.choice(known, count))
