"""A recording as it is read: who speaks, and what was decided."""

from __future__ import annotations

from typing_extensions import TypedDict


class SpeakerJson(TypedDict):
    speaker: int
    name: str  # "Speaker 1" where nobody has said
    named: bool


class SpokenJson(TypedDict):
    """A sentence of a recording; `speaker` is null while nobody can tell."""

    text: str
    start_s: float
    end_s: float
    speaker: int | None


class SectionJson(TypedDict):
    title: str
    start_s: float


class PointJson(TypedDict):
    """A decision, an action item or an open question, in the words it was said in."""

    quote: str
    start_s: float
    end_s: float
    who: str | None
    what: str | None
    due: str | None


class RecordingJson(TypedDict):
    id: str
    title: str
    made_at: float | None
    duration_s: float
    minutes: str  # "ready", "waiting" to be made, or "short": none are made of a minute or less
    speakers: list[SpeakerJson]
    sentences: list[SpokenJson]
    sections: list[SectionJson]
    decisions: list[PointJson]
    actions: list[PointJson]
    questions: list[PointJson]
