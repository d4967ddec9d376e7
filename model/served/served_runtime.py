"""Whose turn it is at an engine: people before files, and never more requests than it can take.

There is no thread of the model here, since the engine does the work: each call is made where it was
asked for, as soon as it is its turn.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

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
    Prompt,
    Role,
    Sound,
    Vectors,
    WritingOptions,
)
from model.runtime.runtime import MAX_HOLD_S, MOST_WAITING, BusyError
from model.served.connection import closing
from model.served.served_model import ServedModel

# Of people; with the one of the files. Engines queue what they cannot do side by side.
MOST_AT_ONCE = 4


class Turns:
    """Who may ask the engine now."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._asking = 0  # people whose request is under way
        self._waiting = 0  # people whose turn has not come
        self._holds = 0
        self._person_served_at = 0.0
        self._closed = False

    @contextmanager
    def of_person(self) -> Iterator[None]:
        """Raises BusyError when too many wait, ModelError when closing."""
        with self._changed:
            if self._waiting >= MOST_WAITING:
                raise BusyError(
                    f"The model has {self._waiting} questions waiting already; "
                    "please ask again in a moment."
                )
            self._waiting += 1
            try:
                while self._asking >= MOST_AT_ONCE and not self._closed:
                    self._changed.wait()
            finally:
                self._waiting -= 1
            self._refuse_when_closed()
            self._asking += 1
        try:
            yield
        finally:
            with self._changed:
                self._asking -= 1
                self._person_served_at = time.monotonic()
                self._changed.notify_all()

    @contextmanager
    def of_file(self) -> Iterator[None]:
        """Waits until no person asks, nor is about to. Raises ModelError when closing."""
        with self._changed:
            while not self._closed:
                if self._asking or self._waiting:
                    self._changed.wait()
                    continue
                held_s = self._person_served_at + MAX_HOLD_S - time.monotonic()
                if not self._holds or held_s <= 0:
                    break
                self._changed.wait(held_s)
            self._refuse_when_closed()
        yield

    @contextmanager
    def hold(self) -> Iterator[None]:
        """A person is about to ask more than once: files wait meanwhile, but not for ever."""
        with self._changed:
            self._holds += 1
            self._person_served_at = time.monotonic()
        try:
            yield
        finally:
            with self._changed:
                self._holds -= 1
                self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise closing()


class ServedClient:
    """`interface.Model` for people or for files, each call in its turn."""

    def __init__(self, model: ServedModel, turns: Turns, people: bool) -> None:
        self._model = model
        self._turn = turns.of_person if people else turns.of_file

    @property
    def card(self) -> ModelCard:
        return self._model.card

    @property
    def fingerprint(self) -> Fingerprint:
        return self._model.fingerprint

    def embed(self, contents: Sequence[Content], role: Role = "item") -> list[Vectors]:
        with self._turn():
            return self._model.embed(contents, role)

    def describe(self, content: Image | Sound) -> Description:
        with self._turn():
            return self._model.describe(content)

    def judge(self, question: str, candidates: Sequence[Evidence]) -> list[float]:
        with self._turn():
            return self._model.judge(question, candidates)

    def answer(
        self,
        question: str,
        evidence: Sequence[Evidence],
        history: Sequence[ConversationTurn] = (),
        cancelled: Callable[[], bool] = lambda: False,
        options: WritingOptions = DEFAULT_WRITING,
    ) -> Iterator[AnswerEvent]:
        with self._turn():
            yield from self._model.answer(question, evidence, history, cancelled, options)

    def chat(
        self,
        prompt: Prompt,
        options: WritingOptions = DEFAULT_WRITING,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Iterator[ChatEvent]:
        with self._turn():
            yield from self._model.chat(prompt, options, cancelled)

    def count_tokens(self, texts: Sequence[str]) -> int:
        return self._model.count_tokens(texts)


class ServedRuntime:
    """`interface.ModelRuntime` of a model that an engine serves."""

    def __init__(self, model: ServedModel) -> None:
        self.lifecycle = model
        self._turns = Turns()
        self.people = ServedClient(model, self._turns, people=True)
        self.files = ServedClient(model, self._turns, people=False)

    @property
    def card(self) -> ModelCard:
        return self.lifecycle.card

    @contextmanager
    def hold_background(self) -> Iterator[None]:
        with self._turns.hold():
            yield

    def close(self) -> None:
        """Takes back what is under way, and refuses what waits and whatever comes after."""
        self._turns.close()
        self.lifecycle.close()
