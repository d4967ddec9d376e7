"""Take golden values from the stock processors of transformers, once.

They need torchvision, so they run in an environment of their own, thrown away afterwards:

    python -m venv /tmp/golden
    /tmp/golden/bin/pip install torch torchvision "transformers==5.22.2" pillow soundfile jinja2
    /tmp/golden/bin/python tests/golden/take.py

It writes `media.npz` and the small tokenizer in `tokenizer/`, both read by `test_inputs.py`.
Pictures and sounds are made by `picture()` and `sound()` below, which the test calls too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
# height_px, width_px, soft tokens: odd, tall, wide, tiny, exact, huge against its budget
PICTURES = [(301, 203, 70), (97, 640, 70), (900, 41, 70), (5, 7, 70), (480, 336, 70), (7, 2100, 70),
            (64, 64, 280), (700, 1003, 140)]  # fmt: skip
SOUNDS = [1, 639, 640, 641, 5000]  # samples at 16 kHz
TOLD = 48  # values kept of each patch: the whole would be megabytes

TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}<|turn>"
    "{{ 'model' if message.role == 'assistant' else message.role }}\n"
    "{% if message.content is string %}{{ message.content | trim }}"
    "{% else %}{% for part in message.content %}"
    "{% if part.type == 'image' %}<|image|>{% elif part.type == 'audio' %}<|audio|>"
    "{% else %}{{ part.text | trim }}{% endif %}{% endfor %}{% endif %}"
    "<turn|>\n{% endfor %}{% if add_generation_prompt %}<|turn>model\n{% endif %}"
)
SPECIAL = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "<|turn>", "<turn|>", "<|image>",
           "<|image|>", "<image|>", "<|audio>", "<|audio|>", "<audio|>", "<|channel>", "<channel|>",
           "<|tool_response>"]  # fmt: skip


def picture(height_px: int, width_px: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Edges, ramps and noise: what a resize could get wrong."""
    rng = np.random.default_rng(height_px * 10_007 + width_px)
    down, across = np.mgrid[0:height_px, 0:width_px]
    ramp = np.stack([down * 255 // height_px, across * 255 // width_px, (down ^ across) % 256], -1)
    noise = rng.integers(-40, 40, ramp.shape)
    return np.clip(ramp + noise, 0, 255).astype(np.uint8)


def sound(samples: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Noise below full scale."""
    return np.random.default_rng(samples).uniform(-0.9, 0.9, samples).astype(np.float32)


def small_tokenizer(folder: Path) -> Any:
    """A byte-level tokenizer with the published model's control tokens, saved in `folder`."""
    from transformers import GemmaTokenizer

    letters = ["▁", *map(chr, range(32, 127)), "\n", "é", "ü"]
    words = ["the", "▁the", "▁red", "▁bicycle", "ing", "▁a", "in", "er", "cycle", "bi", "re"]
    vocabulary = {name: place for place, name in enumerate(SPECIAL)}
    for byte in range(256):
        vocabulary[f"<0x{byte:02X}>"] = len(vocabulary)
    for name in [*letters, *words]:
        vocabulary.setdefault(name, len(vocabulary))
    merges = [("i", "n"), ("e", "r"), ("r", "e"), ("b", "i"), ("▁", "a")]
    tokenizer = GemmaTokenizer(
        vocab=vocabulary,
        merges=merges,
        extra_special_tokens={
            "image_token": "<|image|>", "boi_token": "<|image>", "eoi_token": "<image|>",
            "audio_token": "<|audio|>", "boa_token": "<|audio>", "eoa_token": "<audio|>",
        },
    )  # fmt: skip
    named = [name for name in SPECIAL if name not in tokenizer.all_special_tokens]
    tokenizer.add_special_tokens({"additional_special_tokens": named})
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    return tokenizer


def main() -> None:
    from transformers import (
        Gemma4UnifiedAudioFeatureExtractor,
        Gemma4UnifiedImageProcessor,
        Gemma4UnifiedProcessor,
        Gemma4UnifiedVideoProcessor,
    )

    told: dict[str, Any] = {}
    shown = np.random.default_rng(0).choice(6912, TOLD, replace=False)
    told["shown"] = shown
    for place, (height, width, budget) in enumerate(PICTURES):
        stock = Gemma4UnifiedImageProcessor(max_soft_tokens=budget)
        made = stock(picture(height, width), return_tensors="np")
        count = int(made["num_soft_tokens_per_image"][0])
        told[f"patches{place}"] = made["pixel_values"][0, :count][:, shown].astype(np.float16)
        told[f"sums{place}"] = made["pixel_values"][0, :count].sum(-1).astype(np.float32)
        told[f"positions{place}"] = made["image_position_ids"][0, :count].astype(np.int16)
    for place, samples in enumerate(SOUNDS):
        made = Gemma4UnifiedAudioFeatureExtractor()(sound(samples), return_tensors="np")
        told[f"frames{place}"] = made["input_features"][0].astype(np.float16)
    processor = Gemma4UnifiedProcessor(
        Gemma4UnifiedAudioFeatureExtractor(),
        Gemma4UnifiedImageProcessor(max_soft_tokens=70),
        small_tokenizer(HERE / "tokenizer"),
        Gemma4UnifiedVideoProcessor(),
        chat_template=TEMPLATE,
    )
    asked: list[tuple[str, list[dict[str, str]], dict[str, Any]]] = [
        ("picture", [{"type": "image"}, {"type": "text", "text": "Describe the red bicycle."}],
         {"images": [picture(301, 203)]}),
        ("sound", [{"type": "audio"}, {"type": "text", "text": "Write it down."}],
         {"audio": [sound(5000)]}),
        ("both", [{"type": "text", "text": "A"}, {"type": "image"}, {"type": "image"},
                  {"type": "text", "text": "B"}],
         {"images": [picture(301, 203), picture(97, 640)]}),
    ]  # fmt: skip
    for name, content, media in asked:
        text = processor.apply_chat_template(
            [{"role": "system", "content": "Be brief."}, {"role": "user", "content": content}],
            tokenize=False,
            add_generation_prompt=True,
        )
        made = processor(text=text, return_tensors="np", **media, add_special_tokens=False)
        told[f"ids_{name}"] = made["input_ids"][0].astype(np.int32)
        told[f"kinds_{name}"] = np.asarray(made["mm_token_type_ids"])[0].astype(np.int8)
    np.savez_compressed(HERE / "media.npz", **told)


if __name__ == "__main__":
    main()
