"""One thread owns the model; everybody else asks through a lane.

Two lanes, each an `interface.Model`: `people` for whoever is waiting in front of a screen, `files`
for the background. People go first. Background work is done one call at a time, long calls in
pieces, and pauses between the words of a caption when a person comes. The model is loaded at the
first call, so that nothing pays for it which does not need it.

Light: importing this loads no torch.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from model.interface import (
    AnswerEvent,
    Content,
    Evidence,
    Exchange,
    Fingerprint,
    Image,
    Model,
    ModelCard,
    ModelProblem,
    Role,
    Sound,
    Understood,
    Vectors,
)

if TYPE_CHECKING:
    from model.checkpoint import Checkpoint

Result = TypeVar("Result")

# So many people may wait for the one model; the next is asked to come again.
MOST_WAITING = 8
# A background call is cut into pieces of so many contents, between which people are served.
PIECE = 8


class Busy(Exception):
    """Too many are waiting for the model; the message says so to a person."""


class Resident(Model, Protocol):
    """A loaded model; `calls` counts the contents and questions it was given."""

    @property
    def calls(self) -> int: ...


# Loads the model. It is given a function that the model calls between the tokens of background
# work, where something else may be done.
Load = Callable[[Callable[[], None]], Resident]


@dataclass(eq=False, slots=True)
class _Job:
    work: Callable[[Resident], Any]
    done: Future[Any] = field(default_factory=Future)


class Runtime:
    """Owns the model of one checkpoint, and its thread. `fingerprint` and `card` answer before
    anything is loaded. `threads` is how many processor threads the model may use, None for one to
    each core; `load` makes another model than the checkpoint's own."""

    def __init__(
        self, checkpoint: Checkpoint, threads: int | None = None, load: Load | None = None
    ) -> None:
        self._checkpoint = checkpoint
        self._threads = threads
        self._load = load or self._gemma
        self._model: Resident | None = None
        self._turn = threading.Condition()
        self._people: deque[_Job] = deque()
        self._files: deque[_Job] = deque()
        self._worker: threading.Thread | None = None
        self._closing = False
        self._in_background = False
        self.people: Model = _Lane(self, self._people, None)
        self.files: Model = _Lane(self, self._files, PIECE)

    @property
    def loaded(self) -> bool:
        return self._model is not None

    @property
    def calls(self) -> int:
        return self._model.calls if self._model is not None else 0

    @property
    def card(self) -> ModelCard:
        return self._model.card if self._model is not None else self._checkpoint.unloaded

    @property
    def fingerprint(self) -> Fingerprint:
        return self._checkpoint.fingerprint

    @property
    def closing(self) -> bool:
        return self._closing

    def close(self, wait_s: float = 10.0) -> None:
        """Stop what is running between two tokens, refuse what waits, end the thread."""
        with self._turn:
            self._closing = True
            waiting = [*self._people, *self._files]
            self._people.clear()
            self._files.clear()
            self._turn.notify_all()
        for job in waiting:
            job.done.set_exception(_closed())
        if self._worker is not None and self._worker is not threading.current_thread():
            self._worker.join(wait_s)

    def submit(self, lane: deque[_Job], work: Callable[[Resident], Result]) -> Future[Result]:
        """Queue `work` for the model's thread. Raises Busy when too many wait in this lane."""
        job = _Job(work)
        with self._turn:
            if self._closing:
                raise _closed()
            if len(lane) >= MOST_WAITING:
                raise Busy(
                    f"The model has {len(lane)} questions waiting already; "
                    "please ask again in a moment."
                )
            lane.append(job)
            if self._worker is None:
                self._worker = threading.Thread(target=self._run, name="model", daemon=True)
                self._worker.start()
            self._turn.notify_all()
        return job.done

    def _gemma(self, breathe: Callable[[], None]) -> Resident:
        from model.gemma import Gemma

        return Gemma(self._checkpoint, breathe=breathe)

    def _run(self) -> None:
        if self._threads is not None:
            import torch

            torch.set_num_threads(self._threads)
        while True:
            with self._turn:
                self._turn.wait_for(lambda: self._closing or self._people or self._files)
                if self._closing:
                    return
                self._in_background = not self._people
                job = (self._people or self._files).popleft()
            self._do(job)
            self._in_background = False

    def _do(self, job: _Job) -> None:
        if not job.done.set_running_or_notify_cancel():
            return
        try:
            if self._model is None:
                self._model = self._load(self._breathe)
            job.done.set_result(job.work(self._model))
        except BaseException as why:  # it belongs to whoever asked, and the thread must live on
            job.done.set_exception(_in_words(why))

    def _breathe(self) -> None:
        """Between two tokens of background work: serve the people who came meanwhile."""
        if not self._in_background:
            return
        self._in_background = False
        while self._people and not self._closing:
            self._do(self._people.popleft())
        self._in_background = True


class _Lane:
    """`interface.Model` on the other side of the thread."""

    def __init__(self, runtime: Runtime, waiting: deque[_Job], piece: int | None) -> None:
        self._runtime = runtime
        self._waiting = waiting
        self._piece = piece

    @property
    def card(self) -> ModelCard:
        return self._runtime.card

    @property
    def fingerprint(self) -> Fingerprint:
        return self._runtime.fingerprint

    def embed(self, contents: Sequence[Content], role: Role = "item") -> list[Vectors]:
        made: list[Vectors] = []
        for some in self._pieces(contents):
            made += self._call(partial(_embed, some, role))
        return made

    def describe(self, content: Image | Sound) -> Understood:
        return self._call(lambda model: model.describe(content))

    def judge(self, question: str, candidates: Sequence[Evidence]) -> list[float]:
        likely: list[float] = []
        for some in self._pieces(candidates):
            likely += self._call(partial(_judge, question, some))
        return likely

    def answer(
        self,
        question: str,
        evidence: Sequence[Evidence],
        history: Sequence[Exchange] = (),
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Iterator[AnswerEvent]:
        """Closing the generator stops the model before its next token."""
        events: queue.SimpleQueue[AnswerEvent | None] = queue.SimpleQueue()
        gone = threading.Event()

        def stop() -> bool:
            return gone.is_set() or self._runtime.closing or cancelled()

        def write(model: Resident) -> None:
            for event in model.answer(question, evidence, history, stop):
                events.put(event)

        done = self._runtime.submit(self._waiting, write)
        done.add_done_callback(lambda _: events.put(None))
        try:
            while (event := events.get()) is not None:
                yield event
            done.result()
        finally:
            gone.set()
            done.cancel()

    def _call(self, work: Callable[[Resident], Result]) -> Result:
        return self._runtime.submit(self._waiting, work).result()

    def _pieces(self, whole: Sequence[Any]) -> Iterator[Sequence[Any]]:
        size = self._piece or max(1, len(whole))
        for start in range(0, len(whole), size):
            yield whole[start : start + size]


def _embed(some: Sequence[Content], role: Role, model: Resident) -> list[Vectors]:
    return model.embed(some, role)


def _judge(question: str, some: Sequence[Evidence], model: Resident) -> list[float]:
    return model.judge(question, some)


def _in_words(why: BaseException) -> BaseException:
    """Running out of memory said to a person; anything else as it is."""
    if isinstance(why, MemoryError) or type(why).__name__ == "OutOfMemoryError":
        problem = ModelProblem(
            "The memory did not suffice for this; close other programs and ask again."
        )
        problem.__cause__ = why
        return problem
    return why


def _closed() -> ModelProblem:
    return ModelProblem("Recollect is closing; ask again after it has started.")
