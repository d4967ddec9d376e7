"""The library through the server that holds it: the `LibraryProtocol` over HTTP.

While a server runs it is the library's one writer, so the command line calls it rather than opening
the library itself. The JSON is the same either way.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import quote

import httpx
from httpx_sse import EventSource

from model.interface import ConversationTurn
from web.library.arguments.paths import read_example
from web.library.errors import LibraryError
from web.library.schemas.answers import AskEvent
from web.library.schemas.conversations import (
    ConversationJson,
    ConversationsJson,
    ConversationSummaryJson,
)
from web.library.schemas.files import FileJson, FilesJson, ForgottenJson, IndexJson, VerdictJson
from web.library.schemas.items import MAX_PASSAGES, ItemJson, TextJson
from web.library.schemas.recordings import RecordingJson
from web.library.schemas.search import SearchJson
from web.library.schemas.status import RootJson, StatusJson

# An answer may take minutes on a processor; connecting to this machine may not.
PATIENCE_S = 600.0
CONNECT_S = 2.0
# A server that is running answers an address that needs no work at once, however busy it is.
SIGN_OF_LIFE_S = 3.0
SILENT = "The running server does not answer; stop it and start it again."


class Client:
    """Talks to one server on this machine with the token from its private file. No answer is
    waited for longer than `patience_s`."""

    def __init__(self, url: str, token: str | None, patience_s: float = PATIENCE_S) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        timeout = httpx.Timeout(patience_s, connect=min(CONNECT_S, patience_s))
        # trust_env off: a proxy setting must not carry a private library's traffic away.
        self._http = httpx.Client(base_url=url, headers=headers, timeout=timeout, trust_env=False)
        self.conversations = ConversationsClient(self._json)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def check_alive(self) -> None:
        """Raises LibraryError where the server does not answer at all: its process is stopped, or
        hangs. The system accepts connections for it even then."""
        try:
            self._http.head("/api/launch", timeout=SIGN_OF_LIFE_S)  # a refusal is an answer, too
        except httpx.TransportError as problem:
            raise LibraryError("server", SILENT) from problem

    def search(
        self,
        words: str,
        *,
        kind: str | None = None,
        folder: str | None = None,
        after: str | None = None,
        before: str | None = None,
        limit: int = 20,
        offset: int = 0,
        by: Literal["words", "all"] = "all",
        like: Path | None = None,
    ) -> SearchJson:
        optional = {
            "q": words,
            "kind": kind,
            "in": folder,
            "after": after,
            "before": before,
            "limit": limit,
            "offset": offset,
            "by": by,
        }
        params = {name: value for name, value in optional.items() if value is not None}
        if like is None:
            return cast(SearchJson, self._json("GET", "/api/search", params=params))
        body = read_example(like)
        media_type = mimetypes.guess_type(like.name)[0] or "application/octet-stream"
        result = self._json(
            "POST",
            "/api/search",
            params=params,
            content=body,
            headers={"Content-Type": media_type},
        )
        return cast(SearchJson, result)

    def ask(
        self,
        question: str,
        *,
        about: Sequence[str] = (),
        kind: str | None = None,
        folder: str | None = None,
        after: str | None = None,
        before: str | None = None,
        history: Sequence[ConversationTurn] = (),
        conversation: str | None = None,
    ) -> Iterator[AskEvent]:
        body = {
            "question": question,
            "about": list(about),
            "kind": kind,
            "in": folder,
            "after": after,
            "before": before,
            "history": [{"question": turn.question, "answer": turn.answer} for turn in history],
            "conversation": conversation,
        }
        with self._http.stream("POST", "/api/ask", json=body) as answer:
            if answer.is_error:
                answer.read()
                raise _problem(answer)
            for event in EventSource(answer).iter_sse():
                yield cast(AskEvent, {"event": event.event, "data": event.json()})

    def item(self, item_id: str) -> ItemJson:
        return cast(ItemJson, self._json("GET", _item_path(item_id)))

    def text(
        self, item_id: str, words: str = "", *, offset: int = 0, limit: int = MAX_PASSAGES
    ) -> TextJson:
        params: dict[str, Any] = {"q": words, "offset": offset, "limit": limit}
        return cast(TextJson, self._json("GET", f"{_item_path(item_id)}/text", params=params))

    def status(self) -> StatusJson:
        return cast(StatusJson, self._json("GET", "/api/status"))

    def roots(self) -> list[RootJson]:
        return cast("list[RootJson]", self._json("GET", "/api/roots"))

    def add(self, folder: str, take_in: bool = False) -> list[RootJson]:
        body = {"path": folder, "take_in": take_in}
        return cast("list[RootJson]", self._json("POST", "/api/roots", json=body))

    def remove(self, folder: str) -> int:
        answer = self._json("DELETE", "/api/roots", json={"path": folder})
        return int(answer["forgotten"])

    def files(
        self,
        state: str | None = None,
        kind: str | None = None,
        offset: int = 0,
        limit: int = 100,
        order: Literal["name", "newest"] = "name",
    ) -> FilesJson:
        asked = {
            "state": state,
            "kind": kind,
            "offset": offset,
            "limit": limit,
            "order": order,
        }
        params = {name: value for name, value in asked.items() if value is not None}
        return cast(FilesJson, self._json("GET", "/api/files", params=params))

    def file(self, file: str) -> FileJson:
        listing = self._json("GET", "/api/files", params={"path": file})
        return cast(FileJson, listing["files"][0])

    def accept(self, folder: str | None = None) -> int:
        return int(self._json("POST", "/api/accept", json={"path": folder})["accepted"])

    def retry(self, file: str | None = None) -> int:
        return int(self._json("POST", "/api/retry", json={"path": file})["retried"])

    def forget(self, file: str) -> ForgottenJson:
        return cast(ForgottenJson, self._json("POST", "/api/forget", json={"what": file}))

    def remember(self, file: str | None) -> int:
        return int(self._json("POST", "/api/remember", json={"path": file})["remembered"])

    def verify(self, *, deep: bool = False, repair: bool = False) -> VerdictJson:
        body = {"deep": deep, "repair": repair}
        return cast(VerdictJson, self._json("POST", "/api/verify", json=body))

    def index(self, progress: Callable[[StatusJson], None] | None = None) -> IndexJson:
        return cast(IndexJson, self._json("POST", "/api/index", json={}))

    def item_of(self, file: str) -> str:
        return str(self._json("POST", "/api/items", json={"path": file})["id"])

    def recording(self, item: str) -> RecordingJson:
        return cast(RecordingJson, self._json("GET", f"/api/items/{item}/recording"))

    def name_speaker(self, item: str, speaker: int, name: str) -> RecordingJson:
        body = {"speaker": speaker, "name": name}
        answer = self._json("POST", f"/api/items/{item}/recording/speaker", json=body)
        return cast(RecordingJson, answer)

    def correct(self, item: str, at_s: float, text: str) -> RecordingJson:
        body = {"at_s": at_s, "text": text}
        answer = self._json("POST", f"/api/items/{item}/recording/sentence", json=body)
        return cast(RecordingJson, answer)

    def launch_link(self) -> str:
        """A fresh link that opens one more browser."""
        return str(self._json("POST", "/api/launch", json={})["url"])

    def _json(self, method: str, path: str, **options: Any) -> Any:
        try:
            answer = self._http.request(method, path, **options)
        except httpx.TransportError as problem:
            raise LibraryError("server", SILENT) from problem
        if answer.is_error:
            raise _problem(answer)
        return answer.json()


class ConversationsClient:
    """The `ConversationsProtocol` over HTTP; `json` makes one request."""

    def __init__(self, json: Callable[..., Any]) -> None:
        self._json = json

    def page(self, words: str = "", offset: int = 0, limit: int = 50) -> ConversationsJson:
        params: dict[str, Any] = {"q": words, "offset": offset, "limit": limit}
        return cast(ConversationsJson, self._json("GET", "/api/conversations", params=params))

    def get(self, conversation: str) -> ConversationJson:
        return cast(ConversationJson, self._json("GET", _conversation_path(conversation)))

    def rename(self, conversation: str, title: str) -> ConversationSummaryJson:
        body = {"title": title}
        renamed = self._json("POST", _conversation_path(conversation), json=body)
        return cast(ConversationSummaryJson, renamed)

    def delete(self, conversation: str) -> None:
        self._json("DELETE", _conversation_path(conversation), json={})


def _conversation_path(conversation: str) -> str:
    return f"/api/conversations/{quote(conversation, safe='')}"


def _item_path(item_id: str) -> str:
    return f"/api/items/{quote(item_id, safe='')}"


def _problem(answer: httpx.Response) -> LibraryError:
    try:
        error = answer.json()["error"]
        return LibraryError(error["code"], error["sentence"], answer.status_code)
    except (ValueError, KeyError, TypeError):
        return LibraryError("server", f"The running server answered {answer.status_code}.")
