"""A prompt as the model's inputs: token ids, patches of pictures, frames of sounds.

Pictures and sounds have no encoder in this architecture. A picture becomes patches of 48x48x3
values, one soft token each; a sound becomes frames of 640 samples at 16 kHz, one soft token each.
Both are held to golden values of the stock processors (`tests/golden/`), which cannot be used here:
they need torchvision, which does not import beside a CPU-only torch.

Resampling is soxr's: band-limited, fast, and what the audio libraries around transformers use.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from model.interface import Float32, Image, ModelError, Prompt, Sound
from model.prompt import chat_template
from model.prompt.chat_template import Tokenizer

if TYPE_CHECKING:
    import torch

Int64 = NDArray[np.int64]

# The memory of one batch grows with its padded tokens.
BATCH_TOKENS = 2_048
# What a batch costs beyond its tokens, in tokens: packed weights are dequantized once for each.
BATCH_START_TOKENS = 64
# What `mm_token_type_ids` calls the kinds of token.
TEXT_TOKEN, IMAGE_TOKEN, AUDIO_TOKEN = 0, 1, 3


@dataclass(frozen=True, slots=True)
class MediaFormat:
    """How a checkpoint cuts media: at most `picture_tokens` patches of `patch_px` x `patch_px`
    a picture, frames of `frame_samples` at `rate_hz` a sound."""

    picture_tokens: int = 280
    patch_px: int = 48
    frame_samples: int = 640
    rate_hz: int = 16_000

    @classmethod
    def of(cls, directory: Path) -> MediaFormat:
        """Read `processor_config.json`, or the older `preprocessor_config.json`; the defaults are
        the published model's."""
        config: dict[str, Any] = {}
        for name in ("preprocessor_config.json", "processor_config.json"):
            file = directory / name
            if file.is_file():
                config |= json.loads(file.read_text(encoding="utf-8"))
        picture = config.get("image_processor") or config
        sound = config.get("feature_extractor") or config
        defaults = cls()
        patch_px = int(picture.get("patch_size", 16)) * int(picture.get("pooling_kernel_size", 3))
        return cls(
            picture_tokens=int(picture.get("max_soft_tokens", defaults.picture_tokens)),
            patch_px=patch_px,
            frame_samples=int(sound.get("audio_samples_per_token", defaults.frame_samples)),
            rate_hz=int(sound.get("sampling_rate", defaults.rate_hz)),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Patches:
    """One picture: `values` (n, patch_px * patch_px * 3) float32 in [0, 1], row by row from the top
    left; `positions` (n, 2) int64, x then y, in patches."""

    values: Float32
    positions: Int64


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """One prompt's inputs. `ids` (n,) and `kinds` (n,) int64 of equal length; `pictures` and
    `sounds` ((m, frame_samples) float32 each) in the order of their places in `ids`."""

    ids: Int64
    kinds: Int64
    pictures: tuple[Patches, ...] = ()
    sounds: tuple[Float32, ...] = ()

    def __len__(self) -> int:
        return int(self.ids.size)


def render_prompt(
    prompt: Prompt,
    tokenizer: Tokenizer,
    media: MediaFormat | None = None,
    cut: Callable[[Image, MediaFormat], Patches] | None = None,
) -> Inputs:
    """Write `prompt` through the checkpoint's own chat template, ready to be continued when the
    last turn is the user's, with each medium's placeholder widened to its soft tokens. `cut` stands
    in for `patches` where a picture may have been cut before.

    Raises ModelError when the template leaves out the media it was given.
    """
    media = media or MediaFormat()
    text = chat_template.render_template(prompt, tokenizer)
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    parts = [part for turn in prompt for part in turn.parts]
    cut = cut or cut_patches
    pictures = tuple(cut(part, media) for part in parts if isinstance(part, Image))
    sounds = tuple(cut_frames(part, media) for part in parts if isinstance(part, Sound))
    special = chat_template.media_token_ids(tokenizer)
    if (ids.count(special["image"]), ids.count(special["audio"])) != (len(pictures), len(sounds)):
        raise ModelError(
            "The chat template of this checkpoint does not show pictures or sounds; "
            "use a checkpoint whose template does."
        )
    next_pictures, next_sounds = iter(pictures), iter(sounds)
    widened: list[int] = []
    for token in ids:
        if token == special["image"]:
            count = len(next(next_pictures).values)
            widened += [special["boi"], *[token] * count, special["eoi"]]
        elif token == special["audio"]:
            count = len(next(next_sounds))
            widened += [special["boa"], *[token] * count, special["eoa"]]
        else:
            widened.append(token)
    row = np.array(widened, dtype=np.int64)
    kinds = np.where(row == special["image"], IMAGE_TOKEN, TEXT_TOKEN)
    kinds = np.where(row == special["audio"], AUDIO_TOKEN, kinds).astype(np.int64)
    return Inputs(row, kinds, pictures, sounds)


def passage_span(prompt: Prompt, passage: str, tokenizer: Tokenizer) -> slice:
    """Where the tokens of `passage`, the first part of a one-turn text prompt, stand in
    `render(prompt)`: not the template's, not the instruction's. Empty for a blank passage."""
    text, start, end = chat_template.locate_passage(prompt, passage, tokenizer)
    offsets = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    inside = [
        index
        for index, (left, right) in enumerate(offsets["offset_mapping"])
        if left < end and right > start
    ]
    return slice(inside[0], inside[-1] + 1) if inside else slice(0, 0)


def resized_picture_size(height_px: int, width_px: int, media: MediaFormat) -> tuple[int, int]:
    """Height and width a picture is resized to: multiples of the patch, the shape kept as far as
    that allows, as large as the budget of soft tokens permits (small pictures grow)."""
    side = media.patch_px
    factor = math.sqrt(media.picture_tokens * side * side / (height_px * width_px))
    height = math.floor(factor * height_px / side) * side
    width = math.floor(factor * width_px / side) * side
    longest = media.picture_tokens * side
    if height == 0:
        return side, max(side, min(width_px // height_px * side, longest))
    if width == 0:
        return max(side, min(height_px // width_px * side, longest)), side
    return height, width


def cut_patches(image: Image, media: MediaFormat) -> Patches:
    """Resize (bicubic, antialiased), scale to [0, 1], cut into patches."""
    from PIL import Image as pillow

    side = media.patch_px
    height, width = resized_picture_size(image.pixels.shape[0], image.pixels.shape[1], media)
    picture = pillow.fromarray(np.ascontiguousarray(image.pixels))
    if picture.size != (width, height):
        picture = picture.resize((width, height), pillow.Resampling.BICUBIC)
    rows, columns = height // side, width // side
    values = np.asarray(picture, dtype=np.float32) * np.float32(1 / 255)
    values = values.reshape(rows, side, columns, side, 3).transpose(0, 2, 1, 3, 4)
    across, down = np.meshgrid(np.arange(columns), np.arange(rows))
    positions = np.stack([across, down], axis=-1).reshape(-1, 2).astype(np.int64)
    return Patches(np.ascontiguousarray(values.reshape(rows * columns, -1)), positions)


def cut_frames(sound: Sound, media: MediaFormat) -> Float32:
    """Resample to the model's rate and cut into (n, frame_samples), the last one filled with
    silence."""
    samples = sound.samples
    if sound.rate_hz != media.rate_hz:
        import soxr

        samples = soxr.resample(samples, sound.rate_hz, media.rate_hz, quality="HQ")
    count = max(1, math.ceil(samples.size / media.frame_samples))
    whole = np.zeros(count * media.frame_samples, dtype=np.float32)
    whole[: samples.size] = samples
    return whole.reshape(count, media.frame_samples)


def collate(rows: Sequence[Inputs], pad_id: int = 0) -> dict[str, torch.Tensor]:
    """Several prompts as the tensors `Gemma4UnifiedForConditionalGeneration.forward` takes.

    Padded on the right: positions then need no correction, and no real token attends to padding.
    `attention_mask` is left out where nothing is padded, which keeps the faster kernels.
    """
    import torch

    longest = max(len(row) for row in rows)
    ids = np.full((len(rows), longest), pad_id, dtype=np.int64)
    kinds = np.zeros((len(rows), longest), dtype=np.int64)
    mask = np.zeros((len(rows), longest), dtype=np.int64)
    for index, row in enumerate(rows):
        ids[index, : len(row)] = row.ids
        kinds[index, : len(row)] = row.kinds
        mask[index, : len(row)] = 1
    tensors = {"input_ids": torch.from_numpy(ids), "mm_token_type_ids": torch.from_numpy(kinds)}
    if not mask.all():
        tensors["attention_mask"] = torch.from_numpy(mask)
    pictures = [picture for row in rows for picture in row.pictures]
    if pictures:
        most = max(len(picture.values) for picture in pictures)
        values = np.zeros((len(pictures), most, pictures[0].values.shape[1]), dtype=np.float32)
        positions = np.full((len(pictures), most, 2), -1, dtype=np.int64)
        for index, picture in enumerate(pictures):
            values[index, : len(picture.values)] = picture.values
            positions[index, : len(picture.values)] = picture.positions
        tensors |= {
            "pixel_values": torch.from_numpy(values),
            "image_position_ids": torch.from_numpy(positions),
        }
    sounds = [sound for row in rows for sound in row.sounds]
    if sounds:
        most = max(len(sound) for sound in sounds)
        features = np.zeros((len(sounds), most, sounds[0].shape[1]), dtype=np.float32)
        present = np.zeros((len(sounds), most), dtype=np.bool_)
        for index, sound in enumerate(sounds):
            features[index, : len(sound)] = sound
            present[index, : len(sound)] = True
        tensors |= {
            "input_features": torch.from_numpy(features),
            "input_features_mask": torch.from_numpy(present),
        }
    return tensors


def split_inputs(row: Inputs, at: int) -> tuple[Inputs, Inputs]:
    """The first `at` tokens with all media, and the rest. Raises ValueError where the rest would
    hold media: a picture's tokens attend to each other and may not be cut."""
    if row.kinds[at:].any():
        raise ValueError("a prompt can be split only behind its last medium")
    head = Inputs(row.ids[:at], row.kinds[:at], row.pictures, row.sounds)
    return head, Inputs(row.ids[at:], row.kinds[at:])


def common_prefix_length(row: Inputs, other: Inputs) -> int:
    """How many tokens two prompts about the same medium share, at least one less than either."""
    shortest = min(len(row), len(other)) - 1
    different = np.flatnonzero(row.ids[:shortest] != other.ids[:shortest])
    return int(different[0]) if different.size else shortest


def length_batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Indices of rows of similar length, the longest first, in batches that stay within
    BATCH_TOKENS with their padding and together cost least: each its padded tokens, and
    BATCH_START_TOKENS."""
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    least, begins = [0], [0]  # of the shortest rows: what they cost, where their last batch begins
    for end in range(1, len(order) + 1):
        longest = lengths[order[end - 1]]
        most = max(1, BATCH_TOKENS // max(longest, 1))
        cost, begin = min(
            (least[begin] + longest * (end - begin), begin)
            for begin in range(max(0, end - most), end)
        )
        least.append(cost + BATCH_START_TOKENS)
        begins.append(begin)
    end = len(order)
    while end:
        yield order[begins[end] : end]
        end = begins[end]
