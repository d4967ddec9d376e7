"""A prompt as the messages of a chat request: text, PNG pictures, WAV sounds of 16 kHz."""

from __future__ import annotations

import base64
import io
import math
import re
from typing import Any

import numpy as np

from model.interface import Image, Part, Prompt, Sound

RATE_HZ = 16_000
# The largest picture that the model itself makes use of: 1,120 soft tokens of 48 x 48 pixels.
MOST_PIXELS = 1120 * 48 * 48
# Control tokens of the common chat templates, written out in somebody's document. The engine would
# take them for what they are, and the document could speak as another role.
_CONTROL = re.compile(
    r"<(?=\|[^<>]{0,40}>|[a-z_]{1,20}\||/?(?:start_of_turn|end_of_turn|bos|eos|s|pad|unk|think|"
    r"(?:start|end)_of_(?:image|audio)|im_start|im_end)>)",
    re.IGNORECASE,
)


def chat_messages(prompt: Prompt) -> list[dict[str, Any]]:
    """The messages of a prompt. One of text alone has a string for its content, because templates
    trim each part of a list, and not every template takes a list."""
    return [
        {
            "role": "assistant" if message.role == "model" else message.role,
            "content": _content(message.parts),
        }
        for message in prompt
    ]


def _content(parts: tuple[Part, ...]) -> str | list[dict[str, Any]]:
    content: list[dict[str, Any]] = []
    for part in parts:
        if isinstance(part, Image):
            url = f"data:image/png;base64,{_encoded(png_bytes(part))}"
            content.append({"type": "image_url", "image_url": {"url": url}})
        elif isinstance(part, Sound):
            sound = {"data": _encoded(wav_bytes(part)), "format": "wav"}
            content.append({"type": "input_audio", "input_audio": sound})
        elif content and content[-1]["type"] == "text":
            content[-1]["text"] += neutralized(part)
        else:
            content.append({"type": "text", "text": neutralized(part)})
    if not content:
        return ""
    return content[0]["text"] if len(content) == 1 and "text" in content[0] else content


def neutralized(text: str) -> str:
    """`text` with the first letter of every control token changed, one letter for one."""
    return _CONTROL.sub("‹", text)


def png_bytes(image: Image) -> bytes:
    """The picture, made smaller where it has more pixels than are looked at."""
    from PIL import Image as pillow

    picture = pillow.fromarray(np.ascontiguousarray(image.pixels))
    factor = math.sqrt(MOST_PIXELS / (picture.width * picture.height))
    if factor < 1:
        size = max(1, int(picture.width * factor)), max(1, int(picture.height * factor))
        picture = picture.resize(size, pillow.Resampling.BICUBIC)
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=1)
    return file.getvalue()


def wav_bytes(sound: Sound) -> bytes:
    """The sound with 16 bits at 16 kHz."""
    import soundfile

    samples = sound.samples
    if sound.rate_hz != RATE_HZ:
        import soxr

        samples = soxr.resample(samples, sound.rate_hz, RATE_HZ, quality="HQ")
    file = io.BytesIO()
    soundfile.write(file, np.clip(samples, -1, 1), RATE_HZ, format="WAV", subtype="PCM_16")
    return file.getvalue()


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()
