"""Every problem a part below can raise, as a status, a code and a sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from indexer.catalog.roots import FolderError
from indexer.catalog.schema import CatalogError
from indexer.types.pieces import UnreadableError
from model.interface import ModelError
from retriever.query import QueryError
from web.http.admission import RETRY_AFTER_S
from web.http.pages import problem_response
from web.http.security import BROKEN
from web.library.errors import LibraryError


def tell_problems(app: FastAPI) -> None:
    """Answers with them wherever one is raised."""

    def told_as(say: Callable[[Any], tuple[int, str, str]]) -> Any:
        async def handle(request: Request, problem: Exception) -> Response:
            status, code, sentence = say(problem)
            response = problem_response(request.url.path, status, code, sentence)
            if code == "busy":  # what is broken is not mended by asking again shortly
                response.headers["retry-after"] = str(RETRY_AFTER_S)
            return response

        return handle

    said: dict[Any, Callable[[Any], tuple[int, str, str]]] = {
        LibraryError: lambda p: (p.status, p.code, p.sentence),
        QueryError: lambda p: (422, "query", str(p)),
        FolderError: lambda p: (422, "folder", str(p)),
        UnreadableError: lambda p: (422, p.reason, p.sentence),
        ModelError: lambda p: (503, "model", str(p)),
        CatalogError: lambda p: (503, "catalog", BROKEN),
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
