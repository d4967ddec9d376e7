"""Minutes of a recording: turns of speakers, an outline, and points: each with its seconds."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum

VERSION = 1  # raised where the same transcript gives other minutes: they are then made anew
SHORTEST_S = 60.0  # recordings that are not longer have none


class PointKind(StrEnum):
    DECISION = "decision"
    ACTION = "action"
    QUESTION = "question"


@dataclass(frozen=True, slots=True)
class SpokenSentence:
    """A sentence of a transcript with its seconds."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Turn:
    """What one speaker says without a break; speakers are numbered from 1 as they first speak."""

    speaker: int
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the recording that is about one thing."""

    title: str
    start_s: float


@dataclass(frozen=True, slots=True)
class Point:
    """A decision, an action item or an open question, with the words it was said in. Of an action
    item `who` is a name or None where nobody was named, `speaker` whoever says that they will do
    it, and `due` until when."""

    kind: PointKind
    quote: str
    start_s: float
    end_s: float
    speaker: int | None = None
    who: str | None = None
    what: str | None = None
    due: str | None = None


@dataclass(frozen=True, slots=True)
class Minutes:
    """The minutes of one recording. `names` are speakers who say their own name."""

    title: str
    turns: tuple[Turn, ...]
    sections: tuple[Section, ...]
    points: tuple[Point, ...]
    names: tuple[tuple[int, str], ...] = ()

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, written: str) -> Minutes:
        fields = json.loads(written)
        return cls(
            fields["title"],
            tuple(Turn(**turn) for turn in fields["turns"]),
            tuple(Section(**section) for section in fields["sections"]),
            tuple(
                Point(**{**point, "kind": PointKind(point["kind"])}) for point in fields["points"]
            ),
            tuple((speaker, name) for speaker, name in fields["names"]),
        )
