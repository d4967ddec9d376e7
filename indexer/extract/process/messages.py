"""Pieces as messages, and messages as pieces. What comes from the child is checked: a file may have
made the child send anything."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, get_args

from indexer.extract.process.protocol import Message
from indexer.types.notes import MAX_NOTES, Note, NoteCode, notes_json
from indexer.types.pieces import (
    Cut,
    Extracted,
    Facts,
    MediaPart,
    Member,
    MemberPiece,
    PageText,
    PageWords,
    Piece,
    Reason,
    SoundTrack,
    Thumb,
    UnreadableError,
)
from indexer.types.places import Kind, place_from, place_json, second_from, track_from
from indexer.types.text.tokens import MAX_JOINED_CHARS

if TYPE_CHECKING:
    from model.interface import Image, Sound

LONGEST_TITLE, LONGEST_SENTENCE, LONGEST_LABEL = 300, 600, 200
_HASH = re.compile(r"[0-9a-f]{40}")
PLAYABLE_TYPES = frozenset(["audio/wav", "audio/flac", "audio/ogg"])
MAX_TRACKS = 100
MAX_OFFSET_S = 15 * 3600
MAX_THUMB_BYTES, MAX_THUMB_PX = 2 << 20, 4_000


def message_from_piece(piece: Extracted) -> Message:
    """The message the child sends for a piece."""
    match piece:
        case PageText(text, place, label, cuts):
            return {
                "is": "words",
                "text": text,
                "place": place_json(place),
                "label": label,
                "cuts": cuts,
            }, b""
        case Thumb(webp, width_px, height_px):
            return {"is": "thumb", "width_px": width_px, "height_px": height_px}, webp
        case MediaPart(place):
            return {"is": "part", "place": place_json(place)}, b""
        case Facts():
            names = Facts.__dataclass_fields__
            tracks = [(track.number, track.label) for track in piece.tracks]
            facts = {name: getattr(piece, name) for name in names}
            facts |= {"tracks": tracks, "notes": notes_json(piece.notes)}
            return {"is": "facts", **facts}, b""
        case Member():
            return {"is": "member", **member_json(piece)}, b""
        case MemberPiece(ordinal, inner):
            head, body = message_from_piece(inner)
            return {**head, "in": ordinal}, body


def member_json(member: Member) -> dict[str, Any]:
    """The JSON of a member, in both directions."""
    return {name: getattr(member, name) for name in Member.__dataclass_fields__}


def member_from_json(written: dict[str, Any]) -> Member:
    """The member that `member_json` wrote."""
    if not _HASH.fullmatch(_text(written["content"])):
        raise ValueError("no hash of a content")
    return Member(
        _count(written["ordinal"]),
        _count(written["at"]),
        written["content"],
        _text(written["name"])[:LONGEST_TITLE],
        _count(written["size"]),
        Kind(written["kind"]),
    )


def piece_from_message(message: Message) -> Extracted:
    """The piece in a message. Raises ValueError, KeyError or TypeError where it is none."""
    head, body = message
    if head["is"] == "member":
        return member_from_json(head)
    piece = _plain_piece(head, body)
    return piece if "in" not in head else MemberPiece(_count(head["in"]), piece)


def _plain_piece(head: dict[str, Any], body: bytes) -> Piece:
    match head["is"]:
        case "words":
            label = _text(head.get("label", ""))[:LONGEST_LABEL]
            text = _text(head["text"])
            return PageText(
                text, place_from(head["place"]), label, _cuts(head.get("cuts"), len(text))
            )
        case "thumb":
            if len(body) > MAX_THUMB_BYTES:
                raise ValueError("a thumbnail that is too large")
            width_px, height_px = (_count(head[side], MAX_THUMB_PX) for side in _SIDES)
            return Thumb(body, width_px, height_px)
        case "part":
            return MediaPart(place_from(head["place"]))
        case "facts":
            return Facts(
                title=_text(head["title"])[:LONGEST_TITLE],
                pages=_maybe(_count, head["pages"]),
                width_px=_maybe(_count, head["width_px"]),
                height_px=_maybe(_count, head["height_px"]),
                duration_s=_maybe(second_from, head["duration_s"]),
                made_at=_maybe(_number, head["made_at"]),
                made_offset_s=_maybe(_offset, head["made_offset_s"]),
                colour=_maybe(_colour, head["colour"]),
                notes=tuple(map(_note, head["notes"][:MAX_NOTES])),
                tracks=tuple(_track(*track) for track in head["tracks"][:MAX_TRACKS]),
            )
    raise ValueError("no kind of piece")


def _track(number: Any, label: Any) -> SoundTrack:
    if (known := track_from(number)) is None:
        raise ValueError("no number of a track")
    return SoundTrack(known, _text(label)[:LONGEST_LABEL])


_SIDES = ("width_px", "height_px")


def _note(written: dict[str, Any]) -> Note:
    return Note(NoteCode(written["code"]), _text(written["sentence"])[:LONGEST_SENTENCE])


def _cuts(written: Any, length: int) -> tuple[Cut, ...] | None:
    """Passages of a text of that length, one behind the other."""
    if written is None:
        return None
    cuts, before = [], 0
    for start, end, joined in written:
        if not before <= _count(start) < _count(end, length):
            raise ValueError("no stretches of this text")
        words = tuple(_text(word)[:MAX_JOINED_CHARS] for word in joined)
        cuts.append((start, end, words))
        before = end
    return tuple(cuts)


def body_from_message(message: Message) -> bytes:
    """A picture or a sound in a file's form, or bytes of a file."""
    return message[1]


def original_from_message(message: Message) -> Image | Sound:
    """Pixels (H, W, 3), or samples (n,) that are numbers."""
    import numpy as np  # not above: the child starts without it

    from model.interface import Image, Sound

    head, body = message
    if head["is"] == "sound":
        samples = np.frombuffer(body, np.float32)
        if not np.isfinite(samples).all():
            raise ValueError("samples that are no numbers")
        return Sound(samples, int(head["rate_hz"]))
    shape = (int(head["height_px"]), int(head["width_px"]), 3)
    return Image(np.frombuffer(body, np.uint8).reshape(shape))


def page_words_from_message(message: Message) -> PageWords:
    """The words of a page and their boxes."""
    head, _ = message
    words = [
        (float(x0), float(y0), float(x1), float(y1), str(word), int(line))
        for x0, y0, x1, y1, word, line in head["words"]
    ]
    return {"width": float(head["width"]), "height": float(head["height"]), "words": words}


def peaks_from_message(message: Message) -> list[float]:
    """The loudest sample of each stretch of a recording."""
    return [float(peak) for peak in message[0]["peaks"]]


def playable_from_message(message: Message) -> str | None:
    """The media type of a recording that a browser plays; None for one that it does not."""
    kind = message[0]["type"]
    if kind is not None and kind not in PLAYABLE_TYPES:
        raise ValueError("no type of a recording")
    return None if kind is None else str(kind)


def layers_from_message(message: Message) -> list[str]:
    """The names of the layers of the sandbox."""
    return [str(name) for name in message[0]["layers"]]


def error_from_message(head: dict[str, Any]) -> UnreadableError:
    """The refusal in the head of a message."""
    if head["reason"] not in get_args(Reason):
        raise ValueError("no reason that is known")
    return UnreadableError(head["reason"], _text(head["sentence"])[:LONGEST_SENTENCE])


def _maybe(make: Any, value: Any) -> Any:
    return None if value is None else make(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("no number")
    return float(value)


def _count(value: Any, most: int = 1 << 40) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise ValueError("no count")
    return value


def _offset(value: Any) -> int:
    """Seconds between a local time and UTC."""
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > MAX_OFFSET_S:
        raise ValueError("no offset from UTC")
    return value


def _colour(value: Any) -> str:
    text = _text(value)
    if len(text) != 7 or text[0] != "#" or not all(c in "0123456789abcdef" for c in text[1:]):
        raise ValueError("no colour")
    return text
