"""One item as it is shown: its facts, its words, its pages and its sound."""

from __future__ import annotations

from typing_extensions import TypedDict

from indexer.types.notes import NoteJson
from indexer.types.places import PlaceJson

MAX_PASSAGES = 100_000  # in one page of an item's words


class MailJson(TypedDict):
    """The mail that something was attached to, an item itself."""

    id: str
    title: str


class AttachmentJson(TypedDict):
    id: str
    title: str
    kind: str


class ThumbJson(TypedDict):
    w: int
    h: int
    colour: str


class SoundTrackJson(TypedDict):
    track: int  # its number in the file, from 1
    label: str  # its language or title; empty where it has neither


class ItemJson(TypedDict):
    id: str
    path: str
    paths: list[str]
    kind: str
    title: str
    attached_to: MailJson | None
    attachments: list[AttachmentJson]
    state: str
    pages: int | None
    w: int | None
    h: int | None
    colour: str | None
    duration_s: float | None
    modified_at: float
    made_at: float | None
    made_offset_s: int | None
    size_bytes: int
    tracks: list[SoundTrackJson]  # of a recording of several, the default one first
    notes: list[NoteJson]  # what of it was left out or could not be understood
    caption: str | None
    read_by: str | None  # who saw or heard its words: "read by PP-OCRv6", "heard by Whisper tiny"


class SentenceJson(TypedDict):
    """A sentence of a transcript: its characters in the `text` of the passage, and its seconds."""

    start: int
    end: int
    start_s: float
    end_s: float


class PassageJson(TypedDict):
    ordinal: int
    text: str
    place: PlaceJson | None
    source: str
    marks: list[tuple[int, int]]  # ranges of `text` that match the query, in characters
    sentences: list[SentenceJson]  # of a transcript, where their seconds are known


class TextJson(TypedDict):
    id: str
    count: int  # of all passages, of which this may be one page
    passages: list[PassageJson]


class PageWordsJson(TypedDict):
    width: float
    height: float
    words: list[tuple[float, float, float, float, str, int]]
    marks: list[int]  # indices of the words that match the query
    label: str | None  # what the page is called besides its number


class PeaksJson(TypedDict):
    duration_s: float
    peaks: list[float]
