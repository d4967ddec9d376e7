"""`interface.Model` for everybody outside the model's thread: one client for people, one for the
background.

A call blocks until the model's thread has answered. The background's calls are cut into slices,
between which people are served. What memory does not suffice for is done in halves.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Protocol, TypeVar

from model.interface import (
    DEFAULT_WRITING,
    AnswerEvent,
    ChatEvent,
    Content,
    ConversationTurn,
    Description,
    Evidence,
    Fingerprint,
    Image,
    ModelCard,
    ModelMemoryError,
    Prompt,
    Role,
    Sound,
    Vectors,
    WritingOptions,
)
from model.runtime.lifecycle import LoadedModel
from model.runtime.out_of_memory import run_in_halves
from model.runtime.slices import Slices, estimate_tokens

Result = TypeVar("Result")
Event = TypeVar("Event")


class ModelThread(Protocol):
    """What a client needs of the thread that owns the model."""

    @property
    def card(self) -> ModelCard: ...

    @property
    def fingerprint(self) -> Fingerprint: ...

    @property
    def closing(self) -> bool: ...

    @property
    def slices(self) -> Slices: ...

    def submit(
        self, people: bool, work: Callable[[LoadedModel], Result], short: bool = False
    ) -> Future[Result]:
        """Queue `work`. Raises BusyError when too many wait."""
        ...

    def yield_turn(self) -> None:
        """Between two steps of background work: serve the people who came meanwhile."""
        ...

    def serve_short(self) -> None:
        """Between two tokens of an answer: serve what takes no time."""
        ...


class ModelClient:
    """Queues calls for the model's thread, ahead of the background's when `people`."""

    def __init__(self, thread: ModelThread, people: bool) -> None:
        self._thread = thread
        self._people = people

    @property
    def card(self) -> ModelCard:
        return self._thread.card

    @property
    def fingerprint(self) -> Fingerprint:
        return self._thread.fingerprint

    def embed(self, contents: Sequence[Content], role: Role = "item") -> list[Vectors]:
        """In the background the longest first, so that those of one slice are of like length and
        little is padded. Raises ModelMemoryError when one of them alone needs more memory than
        there is."""
        order = list(range(len(contents)))
        if not self._people:
            order.sort(key=lambda index: estimate_tokens(contents[index]), reverse=True)
        vectors: dict[int, Vectors] = {}
        while len(vectors) < len(contents):
            rest = [contents[index] for index in order[len(vectors) :]]
            part = rest if self._people else rest[: self._thread.slices.cut(rest)]
            made = self._call(partial(self._embed, part, role), short=len(part) == 1)
            vectors |= zip(order[len(vectors) :], made, strict=False)
        return [vectors[index] for index in range(len(contents))]

    def describe(self, content: Image | Sound) -> Description:
        """Raises ModelMemoryError."""

        def work(model: LoadedModel) -> Description:
            alone = [content]
            return run_in_halves(
                lambda _: [model.describe(content)], alone, lambda _: model.release_caches()
            )[0]

        return self._call(work)

    def judge(self, question: str, candidates: Sequence[Evidence]) -> list[float]:
        """Raises ModelMemoryError."""

        def work(model: LoadedModel) -> list[float]:
            return run_in_halves(
                lambda part: model.judge(question, part),
                candidates,
                lambda _: model.release_caches(),
            )

        return self._call(work)

    def answer(
        self,
        question: str,
        evidence: Sequence[Evidence],
        history: Sequence[ConversationTurn] = (),
        cancelled: Callable[[], bool] = lambda: False,
        options: WritingOptions = DEFAULT_WRITING,
    ) -> Iterator[AnswerEvent]:
        return self._stream(
            lambda model, stop: model.answer(question, evidence, history, stop, options), cancelled
        )

    def chat(
        self,
        prompt: Prompt,
        options: WritingOptions = DEFAULT_WRITING,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Iterator[ChatEvent]:
        return self._stream(lambda model, stop: model.chat(prompt, options, stop), cancelled)

    def count_tokens(self, texts: Sequence[str]) -> int:
        return self._call(lambda model: model.count_tokens(texts), short=True)

    def _stream(
        self,
        write: Callable[[LoadedModel, Callable[[], bool]], Iterator[Event]],
        cancelled: Callable[[], bool],
    ) -> Iterator[Event]:
        """Closing the generator stops the model before its next token. Between two tokens others
        may have a question embedded: who searches does not wait for somebody else's answer."""
        events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        closed = threading.Event()

        def stop() -> bool:
            self._thread.serve_short()
            return closed.is_set() or self._thread.closing or cancelled()

        def work(model: LoadedModel) -> None:
            begun = False

            def attempt(_: Sequence[None]) -> list[None]:
                nonlocal begun
                if begun:
                    raise ModelMemoryError  # half an answer is out; a second one cannot follow it
                for event in write(model, stop):
                    begun = True
                    events.put(event)
                return [None]

            run_in_halves(attempt, [None], lambda _: model.release_caches())

        done = self._thread.submit(self._people, work)
        done.add_done_callback(lambda _: events.put(None))
        try:
            while (event := events.get()) is not None:
                yield event
            done.result()
        finally:
            closed.set()
            done.cancel()

    def _embed(self, contents: Sequence[Content], role: Role, model: LoadedModel) -> list[Vectors]:
        """On the model's thread."""

        def measured(part: Sequence[Content]) -> list[Vectors]:
            began = time.perf_counter()
            vectors = model.embed(part, role)
            if not self._people:
                self._thread.slices.learn(part, time.perf_counter() - began)
                self._thread.yield_turn()
            return vectors

        def short_of_memory(part: Sequence[Content]) -> None:
            model.release_caches()
            self._thread.slices.shrink(part)

        return run_in_halves(measured, contents, short_of_memory)

    def _call(self, work: Callable[[LoadedModel], Result], short: bool = False) -> Result:
        return self._thread.submit(self._people, work, short).result()
