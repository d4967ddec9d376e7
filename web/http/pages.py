"""Pages and JSON for a browser: the application, its static files, and problems as sentences."""

from __future__ import annotations

import hashlib
import html
import json
from base64 import b64encode
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response

# One page shows all of these, and each can be reloaded.
APPLICATION_PATHS = ("/", "/ask", "/library", "/settings", "/welcome")

# Written out here, because the system's own table differs from machine to machine.
STATIC_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}

_NOTICE_STYLE = """
:root{color-scheme:light dark}
body{margin:0;min-height:100vh;display:grid;place-items:center;background:light-dark(#faf9f7,#141312);
color:light-dark(#1c1a17,#eeebe5);
font:1rem/1.6 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:34rem;margin:2rem;padding:2rem;background:light-dark(#fff,#1c1b19);
border:1px solid light-dark(#e0dcd5,#37342f);border-radius:10px}
h1{margin:0 0 .75rem;font-size:1.375rem;line-height:1.3;font-weight:600}
p{margin:0;color:light-dark(#514d46,#c0bab0)}
code{font:.9375rem ui-monospace,Menlo,Consolas,monospace;color:light-dark(#1c1a17,#eeebe5)}
"""
# The page carries its style, since static files need a key as well; the policy allows it by hash.
_NOTICE_POLICY = (
    "default-src 'none'; style-src 'sha256-"
    + b64encode(hashlib.sha256(_NOTICE_STYLE.encode()).digest()).decode()
    + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class JsonAnswer(JSONResponse):
    """JSON of anything a file can be called: a lone surrogate becomes its escape."""

    def render(self, content: Any) -> bytes:
        text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode("utf-8", "backslashreplace")


def notice_page(status: int, heading: str, sentence: str) -> Response:
    """A page with one notice: access is refused, or nothing is at this address. Text between
    backticks is shown as a command."""
    parts = html.escape(sentence).split("`")
    text = "".join(f"<code>{part}</code>" if n % 2 else part for n, part in enumerate(parts))
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Recollect</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_NOTICE_STYLE}</style><main><h1>{html.escape(heading)}</h1><p>{text}</p></main>"
    )
    return Response(
        page,
        status,
        {"content-security-policy": _NOTICE_POLICY},
        media_type="text/html; charset=utf-8",
    )


_HEADINGS = {
    401: "Open Recollect from its link",
    403: "Recollect did not open this",
    404: "There is nothing here",
}


# Where programs ask; elsewhere a browser does. Below /v1/ they are clients of OpenAI's API.
PROGRAM_PATHS = ("/api/", "/v1/", "/mcp")


def problem_response(path: str, status: int, code: str, sentence: str) -> Response:
    """A problem as JSON where programs ask, as a page elsewhere."""
    response: Response
    if path.startswith("/v1/"):
        kind = "invalid_request_error" if status < 500 else "server_error"
        error = {"message": sentence, "type": kind, "param": None, "code": code}
        response = JsonAnswer({"error": error}, status)
    elif path.startswith(PROGRAM_PATHS):
        response = JsonAnswer({"error": {"code": code, "sentence": sentence}}, status)
    else:
        response = notice_page(status, _HEADINGS.get(status, "That did not work"), sentence)
    if status == 401:
        response.headers["www-authenticate"] = "Bearer"
    return response


def unchanged(request: Request, etag: str) -> bool:
    """Whether the browser has this version already."""
    header = request.headers.get("if-none-match", "")
    return header == "*" or etag in [tag.strip().removeprefix("W/") for tag in header.split(",")]


class StaticFiles:
    """The files of one folder, listed once at the start and then served by name: a name that is not
    in the list is never looked up on the disk."""

    def __init__(self, folder: Path) -> None:
        self._files = {
            file.relative_to(folder).as_posix(): file
            for file in folder.rglob("*")
            if file.suffix in STATIC_TYPES and file.is_file() and not file.is_symlink()
        }

    def response(self, name: str, request: Request) -> Response | None:
        file = self._files.get(name)
        if file is None:
            return None
        content = file.read_bytes()
        etag = f'"{hashlib.blake2b(content, digest_size=16).hexdigest()}"'
        headers = Headers({"etag": etag, "cache-control": "no-cache"})
        if unchanged(request, etag):
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers, media_type=STATIC_TYPES[file.suffix])


def page_routes(static: Path) -> APIRouter:
    """The application at its addresses, and the static files."""
    files = StaticFiles(static)
    router = APIRouter(include_in_schema=False)

    async def application(request: Request) -> Response:
        return files.response("index.html", request) or _no_page(request)

    async def static_file(request: Request) -> Response:
        name = request.path_params["name"]
        return files.response(name, request) or _no_page(request)

    for path in (*APPLICATION_PATHS, "/item/{id}"):
        router.add_route(path, application, ["GET", "HEAD"])
    router.add_route("/static/{name:path}", static_file, ["GET", "HEAD"])
    return router


def _no_page(request: Request) -> Response:
    return problem_response(request.url.path, 404, "not_found", "There is no such page.")
