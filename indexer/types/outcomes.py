"""A file whose turn it is to be read, and what can come of that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from indexer.files.walk import Stat
from indexer.types.passages import Passage
from indexer.types.pieces import Facts, Member, Thumb
from indexer.types.places import Kind, Place

ATTEMPTS = 2  # to read a file, or to understand a content, before it has failed


@dataclass(frozen=True, slots=True)
class PendingFile:
    """A file whose turn it is; `attempts` were made before this one."""

    id: int
    path: Path
    attempts: int


@dataclass(frozen=True, slots=True)
class Read:
    """Everything that was found in one content for the first time, or by a newer extractor. `name`
    is that of the file, or of the member of it that this was read from."""

    file: PendingFile
    stat: Stat
    kind: Kind
    content: str
    name: str
    facts: Facts | None
    thumb: Thumb | None
    parts: tuple[Place, ...]
    passages: tuple[Passage, ...]
    labels: tuple[tuple[int, str], ...] = ()  # page, and what it is called besides
    members: tuple[MemberRead, ...] = ()

    @property
    def whole(self) -> Iterator[Read]:
        """This, and what was read of its members."""
        yield self
        yield from (member.read for member in self.members if member.read is not None)


@dataclass(frozen=True, slots=True)
class MemberRead:
    """A member of a content, and what was found in it: None where that is known already."""

    member: Member
    read: Read | None


@dataclass(frozen=True, slots=True)
class Known:
    """The file's bytes have been read before, here or under another name."""

    file: PendingFile
    stat: Stat
    content: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The file could not be read. Not `final`: it is worth another attempt."""

    file: PendingFile
    kind: Kind | None
    content: str | None
    reason: str
    sentence: str
    final: bool
    stat: Stat | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """The file is of no kind that is read."""

    file: PendingFile
    reason: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Unsettled:
    """The file changed while it was read, or is gone: it is looked at again."""

    file: PendingFile


Outcome = Read | Known | Refused | Skipped | Unsettled


@dataclass(frozen=True, slots=True)
class Salvaged:
    """Generations of one content that are whole. `captions` are the passages of the second."""

    read_generation: str | None
    understood_generation: str | None
    captions: tuple[Passage, ...]
    vectors: int
    vectors_sum: str | None
