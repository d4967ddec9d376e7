"""The HTTP API over one library, and the page that uses it.

`create_app` puts in order what a request passes: `Guard` decides who may ask, `AdmissionLimits` how
much, the routes call the library on threads of their own, and every problem becomes a code and a
sentence.
"""

from __future__ import annotations

import os
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Security
from fastapi.security import HTTPBearer
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import Route

from web.http.admission import AdmissionLimits, WorkerPool
from web.http.conversations import conversation_routes
from web.http.error_handlers import add_error_handlers
from web.http.event_streams import AnswerStreams, StatusFeed
from web.http.mcp_endpoint import McpEndpoint, ServedAccess
from web.http.media import media_routes
from web.http.openai.chat import chat_routes
from web.http.openai.models import model_routes
from web.http.openai.pieces import Models
from web.http.openai.responses import response_routes
from web.http.pages import JsonAnswer, page_routes
from web.http.recordings import recording_routes
from web.http.requests import EmptyBody, refuse_unknown_parameters
from web.http.routes import library_routes, search_routes
from web.http.security import Guard, Keys
from web.library.protocol import ServableLibrary
from web.library.schemas.replies import ErrorJson, LaunchJson, OpenAIErrorJson

# For the schema alone: `Guard` has looked at the key before.
_KEY = HTTPBearer(
    scheme_name="key", auto_error=False, description="The key that `recollect token` prints."
)
_CHECKED = [Depends(refuse_unknown_parameters), Security(_KEY)]


def _problems(shape: type) -> dict[int | str, dict[str, Any]]:
    """What else than what was asked for may come from an address, for the schema."""
    return {
        "4XX": {"model": shape, "description": "What was asked cannot be done, and the cure."},
        "5XX": {"model": shape, "description": "Recollect cannot do it now, and the cure."},
    }


def create_app(library: ServableLibrary, *, static: Path, token: str, port: int) -> FastAPI:
    """The application for the server on `port`. `static` holds the browser's files; `token` opens
    the API (see `web/http/security.py`), whose schema is at /api/openapi.json."""
    keys = Keys(token, port)
    # More at once than there are processors only wait for each other, at twice the price; one more,
    # because a search may wait for the model.
    searches = WorkerPool(at_once=(os.cpu_count() or 1) + 1, in_line=32)
    answers, feed = AnswerStreams(), StatusFeed(library)
    server = f"http://127.0.0.1:{port}"
    models = Models(library, answers, server)
    app = FastAPI(
        title="Recollect",
        version=version("recollect"),
        openapi_url="/api/openapi.json",
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        middleware=[Middleware(Guard, keys=keys, port=port), Middleware(AdmissionLimits)],
    )
    for router in (
        search_routes(library, searches, answers),
        library_routes(library, feed),
        media_routes(library.items),
        recording_routes(library),
        conversation_routes(library),
        _key_routes(keys, port),
    ):
        app.include_router(router, dependencies=_CHECKED, responses=_problems(ErrorJson))
    for router in (
        chat_routes(models),
        response_routes(models),
        model_routes(models, library.bare_model, searches),
    ):
        app.include_router(router, dependencies=_CHECKED, responses=_problems(OpenAIErrorJson))
    mcp = McpEndpoint(ServedAccess(library, searches, answers, server))
    app.router.routes.append(Route("/mcp", mcp, methods=["GET", "POST", "DELETE"]))
    app.include_router(page_routes(static))
    add_error_handlers(app)
    app.state.launch_url = partial(_launch_url, keys, port)

    def end_streams() -> None:
        answers.close()
        feed.close()
        mcp.close()

    app.state.end_streams = end_streams
    return app


def _launch_url(keys: Keys, port: int) -> str:
    return f"http://127.0.0.1:{port}/?code={keys.launch_code()}"


def _key_routes(keys: Keys, port: int) -> APIRouter:
    router = APIRouter(tags=["library"])

    @router.post("/api/launch", response_model=LaunchJson)
    async def launch(body: EmptyBody) -> Response:
        """A fresh link that opens one more browser."""
        return JsonAnswer({"url": _launch_url(keys, port)})

    return router
