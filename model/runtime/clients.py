"""The two lanes to the model's thread: `interface.Model` as everybody else sees it.

Whoever asks blocks until the model's thread has answered. The background's calls are cut into
slices, between which people are served; what memory does not suffice for is done in halves.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from model.interface import (
    AnswerEvent,
    Content,
    ConversationTurn,
    Description,
    Evidence,
    Fingerprint,
    Image,
    ModelCard,
    ModelMemoryError,
    Role,
    Sound,
    Vectors,
)
from model.runtime import out_of_memory

if TYPE_CHECKING:
    from model.runtime.lifecycle import LoadedModel
    from model.runtime.runtime import Runtime

Result = TypeVar("Result")


class ModelClient:
    """One lane of `runtime`, for people or for the background."""

    def __init__(self, runtime: Runtime, people: bool) -> None:
        self._runtime = runtime
        self._people = people

    @property
    def card(self) -> ModelCard:
        return self._runtime.card

    @property
    def fingerprint(self) -> Fingerprint:
        return self._runtime.fingerprint

    def embed(self, contents: Sequence[Content], role: Role = "item") -> list[Vectors]:
        """Raises ModelMemoryError when one of them alone needs more memory than there is."""
        made: list[Vectors] = []
        while len(made) < len(contents):
            rest = contents[len(made) :]
            some = rest if self._people else rest[: self._runtime.slices.cut(rest)]
            made += self._call(partial(self._embed, some, role), short=len(some) == 1)
        return made

    def describe(self, content: Image | Sound) -> Description:
        """Raises ModelMemoryError."""

        def work(model: LoadedModel) -> Description:
            alone = [content]
            return out_of_memory.run_in_halves(
                lambda _: [model.describe(content)], alone, lambda _: model.forget()
            )[0]

        return self._call(work)

    def judge(self, question: str, candidates: Sequence[Evidence]) -> list[float]:
        """Raises ModelMemoryError."""

        def work(model: LoadedModel) -> list[float]:
            return out_of_memory.run_in_halves(
                lambda some: model.judge(question, some), candidates, lambda _: model.forget()
            )

        return self._call(work)

    def answer(
        self,
        question: str,
        evidence: Sequence[Evidence],
        history: Sequence[ConversationTurn] = (),
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Iterator[AnswerEvent]:
        """Closing the generator stops the model before its next token. Between two tokens others
        may have a question embedded: who searches does not wait for somebody else's answer."""
        events: queue.SimpleQueue[AnswerEvent | None] = queue.SimpleQueue()
        gone = threading.Event()

        def stop() -> bool:
            self._runtime.serve_short()
            return gone.is_set() or self._runtime.closing or cancelled()

        def write(model: LoadedModel) -> None:
            told = False

            def attempt(_: Sequence[None]) -> list[None]:
                nonlocal told
                if told:
                    raise ModelMemoryError  # half an answer is out; a second one cannot follow it
                for event in model.answer(question, evidence, history, stop):
                    told = True
                    events.put(event)
                return [None]

            out_of_memory.run_in_halves(attempt, [None], lambda _: model.forget())

        done = self._runtime.submit(self._people, write)
        done.add_done_callback(lambda _: events.put(None))
        try:
            while (event := events.get()) is not None:
                yield event
            done.result()
        finally:
            gone.set()
            done.cancel()

    def _embed(self, some: Sequence[Content], role: Role, model: LoadedModel) -> list[Vectors]:
        """On the model's thread."""

        def measured(some: Sequence[Content]) -> list[Vectors]:
            began = time.perf_counter()
            made = model.embed(some, role)
            if not self._people:
                self._runtime.slices.learn(some, time.perf_counter() - began)
                self._runtime.breathe()
            return made

        def short(some: Sequence[Content]) -> None:
            model.forget()
            self._runtime.slices.shrink(some)

        return out_of_memory.run_in_halves(measured, some, short)

    def _call(self, work: Callable[[LoadedModel], Result], short: bool = False) -> Result:
        return self._runtime.submit(self._people, work, short).result()
