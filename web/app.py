"""The HTTP API over one library, and the page that uses it.

`create_app` builds the order of everything a request meets: `Guard` decides who may ask, `Limits`
how much, the routes hand on to the library on threads of their own, and every problem leaves as a
code and a sentence.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import Response

from indexer.extract import Unreadable
from indexer.roots import FolderProblem
from indexer.schema import CatalogProblem
from model.interface import Exchange, ModelProblem
from retriever.query import MAX_LIMIT, MAX_QUERY_CHARS, QueryProblem
from web.library import Library
from web.limits import RETRY_AFTER_S, Limits, Workers
from web.media import READ, NotThere, check_id, media_routes
from web.pages import Json, page_routes, problem_response
from web.problems import LibraryProblem
from web.security import BROKEN, Guard, Keys
from web.shapes import SearchJson
from web.streams import Answers, EventStream, StatusFeed

MOST_TURNS = 50
MOST_ANSWER_CHARS = 20_000
MOST_PATH_CHARS = 4_096

# How an example's name ends tells its reader between kinds that begin alike.
EXAMPLE_SUFFIXES = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "audio/wav": ".wav",
    "audio/x-wav": ".wav",
    "audio/flac": ".flac",
    "audio/x-flac": ".flac",
    "audio/ogg": ".ogg",
    "audio/mpeg": ".mp3",
}


class Body(BaseModel):
    """What is sent as JSON: nothing beside the fields, nothing of another type."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Turn(Body):
    question: Annotated[str, Field(max_length=MAX_QUERY_CHARS)]
    answer: Annotated[str, Field(max_length=MOST_ANSWER_CHARS)]


class Question(Body):
    question: Annotated[str, Field(min_length=1, max_length=MAX_QUERY_CHARS)]
    about: str | None = None
    history: Annotated[list[Turn], Field(max_length=MOST_TURNS)] = []


class PathBody(Body):
    path: Annotated[str, Field(min_length=1, max_length=MOST_PATH_CHARS)]


class MaybePathBody(Body):
    path: Annotated[str, Field(min_length=1, max_length=MOST_PATH_CHARS)] | None = None


class What(Body):
    """A file, by its id or its path."""

    what: Annotated[str, Field(min_length=1, max_length=MOST_PATH_CHARS)]


class Check(Body):
    deep: bool = False
    repair: bool = False


class Asked(BaseModel):
    """The query of a search as it stands in an address; the library checks what it means."""

    q: Annotated[str, Field(max_length=MAX_QUERY_CHARS)] = ""
    kind: Annotated[str | None, Field(max_length=20)] = None
    folder: Annotated[str | None, Field(alias="in", max_length=MOST_PATH_CHARS)] = None
    after: Annotated[str | None, Field(max_length=20)] = None
    before: Annotated[str | None, Field(max_length=20)] = None
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = 20
    by: Literal["words", "all"] = "all"


def create_app(
    library: Library, *, static: Path, token: str, port: int, openapi: bool = False
) -> FastAPI:
    """The application for the server on `port`. `static` holds the browser's files; `token` opens
    the API (see `web/security.py`). `openapi` also serves the schema, at /api/openapi.json."""
    keys = Keys(token, port)
    answers, feed = Answers(), StatusFeed(library)
    app = FastAPI(
        title="Recollect",
        openapi_url="/api/openapi.json" if openapi else None,
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        middleware=[Middleware(Guard, keys=keys, port=port), Middleware(Limits)],
    )
    app.include_router(_search_routes(library, answers))
    app.include_router(_library_routes(library, feed))
    app.include_router(_key_routes(keys, port))
    app.include_router(media_routes(library.items))
    app.include_router(page_routes(static))
    _tell_problems(app)
    app.state.launch_url = partial(_launch_url, keys, port)

    def end_streams() -> None:
        answers.close()
        feed.close()

    app.state.end_streams = end_streams
    return app


def _launch_url(keys: Keys, port: int) -> str:
    return f"http://127.0.0.1:{port}/?code={keys.launch_code()}"


def _key_routes(keys: Keys, port: int) -> APIRouter:
    router = APIRouter()

    @router.post("/api/launch")
    async def launch() -> Response:
        """A fresh link that opens one more browser."""
        return Json({"url": _launch_url(keys, port)})

    return router


def _search_routes(library: Library, answers: Answers) -> APIRouter:
    router = APIRouter()
    workers = Workers(at_once=8, in_line=24)

    def find(asked: Asked, like: Path | None = None) -> SearchJson:
        return library.search(
            asked.q,
            kind=asked.kind,
            folder=asked.folder,
            after=asked.after,
            before=asked.before,
            limit=asked.limit,
            by=asked.by,
            like=like,
        )

    def find_like(asked: Asked, body: bytes, kind: str) -> SearchJson:
        with tempfile.TemporaryDirectory(prefix="recollect-") as folder:  # 0700
            example = Path(folder) / f"example{EXAMPLE_SUFFIXES.get(kind, '')}"
            example.write_bytes(body)
            return find(asked, example)

    @router.api_route("/api/search", methods=READ)
    async def search(asked: Annotated[Asked, Query()]) -> Response:
        return Json(await workers.run(lambda: find(asked)))

    @router.post("/api/search")
    async def search_like(asked: Annotated[Asked, Query()], request: Request) -> Response:
        body = await request.body()
        kind = request.headers["content-type"].partition(";")[0].strip().lower()
        if kind == "application/json" or not body:
            raise LibraryProblem("example", "Send a picture or a sound as the body.", 415)
        return Json(await workers.run(lambda: find_like(asked, body, kind)))

    @router.post("/api/ask")
    async def ask(question: Question) -> EventStream:
        about = question.about
        if about is not None:
            known = check_id(about)
            if await workers.run(lambda: library.items.original(known)) is None:
                raise NotThere
        history = [Exchange(turn.question, turn.answer) for turn in question.history]
        return answers.stream(
            lambda cancelled: library.ask(
                question.question, about=about, history=history, cancelled=cancelled
            )
        )

    return router


def _library_routes(library: Library, feed: StatusFeed) -> APIRouter:
    router = APIRouter()
    workers = Workers(at_once=4, in_line=60)
    indexing = Workers(at_once=1, in_line=0)
    custody = Workers(at_once=1, in_line=20)

    @router.api_route("/api/status", methods=READ)
    async def status(request: Request, stream: bool = False) -> Response:
        if stream and request.method == "GET":
            return feed.stream()
        return Json(await workers.run(library.status))

    @router.api_route("/api/files", methods=READ)
    async def files(
        state: Annotated[str | None, Query(max_length=20)] = None,
        kind: Annotated[str | None, Query(max_length=20)] = None,
        offset: Annotated[int, Query(ge=0, le=1_000_000_000)] = 0,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
        path: Annotated[str | None, Query(max_length=MOST_PATH_CHARS)] = None,
    ) -> Response:
        """What is known of files, one page of them, or of the one at `path`; nothing is read."""
        if path is not None:
            one = path
            return Json({"count": 1, "files": [await workers.run(lambda: library.file(one))]})
        return Json(await workers.run(lambda: library.files(state, kind, offset, limit)))

    @router.post("/api/items")
    async def item_of(body: PathBody) -> Response:
        """The id of a file that is in the library; nothing is read."""
        return Json({"id": await workers.run(lambda: library.item_of(body.path))})

    @router.api_route("/api/roots", methods=READ)
    async def roots() -> Response:
        return Json(await workers.run(library.roots))

    @router.post("/api/roots")
    async def add(body: PathBody) -> Response:
        return Json(await workers.run(lambda: library.add(body.path)))

    @router.delete("/api/roots")
    async def remove(body: PathBody) -> Response:
        return Json({"forgotten": await workers.run(lambda: library.remove(body.path))})

    @router.api_route("/api/excludes", methods=READ)
    async def excludes() -> Response:
        """What is never read."""
        return Json(library.excludes())

    @router.post("/api/accept")
    async def accept(body: MaybePathBody) -> Response:
        """Takes a person's word that what went missing in a folder, or in all, is gone."""
        return Json({"accepted": await workers.run(lambda: library.accept(body.path))})

    @router.post("/api/retry")
    async def retry(body: MaybePathBody) -> Response:
        return Json({"retried": await workers.run(lambda: library.retry(body.path))})

    @router.post("/api/forget")
    async def forget(body: What) -> Response:
        """Forgets a file for good and answers when no byte of it is left."""
        return Json(await custody.run(lambda: library.forget(body.what)))

    @router.post("/api/remember")
    async def remember(body: MaybePathBody) -> Response:
        return Json({"remembered": await workers.run(lambda: library.remember(body.path))})

    @router.post("/api/verify")
    async def verify(body: Check) -> Response:
        """Checks the whole index; reading goes on meanwhile, writing waits."""
        return Json(await custody.run(lambda: library.verify(deep=body.deep, repair=body.repair)))

    @router.post("/api/index")
    async def index() -> Response:
        """Brings the index up to date and answers when that is done."""
        return Json(await indexing.run(library.index))

    @router.api_route("/api/model", methods=READ)
    async def model() -> Response:
        return Json(await workers.run(library.model))

    return router


def _tell_problems(app: FastAPI) -> None:
    """Every problem a part below can raise, as a status, a code and a sentence."""

    def told_as(say: Callable[[Any], tuple[int, str, str]]) -> Any:
        async def handle(request: Request, problem: Exception) -> Response:
            status, code, sentence = say(problem)
            response = problem_response(request.url.path, status, code, sentence)
            if code == "busy":  # what is broken is not mended by asking again shortly
                response.headers["retry-after"] = str(RETRY_AFTER_S)
            return response

        return handle

    said: dict[Any, Callable[[Any], tuple[int, str, str]]] = {
        LibraryProblem: lambda p: (p.status, p.code, p.sentence),
        QueryProblem: lambda p: (422, "query", str(p)),
        FolderProblem: lambda p: (422, "folder", str(p)),
        Unreadable: lambda p: (422, p.reason, p.sentence),
        ModelProblem: lambda p: (503, "model", str(p)),
        CatalogProblem: lambda p: (503, "catalog", BROKEN),
        RequestValidationError: lambda p: (422, "invalid", _validation_sentence(p)),
        HTTPException: _http_sentence,
    }
    for problem, say in said.items():
        app.add_exception_handler(problem, told_as(say))


def _validation_sentence(problem: RequestValidationError) -> str:
    """The first thing that is wrong, and where."""
    first = problem.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:] if part != "")
    if first["type"] == "json_invalid":
        return "The body is not JSON."
    return f"“{where or 'the body'}” cannot be used: {first['msg'][:200]}."


def _http_sentence(problem: HTTPException) -> tuple[int, str, str]:
    match problem.status_code:
        case 404:
            return 404, "not_found", "There is no such page."
        case 405:
            return 405, "method", "This address does not answer to that method."
        case status:
            return status, "http", "The request could not be understood."
