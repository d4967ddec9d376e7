"""Every problem that a request can end in, as a status, a code and a sentence."""

from __future__ import annotations

from typing import cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from indexer.files.disk_room import disk_error
from model.errors import RecollectError
from web.http.admission import RETRY_AFTER_S
from web.http.pages import problem_response


def add_error_handlers(app: FastAPI) -> None:
    """Answers with a code and a sentence wherever a request raises one of these."""
    app.add_exception_handler(RecollectError, _answer_known)
    app.add_exception_handler(OSError, _answer_system)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http)


def _answer_known(request: Request, problem: Exception) -> Response:
    error = cast(RecollectError, problem)
    response = problem_response(request.url.path, error.status, error.code, error.sentence)
    if error.code == "busy":  # for anything else, asking again shortly is no cure
        response.headers["retry-after"] = str(RETRY_AFTER_S)
    return response


def _answer_system(request: Request, problem: Exception) -> Response:
    """A full or failing disk; anything else is raised again."""
    error = disk_error(problem)
    if error is None:
        raise problem
    return _answer_known(request, error)


def _answer_invalid(request: Request, problem: Exception) -> Response:
    sentence = _validation_sentence(cast(RequestValidationError, problem))
    return problem_response(request.url.path, 422, "invalid", sentence)


def _answer_http(request: Request, problem: Exception) -> Response:
    status, code, sentence = _http_sentence(cast(HTTPException, problem))
    return problem_response(request.url.path, status, code, sentence)


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
