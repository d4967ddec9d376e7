"""Answers and the state of the library as they happen; and a server that stops when it is told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.served import EndlessModel, Running, running, small_library, write_files
from web.http import event_streams
from web.http.event_streams import MAX_ANSWERS, encode_event
from web.library.library import Library
from web.library.schemas.answers import AskEvent
from web.library.serializers.answers import ANSWER_INTERRUPTED

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    base = tmp_path_factory.mktemp("streams")
    write_files(base / "files")
    with small_library(base / "files", base / "data") as library, running(library) as server:
        yield server


@contextmanager
def endless(base: Path) -> Iterator[tuple[Running, EndlessModel]]:
    (base / "files").mkdir()
    (base / "files" / "boat.txt").write_text("The red boat lies in the river.\n")
    model = EndlessModel()
    with small_library(base / "files", base / "data", model) as library, running(library) as server:
        yield server, model


def events(answer: httpx.Response) -> Iterator[tuple[str, Any]]:
    """The events of a stream, by the rules of the HTML standard for what we send."""
    name = ""
    for line in answer.iter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))
        else:
            assert line == "" or line.startswith(":")


def ask(client: httpx.Client, **body: Any) -> list[tuple[str, Any]]:
    with client.stream("POST", "/api/ask", json=body) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert answer.headers["cache-control"] == "no-store"
        return list(events(answer))


def eventually(true: Any, within_s: float) -> float:
    """Waits until `true()`; how long that took."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < within_s, "it did not happen"
        time.sleep(0.01)
    return time.monotonic() - began


# --- answers


def test_an_answer(served: Running) -> None:
    with served.browser() as client:
        events_sent = ask(client, question="Where does the red boat lie?")
    names = [name for name, _ in events_sent]
    assert names[0] == "source"
    assert names[-1] == "done"
    assert names.index("token") > max(i for i, name in enumerate(names) if name == "source")
    source = events_sent[0][1]
    assert set(source) == {
        "n", "id", "path", "kind", "title", "attached_to", "place", "snippet", "thumb",
    }  # fmt: skip
    (citation, *_) = [data for name, data in events_sent if name == "citation"]
    assert citation["quote"] == "The red boat lies in the river."
    assert citation["place"] == {"page": 1}
    assert citation["verified"] is True
    done = events_sent[-1][1]
    assert done["answer"].startswith("boats")
    assert citation in done["citations"]
    assert done["left_out"] == 0


def test_an_answer_about_one_item(served: Running) -> None:
    with served.program() as client:
        events_sent = ask(
            client,
            question="What is in the garden?",
            about=served.item("garden.txt"),
            history=[{"question": "Hello?", "answer": "Hello."}],
        )
    assert {data["id"] for name, data in events_sent if name == "source"} == {
        served.item("garden.txt")
    }


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"question": ""}, 422),
        ({"question": "x" * 2_001}, 422),
        ({"question": 5}, 422),
        ({"question": "x", "history": [{"question": "x"}]}, 422),
        ({"question": "x", "history": [{"question": "x", "answer": "y"}] * 51}, 422),
        ({"question": "x", "tool": "shell"}, 422),
        ({"question": "x", "about": "a" * 26}, 404),
        ({"question": "x", "about": "/etc/passwd"}, 404),
    ],
)
def test_what_is_no_question(served: Running, body: dict[str, Any], status: int) -> None:
    with served.program() as client:
        answer = client.post("/api/ask", json=body)
    assert answer.status_code == status
    assert answer.json()["error"]["sentence"].endswith(".")


def test_an_empty_question_says_so(served: Running) -> None:
    with served.program() as client:
        ((name, data),) = ask(client, question="   ")
    assert (name, data["code"]) == ("error", "query")


def test_a_problem_ends_the_answer(served: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(library: Library, question: str, **_: Any) -> Iterator[AskEvent]:
        yield {"event": "token", "data": {"text": "well"}}
        raise RuntimeError("/home/somebody/secret.txt")

    monkeypatch.setattr(Library, "ask", fail)
    with served.program() as client:
        events_sent = ask(client, question="x")
    assert events_sent == [
        ("token", {"text": "well"}),
        ("error", {"code": "internal", "sentence": ANSWER_INTERRUPTED, "status": 500}),
    ]


def test_a_stopped_answer_stops_the_model(tmp_path: Path) -> None:
    with endless(tmp_path) as (server, model), server.browser() as client:
        with client.stream("POST", "/api/ask", json={"question": "the boat?"}) as answer:
            assert next(data for name, data in events(answer) if name == "token")
            assert not model.stopped.is_set()
        assert model.stopped.wait(60)
        # the model is free again at once
        with client.stream("POST", "/api/ask", json={"question": "the boat?"}) as answer:
            assert next(data for name, data in events(answer) if name == "token")


def test_an_answer_that_takes_long_says_it_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_streams, "HEARTBEAT_S", 0.05)
    going_on = threading.Event()

    def slow(library: Library, question: str, **_: Any) -> Iterator[AskEvent]:
        going_on.wait(60)
        yield {"event": "token", "data": {"text": "at last"}}

    monkeypatch.setattr(Library, "ask", slow)
    with (
        endless(tmp_path) as (server, _),
        server.program() as client,
        client.stream("POST", "/api/ask", json={"question": "x"}) as answer,
    ):
        lines = answer.iter_lines()
        assert [next(lines) for _ in range(4)] == [": still here", "", ": still here", ""]
        going_on.set()
        assert 'data: {"text":"at last"}' in list(lines)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/ask", {"question": "boat", "stream": False}),
        (
            "/v1/chat/completions",
            {"model": "recollect", "messages": [{"role": "user", "content": "boat"}]},
        ),
    ],
)
def test_a_whole_answer_that_nobody_waits_for_ends(
    tmp_path: Path, path: str, body: dict[str, Any]
) -> None:
    with endless(tmp_path) as (server, model), server.program() as client:
        with pytest.raises(httpx.ReadTimeout):
            client.post(path, json=body, timeout=0.5)
        assert model.stopped.wait(60)


def test_more_answers_than_can_be_given(tmp_path: Path) -> None:
    with endless(tmp_path) as (server, _), server.program() as client:
        requests = [
            client.build_request("POST", "/api/ask", json={"question": "boat"})
        ] * MAX_ANSWERS
        open_ones = [client.send(request, stream=True) for request in requests]
        refused = client.post("/api/ask", json={"question": "boat"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "busy")
        assert int(refused.headers["retry-after"]) > 0
        assert client.get("/api/search", params={"q": "boat", "by": "words"}).status_code == 200
        for answer in open_ones:
            answer.close()


def test_a_frame_is_one_event_whatever_is_in_it() -> None:
    encoded = encode_event("token", {"text": "a\n\nevent: done\r\ndata: {}\u2028\udcff"})
    assert encoded.count(b"\n\n") == 1
    assert encoded.endswith(b"\n\n")
    assert b"\r" not in encoded
    decoded = json.loads(encoded.decode().split("data: ", 1)[1])
    assert decoded["text"].startswith("a\n\nevent: done\r\n")


# --- the state of the library


def test_status_is_told_at_once_and_on_every_change(tmp_path: Path) -> None:
    with endless(tmp_path) as (server, _), server.browser() as client:
        began = time.monotonic()
        with client.stream("GET", "/api/status?stream=1") as answer:
            statuses = events(answer)
            name, first = next(statuses)
            assert name == "status"
            assert first == client.get("/api/status").json()
            (tmp_path / "files" / "new.txt").write_text("A green garden.\n")
            indexing = threading.Thread(target=server.library.index)
            indexing.start()
            count = 1
            for _, status in statuses:
                count += 1
                if status["coverage"]["understood"] == 2:
                    break
            indexing.join()
        # never oftener than every half second, however late one may arrive here
        assert count <= 2 + (time.monotonic() - began) / 0.4


def test_status_is_told_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_streams, "STATUS_INTERVAL_S", 0.1)
    with endless(tmp_path) as (server, _), server.program() as client:
        with client.stream("GET", "/api/status?stream=1") as answer:
            statuses = events(answer)
            for _ in range(3):
                assert next(statuses)[0] == "status"
        assert client.head("/api/status?stream=1").status_code == 200


def test_many_follow_one_watch(tmp_path: Path) -> None:
    eventually(lambda: watches() == 0, 60.0)  # those of the tests before have ended
    with endless(tmp_path) as (server, _), server.program() as client:
        requests = [client.build_request("GET", "/api/status?stream=1") for _ in range(20)]
        following = [client.send(request, stream=True) for request in requests]
        for answer in following:
            assert next(events(answer))[0] == "status"
        assert watches() == 1
        for answer in following:
            answer.close()
        eventually(lambda: watches() == 0, 60.0)  # and nobody is watched for


def watches() -> int:
    return sum(thread.name == "recollect-status" for thread in threading.enumerate())


# --- the end


@pytest.mark.parametrize(
    "sent", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)]
)
def test_a_signal_stops_the_server(tmp_path: Path, sent: signal.Signals) -> None:
    """A process that is answering and telling its state ends within 5 s, closes its library, and
    has printed nothing by itself."""
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "boat.txt").write_text("The red boat lies in the river.\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.served", tmp_path / "files", tmp_path / "data"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert process.stdout is not None
    try:
        port, token = process.stdout.readline().split()
        headers = {"Authorization": f"Bearer {token}"}
        url = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=url, headers=headers, timeout=60, trust_env=False) as client:
            answered = client.build_request("POST", "/api/ask", json={"question": "boat"})
            followed = client.build_request("GET", "/api/status?stream=1")
            answer, status = (client.send(request, stream=True) for request in (answered, followed))
            assert next(events(answer))
            assert next(events(status))[0] == "status"
            process.send_signal(sent)
            assert process.wait(60) == 0
            answer.close()
            status.close()
        assert process.stdout.read() == "closed\n"
    finally:
        process.kill()
        process.stdout.close()
