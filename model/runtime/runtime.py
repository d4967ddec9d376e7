"""The thread that owns the model, and its two queues.

Each queue has a client, an `interface.Model`: `people` for whoever waits in front of a screen,
`files` for the background. People go first. Background work is cut into slices, between which
people are served; a caption is paused for them between two tokens. The model is loaded at the first
call, so that nothing pays for it which does not need it, and unloaded when nobody has asked for a
while.

Importing this loads no torch.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from model.errors import RecollectError
from model.interface import Fingerprint, Model, ModelCard, ModelError, ModelMemoryError
from model.runtime.clients import ModelClient
from model.runtime.lifecycle import Lifecycle, LoadedModel, LoadModel, ModelSource
from model.runtime.out_of_memory import is_out_of_memory
from model.runtime.slices import Slices

Result = TypeVar("Result")

# So many people may wait for the one model; the next is asked to come again.
MOST_WAITING = 8
# While the background is held it waits for the person's next call, but for no longer than this
# from one call to the next, nor from one of its own slices to the next.
MAX_HOLD_S = 2.0


class BusyError(RecollectError):
    """Too many are waiting for the model; the sentence says so to a person."""

    code, status = "busy", 429


@dataclass(eq=False, slots=True)
class _Job:
    """`short` work may be done between two tokens of somebody else's answer."""

    work: Callable[[LoadedModel], Any]
    short: bool
    done: Future[Any] = field(default_factory=Future)
    asked_at: float = field(default_factory=time.perf_counter)


class Runtime:
    """Owns the model of one source, a checkpoint or another, and its thread. `fingerprint` and
    `card` answer before anything is loaded. `threads` is how many processor threads the model may
    use in this process, None for one to each core; after `unload_after_s` without work the model is
    unloaded, None for never; `load` makes another model than a checkpoint's own."""

    def __init__(
        self,
        source: ModelSource,
        threads: int | None = None,
        load: LoadModel | None = None,
        unload_after_s: float | None = None,
    ) -> None:
        self.slices = Slices()
        self.people: Model = ModelClient(self, people=True)
        self.files: Model = ModelClient(self, people=False)
        self._source = source
        self.lifecycle = Lifecycle(source, self.yield_turn, load)
        self._threads = threads
        self._unload_after_s = unload_after_s
        self._turn = threading.Condition()
        self._people: deque[_Job] = deque()
        self._files: deque[_Job] = deque()
        self._worker: threading.Thread | None = None
        self._closing = False
        self._in_background = False
        self._holds = 0
        self._person_served_at = 0.0
        self._hold_budget_s = MAX_HOLD_S

    @property
    def card(self) -> ModelCard:
        return self.lifecycle.card

    @property
    def fingerprint(self) -> Fingerprint:
        return self._source.fingerprint

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

    @contextmanager
    def hold_background(self) -> Iterator[None]:
        """For a person who may call the model more than once: the background waits meanwhile, so
        that they wait for one slice of it at the most, not for one at each call."""
        with self._turn:
            self._holds += 1
            self._person_served_at = time.monotonic()
        try:
            yield
        finally:
            with self._turn:
                self._holds -= 1
                self._turn.notify_all()

    def submit(
        self, people: bool, work: Callable[[LoadedModel], Result], short: bool = False
    ) -> Future[Result]:
        """Queue `work` for the model's thread. Raises BusyError when too many wait already."""
        job, jobs = _Job(work, short), self._people if people else self._files
        with self._turn:
            if self._closing:
                raise _closed()
            if len(jobs) >= MOST_WAITING:
                raise BusyError(
                    f"The model has {len(jobs)} questions waiting already; "
                    "please ask again in a moment."
                )
            jobs.append(job)
            if self._worker is None:
                self._worker = threading.Thread(target=self._run, name="model", daemon=True)
                self._worker.start()
            self._turn.notify_all()
        return job.done

    # --- on the model's thread

    def yield_turn(self) -> None:
        """Between two steps of background work: serve the people who came meanwhile. Raises
        ModelError when the runtime is closing, which ends the work."""
        if not self._in_background:
            return
        self.slices.end()
        self._in_background = False
        try:
            while (job := self._next_of_people()) is not None:
                self._do(job)
        finally:
            self._in_background = True
            self._begin_slice()
        if self._closing:
            raise _closed()

    def serve_short(self) -> None:
        """Between two tokens of an answer: what others need that takes no time."""
        with self._turn:
            waiting = [job for job in self._people if job.short]
            for job in waiting:
                self._people.remove(job)
        for job in waiting:
            self._do(job)

    def _begin_slice(self) -> None:
        self._hold_budget_s = MAX_HOLD_S
        self.slices.begin()

    def _run(self) -> None:
        if self._threads is not None:
            import torch

            torch.set_num_threads(self._threads)
        while (turn := self._next()) is not None:
            job, self._in_background = turn
            self._do(job)
            if self._in_background:
                self.slices.end()
                self._in_background = False
            del turn, job  # their contents may be large

    def _next(self) -> tuple[_Job, bool] | None:
        """The next job, and whether it is the background's; None when closing. Where nothing comes
        for long, the model is unloaded meanwhile."""
        idle_from = time.monotonic()
        with self._turn:
            while not self._closing:
                if self._people:
                    return self._people.popleft(), False
                hold_left_s = self._hold_left_s()
                if self._files and hold_left_s <= 0:
                    return self._files.popleft(), True
                wait_s = hold_left_s if self._files else None
                if self.lifecycle.loaded and self._unload_after_s is not None:
                    left_s = idle_from + self._unload_after_s - time.monotonic()
                    if left_s <= 0:
                        self.lifecycle.unload()
                        continue
                    wait_s = left_s if wait_s is None else min(wait_s, left_s)
                self._wait(wait_s)
        return None

    def _next_of_people(self) -> _Job | None:
        """The next job of a person; waits while the background is held. None when it is not."""
        with self._turn:
            while not self._closing:
                if self._people:
                    return self._people.popleft()
                if (wait_s := self._hold_left_s()) <= 0:
                    return None
                self._wait(wait_s)
        return None

    def _wait(self, wait_s: float | None) -> None:
        began = time.monotonic()
        self._turn.wait(wait_s)
        self._hold_budget_s -= time.monotonic() - began

    def _hold_left_s(self) -> float:
        """How long the background still has to wait for a person's next call."""
        if not self._holds:
            return 0.0
        return min(self._hold_budget_s, self._person_served_at + MAX_HOLD_S - time.monotonic())

    def _do(self, job: _Job) -> None:
        if not job.done.set_running_or_notify_cancel():
            return
        if not self._in_background:
            self.slices.record_wait(time.perf_counter() - job.asked_at)
        try:
            model = self.lifecycle.model()
            if self._in_background:
                self._begin_slice()  # loading does not count
            job.done.set_result(job.work(model))
        except BaseException as error:  # the caller's, and the thread must go on
            job.done.set_exception(ModelMemoryError() if is_out_of_memory(error) else error)
        if not self._in_background:
            self._person_served_at = time.monotonic()


def _closed() -> ModelError:
    return ModelError("Recollect is closing; ask again after it has started.")
