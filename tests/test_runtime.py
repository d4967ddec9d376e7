"""One thread, two lanes: who goes first, what is refused, what stops when."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from model.interface import (
    DEFAULT_WRITING,
    AnswerEnd,
    AnswerEvent,
    AnswerText,
    ChatEvent,
    Content,
    ConversationTurn,
    Description,
    Evidence,
    Fingerprint,
    Image,
    ModelCard,
    ModelError,
    ModelMemoryError,
    Prompt,
    Role,
    Sound,
    Text,
    Vectors,
    WritingOptions,
)
from model.runtime import out_of_memory
from model.runtime.lifecycle import TRY_AGAIN_S
from model.runtime.runtime import MOST_WAITING, BusyError, Runtime
from model.runtime.slices import SLICE_S, Slices
from model.weights.installed import find_checkpoint
from tests import tiny
from tests.conftest import ROOT
from tests.fake_model import FakeModel
from tests.served import small_library

CHECKPOINT = find_checkpoint("pocket")
PICTURE = Image(np.zeros((1, 1, 3), np.uint8))


class RecordingModel:
    """Writes down who asked what, and on which thread; a caption takes as long as `hold` says."""

    def __init__(self, yield_turn: Callable[[], None]) -> None:
        self.log: list[str] = []
        self.threads: set[str] = set()
        self.yield_turn = yield_turn
        self.hold = threading.Event()
        self.begun = threading.Event()
        self.calls = 0
        self.wrote = 0
        self.each_s = 0.0
        self.forgot = 0
        self.card: ModelCard = CHECKPOINT.unloaded
        self.fingerprint: Fingerprint = CHECKPOINT.fingerprint

    def embed(self, contents: Sequence[Content], role: Role = "item") -> list[Vectors]:
        self.calls += len(contents)
        self.threads.add(threading.current_thread().name)
        self.log.append(f"embed {len(contents)} {role}")
        time.sleep(self.each_s * len(contents))
        return [Vectors(np.ones(1, np.float32), None) for _ in contents]

    def release_caches(self) -> None:
        self.forgot += 1

    def describe(self, content: Image | Sound) -> Description:
        self.begun.set()
        while not self.hold.wait(0.01):
            self.yield_turn()
        self.log.append("describe")
        return Description("", np.ones(1, np.float32), None)

    def judge(self, question: str, candidates: Sequence[Evidence]) -> list[float]:
        self.log.append("judge")
        return [0.5 for _ in candidates]

    def chat(
        self,
        prompt: Prompt,
        options: WritingOptions = DEFAULT_WRITING,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Iterator[ChatEvent]:
        self.log.append("chat")
        yield AnswerEnd("stop", 0.0, 0, 0.0, None)

    def count_tokens(self, texts: Sequence[str]) -> int:
        return sum(map(len, texts))

    def answer(
        self,
        question: str,
        evidence: Sequence[Evidence],
        history: Sequence[ConversationTurn] = (),
        cancelled: Callable[[], bool] = lambda: False,
        options: WritingOptions = DEFAULT_WRITING,
    ) -> Iterator[AnswerEvent]:
        if question == "fail":
            raise ModelError("It fell over.")
        for _ in range(1_000):
            if cancelled():
                break
            self.wrote += 1
            yield AnswerText("a")
            time.sleep(0.002)
        yield AnswerEnd("stop", 0.0, self.wrote, 0.0, None)


@pytest.fixture
def pair() -> Iterator[tuple[Runtime, list[RecordingModel]]]:
    models: list[RecordingModel] = []

    def load(yield_turn: Callable[[], None]) -> RecordingModel:
        models.append(RecordingModel(yield_turn))
        return models[0]

    runtime = Runtime(CHECKPOINT, load=load)
    yield runtime, models
    if models:
        models[0].hold.set()
    runtime.close()


def test_nothing_is_loaded_before_the_first_call(
    pair: tuple[Runtime, list[RecordingModel]],
) -> None:
    runtime, models = pair
    assert not runtime.lifecycle.loaded
    assert runtime.lifecycle.calls == 0
    assert runtime.people.fingerprint == CHECKPOINT.fingerprint
    assert runtime.card.reason == "It is loaded when it is first needed."
    assert not models
    runtime.people.embed([Text("a")], "query")
    assert runtime.lifecycle.loaded
    assert runtime.lifecycle.calls == 1
    runtime.files.embed([Text("a")])
    assert len(models) == 1
    assert models[0].threads == {"model"}
    assert models[0].log == ["embed 1 query", "embed 1 item"]


def test_background_calls_are_cut_as_fast_as_the_model_is(
    pair: tuple[Runtime, list[RecordingModel]],
) -> None:
    runtime, models = pair
    assert len(runtime.files.embed([Text("a")] * 100)) == 100
    assert models[0].log[:5] == [f"embed {2**n} item" for n in range(5)]
    assert runtime.people.embed([]) == []
    models[0].each_s = 0.02  # of a sudden the machine is busy
    models[0].log.clear()
    runtime.files.embed([Text("a")] * 16)
    runtime.files.embed([Text("a")] * 40)
    sizes = [int(line.split()[1]) for line in models[0].log][1:]
    assert sum(sizes) == 40
    assert 0.4 * SLICE_S <= sizes[0] * models[0].each_s <= SLICE_S


def test_one_content_is_a_slice_however_long_it_takes() -> None:
    slices = Slices(target_s=0.1)
    slices.learn([Text("a")], 30.0)
    assert slices.cut([Text("a")] * 5) == 1
    assert slices.cut([Text("a" * 100_000), Text("a")]) == 1


def test_long_contents_make_fewer_to_a_slice() -> None:
    slices = Slices(target_s=0.1)
    for _ in range(20):
        slices.learn([Text("a" * 400)] * 10, 0.1)
    assert slices.cut([Text("a" * 400)] * 30) == 10
    assert slices.cut([Text("a" * 4_000)] * 30) < 3
    second = Sound(np.zeros(16_000, np.float32), 16_000)
    assert slices.cut([Text("a" * 400), PICTURE, PICTURE, second, second]) > 1


def test_a_person_is_served_in_the_middle_of_a_caption(
    pair: tuple[Runtime, list[RecordingModel]],
) -> None:
    runtime, models = pair
    runtime.people.embed([Text("warm")])
    background = threading.Thread(target=lambda: runtime.files.describe(PICTURE))
    background.start()
    assert models[0].begun.wait(60)
    runtime.people.embed([Text("a"), Text("b")], "query")
    models[0].hold.set()
    background.join(60)
    assert models[0].log[1:] == ["embed 2 query", "describe"]


def test_background_work_waits_for_people(pair: tuple[Runtime, list[RecordingModel]]) -> None:
    runtime, models = pair
    runtime.people.embed([Text("warm")])
    first = threading.Thread(target=lambda: runtime.people.describe(PICTURE))
    first.start()
    assert models[0].begun.wait(60)
    files = threading.Thread(target=lambda: runtime.files.embed([Text("a")]))
    files.start()
    while not runtime._files:
        time.sleep(0.001)
    people = threading.Thread(target=lambda: runtime.people.embed([Text("b")], "query"))
    people.start()
    while not runtime._people:
        time.sleep(0.001)
    models[0].hold.set()
    for thread in (first, files, people):
        thread.join(60)
    assert models[0].log[1:] == ["describe", "embed 1 query", "embed 1 item"]


def test_too_many_are_asked_to_come_again(pair: tuple[Runtime, list[RecordingModel]]) -> None:
    runtime, models = pair
    runtime.people.embed([Text("warm")])
    threads = [threading.Thread(target=lambda: runtime.people.describe(PICTURE))]
    threads[0].start()
    assert models[0].begun.wait(60)
    for _ in range(MOST_WAITING):
        threads.append(threading.Thread(target=lambda: runtime.people.embed([Text("a")])))
        threads[-1].start()
    while len(runtime._people) < MOST_WAITING:
        time.sleep(0.001)
    with pytest.raises(BusyError, match="ask again in a moment"):
        runtime.people.embed([Text("a")])
    models[0].hold.set()
    for thread in threads:
        thread.join(60)


def test_an_answer_streams_and_stops_when_nobody_listens(
    pair: tuple[Runtime, list[RecordingModel]],
) -> None:
    runtime, models = pair
    events = runtime.people.answer("q", [])
    assert next(events) == AnswerText("a")
    assert next(events) == AnswerText("a")
    events.close()  # type: ignore[attr-defined]
    runtime.people.embed([Text("after")])
    wrote = models[0].wrote
    assert wrote < 500
    time.sleep(0.05)
    assert models[0].wrote == wrote


def test_cancelling_ends_in_finished(pair: tuple[Runtime, list[RecordingModel]]) -> None:
    runtime, _ = pair
    stop = threading.Event()
    events = runtime.people.answer("q", [], (), stop.is_set)
    next(events)
    stop.set()
    assert isinstance(list(events)[-1], AnswerEnd)


def test_what_goes_wrong_reaches_the_one_who_asked(
    pair: tuple[Runtime, list[RecordingModel]],
) -> None:
    runtime, _ = pair
    with pytest.raises(ModelError, match="fell over"):
        list(runtime.people.answer("fail", []))
    assert len(runtime.people.embed([Text("still there")])) == 1


class Clock:
    """`time.monotonic` of a module, moved by hand."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def monotonic(self) -> float:
        return self.now_s


def test_a_load_that_failed_is_told_at_once_and_tried_again_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tries: list[int] = []

    def load(yield_turn: Callable[[], None]) -> RecordingModel:
        tries.append(1)
        if len(tries) == 1:
            raise OSError("the disk went away")
        return RecordingModel(yield_turn)

    clock = Clock()
    monkeypatch.setattr("model.runtime.lifecycle.time", clock)
    runtime = Runtime(CHECKPOINT, load=load)
    for lane in (runtime.people, runtime.files, runtime.people):
        with pytest.raises(ModelError, match=r"pocket could not be loaded \(OSError: the disk"):
            lane.embed([Text("a")])
    assert len(tries) == 1
    assert runtime.lifecycle.problem is not None
    assert runtime.card.reason == runtime.lifecycle.problem
    clock.now_s += TRY_AGAIN_S
    assert len(runtime.people.embed([Text("a")])) == 1
    assert runtime.lifecycle.problem is None
    assert len(tries) == 2
    runtime.close()


def test_a_model_too_large_to_load_says_so() -> None:
    def load(yield_turn: Callable[[], None]) -> RecordingModel:
        raise MemoryError

    runtime = Runtime(CHECKPOINT, load=load)
    with pytest.raises(ModelError, match="not enough free memory to load pocket"):
        runtime.files.describe(PICTURE)
    runtime.close()


def test_an_idle_model_is_given_back_and_comes_again() -> None:
    models: list[RecordingModel] = []

    def load(yield_turn: Callable[[], None]) -> RecordingModel:
        models.append(RecordingModel(yield_turn))
        return models[-1]

    runtime = Runtime(CHECKPOINT, load=load, unload_after_s=0.05)
    runtime.files.embed([Text("a")] * 3)
    assert runtime.lifecycle.loaded
    while runtime.lifecycle.loaded:
        time.sleep(0.005)
    assert runtime.lifecycle.calls == 3  # goes on counting
    gone = weakref.ref(models.pop())
    gc.collect()
    assert gone() is None  # nothing here holds it
    runtime.people.embed([Text("b")])
    assert runtime.lifecycle.calls == 4
    runtime.close()


def test_who_searches_does_not_wait_for_anothers_answer(
    pair: tuple[Runtime, list[RecordingModel]],
) -> None:
    runtime, models = pair
    events = runtime.people.answer("q", [])
    next(events)
    runtime.people.embed([Text("quick")], "query")
    wrote = models[0].wrote
    assert wrote < 500
    next(events)
    events.close()  # type: ignore[attr-defined]


def test_the_background_waits_while_somebody_is_attended(
    pair: tuple[Runtime, list[RecordingModel]],
) -> None:
    runtime, models = pair
    runtime.people.embed([Text("warm")])
    with runtime.hold_background():
        background = threading.Thread(target=lambda: runtime.files.embed([Text("a")]))
        background.start()
        while not runtime._files:
            time.sleep(0.001)
        for _ in range(3):
            time.sleep(0.02)
            runtime.people.embed([Text("b")], "query")
        assert models[0].log.count("embed 1 item") == 1  # the warming
    background.join(60)
    assert models[0].log[-1] == "embed 1 item"


def test_who_is_attended_but_asks_nothing_holds_up_nobody_for_long(
    pair: tuple[Runtime, list[RecordingModel]], monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime, _ = pair
    monkeypatch.setattr("model.runtime.runtime.MAX_HOLD_S", 0.05)
    with runtime.hold_background():
        began = time.perf_counter()
        runtime.files.embed([Text("a")])
        assert time.perf_counter() - began >= 0.04


def test_people_without_end_do_not_starve_the_background(
    pair: tuple[Runtime, list[RecordingModel]], monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime, _ = pair
    monkeypatch.setattr("model.runtime.runtime.MAX_HOLD_S", 0.05)
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            with runtime.hold_background():
                runtime.people.embed([Text("a")], "query")
                done.wait(0.02)

    person = threading.Thread(target=ask)
    person.start()
    embedded = [runtime.files.embed([Text("b")]) for _ in range(3)]
    assert person.is_alive()  # it went on asking all the while
    assert [len(vectors) for vectors in embedded] == [1, 1, 1]
    done.set()
    person.join(60)


class OutOfMemoryError(RuntimeError):
    """Called like torch's own, which only a graphics card raises."""


class SmallMemoryModel(RecordingModel):
    """Has memory for `room` contents at once, and none for what says `vast`."""

    room = 3

    def embed(self, contents: Sequence[Content], role: Role = "item") -> list[Vectors]:
        vast = any(isinstance(content, Text) and content.text == "vast" for content in contents)
        if vast or len(contents) > self.room:
            self.log.append(f"short {len(contents)}")
            raise self.out_of_memory()
        return super().embed(contents, role)

    def out_of_memory(self) -> Exception:
        import torch

        try:
            torch.empty(1 << 60, dtype=torch.uint8)  # what torch really says on a processor
        except RuntimeError as problem:
            return problem
        raise AssertionError

    def answer(
        self,
        question: str,
        evidence: Sequence[Evidence],
        history: Sequence[ConversationTurn] = (),
        cancelled: Callable[[], bool] = lambda: False,
        options: WritingOptions = DEFAULT_WRITING,
    ) -> Iterator[AnswerEvent]:
        self.log.append("answer")
        if question == "late":
            yield AnswerText("half")
        if question == "late" or self.log.count("answer") == 1:
            raise OutOfMemoryError
        yield AnswerEnd("stop", 0.0, 1, 0.0, None)


@pytest.fixture
def small_memory() -> Iterator[tuple[Runtime, list[SmallMemoryModel]]]:
    models: list[SmallMemoryModel] = []

    def load(yield_turn: Callable[[], None]) -> RecordingModel:
        models.append(SmallMemoryModel(yield_turn))
        return models[0]

    runtime = Runtime(CHECKPOINT, load=load)
    yield runtime, models
    runtime.close()


def test_what_does_not_fit_at_once_is_done_in_halves(
    small_memory: tuple[Runtime, list[SmallMemoryModel]],
) -> None:
    runtime, models = small_memory
    assert len(runtime.people.embed([Text("a")] * 8)) == 8
    assert models[0].log == ["short 8", "short 4", *["embed 2 item"] * 2, "short 4",
                           *["embed 2 item"] * 2]  # fmt: skip
    models[0].log.clear()
    runtime.files.embed([Text("a")] * 64)
    later = models[0].log[-10:]
    assert not any(line.startswith("short") for line in later)  # it has learned


def test_one_that_never_fits_fails_alone_after_a_second_try(
    small_memory: tuple[Runtime, list[SmallMemoryModel]],
) -> None:
    runtime, models = small_memory
    with pytest.raises(ModelMemoryError, match="close other programs"):
        runtime.files.embed([Text("vast")])
    assert models[0].log == ["short 1", "short 1"]
    assert models[0].forgot == 1  # what it kept to be quicker went first
    assert len(runtime.files.embed([Text("a")])) == 1


def test_an_answer_is_begun_again_only_where_nothing_of_it_was_said(
    small_memory: tuple[Runtime, list[SmallMemoryModel]],
) -> None:
    runtime, _ = small_memory
    assert isinstance(list(runtime.people.answer("q", []))[-1], AnswerEnd)
    late = runtime.people.answer("late", [])
    assert next(late) == AnswerText("half")
    with pytest.raises(ModelMemoryError):
        list(late)


@pytest.mark.parametrize(
    ("problem", "short"),
    [
        (MemoryError(), True),
        (OutOfMemoryError(), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"), True),
        (RuntimeError("The size of tensor a (3) must match"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_a_shortage_is_told_from_other_faults(problem: Exception, short: bool) -> None:
    assert out_of_memory.is_out_of_memory(problem) is short


def test_closing_ends_a_background_caption_between_two_tokens(
    pair: tuple[Runtime, list[RecordingModel]],
) -> None:
    runtime, models = pair
    ended: list[BaseException] = []

    def describe() -> None:
        try:
            runtime.files.describe(PICTURE)
        except ModelError as why:
            ended.append(why)

    background = threading.Thread(target=describe)
    background.start()
    while not models or not models[0].begun.wait(0.01):
        pass
    runtime.close()
    background.join(60)
    assert not background.is_alive()
    assert "closing" in str(ended[0])


def test_closing_stops_an_answer_and_refuses_the_rest(
    pair: tuple[Runtime, list[RecordingModel]],
) -> None:
    runtime, _ = pair
    events = runtime.people.answer("q", [])
    next(events)
    runtime.close()
    assert isinstance(list(events)[-1], AnswerEnd)
    with pytest.raises(ModelError, match="closing"):
        runtime.people.embed([Text("a")])
    runtime.close()


class NarrowModel(FakeModel):
    """Has not the memory for a text that says `vast`."""

    def embed(self, contents: Sequence[Content], role: Role = "item") -> list[Vectors]:
        if any(isinstance(content, Text) and "vast" in content.text for content in contents):
            raise MemoryError
        return super().embed(contents, role)


@pytest.mark.slow
def test_a_file_too_large_for_the_memory_fails_alone(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for n in range(9):
        (folder / f"{n}.txt").write_text(f"The boat number {n} lies in the river.")
    (folder / "vast.txt").write_text("The vast one lies there, too.")
    with small_library(folder, tmp_path / "data", NarrowModel()) as library:
        status = library.status()
    assert status["coverage"]["understood"] == 9
    (failure,) = status["failed"]
    assert failure["path"].endswith("vast.txt")
    assert "not enough free memory" in failure["sentence"]


@pytest.mark.slow
def test_a_caption_interrupted_at_every_step_is_the_same(tmp_path: Path) -> None:
    """The real model: people ask, look and are answered in the middle of it, and the words and
    vectors of the background come out as if nobody had come."""
    checkpoint = find_checkpoint(tiny.write(tmp_path / "tiny"))
    runtime = Runtime(checkpoint, threads=1)
    shown, heard = tiny.picture(), tiny.sound()
    undisturbed = [runtime.files.describe(medium) for medium in (shown, heard)]
    source = Evidence(1, "a note", "the red bicycle near the garden at ten", tiny.picture(60, 60))
    done = threading.Event()
    served: list[int] = []

    def disturb() -> None:
        while not done.is_set():
            with runtime.hold_background():
                runtime.people.embed([Text("red bicycle")], "query")
                stream = runtime.people.answer("what is near?", [source])
                for _ in zip(stream, range(3), strict=False):
                    pass
                stream.close()  # type: ignore[attr-defined]
            served.append(1)
            time.sleep(0.01)

    person = threading.Thread(target=disturb)
    person.start()
    disturbed = [runtime.files.describe(medium) for medium in (shown, heard)]
    in_between = len(served)
    done.set()
    person.join(30)
    runtime.close()
    assert in_between >= 4
    for before, after in zip(undisturbed, disturbed, strict=True):
        assert before.words
        assert before.words == after.words
        np.testing.assert_allclose(before.gist, after.gist, atol=1e-5)
        assert before.body is not None
        assert after.body is not None
        np.testing.assert_allclose(before.body, after.body, atol=1e-5)


IDLE = """
import psutil, sys, time
from model.weights.installed import find_checkpoint
from model.interface import Text
from model.runtime.runtime import Runtime

resident = lambda: psutil.Process().memory_info().rss
runtime = Runtime(find_checkpoint(sys.argv[1]), threads=1, unload_after_s=0.5)
sizes = []
for _ in range(2):
    runtime.people.embed([Text("red bicycle")])
    assert runtime.lifecycle.loaded
    loaded = resident()
    while runtime.lifecycle.loaded:
        time.sleep(0.05)
    time.sleep(0.2)
    sizes += [loaded, resident()]
print(find_checkpoint(sys.argv[1]).weight_count * 4, *sizes)
"""


@pytest.mark.slow
def test_what_an_idle_model_held_goes_back_to_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiny, "HIDDEN", 1024)  # some 90 MB of weights
    folder = tiny.write(tmp_path / "model", drafter=False)
    process = subprocess.run(
        [sys.executable, "-c", IDLE, folder], capture_output=True, text=True, cwd=ROOT, check=True
    )
    weights, *resident = map(int, process.stdout.split())
    assert weights > 5e7
    for loaded, after in zip(resident[::2], resident[1::2], strict=True):
        assert loaded - after > 0.8 * weights
    assert resident[2] < resident[0] + 0.2 * weights  # nothing piles up
