"""Conversations are kept beside the catalog: continued, found, renamed, deleted, and without a word
of what was forgotten."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import httpx
import pytest

from model.interface import (
    DEFAULT_WRITING,
    AnswerCitation,
    AnswerEnd,
    AnswerEvent,
    AnswerText,
    ConversationTurn,
    Evidence,
    WritingOptions,
)
from tests.conftest import verb
from tests.fake_model import FakeModel
from tests.served import EndlessModel, Running, running, small_library
from web.library.conversations.conversations import Conversations
from web.library.library import Library

SECRET = "xyzzyplugh"


class Reader(FakeModel):
    """Repeats the words of its sources, and quotes them."""

    def __init__(self) -> None:
        super().__init__()
        self.histories: list[list[ConversationTurn]] = []

    def answer(
        self,
        question: str,
        evidence: Sequence[Evidence],
        history: Sequence[ConversationTurn] = (),
        cancelled: Callable[[], bool] = lambda: False,
        options: WritingOptions = DEFAULT_WRITING,
    ) -> Iterator[AnswerEvent]:
        self.histories.append(list(history))
        for source in (source for source in evidence if source.words):
            yield AnswerText(f"It says: {source.words} [{source.n}]. ")
            yield AnswerCitation(source.n, source.words)
        yield AnswerEnd("stop", 1.0, 1, 1.0, None)


@pytest.fixture(scope="module")
def model() -> Reader:
    return Reader()


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, model: Reader) -> Iterator[Library]:
    base = tmp_path_factory.mktemp("conversations")
    (base / "files").mkdir()
    (base / "files" / "harbour *notes*.txt").write_text("The red boat lies in the harbour.\n")
    (base / "files" / "secret.txt").write_text(f"The word of the safe is {SECRET}.\n")
    with small_library(base / "files", base / "data", model) as opened:
        yield opened


@pytest.fixture(scope="module")
def served(library: Library) -> Iterator[Running]:
    with running(library) as server:
        yield server


def ask(api: httpx.Client, question: str, conversation: str = "new", **more: object) -> str:
    """The id of the conversation that the question was kept in."""
    body = {"question": question, "conversation": conversation, "stream": False, **more}
    answer = api.post("/api/ask", json=body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["conversation"]["id"])


def titles(api: httpx.Client, words: str = "") -> list[str]:
    page = api.get("/api/conversations", params={"q": words}).json()
    assert page["count"] == len(page["conversations"])
    return [conversation["title"] for conversation in page["conversations"]]


def test_a_question_is_kept_only_where_that_is_asked_for(api: httpx.Client) -> None:
    before = titles(api)
    answer = api.post("/api/ask", json={"question": "What of the boat?", "stream": False}).json()
    assert "conversation" not in answer
    assert titles(api) == before


def test_a_follow_up_is_answered_with_what_was_kept(api: httpx.Client, model: Reader) -> None:
    kept = ask(api, "Where is the red boat?")
    assert ask(api, "And since when in the harbour?", kept) == kept
    (earlier,) = model.histories[-1]
    assert earlier.question == "Where is the red boat?"
    assert "The red boat lies in the harbour." in earlier.answer
    conversation = api.get(f"/api/conversations/{kept}").json()
    assert conversation["title"] == "Where is the red boat?"
    assert conversation["questions"] == 2
    first = conversation["turns"][0]
    assert (first["state"], first["text"]) == ("done", earlier.answer)
    assert [citation["quote"] for citation in first["citations"]]
    assert first["sources"][0]["title"]


def test_history_and_conversation_are_not_mixed(api: httpx.Client) -> None:
    turns = [{"question": "a", "answer": "b"}]
    body = {"question": "boat?", "conversation": "new", "history": turns}
    answer = api.post("/api/ask", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "history")


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_unknown_conversation_is_not_found(api: httpx.Client, method: str) -> None:
    body = {"GET": None, "POST": {"title": "a"}, "DELETE": {}}[method]
    answer = api.request(method, "/api/conversations/0123456789abcdef", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    asked = {"question": "boat?", "conversation": "0123456789abcdef"}
    assert api.post("/api/ask", json=asked).status_code == 404


def test_conversations_are_found_by_the_beginnings_of_their_words(api: httpx.Client) -> None:
    kept = ask(api, "What is in the Café of the harbour?")
    title = "What is in the Café of the harbour?"
    assert titles(api)[0] == title, "the last one first"
    assert titles(api, "cafe harb") == [title], "accents do not count; begins a word of the answer"
    assert titles(api, "afe") == [], "no word begins so"
    assert title in titles(api, "lies"), "in the answer"
    renamed = api.post(f"/api/conversations/{kept}", json={"title": "  Coffee \n by the sea "})
    assert renamed.json()["title"] == "Coffee by the sea"
    assert titles(api, "coffee boat") == ["Coffee by the sea"], "in its title and in an answer"
    blank = api.post(f"/api/conversations/{kept}", json={"title": " "})
    assert (blank.status_code, blank.json()["error"]["code"]) == (422, "title")


def test_a_page_of_the_list(api: httpx.Client) -> None:
    for n in range(3):
        ask(api, f"paging {n}")
    page = api.get("/api/conversations", params={"q": "paging", "limit": 1, "offset": 1}).json()
    assert page["count"] == 3
    assert [conversation["title"] for conversation in page["conversations"]] == ["paging 1"]


def test_a_conversation_is_saved_as_markdown(api: httpx.Client, library: Library) -> None:
    item = library.files()["files"][0]["id"]
    kept = ask(api, "What *exactly* of <b>boats</b>?", about=[item])
    answer = api.get(f"/api/conversations/{kept}", params={"format": "md"})
    assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
    assert "attachment; filename=" in answer.headers["content-disposition"]
    assert r"## What \*exactly\* of \<b\>boats\</b\>?" in answer.text
    assert r"About harbour \*notes\*" in answer.text
    assert "It says: The red boat lies in the harbour." in answer.text
    assert r"- \[1\] **harbour \*notes\*" in answer.text
    assert "“The red boat lies in the harbour.”" in answer.text


def test_what_is_deleted_leaves_no_byte(api: httpx.Client, library: Library) -> None:
    kept = ask(api, "frobnicate the boat")
    file = library.conversations._database.file
    assert b"frobnicate" in file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    deleted = api.request("DELETE", f"/api/conversations/{kept}", json={})
    assert deleted.json() == {"deleted": kept}
    assert b"frobnicate" not in file.read_bytes()
    assert {path.name for path in file.parent.glob("conversations*")} == {file.name}
    assert api.get(f"/api/conversations/{kept}").status_code == 404


def test_a_forgotten_file_leaves_no_byte_in_the_conversations(
    api: httpx.Client, served: Running, library: Library
) -> None:
    kept = ask(api, "What is the word of the safe?")
    about = ask(api, "What does it say?", about=[served.item("secret.txt")])
    other = ask(api, "Where is the boat?", about=[served.item("harbour *notes*.txt")])
    file = library.conversations._database.file
    assert SECRET.encode() in file.read_bytes()
    assert titles(api, SECRET)
    forgotten = served.item("secret.txt")
    assert api.post("/api/forget", json={"what": forgotten}).status_code == 200
    assert SECRET.encode() not in file.read_bytes()
    assert forgotten.encode() not in file.read_bytes()
    assert titles(api, SECRET) == []
    (turn,) = api.get(f"/api/conversations/{kept}").json()["turns"]
    assert turn["question"] == "What is the word of the safe?", "it is the person's own"
    assert (turn["text"], turn["citations"]) == ("", [])
    assert turn["problem"]["code"] == "forgotten"
    (turn,) = api.get(f"/api/conversations/{about}").json()["turns"]
    assert turn["about"] == []
    (turn,) = api.get(f"/api/conversations/{other}").json()["turns"]
    assert "The red boat lies in the harbour." in turn["text"]


def test_a_stopped_answer_is_kept_as_far_as_it_came(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a.txt").write_text("The boat.\n")
    model = EndlessModel()
    with (
        small_library(tmp_path / "files", tmp_path / "data", model) as library,
        running(library) as server,
        server.program() as api,
    ):
        asked = {"question": "The boat?", "conversation": "new"}
        with api.stream("POST", "/api/ask", json=asked) as answer:
            lines = answer.iter_lines()
            while "more" not in next(lines):
                pass
        assert model.stopped.wait(60)
        (summary,) = api.get("/api/conversations").json()["conversations"]
        conversations = Conversations(tmp_path / "data" / "conversations.sqlite")
        for _ in range(200):
            (turn,) = conversations.get(summary["id"])["turns"]
            if turn["state"] == "stopped":
                break
            server.library.notifier.wait(0.05)
        assert turn["state"] == "stopped"
        assert turn["text"].startswith("more")


def test_a_question_whose_server_was_killed_has_broken_off(tmp_path: Path) -> None:
    conversations = Conversations(tmp_path / "conversations.sqlite")
    name, _ = conversations.begin_turn("new", "Where?", [])
    (turn,) = Conversations(tmp_path / "conversations.sqlite").get(name["id"])["turns"]
    assert (turn["state"], turn["text"]) == ("failed", "")
    assert conversations.history(name["id"]) == []


def test_a_damaged_file_names_its_cure(tmp_path: Path, api: httpx.Client, library: Library) -> None:
    file = library.conversations._database.file
    content = file.read_bytes()
    file.write_bytes(b"no database" * 1000)
    try:
        answer = api.get("/api/conversations")
        assert answer.status_code == 503
        assert "move it away" in answer.json()["error"]["sentence"]
    finally:
        file.write_bytes(content)


def test_the_command_line_asks_lists_shows_renames_and_deletes(tmp_path: Path) -> None:
    data = tmp_path / "data"  # of an empty library: no model is loaded
    asked = verb("ask", "--conversation", "new", "--json", "What colour is it?", data=data, code=3)
    kept = json.loads(asked)["conversation"]["id"]
    assert "What colour is it?" in verb("conversations", "colour", data=data)
    verb("conversations", "nowhere", data=data, code=3)
    verb("conversations", "--rename", kept, "Colours", data=data)
    assert verb("conversations", "--show", kept, data=data).startswith("# Colours\n")
    page = json.loads(verb("conversations", "--json", data=data))
    assert [row["title"] for row in page["conversations"]] == ["Colours"]
    verb("conversations", "--delete", kept, data=data)
    assert "no such conversation" in verb("conversations", "--show", kept, data=data, code=1)
