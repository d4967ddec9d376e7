"""The shape of the demonstration model and of its drafter, and how their weights begin.

The shape is the published one made small: five sliding layers to a global one, keys reused as
values in the global layers, patches and frames without encoders, a drafter that stores no keys of
its own. The beginning is not the stock one, with which a model of this size does not take off on a
processor: see `begin`.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import torch

from training import tokenizer as tokenizers

HIDDEN = 192
LAYERS = 6
MLP = 640
HEADS, SLIDING_KV_HEADS, GLOBAL_KV_HEADS = 4, 2, 1
SLIDING_HEAD, GLOBAL_HEAD = 48, 96
WINDOW = 512
CONTEXT = 8192
PICTURE_TOKENS = 70
PICTURE_SIDE = PICTURE_TOKENS  # a picture can be one patch high: so many positions along an axis
DRAFT_HIDDEN, DRAFT_LAYERS, DRAFT_MLP = 128, 2, 384

# The first layer starts as a filter bank over two halves of a frame, so many bands each.
BANDS, HALVES = 32, 2
LOWEST_HZ, HIGHEST_HZ, RATE_HZ, FRAME = 100.0, 5500.0, 16_000, 640


def target_config(tokenizer: Any) -> Any:
    """The model's configuration, for the tokenizer's numbers."""
    from transformers import Gemma4UnifiedConfig

    number = tokenizer.convert_tokens_to_ids
    return Gemma4UnifiedConfig(
        text_config=_text(len(tokenizer), HIDDEN, MLP, _pattern(LAYERS, 6)),
        vision_config={
            "mm_embed_dim": HIDDEN, "output_proj_dims": HIDDEN, "mm_posemb_size": PICTURE_SIDE,
        },
        audio_config={"audio_embed_dim": FRAME},
        boi_token_id=number("<|image>"), eoi_token_id=number("<image|>"),
        image_token_id=number("<|image|>"), video_token_id=number("<|video|>"),
        boa_token_id=number("<|audio>"), eoa_token_index=number("<audio|>"),
        audio_token_id=number("<|audio|>"), pad_token_id=0, eos_token_id=1, bos_token_id=2,
        dtype="bfloat16",
    )  # fmt: skip


def drafter_config(tokenizer: Any) -> Any:
    """The drafter's configuration: every layer reads the target's last keys and values."""
    from transformers import Gemma4UnifiedAssistantConfig

    text = _text(len(tokenizer), DRAFT_HIDDEN, DRAFT_MLP, _pattern(DRAFT_LAYERS, DRAFT_LAYERS))
    text["num_kv_shared_layers"] = DRAFT_LAYERS
    return Gemma4UnifiedAssistantConfig(
        text_config=text | {"model_type": "gemma4_unified_text", "final_logit_softcapping": None},
        backbone_hidden_size=HIDDEN,
        pad_token_id=0, eos_token_id=1, bos_token_id=2, dtype="bfloat16",
    )  # fmt: skip


def new(tokenizer: Any, seed: int = 0) -> tuple[Any, Any]:
    """A model and its drafter as they are before any training, in float32."""
    from transformers import (
        Gemma4UnifiedAssistantForCausalLM,
        Gemma4UnifiedForConditionalGeneration,
    )

    torch.manual_seed(seed)
    model = Gemma4UnifiedForConditionalGeneration(target_config(tokenizer)).float()
    drafter = Gemma4UnifiedAssistantForCausalLM(drafter_config(tokenizer)).float()
    begin(model)
    _even(drafter.model)
    return model, drafter


@torch.no_grad()
def begin(model: Any) -> None:
    """Set the first weights of the model, in place.

    All branches start small against the residual stream, attention starts soft (unit-norm heads
    would make it near one-hot), patches start as their low frequencies, and the first layer hears:
    its input holds the cosines and sines of each half frame, its feed-forward squares and adds
    them, which for GELU gates is exact: gelu(x) x + gelu(-x) (-x) = x squared.
    """
    text = model.model.language_model
    _even(text)
    vision = model.model.embed_vision
    vision.patch_dense.weight.copy_(_low_frequencies(HIDDEN))
    vision.patch_dense.bias.zero_()
    vision.pos_embedding.normal_(std=0.5)
    _rotation(vision.multimodal_embedder.embedding_projection.weight)
    basis = torch.linalg.qr(torch.randn(HIDDEN, HIDDEN))[0]
    waves = filters()  # (2 * bands, FRAME): all cosines, then all sines
    count = len(waves) // 2
    heard, energy = basis[:, : 2 * count], basis[:, 2 * count :]
    # A frame arrives with unit mean square; scaled so that a soft token does too, on average.
    model.model.embed_audio.embedding_projection.weight.copy_(
        heard @ waves * (HIDDEN / (2 * count)) ** 0.5
    )
    layer = text.layers[0]
    signs = torch.cat([heard.T, -heard.T])  # (4 * count, HIDDEN)
    rows = len(signs)
    layer.mlp.gate_proj.weight[:rows] = signs
    layer.mlp.up_proj.weight[:rows] = signs
    layer.mlp.down_proj.weight[:, :rows] = energy.repeat(1, 4)
    layer.post_feedforward_layernorm.weight.fill_(0.7)


def save(model: Any, drafter: Any, tokenizer: Any, directory: Path) -> None:
    """Write the published layout: the model, its drafter under `assistant/`, the tokenizer and the
    processors' configuration; weights in bfloat16."""
    from transformers import GenerationConfig

    directory.mkdir(parents=True, exist_ok=True)
    tokenizers.save(tokenizer, directory)
    _half(model).save_pretrained(str(directory))
    _half(drafter).save_pretrained(str(directory / "assistant"))
    GenerationConfig(
        num_assistant_tokens=4, num_assistant_tokens_schedule="constant",
        bos_token_id=2, pad_token_id=0, eos_token_id=[1, tokenizer.eot_token_id],
    ).save_pretrained(str(directory / "assistant"))  # fmt: skip
    number = tokenizer.convert_tokens_to_ids
    GenerationConfig(
        bos_token_id=2, pad_token_id=0,
        eos_token_id=[1, number("<turn|>"), number("<|tool_response>")],
        suppress_tokens=[number("<image|>"), number("<audio|>")],
        do_sample=True, temperature=1.0, top_k=64, top_p=0.95,
    ).save_pretrained(str(directory))  # fmt: skip
    processors = {
        "processor_class": "Gemma4UnifiedProcessor",
        "image_seq_length": PICTURE_TOKENS, "audio_seq_length": 375, "audio_ms_per_token": 40,
        "feature_extractor": {
            "feature_extractor_type": "Gemma4UnifiedAudioFeatureExtractor",
            "audio_samples_per_token": FRAME, "feature_size": FRAME, "padding_side": "right",
            "padding_value": 0.0, "return_attention_mask": True, "sampling_rate": RATE_HZ,
        },
        "image_processor": {
            "image_processor_type": "Gemma4UnifiedImageProcessor",
            "do_convert_rgb": True, "do_normalize": False, "do_rescale": True, "do_resize": True,
            "image_mean": [0.0, 0.0, 0.0], "image_std": [1.0, 1.0, 1.0], "resample": 3,
            "rescale_factor": 1 / 255, "max_soft_tokens": PICTURE_TOKENS, "patch_size": 16,
            "pooling_kernel_size": 3,
        },
    }  # fmt: skip
    (directory / "processor_config.json").write_text(json.dumps(processors, indent=2) + "\n")


def _half(model: Any) -> Any:
    import copy

    return copy.deepcopy(model).to(torch.bfloat16)


def _pattern(layers: int, every: int) -> list[str]:
    return [
        "full_attention" if (layer + 1) % every == 0 else "sliding_attention"
        for layer in range(layers)
    ]


def _text(vocabulary: int, hidden: int, mlp: int, pattern: list[str]) -> dict[str, Any]:
    return {
        "vocab_size": vocabulary, "hidden_size": hidden, "intermediate_size": mlp,
        "num_hidden_layers": len(pattern), "layer_types": pattern,
        "num_attention_heads": HEADS, "num_key_value_heads": SLIDING_KV_HEADS,
        "num_global_key_value_heads": GLOBAL_KV_HEADS, "head_dim": SLIDING_HEAD,
        "global_head_dim": GLOBAL_HEAD, "attention_k_eq_v": True, "sliding_window": WINDOW,
        "max_position_embeddings": CONTEXT, "final_logit_softcapping": 30.0,
        "use_bidirectional_attention": "vision", "tie_word_embeddings": True,
        "initializer_range": hidden**-0.5,
    }  # fmt: skip


@torch.no_grad()
def _even(text: Any) -> None:
    """Embeddings of unit size after scaling, orthogonal maps, quiet branches, soft attention."""
    text.embed_tokens.weight.normal_(std=text.config.hidden_size**-0.5)
    for layer in text.layers:
        for name, weight in layer.named_parameters():
            if weight.ndim == 2:
                _rotation(weight)
            elif name.endswith(("q_norm.weight", "k_norm.weight")):
                weight.fill_(len(weight) ** -0.25)
        layer.post_attention_layernorm.weight.fill_(0.25)
        layer.post_feedforward_layernorm.weight.fill_(0.25)


def _rotation(weight: torch.Tensor) -> None:
    torch.nn.init.orthogonal_(weight)


def _low_frequencies(rows: int, side: int = 48) -> torch.Tensor:
    """(rows, side * side * 3): plane cosines of the lowest frequencies, on three mixtures of the
    colours, in the order of the processor's patch values; each row has unit length."""
    colours = torch.tensor([[1.0, 1.0, 1.0], [1.0, 0.0, -1.0], [-0.5, 1.0, -0.5]])
    colours = colours / colours.norm(dim=1, keepdim=True)
    places = (torch.arange(side) + 0.5) / side
    most = 16
    lines = torch.stack([torch.cos(math.pi * k * places) for k in range(most)])
    lines = lines / lines.norm(dim=1, keepdim=True)
    steps = sorted(
        ((u, v, c) for u in range(most) for v in range(most) for c in range(3)),
        key=lambda step: step[0] ** 2 + step[1] ** 2 + (0, 12, 12)[step[2]],
    )[:rows]
    waves = torch.stack(
        [torch.einsum("y,x,c->yxc", lines[u], lines[v], colours[c]).flatten() for u, v, c in steps]
    )
    even: torch.Tensor = waves / waves.norm(dim=1, keepdim=True)
    return even


def centres_hz() -> torch.Tensor:
    """(BANDS,): the mel-spaced frequencies that the first layer listens to."""

    def mel(hz: float) -> float:
        return 2595 * math.log10(1 + hz / 700)

    marks = torch.linspace(mel(LOWEST_HZ), mel(HIGHEST_HZ), BANDS)
    hertz: torch.Tensor = 700 * (10 ** (marks / 2595) - 1)
    return hertz


def filters() -> torch.Tensor:
    """(2 * HALVES * BANDS, FRAME): Hann-windowed cosines, then the sines, of those frequencies on
    each half of a frame; each row has unit length."""
    long = FRAME // HALVES
    at_s = torch.arange(long) / RATE_HZ
    window = torch.hann_window(long, periodic=False)
    angles = 2 * math.pi * centres_hz()[:, None] * at_s
    waves = torch.zeros(2, HALVES, BANDS, FRAME)
    for half in range(HALVES):
        waves[0, half, :, half * long : (half + 1) * long] = torch.cos(angles) * window
        waves[1, half, :, half * long : (half + 1) * long] = torch.sin(angles) * window
    flat = waves.flatten(0, 2)
    even: torch.Tensor = flat / flat.norm(dim=1, keepdim=True)
    return even
