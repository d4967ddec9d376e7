"""A damaged catalog, damaged tables, a full disk and a failing one over HTTP: every route of the
application does what it is for as long as it can, and else says the fault in its sentence, with its
cure."""

from __future__ import annotations

import json
import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from indexer.catalog.storage.database import Database
from model.errors import RecollectError
from tests.damages import data_files, halve
from tests.served import Running, running, small_library, write_files
from tests.test_room import ballast, tiny_disk
from web.library.client import Client
from web.library.conversations.conversations import NEW

Route = tuple[str, str]
RECOLLECT = {"model": "recollect"}
QUESTION = {"role": "user", "content": "Where is the boat?"}
# What is asked of each route; `{...}` are ids and paths of the library. What needs the tables comes
# first: damaged ones are repaired meanwhile.
REQUESTS: dict[Route, dict[str, Any]] = {
    ("GET", "/api/search"): {"params": {"q": "boat"}},
    ("POST", "/api/search"): {"file": "sunset.png", "headers": {"content-type": "image/png"}},
    ("POST", "/api/ask"): {"json": {"question": "Where is the boat?"}},
    ("POST", "/v1/chat/completions"): {"json": {**RECOLLECT, "messages": [QUESTION]}},
    ("POST", "/v1/responses"): {"json": {**RECOLLECT, "input": [QUESTION]}},
    ("GET", "/api/status"): {},
    ("GET", "/api/files"): {"params": {"state": "understood"}},
    ("POST", "/api/items"): {"json": {"path": "{base}/lib/garden.txt"}},
    ("GET", "/api/roots"): {},
    ("POST", "/api/roots"): {"json": {"path": "{base}/other"}},
    ("DELETE", "/api/roots"): {"json": {"path": "{base}/second"}},
    ("GET", "/api/excludes"): {},
    ("POST", "/api/accept"): {"json": {}},
    ("POST", "/api/retry"): {"json": {}},
    ("POST", "/api/forget"): {"json": {"what": "{base}/lib/garden.txt"}},
    ("POST", "/api/remember"): {"json": {}},
    ("GET", "/api/model"): {},
    ("POST", "/api/launch"): {"json": {}},
    ("GET", "/api/items/{item_id}"): {},
    ("GET", "/api/items/{item_id}/text"): {"params": {"q": "boat"}},
    ("GET", "/api/items/{item_id}/peaks"): {"item": "whistle.wav"},
    ("GET", "/api/items/{item_id}/page/{n}"): {},
    ("GET", "/api/items/{item_id}/page/{n}/words"): {"params": {"q": "boat"}},
    ("GET", "/api/items/{item_id}/thumb"): {"item": "sunset.png"},
    ("GET", "/api/items/{item_id}/picture"): {"item": "sunset.png"},
    ("GET", "/api/items/{item_id}/audio"): {"item": "whistle.wav"},
    ("GET", "/api/items/{item_id}/original"): {},
    ("GET", "/api/items/{item_id}/recording"): {"item": "whistle.wav"},
    ("POST", "/api/items/{item_id}/recording/sentence"): {
        "item": "whistle.wav",
        "json": {"at_s": 0, "text": "A whistle."},
    },
    ("GET", "/api/conversations"): {},
    ("GET", "/api/conversations/{conversation}"): {},
    ("POST", "/api/conversations/{conversation}"): {"json": {"title": "Boats"}},
    ("GET", "/api/folders"): {},
    ("GET", "/api/storage"): {},
    ("POST", "/v1/embeddings"): {"json": {**RECOLLECT, "input": "boat"}},
    ("GET", "/v1/models"): {},
    ("GET", "/v1/models/{name}"): {},
    # these mend what they can, so they come last
    ("POST", "/api/verify"): {"json": {}},
    ("POST", "/api/index"): {"json": {}},
}

# A recording of a minute and more has speakers, and there is none here; and of a conversation that
# is deleted nothing else can be asked.
NOT_ASKED = {
    ("POST", "/api/items/{item_id}/recording/speaker"),
    ("DELETE", "/api/conversations/{conversation}"),
}
# What is known without the catalog, without the tables, and what writes.
WITHOUT_A_CATALOG = {
    ("GET", "/api/conversations"),
    ("GET", "/api/conversations/{conversation}"),
    ("POST", "/api/conversations/{conversation}"),
    ("GET", "/api/storage"),
    ("GET", "/api/excludes"),
    ("GET", "/api/model"),
    ("POST", "/api/launch"),
    ("POST", "/v1/embeddings"),
    ("GET", "/v1/models"),
    ("GET", "/v1/models/{name}"),
}
BESIDE = {("GET", "/api/search"), ("GET", "/api/status")}  # they say it beside what they give
OF_THE_TABLES = BESIDE | {
    ("POST", "/api/search"),
    ("POST", "/api/ask"),
    ("POST", "/v1/chat/completions"),
    ("POST", "/v1/responses"),
}
WRITING = {
    ("POST", "/api/conversations/{conversation}"),
    ("POST", "/api/items/{item_id}/recording/sentence"),
    ("POST", "/api/roots"),
    ("DELETE", "/api/roots"),
    ("POST", "/api/forget"),
    ("POST", "/api/remember"),
    ("POST", "/api/index"),
}


def routes(app: FastAPI) -> set[Route]:
    """Every address of the API with its methods, as the application has them."""
    paths = app.openapi()["paths"]
    return {(method.upper(), path) for path, methods in paths.items() for method in methods}


class Asked:
    """A library, served, of which every route is asked."""

    def __init__(self, base: Path, server: Running, conversation: str) -> None:
        self._base, self._server = base, server
        self._ids = {name: server.item(name) for name in ("boats.pdf", "whistle.wav", "sunset.png")}
        self._conversation = conversation

    def problems(self) -> dict[Route, dict[str, Any]]:
        """The problem that each route answers with; routes that do what they are for have none."""
        problems = {}
        with self._server.program() as client:
            for route in REQUESTS:
                answer = self._ask(client, route)
                if (problem := problem_of(answer)) is not None:
                    problems[route] = problem
                else:
                    assert answer.is_success, (route, answer.text)
        return problems

    def _ask(self, client: httpx.Client, route: Route) -> httpx.Response:
        method, path = route
        request = dict(REQUESTS[route])
        item = self._ids[request.pop("item", "boats.pdf")]
        if name := request.pop("file", ""):
            request["content"] = (self._base / "lib" / name).read_bytes()
        if "json" in request:
            request["json"] = json.loads(
                json.dumps(request["json"]).replace("{base}", str(self._base))
            )
        return client.request(
            method,
            path.replace("{item_id}", item)
            .replace("{n}", "1")
            .replace("{name}", "recollect")
            .replace("{conversation}", self._conversation),
            **request,
        )


def problem_of(answer: httpx.Response) -> dict[str, Any] | None:
    """The code and the sentence that an answer has, in JSON, in a stream or beside what was found;
    None where there is no problem."""
    if answer.headers["content-type"].startswith("text/event-stream"):
        frames = [
            frame.split("\n") for frame in answer.text.split("\n\n") if "event: error" in frame
        ]
        return dict(json.loads(frames[0][1].removeprefix("data: "))) if frames else None
    if answer.headers["content-type"] != "application/json":
        return None
    content = answer.json()
    if answer.is_success:
        problem = content.get("problem") if isinstance(content, dict) else None
        return {"code": "problem", "sentence": problem} if problem else None
    error = content["error"]
    if "message" in error:  # as OpenAI's clients expect it
        error = {"code": error["code"], "sentence": error["message"]}
    return {"status": answer.status_code, **error}


@contextmanager
def asked(base: Path, data: Path) -> Iterator[tuple[Asked, Running]]:
    write_files(base / "lib")
    for name in ("other", "second"):
        (base / name).mkdir()
    with small_library(base / "lib", data) as library, running(library) as server:
        library.add(str(base / "second"))
        kept, _ = library.conversations.begin_turn(NEW, "Where is the boat?", [])
        yield Asked(base, server, kept["id"]), server


def in_the_terminal(server: Running, ask: Callable[[Client], object]) -> str:
    """The sentence that a command ends with, which asks this server."""
    with Client(server.url, server.token) as client, pytest.raises(RecollectError) as caught:
        ask(client)
    return caught.value.sentence


def test_fault_14_a_damaged_catalog_is_said_by_every_route(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with asked(tmp_path, data) as (library, server):
        assert set(REQUESTS) == routes(server.app) - NOT_ASKED
        assert library.problems() == {}
        catalog = data / "catalog.sqlite"
        Database(catalog).rewrite()  # nothing is left in the journal
        with open(catalog, "r+b") as file:
            file.seek(4096)
            file.write(b"\xa5" * (catalog.stat().st_size - 4096))
        with closing(sqlite3.connect(catalog, isolation_level=None)) as db:
            db.execute("PRAGMA user_version = 1")  # a commit: nobody trusts what was read before
        problems = library.problems()
        assert set(REQUESTS) - set(problems) == WITHOUT_A_CATALOG
        assert {(problem.get("status", 503), problem["code"]) for problem in problems.values()} == {
            (503, "catalog")
        }
        for problem in problems.values():
            assert "is damaged" in problem["sentence"]
            assert "`recollect verify --repair` begins it anew" in problem["sentence"]
        assert in_the_terminal(server, Client.roots) == problems["GET", "/api/roots"]["sentence"]
        with server.program() as client:
            streamed = client.get("/api/status", params={"stream": "1"})
        assert problem_of(streamed) == problems["GET", "/api/status"]


def test_fault_05_damaged_tables_leave_all_that_needs_none(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with asked(tmp_path, data) as (library, _):
        for table in ("words", "gist_*", "body_*"):
            halve(data_files(data, table))
        problems = library.problems()
        assert set(problems) == OF_THE_TABLES
        for route, problem in problems.items():
            assert problem["code"] == ("problem" if route in BESIDE else "store")
            is_mended = "it is repaired now, by itself" in problem["sentence"]
            assert is_mended or "`recollect verify --repair` mends" in problem["sentence"]
            assert "lance error" not in problem["sentence"]


def test_fault_03_a_full_disk_is_said_by_what_writes(tmp_path: Path) -> None:
    with tiny_disk(tmp_path / "disk", 40) as disk, asked(tmp_path, disk / "d") as (library, server):
        ballast(disk, 0)
        problems = library.problems()
        assert set(problems) == WRITING
        assert {(problem["status"], problem["code"]) for problem in problems.values()} == {
            (507, "disk_full")
        }
        assert all("make room" in problem["sentence"] for problem in problems.values())
        other = str(tmp_path / "other")
        sentence = in_the_terminal(server, lambda client: client.add(other))
        assert sentence == problems["POST", "/api/roots"]["sentence"]


def test_fault_03_a_failing_disk_is_said_by_what_writes(tmp_path: Path) -> None:
    with asked(tmp_path, tmp_path / "data") as (library, server):
        with failing_writes():
            problems = library.problems()
            other = str(tmp_path / "other")
            sentence = in_the_terminal(server, lambda client: client.add(other))
        assert set(problems) == WRITING | {("POST", "/api/search")}  # its example is written
        assert {(problem["status"], problem["code"]) for problem in problems.values()} == {
            (503, "disk_failing")
        }
        assert all("see to the disk" in problem["sentence"] for problem in problems.values())
        assert sentence == problems["POST", "/api/roots"]["sentence"]
        assert library.problems() == {}


@contextmanager
def failing_writes() -> Iterator[None]:
    """No file can be written to by this process, as on a disk that gives errors."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
