"""Pictures and clips as an engine is given them."""

from __future__ import annotations

from dataclasses import replace

from model.interface import Evidence, Image, Sound
from model.served.capabilities import Capabilities

MOST_SOUND_S = 15.0


def fitted(sound: Sound) -> Sound:
    """The beginning of a sound, as long as an engine is given one."""
    if sound.duration_s <= MOST_SOUND_S:
        return sound
    return replace(sound, samples=sound.samples[: int(MOST_SOUND_S * sound.rate_hz)])


def shown_to(known: Capabilities, source: Evidence) -> Evidence:
    """The source with its picture or clip where the engine takes it."""
    if isinstance(source.original, Sound):
        return replace(source, original=fitted(source.original) if known.sounds else None)
    if isinstance(source.original, Image) and not known.pictures:
        return replace(source, original=None)
    return source
