"""Contents cut to what the model understands of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from model.interface import ChatMessage, Content, Evidence, Image, Sound, Text

SomeContent = TypeVar("SomeContent", Text, Image, Sound, Image | Sound, Content)

# A passage is some 120 words; longer text adds cost and blurs its vector.
MOST_CHARACTERS = 8_000
# Understanding of sound is reported to collapse beyond this.
MOST_SOUND_S = 15.0


def fitted(content: SomeContent) -> SomeContent:
    """The beginning of a long text or sound."""
    if isinstance(content, Text) and len(content.text) > MOST_CHARACTERS:
        return replace(content, text=content.text[:MOST_CHARACTERS])
    if isinstance(content, Sound) and content.duration_s > MOST_SOUND_S:
        return replace(content, samples=content.samples[: int(MOST_SOUND_S * content.rate_hz)])
    return content


def fitted_message(message: ChatMessage) -> ChatMessage:
    """The message, its sounds cut; its text is left whole."""
    parts = [fitted(part) if isinstance(part, Sound) else part for part in message.parts]
    return replace(message, parts=tuple(parts))


def fitted_source(source: Evidence) -> Evidence:
    """The source, its clip cut."""
    if not isinstance(source.original, Sound):
        return source
    return replace(source, original=fitted(source.original))
