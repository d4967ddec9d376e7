"""One thread, two lanes: who goes first, what is refused, what stops when."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest

from model.checkpoint import find
from model.interface import (
    AnswerEvent,
    Content,
    Evidence,
    Exchange,
    Fingerprint,
    Finished,
    Image,
    ModelCard,
    ModelProblem,
    Piece,
    Role,
    Sound,
    Text,
    Understood,
    Vectors,
)
from model.runtime import MOST_WAITING, PIECE, Busy, Runtime

CHECKPOINT = find("pocket")
PICTURE = Image(np.zeros((1, 1, 3), np.uint8))


class Scribe:
    """Writes down who asked what, and on which thread; a caption takes as long as `hold` says."""

    def __init__(self, breathe: Callable[[], None]) -> None:
        self.log: list[str] = []
        self.threads: set[str] = set()
        self.breathe = breathe
        self.hold = threading.Event()
        self.begun = threading.Event()
        self.calls = 0
        self.wrote = 0
        self.card: ModelCard = CHECKPOINT.unloaded
        self.fingerprint: Fingerprint = CHECKPOINT.fingerprint

    def embed(self, contents: Sequence[Content], role: Role = "item") -> list[Vectors]:
        self.calls += len(contents)
        self.threads.add(threading.current_thread().name)
        self.log.append(f"embed {len(contents)} {role}")
        return [Vectors(np.ones(1, np.float32), None) for _ in contents]

    def describe(self, content: Image | Sound) -> Understood:
        self.begun.set()
        while not self.hold.wait(0.01):
            self.breathe()
        self.log.append("describe")
        return Understood("", np.ones(1, np.float32), None)

    def judge(self, question: str, candidates: Sequence[Evidence]) -> list[float]:
        self.log.append("judge")
        return [0.5 for _ in candidates]

    def answer(
        self,
        question: str,
        evidence: Sequence[Evidence],
        history: Sequence[Exchange] = (),
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Iterator[AnswerEvent]:
        if question == "fail":
            raise ModelProblem("It fell over.")
        for _ in range(1_000):
            if cancelled():
                break
            self.wrote += 1
            yield Piece("a")
            time.sleep(0.002)
        yield Finished("stop", 0.0, self.wrote, 0.0, None)


@pytest.fixture
def pair() -> Iterator[tuple[Runtime, list[Scribe]]]:
    made: list[Scribe] = []

    def load(breathe: Callable[[], None]) -> Scribe:
        made.append(Scribe(breathe))
        return made[0]

    runtime = Runtime(CHECKPOINT, load=load)
    yield runtime, made
    if made:
        made[0].hold.set()
    runtime.close()


def test_nothing_is_loaded_before_the_first_call(pair: tuple[Runtime, list[Scribe]]) -> None:
    runtime, made = pair
    assert not runtime.loaded
    assert runtime.calls == 0
    assert runtime.people.fingerprint == CHECKPOINT.fingerprint
    assert runtime.card.reason == "It is loaded when it is first needed."
    assert not made
    runtime.people.embed([Text("a")], "query")
    assert runtime.loaded
    assert runtime.calls == 1
    runtime.files.embed([Text("a")])
    assert len(made) == 1
    assert made[0].threads == {"model"}
    assert made[0].log == ["embed 1 query", "embed 1 item"]


def test_background_calls_come_in_pieces(pair: tuple[Runtime, list[Scribe]]) -> None:
    runtime, made = pair
    vectors = runtime.files.embed([Text("a")] * (2 * PIECE + 1))
    assert len(vectors) == 2 * PIECE + 1
    assert made[0].log == [f"embed {PIECE} item", f"embed {PIECE} item", "embed 1 item"]
    assert runtime.people.embed([]) == []


def test_a_person_is_served_in_the_middle_of_a_caption(
    pair: tuple[Runtime, list[Scribe]],
) -> None:
    runtime, made = pair
    runtime.people.embed([Text("warm")])
    background = threading.Thread(target=lambda: runtime.files.describe(PICTURE))
    background.start()
    assert made[0].begun.wait(5)
    runtime.people.embed([Text("a"), Text("b")], "query")
    made[0].hold.set()
    background.join(5)
    assert made[0].log[1:] == ["embed 2 query", "describe"]


def test_background_work_waits_for_people(pair: tuple[Runtime, list[Scribe]]) -> None:
    runtime, made = pair
    runtime.people.embed([Text("warm")])
    first = threading.Thread(target=lambda: runtime.people.describe(PICTURE))
    first.start()
    assert made[0].begun.wait(5)
    files = threading.Thread(target=lambda: runtime.files.embed([Text("a")]))
    files.start()
    while not runtime._files:
        time.sleep(0.001)
    people = threading.Thread(target=lambda: runtime.people.embed([Text("b")], "query"))
    people.start()
    while not runtime._people:
        time.sleep(0.001)
    made[0].hold.set()
    for thread in (first, files, people):
        thread.join(5)
    assert made[0].log[1:] == ["describe", "embed 1 query", "embed 1 item"]


def test_too_many_are_asked_to_come_again(pair: tuple[Runtime, list[Scribe]]) -> None:
    runtime, made = pair
    runtime.people.embed([Text("warm")])
    threads = [threading.Thread(target=lambda: runtime.people.describe(PICTURE))]
    threads[0].start()
    assert made[0].begun.wait(5)
    for _ in range(MOST_WAITING):
        threads.append(threading.Thread(target=lambda: runtime.people.embed([Text("a")])))
        threads[-1].start()
    while len(runtime._people) < MOST_WAITING:
        time.sleep(0.001)
    with pytest.raises(Busy, match="ask again in a moment"):
        runtime.people.embed([Text("a")])
    made[0].hold.set()
    for thread in threads:
        thread.join(5)


def test_an_answer_streams_and_stops_when_nobody_listens(
    pair: tuple[Runtime, list[Scribe]],
) -> None:
    runtime, made = pair
    events = runtime.people.answer("q", [])
    assert next(events) == Piece("a")
    assert next(events) == Piece("a")
    events.close()  # type: ignore[attr-defined]
    runtime.people.embed([Text("after")])
    wrote = made[0].wrote
    assert wrote < 500
    time.sleep(0.05)
    assert made[0].wrote == wrote


def test_cancelling_ends_in_finished(pair: tuple[Runtime, list[Scribe]]) -> None:
    runtime, _ = pair
    stop = threading.Event()
    events = runtime.people.answer("q", [], (), stop.is_set)
    next(events)
    stop.set()
    assert isinstance(list(events)[-1], Finished)


def test_what_goes_wrong_reaches_the_one_who_asked(pair: tuple[Runtime, list[Scribe]]) -> None:
    runtime, _ = pair
    with pytest.raises(ModelProblem, match="fell over"):
        list(runtime.people.answer("fail", []))
    assert len(runtime.people.embed([Text("still there")])) == 1


def test_a_load_that_failed_is_tried_again() -> None:
    tries: list[int] = []

    def load(breathe: Callable[[], None]) -> Scribe:
        tries.append(1)
        if len(tries) == 1:
            raise ModelProblem("The weights are damaged.")
        return Scribe(breathe)

    runtime = Runtime(CHECKPOINT, load=load)
    with pytest.raises(ModelProblem, match="damaged"):
        runtime.people.embed([Text("a")])
    assert len(runtime.people.embed([Text("a")])) == 1
    runtime.close()


def test_closing_stops_an_answer_and_refuses_the_rest(
    pair: tuple[Runtime, list[Scribe]],
) -> None:
    runtime, _ = pair
    events = runtime.people.answer("q", [])
    next(events)
    runtime.close()
    assert isinstance(list(events)[-1], Finished)
    with pytest.raises(ModelProblem, match="closing"):
        runtime.people.embed([Text("a")])
    runtime.close()
