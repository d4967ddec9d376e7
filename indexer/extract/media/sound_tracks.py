"""The sound tracks of a recording or film: which of them are heard, in which order, and their
names, by language and title."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from indexer.extract.media import ffmpeg
from indexer.types.notes import Note, NoteCode
from indexer.types.pieces import SoundTrack, UnreadableError
from indexer.types.text.characters import clean

MAX_TRACKS = 32  # decoding each is a pass over the file
MAX_NAMED = 4  # in a sentence
LONGEST_TITLE = 60
# Codes of ISO 639 for no language: undetermined, several, no words, uncoded, reserved.
_NO_LANGUAGES = frozenset(["", "und", "mul", "zxx", "mis", "qaa", "unk"])
# Words of the names that programs give every track.
_STOCK_NAMES = ("handler", "core media", "mainconcept", "soundmedia")


@dataclass(frozen=True, slots=True)
class SoundTracks:
    """The tracks that are heard, at least one, the default one first; and notes about those that
    are not."""

    heard: tuple[SoundTrack, ...]
    notes: tuple[Note, ...] = ()


def find_tracks(container: Any) -> SoundTracks | None:
    """The sound tracks of an open container; None where there is none. Raises UnreadableError where
    none can be decoded."""
    streams = list(container.streams.audio)
    if not streams:
        return None
    decodable = [n for n, stream in enumerate(streams) if ffmpeg.is_decodable(stream)]
    if not decodable:
        raise UnreadableError("unsupported", ffmpeg.UNKNOWN_CODEC)
    # A stable order: the default one, then those of the file.
    decodable.sort(key=lambda n: not ffmpeg.has_disposition(streams[n], "default"))
    heard = [SoundTrack(n + 1, track_label(streams[n])) for n in decodable[:MAX_TRACKS]]
    numbers = {track.number for track in heard}
    unheard = [
        SoundTrack(n, track_label(stream))
        for n, stream in enumerate(streams, 1)
        if n not in numbers
    ]
    return SoundTracks(tuple(heard), unheard_notes(len(streams), unheard))


def unheard_notes(count: int, unheard: Sequence[SoundTrack]) -> tuple[Note, ...]:
    """The note of the tracks, of `count`, that were not heard."""
    if not unheard:
        return ()
    names = [track.label or f"number {track.number}" for track in unheard[:MAX_NAMED]]
    left = len(unheard) - len(names)
    more = f" and {left} more" if left else ""
    verb = "was" if len(unheard) == 1 else "were"
    heard = f"Of {count} sound tracks, {len(unheard)} {verb} not heard"
    return (Note(NoteCode.TRACKS_UNHEARD, f"{heard}: {', '.join(names)}{more}."),)


def track_label(stream: Any) -> str:
    """The language of an audio stream in English, and its title: "German (Commentary)"."""
    language = language_name(str(stream.metadata.get("language", "")))
    title = clean(str(stream.metadata.get("title", ""))).strip()
    if not title:
        name = clean(str(stream.metadata.get("handler_name", ""))).strip()
        title = "" if any(word in name.lower() for word in _STOCK_NAMES) else name
    title = title[:LONGEST_TITLE]
    if not title and ffmpeg.has_disposition(stream, "comment"):
        title = "Commentary"
    if not language or language.lower() in title.lower():
        return title
    return f"{language} ({title})" if title else language


def language_name(code: str) -> str:
    """The English name of a language by its code (ISO 639, also with a region as in BCP 47); the
    code itself where it has none, and nothing where it says no language."""
    import iso639

    tag = clean(code).strip()[:20]
    primary = tag.replace("_", "-").partition("-")[0].lower()
    if primary in _NO_LANGUAGES:
        return ""
    try:
        name = iso639.Language.match(primary, strict_case=True).name
    except iso639.LanguageNotFoundError:
        return tag
    return name.partition(" (")[0].removeprefix("Modern ")
