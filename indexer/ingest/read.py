"""The first stage for one file: its kind is detected, its bytes hashed, its words extracted.

A file that changes while it is read, or is gone, gives nothing; one that cannot be read gives a
reason and a sentence for a person.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from indexer.extract.containers.file_format import detect_kind
from indexer.files.hashing import hash_handle
from indexer.files.opening import SpecialFileError, open_regular
from indexer.files.walk import Stat, is_elsewhere
from indexer.types.outcomes import (
    ATTEMPTS,
    Known,
    MemberRead,
    Outcome,
    PendingFile,
    Read,
    Refused,
    Skipped,
    Unsettled,
)
from indexer.types.passages import Passage, Source, split
from indexer.types.pieces import (
    Extracted,
    Facts,
    MediaPart,
    Member,
    MemberPiece,
    PageText,
    Piece,
    Thumb,
    UnreadableError,
)
from indexer.types.places import Kind, Page, Place
from indexer.types.unread_formats import unread_sentence
from model.interface import Image, Sound

# Reasons that may be gone at another attempt.
PASSING = frozenset({"crashed", "timeout", "unreadable", "error"})
LARGEST_BYTES = {Kind.DOCUMENT: 1 << 30, Kind.PHOTO: 1 << 30, Kind.RECORDING: 32 << 30}
ELSEWHERE = "The file lies in a cloud and not on this machine; it is read once it is here."
# The resolution of a file system's times; where they are whole seconds it may be two seconds.
TICK_S = 0.02
SLOW_TICK_S = 2.0


class Reader(Protocol):
    """A child process that opens files; `extract.process.reader.ReaderProcess` is one. Both raise
    UnreadableError."""

    def extract(self, path: Path, whole: bool = True) -> list[Extracted]: ...

    def original(
        self, path: Path, place: Place, longest_px: int = 1600, member: Member | None = None
    ) -> Image | Sound: ...


class Readers(Protocol):
    """Lends one of `children` readers to a thread; `extract.process.pool.ReaderPool` does."""

    @property
    def children(self) -> int: ...

    def lend(self) -> AbstractContextManager[Reader]: ...

    @property
    def pids(self) -> list[int]: ...

    def close(self) -> None: ...


def read_file(file: PendingFile, readers: Readers, is_known: Callable[[str], bool]) -> Outcome:
    """One file through stage 1. `is_known` says of a content whether reading it again is
    unnecessary. Never raises for anything that is the file's fault."""
    kind: Kind | None = None
    content: str | None = None
    before: Stat | None = None

    def refused(reason: str, sentence: str) -> Refused:
        final = reason not in PASSING or file.attempts + 1 >= ATTEMPTS
        # a file that may not be opened says nothing of its content
        known_content = None if reason == "permission" else content
        return Refused(file, kind, known_content, reason, sentence, final, before)

    try:
        if is_elsewhere(os.lstat(file.path)):
            return Skipped(file, "placeholder", ELSEWHERE)
        handle = open_regular(file.path)
    except SpecialFileError:
        return Unsettled(file)
    except OSError as problem:
        return _unopened(file, problem, refused)
    try:
        before = _stat_after_tick(handle, Stat.of(os.fstat(handle)))
        kind = detect_kind(file.path)
        if kind is None:
            return Skipped(file, "type", unread_sentence(file.path.name))
        if before.size == 0:
            return refused("empty", "The file is empty; there is nothing in it to read.")
        if before.size > LARGEST_BYTES[kind]:
            most = LARGEST_BYTES[kind] >> 30
            return refused(
                "too_large",
                f"The file is larger than {most} GiB, the most that is read; save it in several.",
            )
        content = hash_handle(handle)
        if Stat.of(os.fstat(handle)) != before:
            return Unsettled(file)
    except OSError as problem:
        return _unopened(file, problem, refused)
    except UnreadableError as problem:
        if problem.reason == "vanished":
            return Unsettled(file)
        return refused(problem.reason, problem.sentence)
    finally:
        os.close(handle)
    if is_known(content):
        return Known(file, before, content)
    try:
        with readers.lend() as reader:
            pieces = reader.extract(file.path, whole=file.attempts + 1 < ATTEMPTS)
    except UnreadableError as problem:
        if problem.reason == "vanished" or not _same(file.path, before):
            return Unsettled(file)
        return refused(problem.reason, problem.sentence)
    if not _same(file.path, before):
        return Unsettled(file)
    of_file = [piece for piece in pieces if not isinstance(piece, Member | MemberPiece)]
    read = _read(file, before, kind, content, file.path.name, of_file)
    return replace(read, members=tuple(_members(read, pieces)))


def _read(
    file: PendingFile, stat: Stat, kind: Kind, content: str, name: str, pieces: Iterable[Piece]
) -> Read:
    facts = next((piece for piece in pieces if isinstance(piece, Facts)), None)
    thumb = next((piece for piece in pieces if isinstance(piece, Thumb)), None)
    parts = tuple(piece.place for piece in pieces if isinstance(piece, MediaPart))
    passages, labels = passages_of(pieces), _labels(pieces)
    return Read(file, stat, kind, content, name, facts, thumb, parts, passages, labels)


def _members(outer: Read, pieces: Iterable[Extracted]) -> Iterator[MemberRead]:
    """The members that could be read, each content of them once."""
    within: dict[int, list[Piece]] = {}
    members: list[Member] = []
    for piece in pieces:
        if isinstance(piece, Member):
            members.append(piece)
        elif isinstance(piece, MemberPiece):
            within.setdefault(piece.ordinal, []).append(piece.piece)
    known = {outer.content}
    readable = {member.content for member in members if member.ordinal in within}
    for member in members:
        if member.content not in readable:
            continue
        read = None
        if member.ordinal in within and member.content not in known:
            known.add(member.content)
            inner = within[member.ordinal]
            read = _read(outer.file, outer.stat, member.kind, member.content, member.name, inner)
        yield MemberRead(member, read)


def passages_of(pieces: Iterable[Piece]) -> tuple[Passage, ...]:
    """The words of the pieces, cut into passages."""
    passages: list[Passage] = []
    for piece in pieces:
        if isinstance(piece, PageText):
            for text, joined in _cut(piece):
                number = len(passages)
                passages.append(Passage(number, text, piece.place, Source.TEXT, joined=joined))
    return tuple(passages)


def _cut(words: PageText) -> list[tuple[str, tuple[str, ...] | None]]:
    if words.cuts is None:
        return [(text, None) for text in split(words.text)]
    return [(words.text[start:end], joined) for start, end, joined in words.cuts]


def _labels(pieces: Iterable[Piece]) -> tuple[tuple[int, str], ...]:
    return tuple(
        (piece.place.page, piece.label)
        for piece in pieces
        if isinstance(piece, PageText) and piece.label and isinstance(piece.place, Page)
    )


def _unopened(
    file: PendingFile, problem: OSError, refused: Callable[[str, str], Refused]
) -> Refused | Unsettled:
    if problem.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ESTALE):
        return Unsettled(file)
    if isinstance(problem, PermissionError):
        return refused(
            "permission", "Recollect may not read this file; allow reading it, then retry."
        )
    return refused("unreadable", f"The file could not be read from the disk ({problem.strerror}).")


def _stat_after_tick(handle: int, first: Stat) -> Stat:
    """The stat of an open file, at least one tick after its last change: whoever writes to it while
    it is read, or later, gives it other times then."""
    changed = max(first.mtime_ns, first.ctime_ns)
    tick_s = SLOW_TICK_S if changed % 1_000_000_000 == 0 else TICK_S
    left_s = changed / 1e9 + tick_s - time.time()
    if not 0 < left_s <= tick_s:
        return first
    time.sleep(left_s)
    return Stat.of(os.fstat(handle))


def _same(path: Path, before: Stat) -> bool:
    try:
        return Stat.of(path.lstat()) == before
    except OSError:
        return False
