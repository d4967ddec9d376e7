"""The addresses of the library's commands; each runs on a thread of its own."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from model.interface import ConversationTurn
from web.http.admission import WorkerPool
from web.http.event_streams import AnswerStreams, EventStream, StatusFeed
from web.http.media import READ_METHODS, NotFoundError, require_item_id
from web.http.pages import JsonAnswer
from web.http.requests import (
    MAX_PATH_CHARS,
    FileBody,
    OptionalPathBody,
    PathBody,
    QuestionBody,
    SearchParams,
    VerifyBody,
)
from web.library.arguments.examples import temporary_example
from web.library.errors import LibraryError
from web.library.protocol import ServableLibrary
from web.library.schemas import SearchJson
from web.library.serializers.listing import excludes_json


def search_routes(library: ServableLibrary, answers: AnswerStreams) -> APIRouter:
    router = APIRouter()
    workers = WorkerPool(at_once=8, in_line=24)

    def find(params: SearchParams, like: Path | None = None) -> SearchJson:
        return library.search(
            params.q,
            kind=params.kind,
            folder=params.folder,
            after=params.after,
            before=params.before,
            limit=params.limit,
            offset=params.offset,
            by=params.by,
            like=like,
        )

    def find_like(params: SearchParams, body: bytes, media_type: str) -> SearchJson:
        with temporary_example(body, media_type) as example:
            return find(params, example)

    @router.api_route("/api/search", methods=READ_METHODS)
    async def search(params: Annotated[SearchParams, Query()]) -> Response:
        return JsonAnswer(await workers.run(lambda: find(params)))

    @router.post("/api/search")
    async def search_like(params: Annotated[SearchParams, Query()], request: Request) -> Response:
        body = await request.body()
        media_type = request.headers["content-type"].partition(";")[0].strip().lower()
        if media_type == "application/json" or not body:
            raise LibraryError("example", "Send a picture or a sound as the body.", 415)
        return JsonAnswer(await workers.run(lambda: find_like(params, body, media_type)))

    @router.post("/api/ask")
    async def ask(question: QuestionBody) -> EventStream:
        about = question.about
        if about is not None:
            about_id = require_item_id(about)
            if await workers.run(lambda: library.items.original(about_id)) is None:
                raise NotFoundError
        history = [ConversationTurn(turn.question, turn.answer) for turn in question.history]
        return answers.stream(
            lambda cancelled: library.ask(
                question.question, about=about, history=history, cancelled=cancelled
            )
        )

    return router


def library_routes(library: ServableLibrary, feed: StatusFeed) -> APIRouter:
    router = APIRouter()
    workers = WorkerPool(at_once=4, in_line=60)
    indexing = WorkerPool(at_once=1, in_line=0)
    maintenance = WorkerPool(at_once=1, in_line=20)

    @router.api_route("/api/status", methods=READ_METHODS)
    async def status(request: Request, stream: bool = False) -> Response:
        if stream and request.method == "GET":
            return await feed.stream()
        return JsonAnswer(await workers.run(library.status))

    @router.api_route("/api/files", methods=READ_METHODS)
    async def files(
        state: Annotated[str | None, Query(max_length=20)] = None,
        kind: Annotated[str | None, Query(max_length=20)] = None,
        offset: Annotated[int, Query(ge=0, le=1_000_000_000)] = 0,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
        path: Annotated[str | None, Query(max_length=MAX_PATH_CHARS)] = None,
    ) -> Response:
        """What is known of files, one page of them, or of the one at `path`; nothing is read."""
        if path is not None:
            file = await workers.run(partial(library.file, path))
            return JsonAnswer({"count": 1, "files": [file]})
        return JsonAnswer(await workers.run(lambda: library.files(state, kind, offset, limit)))

    @router.post("/api/items")
    async def item_of(body: PathBody) -> Response:
        """The id of a file that is in the library; nothing is read."""
        return JsonAnswer({"id": await workers.run(lambda: library.item_of(body.path))})

    @router.api_route("/api/roots", methods=READ_METHODS)
    async def roots() -> Response:
        return JsonAnswer(await workers.run(library.roots))

    @router.post("/api/roots")
    async def add(body: PathBody) -> Response:
        return JsonAnswer(await workers.run(lambda: library.add(body.path)))

    @router.delete("/api/roots")
    async def remove(body: PathBody) -> Response:
        return JsonAnswer({"forgotten": await workers.run(lambda: library.remove(body.path))})

    @router.api_route("/api/excludes", methods=READ_METHODS)
    async def excludes() -> Response:
        """What is never read."""
        return JsonAnswer(excludes_json())

    @router.post("/api/accept")
    async def accept(body: OptionalPathBody) -> Response:
        """Takes a person's word that what went missing in a folder, or in all, is gone."""
        return JsonAnswer({"accepted": await workers.run(lambda: library.accept(body.path))})

    @router.post("/api/retry")
    async def retry(body: OptionalPathBody) -> Response:
        return JsonAnswer({"retried": await workers.run(lambda: library.retry(body.path))})

    @router.post("/api/forget")
    async def forget(body: FileBody) -> Response:
        """Forgets a file for good and answers when no byte of it is left."""
        return JsonAnswer(await maintenance.run(lambda: library.forget(body.what)))

    @router.post("/api/remember")
    async def remember(body: OptionalPathBody) -> Response:
        return JsonAnswer(
            {"remembered": await maintenance.run(lambda: library.remember(body.path))}
        )

    @router.post("/api/verify")
    async def verify(body: VerifyBody) -> Response:
        """Checks the whole index; reading goes on meanwhile, writing waits."""
        return JsonAnswer(
            await maintenance.run(lambda: library.verify(deep=body.deep, repair=body.repair))
        )

    @router.post("/api/index")
    async def index() -> Response:
        """Brings the index up to date and answers when that is done."""
        return JsonAnswer(await indexing.run(library.index))

    @router.api_route("/api/model", methods=READ_METHODS)
    async def model() -> Response:
        return JsonAnswer(await workers.run(library.model))

    return router
