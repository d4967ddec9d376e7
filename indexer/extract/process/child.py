"""The reader: opens strangers' files in a child process that may hang or die without harm.

The child is started when it is first needed and again after it died. It has its own memory limit,
no open file but two pipes and a lifeline, may write and connect nowhere (`sandbox`), and ends with
this process. A new one is a fresh Python (never a fork), so it carries nothing of ours with it.
What it says is bounded and checked: it can be wrong, but not large and not of another shape.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self, TypeVar

from indexer.extract.process.messages import (
    body_from_message,
    error_from_message,
    member_json,
    original_from_message,
    page_words_from_message,
    peaks_from_message,
    piece_from_message,
)
from indexer.extract.process.protocol import Message, PipeReader, decode_message, encode_message
from indexer.types.pieces import Extracted, Member, PageWords, UnreadableError
from indexer.types.places import Place, place_json
from model.interface import Image, Sound

T = TypeVar("T")

LIMIT_S = 60.0
WHOLE_LIMIT_S = 1_800.0
MEMORY_BYTES = 2 << 30
# The most that is believed of one file, so that no child can fill this process.
MOST_PIECES = 200_000
MOST_BYTES = 192 << 20
# So many attachments of one mail may each end a child; then none of them is opened any more.
MOST_ENDED = 3

CRASHED = "This file made the program that reads it stop; it was left out."
_ROOT = Path(__file__).resolve().parents[3]


class ReaderProcess:
    """Reads files in one child, one job at a time; threads wait for each other. Every call raises
    UnreadableError, with a sentence for a person, for whatever is wrong with the file. With a
    `member`, that is what is asked about: an attachment of the mail at the path.

    `limit_s` is how long the child may be silent; a page that was read is a sign of life.
    """

    children = 1

    worker = "indexer.extract.process.worker"

    def __init__(
        self,
        limit_s: float = LIMIT_S,
        memory_bytes: int = MEMORY_BYTES,
        whole_limit_s: float = WHOLE_LIMIT_S,
    ) -> None:
        self._limit_s = limit_s
        self._whole_limit_s = max(limit_s, whole_limit_s)
        self._memory_bytes = memory_bytes
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._lifeline = -1

    def extract(self, path: Path, whole: bool = True) -> list[Extracted]:
        """Everything in the file; where not the `whole` is wanted at any price, an attachment that
        ends the child is left out."""
        ended: list[int] = []
        while True:
            leave_out = ended if len(ended) <= MOST_ENDED else None
            pieces: list[Extracted] = []
            try:
                self._ask(piece_from_message, "extract", path, made=pieces, leave_out=leave_out)
            except UnreadableError as problem:
                members = [piece.ordinal for piece in pieces if isinstance(piece, Member)]
                died = problem.reason in ("crashed", "timeout")
                if whole or not died or not members or leave_out is None:
                    raise
                ended.append(members[-1])
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
        """A photo, or a film at a second, as WebP: upright, without metadata."""
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
    ) -> bytes:
        """A stretch of a recording, of a minute at most, as mono samples of 16 bits."""
        wanted = {"start_s": start_s, "length_s": min(length_s, 60.0), "rate_hz": rate_hz}
        return self._one(body_from_message, "pcm", path, member, **wanted)

    def peaks(self, path: Path, count: int = 400, member: Member | None = None) -> list[float]:
        """The loudest sample, 0 to 1, of each of `count` equal stretches of a recording."""
        return self._one(peaks_from_message, "peaks", path, member, count=count)

    def member_bytes(self, path: Path, member: Member, start: int, length: int) -> bytes:
        """So many of an attachment's own bytes, fewer where it ends."""
        return self._one(
            body_from_message, "member_bytes", path, member, start=start, length=length
        )

    def sandbox_layers(self) -> list[str]:
        """What keeps the child from writing and connecting on this system."""
        return self._one(
            lambda said: [str(name) for name in said[0]["layers"]], "sandbox_layers", Path()
        )

    def close(self) -> None:
        """End the child. The reader can be used again."""
        with self._lock:
            self._stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        try:  # noqa: SIM105  at the end of the program contextlib may be gone before us
            self._stop()
        except Exception:  # noqa: S110
            pass

    @property
    def pid(self) -> int | None:
        """The child's process id, while there is one."""
        child = self._child
        return None if child is None else child.pid

    @property
    def pids(self) -> list[int]:
        """The same as a list, as `Readers` has it."""
        return [] if self.pid is None else [self.pid]

    def _one(
        self,
        make: Callable[[Message], T],
        do: str,
        path: Path,
        member: Member | None = None,
        **wanted: Any,
    ) -> T:
        made: list[T] = []
        inside = member_json(member) if member is not None else None
        self._ask(make, do, path, made, member=inside, **wanted)
        if not made:
            raise UnreadableError("crashed", CRASHED)
        return made[0]

    def _ask(
        self, make: Callable[[Message], T], do: str, path: Path, made: list[T], **wanted: Any
    ) -> None:
        """Adds what `make` makes of each answer; where it cannot, the child is not trusted."""
        job = {"do": do, "path": str(path), "cpu_s": self._whole_limit_s, **wanted}
        with self._lock:
            try:
                for message in self._answers(encode_message(job)):
                    made.append(make(message))
            except UnreadableError:
                raise
            except TimeoutError as problem:
                self._stop()
                raise UnreadableError("timeout", _too_long(self._limit_s)) from problem
            except Exception as problem:
                self._stop()
                raise UnreadableError("crashed", CRASHED) from problem
            except BaseException:  # interrupted: what the child still says is not for the next job
                self._stop()
                raise

    def _answers(self, job: bytes) -> Iterator[Message]:
        child = self._running()
        assert child.stdin is not None  # noqa: S101  it was made with pipes
        assert child.stdout is not None  # noqa: S101
        child.stdin.write(job)
        child.stdin.flush()
        said = PipeReader(child.stdout.fileno())  # between two jobs a child says nothing
        end = time.monotonic() + self._whole_limit_s
        left_bytes = MOST_BYTES

        def read(count: int) -> bytes:
            nonlocal left_bytes
            left_bytes -= count
            if left_bytes < 0:
                raise ValueError("more than any file of ours says")
            return said.take(count, until)

        for _ in range(MOST_PIECES):
            until = min(end, time.monotonic() + self._limit_s)
            head, body = decode_message(read)
            if "alive" in head:
                continue
            if "done" in head:
                return
            if "reason" in head:
                raise error_from_message(head)
            yield head, body
        raise ValueError("more pieces than any file of ours has")

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is not None and self._child.poll() is None:
            return self._child
        self._stop()
        ours, self._lifeline = os.pipe()
        try:
            self._child = subprocess.Popen(  # noqa: S603  our own interpreter and words
                # -P: never import from the folder we happen to be in
                [
                    sys.executable,
                    "-P",
                    "-m",
                    self.worker,
                    str(ours),
                    str(self._memory_bytes),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                pass_fds=(ours,),
                cwd="/",
                env=_environment(),
                start_new_session=True,
            )
        finally:
            os.close(ours)
        return self._child

    def _stop(self) -> None:
        child, self._child = self._child, None
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1
        if child is not None:
            child.kill()
            child.wait()
            for pipe in (child.stdin, child.stdout):
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()  # type: ignore[union-attr]


def _environment() -> dict[str, str]:
    """Nothing of a person's, and one thread: the child shares the machine."""
    kept = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "SYSTEMROOT")
    said = {name: os.environ[name] for name in kept if name in os.environ}
    one = dict.fromkeys(["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"], "1")
    ours = {"PYTHONPATH": str(_ROOT), "PYTHONDONTWRITEBYTECODE": "1", "ORT_DISABLE_TELEMETRY": "1"}
    return {**said, **one, **ours}


def _too_long(limit_s: float) -> str:
    return f"Reading this file took longer than {limit_s:g} seconds, so it was left out."
