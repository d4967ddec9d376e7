"""The reader: opens untrusted files in a child process that may hang or die without harm."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self, TypeVar

from indexer.extract.process.child import ChildProcess
from indexer.extract.process.messages import (
    body_from_message,
    layers_from_message,
    member_json,
    original_from_message,
    page_words_from_message,
    peaks_from_message,
    piece_from_message,
    playable_from_message,
)
from indexer.extract.process.protocol import Message
from indexer.types.pieces import Extracted, Member, PageWords, UnreadableError
from indexer.types.places import Place, place_json
from model.interface import Image, Sound

T = TypeVar("T")

LIMIT_S = 60.0
WHOLE_LIMIT_S = 1_800.0
MEMORY_BYTES = 2 << 30
MAX_CLIP_S = 60.0
# So many attachments of one mail may each end a child; then none of them is opened any more.
MAX_CRASHED_MEMBERS = 3

CRASHED = "This file made the program that reads it stop; it was left out."


class ReaderProcess:
    """Reads files in one child, one job at a time; threads wait for each other. Every call raises
    UnreadableError, with a sentence for a person, for whatever is wrong with the file. With a
    `member`, the call is about that: an attachment of the mail at the path.

    `limit_s` is how long the child may be silent; a page that was read ends the silence.
    """

    worker = "indexer.extract.process.worker"

    def __init__(
        self,
        limit_s: float = LIMIT_S,
        memory_bytes: int = MEMORY_BYTES,
        whole_limit_s: float = WHOLE_LIMIT_S,
    ) -> None:
        self._limit_s = limit_s
        self._whole_limit_s = max(limit_s, whole_limit_s)
        self._lock = threading.Lock()
        self._child = ChildProcess(self.worker, memory_bytes)

    def extract(self, path: Path, whole: bool = True) -> list[Extracted]:
        """Everything in the file; unless the `whole` is wanted, an attachment that ends the child
        is left out."""
        crashed: list[int] = []
        while True:
            leave_out = crashed if len(crashed) <= MAX_CRASHED_MEMBERS else None
            pieces: list[Extracted] = []
            try:
                self._ask(piece_from_message, "extract", path, pieces, leave_out=leave_out)
            except UnreadableError as problem:
                members = [piece.ordinal for piece in pieces if isinstance(piece, Member)]
                died = problem.reason in ("crashed", "timeout")
                if whole or not died or not members or leave_out is None:
                    raise
                crashed.append(members[-1])
            else:
                return pieces

    def original(
        self, path: Path, place: Place, longest_px: int = 1600, member: Member | None = None
    ) -> Image | Sound:
        """A photo (place None), a page or a moment of a film as pixels; a span of a recording as
        mono samples at 16 kHz, at most a minute of it."""
        return self._one(
            original_from_message,
            "original",
            path,
            member,
            place=place_json(place),
            longest_px=longest_px,
        )

    def page(self, path: Path, page: int, width_px: int, member: Member | None = None) -> bytes:
        """A page of a document as WebP; texts are laid out for it."""
        return self._one(body_from_message, "page", path, member, page=page, width_px=width_px)

    def words(self, path: Path, page: int, member: Member | None = None) -> PageWords:
        """The words of a page and their boxes."""
        return self._one(page_words_from_message, "words", path, member, page=page)

    def picture(
        self,
        path: Path,
        longest_px: int,
        at_s: float | None = None,
        member: Member | None = None,
    ) -> bytes:
        """A photo, or the frame of a film at a second, as WebP: upright, without metadata."""
        return self._one(
            body_from_message, "picture", path, member, longest_px=longest_px, at_s=at_s
        )

    def pcm(
        self,
        path: Path,
        start_s: float,
        length_s: float,
        rate_hz: int,
        member: Member | None = None,
        track: int | None = None,
    ) -> bytes:
        """A stretch of a recording, of a minute at most, as mono samples of 16 bits; of several
        sound tracks that one, or the default one."""
        return self._one(
            body_from_message,
            "pcm",
            path,
            member,
            start_s=start_s,
            length_s=min(length_s, MAX_CLIP_S),
            rate_hz=rate_hz,
            track=track,
        )

    def playable(self, path: Path, member: Member | None = None) -> str | None:
        """The media type under which a browser plays a recording exactly; None where it has to be
        decoded for it."""
        return self._one(playable_from_message, "playable", path, member)

    def peaks(
        self,
        path: Path,
        count: int = 400,
        member: Member | None = None,
        track: int | None = None,
    ) -> list[float]:
        """The loudest sample, 0 to 1, of each of `count` equal stretches of a recording, or of one
        of its sound tracks."""
        return self._one(peaks_from_message, "peaks", path, member, count=count, track=track)

    def member_bytes(self, path: Path, member: Member, start: int, length: int) -> bytes:
        """So many of an attachment's own bytes, fewer where it ends."""
        return self._one(
            body_from_message, "member_bytes", path, member, start=start, length=length
        )

    def sandbox_layers(self) -> list[str]:
        """What keeps the child from writing and connecting on this system, by name."""
        return self._one(layers_from_message, "sandbox_layers", Path())

    def close(self) -> None:
        """End the child. The reader can be used again."""
        with self._lock:
            self._child.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The child's process id, while there is one."""
        return self._child.pid

    def _one(
        self,
        make: Callable[[Message], T],
        job: str,
        path: Path,
        member: Member | None = None,
        **arguments: Any,
    ) -> T:
        """The one answer of a job, as `make` makes it of the message."""
        answers: list[T] = []
        of_member = member_json(member) if member is not None else None
        self._ask(make, job, path, answers, member=of_member, **arguments)
        if not answers:
            raise UnreadableError("crashed", CRASHED)
        return answers[0]

    def _ask(
        self,
        make: Callable[[Message], T],
        job: str,
        path: Path,
        answers: list[T],
        **arguments: Any,
    ) -> None:
        """Adds what `make` makes of each message; where it cannot, the child is not trusted."""
        request = {"do": job, "path": str(path), "cpu_s": self._whole_limit_s, **arguments}
        with self._lock:
            try:
                for message in self._child.answers(request, self._limit_s, self._whole_limit_s):
                    answers.append(make(message))
            except UnreadableError:
                raise
            except TimeoutError as problem:
                self._child.stop()
                raise UnreadableError("timeout", _too_long(self._limit_s)) from problem
            except Exception as problem:
                self._child.stop()
                raise UnreadableError("crashed", CRASHED) from problem
            except BaseException:  # interrupted: the child's other answers are not for the next job
                self._child.stop()
                raise


def _too_long(limit_s: float) -> str:
    return f"Reading this file took longer than {limit_s:g} seconds, so it was left out."
