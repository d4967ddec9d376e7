"""The addresses of the library's commands; each runs on a thread of its own."""

from __future__ import annotations

from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from model.interface import ConversationTurn
from web.http.admission import WorkerPool
from web.http.event_streams import AnswerStreams, EventStream, StatusFeed, answer_stream, present
from web.http.media import require_item_id
from web.http.pages import JsonAnswer
from web.http.requests import (
    MAX_PATH_CHARS,
    EmptyBody,
    FileBody,
    FolderBody,
    OptionalPathBody,
    PathBody,
    QuestionBody,
    SearchParams,
    VerifyBody,
    read_route,
)
from web.library.arguments.examples import temporary_example
from web.library.errors import LibraryError, NotFoundError
from web.library.protocol import ServableLibrary
from web.library.schemas.answers import AnswerJson
from web.library.schemas.files import (
    ExcludesJson,
    FilesJson,
    FoldersJson,
    ForgottenJson,
    IndexJson,
    StorageJson,
    VerdictJson,
)
from web.library.schemas.replies import (
    AcceptedJson,
    ForgottenCountJson,
    ItemIdJson,
    RememberedJson,
    RetriedJson,
)
from web.library.schemas.search import SearchJson
from web.library.schemas.status import ModelJson, RootJson, StatusJson
from web.library.serializers.answers import collected_answer
from web.library.serializers.listing import excludes_json

ONLY_HERE = "Folders are listed on the machine they are on; type the path instead."
EXAMPLE_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("image/*", "audio/*", "application/octet-stream")
        },
    }
}
# Of each event by itself; its data is JSON.
EVENT = {
    "type": "object",
    "properties": {"event": {"type": "string"}, "data": {"type": "string"}},
    "required": ["event", "data"],
}
EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {"schema": EVENT}}}
}


def search_routes(
    library: ServableLibrary, workers: WorkerPool, answers: AnswerStreams
) -> APIRouter:
    router = APIRouter(tags=["search and answers"])

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

    @read_route(router, "/api/search", response_model=SearchJson)
    async def search(params: Annotated[SearchParams, Query()]) -> Response:
        """The files that match, best first: the page, the picture or the second of each. Copies of
        a document are one hit, with all paths in `also_in`. `score` lies between 0 and 1: each
        reason (words, words in a row, name, meaning) takes its share of what is missing to 1, so
        that a further reason only adds; it compares the hits of one query, and is 0 in a list of
        filters alone."""
        return JsonAnswer(await workers.run(lambda: find(params)))

    @router.post("/api/search", response_model=SearchJson, openapi_extra=EXAMPLE_BODY)
    async def search_like(params: Annotated[SearchParams, Query()], request: Request) -> Response:
        """The files that are like a picture or a sound, which is the body of the request."""
        body = await request.body()
        media_type = request.headers["content-type"].partition(";")[0].strip().lower()
        if media_type == "application/json" or not body:
            raise LibraryError("example", "Send a picture or a sound as the body.", 415)
        return JsonAnswer(await workers.run(lambda: find_like(params, body, media_type)))

    @router.post("/api/ask", response_model=AnswerJson, responses=EVENTS)
    async def ask(question: QuestionBody, request: Request) -> Response:
        """An answer with citations, as server-sent events while it is written (`source`, `token`,
        `citation`, then `done` or `error`), or whole with `"stream": false`. With a `conversation`
        it is kept, and the first event (`conversation`) names it."""
        about = [question.about] if isinstance(question.about, str) else question.about or []
        for item_id in map(require_item_id, about):
            if await workers.run(partial(library.items.original, item_id)) is None:
                raise NotFoundError
        history = [ConversationTurn(turn.question, turn.answer) for turn in question.history]
        events = await answers.begin(
            lambda cancelled: library.ask(
                question.question,
                about=about,
                kind=question.kind,
                folder=question.folder,
                after=question.after,
                before=question.before,
                history=history,
                conversation=question.conversation,
                cancelled=cancelled,
            )
        )
        if question.stream:
            return EventStream(answer_stream(events))
        return JsonAnswer(collected_answer([event async for event in present(events, request)]))

    return router


def library_routes(library: ServableLibrary, feed: StatusFeed) -> APIRouter:
    router = APIRouter(tags=["library"])
    workers = WorkerPool(at_once=4, in_line=60)
    indexing = WorkerPool(at_once=1, in_line=0)
    maintenance = WorkerPool(at_once=1, in_line=20)

    @read_route(router, "/api/status", response_model=StatusJson, responses=EVENTS)
    async def status(request: Request, stream: bool = False) -> Response:
        """How far the library is; with `stream` as server-sent events whenever that changes."""
        if stream and request.method == "GET":
            return await feed.stream()
        return JsonAnswer(await workers.run(library.status))

    @read_route(router, "/api/files", response_model=FilesJson)
    async def files(
        state: Annotated[str | None, Query(max_length=20)] = None,
        kind: Annotated[str | None, Query(max_length=20)] = None,
        offset: Annotated[int, Query(ge=0, le=1_000_000_000)] = 0,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
        order: Literal["name", "newest"] = "name",
        path: Annotated[str | None, Query(max_length=MAX_PATH_CHARS)] = None,
    ) -> Response:
        """What is known of files, one page of them, or of the one at `path`; nothing is read."""
        if path is not None:
            file = await workers.run(partial(library.file, path))
            return JsonAnswer({"count": 1, "files": [file]})
        return JsonAnswer(
            await workers.run(lambda: library.files(state, kind, offset, limit, order))
        )

    @router.post("/api/items", response_model=ItemIdJson)
    async def item_of(body: PathBody) -> Response:
        """The id of a file that is in the library; nothing is read."""
        return JsonAnswer({"id": await workers.run(lambda: library.item_of(body.path))})

    @read_route(router, "/api/roots", response_model=list[RootJson])
    async def roots() -> Response:
        """The watched folders."""
        return JsonAnswer(await workers.run(library.roots))

    @router.post("/api/roots", response_model=list[RootJson])
    async def add(body: FolderBody) -> Response:
        """Watches a folder from now on; all watched folders. Where others lie in it, that is
        refused with the code `takes_in` unless `take_in` agrees to it."""
        return JsonAnswer(await workers.run(lambda: library.add(body.path, body.take_in)))

    @read_route(router, "/api/folders", response_model=FoldersJson)
    async def folders(
        request: Request,
        path: Annotated[str | None, Query(max_length=MAX_PATH_CHARS)] = None,
        hidden: bool = False,
    ) -> Response:
        """The folders in one at or below the home folder, to choose from; on this machine alone."""
        if request.client is None or not ip_address(request.client.host).is_loopback:
            raise LibraryError("folder", ONLY_HERE, 403)
        return JsonAnswer(await workers.run(lambda: library.folders(path, hidden)))

    @router.delete("/api/roots", response_model=ForgottenCountJson)
    async def remove(body: PathBody) -> Response:
        """Forgets a folder with all that is known of its files, which are not touched."""
        return JsonAnswer({"forgotten": await workers.run(lambda: library.remove(body.path))})

    @read_route(router, "/api/excludes", response_model=ExcludesJson)
    async def excludes() -> Response:
        """What is never read."""
        return JsonAnswer(excludes_json())

    @read_route(router, "/api/storage", response_model=StorageJson)
    async def storage() -> Response:
        """Where the index and the conversations lie, and how large they are."""
        return JsonAnswer(await workers.run(library.storage))

    @router.post("/api/accept", response_model=AcceptedJson)
    async def accept(body: OptionalPathBody) -> Response:
        """Takes a person's word that what went missing in a folder, or in all, is gone."""
        return JsonAnswer({"accepted": await workers.run(lambda: library.accept(body.path))})

    @router.post("/api/retry", response_model=RetriedJson)
    async def retry(body: OptionalPathBody) -> Response:
        """Puts a file that failed, or all, back in the queue."""
        return JsonAnswer({"retried": await workers.run(lambda: library.retry(body.path))})

    @router.post("/api/forget", response_model=ForgottenJson)
    async def forget(body: FileBody) -> Response:
        """Forgets a file for good and answers when no byte of it is left."""
        return JsonAnswer(await maintenance.run(lambda: library.forget(body.what)))

    @router.post("/api/remember", response_model=RememberedJson)
    async def remember(body: OptionalPathBody) -> Response:
        """Takes back that a file, or everything, is to stay forgotten."""
        return JsonAnswer(
            {"remembered": await maintenance.run(lambda: library.remember(body.path))}
        )

    @router.post("/api/verify", response_model=VerdictJson)
    async def verify(body: VerifyBody) -> Response:
        """Checks the whole index; reading goes on meanwhile, writing waits."""
        return JsonAnswer(
            await maintenance.run(lambda: library.verify(deep=body.deep, repair=body.repair))
        )

    @router.post("/api/index", response_model=IndexJson)
    async def index(body: EmptyBody) -> Response:
        """Brings the index up to date and answers when that is done."""
        return JsonAnswer(await indexing.run(library.index))

    @read_route(router, "/api/model", response_model=ModelJson)
    async def model() -> Response:
        """The model in use, and whether it is loaded."""
        return JsonAnswer(await workers.run(library.model))

    return router
