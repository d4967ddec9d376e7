"""A content whose turn it is to be understood, and what can come of that."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from indexer.files.walk import Stat
from indexer.types.passages import Passage
from indexer.types.pieces import Member
from indexer.types.places import Kind, Place
from model.interface import Float32


@dataclass(frozen=True, slots=True, eq=False)
class VectorRow:
    """The vectors (D,) of the passage `ordinal`; None where the model gave none."""

    ordinal: int
    place: Place
    gist: Float32 | None
    body: Float32 | None


@dataclass(frozen=True, slots=True)
class PendingContent:
    """A content whose turn it is; `path` and `stat` are of the `file` it is read from, as itself or
    as a `member` of it. So many `passages` were read in it, which add up to `words_sum`; None where
    that was never written down."""

    content: str
    kind: Kind
    file: int
    path: Path
    stat: Stat
    read_generation: str
    parts: tuple[Place, ...]
    attempts: int
    member: Member | None = None
    passages: int = 0
    words_sum: str | None = None


@dataclass(slots=True)
class UnderstoodContent:
    """What the model made of one content; `reason` and `sentence` tell of parts that failed."""

    item: PendingContent
    passages: list[Passage] = field(default_factory=list)
    rows: list[VectorRow] = field(default_factory=list)
    failed: int = 0
    reason: str | None = None
    sentence: str | None = None

    def fail(self, reason: str, sentence: str) -> None:
        self.failed += 1
        self.reason, self.sentence = reason, sentence


@dataclass(frozen=True, slots=True)
class FailedContent:
    """Nothing of the content could be understood."""

    item: PendingContent
    reason: str
    sentence: str
