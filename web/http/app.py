"""The HTTP API over one library, and the page that uses it.

`create_app` puts in order what a request passes: `Guard` decides who may ask, `AdmissionLimits` how
much, the routes call the library on threads of their own, and every problem becomes a code and a
sentence.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from fastapi import APIRouter, FastAPI
from starlette.middleware import Middleware
from starlette.responses import Response

from web.http.admission import AdmissionLimits
from web.http.error_handlers import add_error_handlers
from web.http.event_streams import AnswerStreams, StatusFeed
from web.http.media import media_routes
from web.http.pages import JsonAnswer, page_routes
from web.http.routes import library_routes, search_routes
from web.http.security import Guard, Keys
from web.library.protocol import ServableLibrary


def create_app(
    library: ServableLibrary, *, static: Path, token: str, port: int, openapi: bool = False
) -> FastAPI:
    """The application for the server on `port`. `static` holds the browser's files; `token` opens
    the API (see `web/http/security.py`). `openapi` also serves the schema, at /api/openapi.json."""
    keys = Keys(token, port)
    answers, feed = AnswerStreams(), StatusFeed(library)
    app = FastAPI(
        title="Recollect",
        openapi_url="/api/openapi.json" if openapi else None,
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        middleware=[Middleware(Guard, keys=keys, port=port), Middleware(AdmissionLimits)],
    )
    app.include_router(search_routes(library, answers))
    app.include_router(library_routes(library, feed))
    app.include_router(_key_routes(keys, port))
    app.include_router(media_routes(library.items))
    app.include_router(page_routes(static))
    add_error_handlers(app)
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
        return JsonAnswer({"url": _launch_url(keys, port)})

    return router
