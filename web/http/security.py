"""Who may talk to the server: every request, of static files too, passes `Guard` first.

Every web page that a person visits can send requests to this machine, so there are several checks,
each independent of the others: an exact list of host names against DNS rebinding, an exact origin
and the browser's own `Sec-Fetch-Site` against other sites, a 256-bit key against other users of
this machine, and a content policy that loads nothing from elsewhere. Not prevented: access by
programs of the same user, which can read the key's file and the library itself.

The key reaches a browser by a link that holds a launch code. A code opens one browser, once: the
browser gets a cookie that scripts cannot read and is sent on to the address without the code, so
neither key nor code stays in its history. Because a link is also seen in the list of processes when
a browser is started with it, a used code opens nothing; an unused one does not expire, since
a person may come back to the terminal much later. A browser that has its cookie already may
open any old link. The cookie is made from the token: a new token ends every session.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import secrets
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.http.pages import APPLICATION_PATHS, PROGRAM_PATHS, notice_page, problem_response

TOKEN_BYTES = 32
MAX_OPEN_CODES = 16
SESSION_S = 90 * 24 * 3600

CONTENT_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "font-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ]
)
# Added to every response that does not set its own.
SECURITY_HEADERS = {
    "content-security-policy": CONTENT_POLICY,
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}

NO_KEY = (
    "This browser has no key to the library yet. Open the link that Recollect printed in the "
    "terminal. A link works once; `recollect serve` in another terminal prints a fresh one."
)
NO_BEARER = (
    "Send the key of this library with the request, as the header `Authorization: Bearer KEY`; "
    "`recollect token` prints the key."
)
CROSS_SITE = (
    "Another web page sent this request, and Recollect answers none but its own. Type its "
    "address into the browser, or open the link that it printed in the terminal."
)
WRONG_TYPE = "Send JSON with Content-Type: application/json."
INTERNAL_ERROR = (
    "Something went wrong inside Recollect. Try again; `recollect doctor` checks the library."
)

_HAS_KEY = "has_key"  # in the state of a request's scope
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_log = logging.getLogger("recollect.web")


def new_token() -> str:
    """A key for one library, to be kept in a file that only its owner can read."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def load_or_create_token(file: Path) -> str:
    """The key in `file`, made with the file (0600) where there is none: pages that are open go on
    working when the server comes back. Deleting the file ends every session."""
    try:
        token = file.read_text(encoding="ascii").strip()
        if len(token) >= TOKEN_BYTES and file.stat().st_mode & 0o077 == 0:
            return token
    except (FileNotFoundError, UnicodeDecodeError):
        pass
    token = new_token()
    file.unlink(missing_ok=True)
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as written:
        written.write(token)
    return token


class Keys:
    """The token of a server and what is made from it: the browsers' cookie and launch codes."""

    def __init__(self, token: str, port: int) -> None:
        if len(token) < TOKEN_BYTES:
            raise ValueError("a token has 256 bits; make one with new_token()")
        self._token = token.encode()
        # Browsers send a cookie to every port of a host, so its name holds the port.
        self.cookie_name = f"recollect-{port}"
        self.cookie = hmac.digest(self._token, b"browser session", "sha256").hex()
        self._codes: dict[bytes, None] = {}  # digests of the unused ones, oldest first

    def launch_code(self) -> str:
        """A new code that opens one browser. The oldest is dropped when too many are unused."""
        code = secrets.token_urlsafe(TOKEN_BYTES)
        self._codes[_code_digest(code)] = None
        while len(self._codes) > MAX_OPEN_CODES:
            del self._codes[next(iter(self._codes))]
        return code

    def redeem(self, code: str) -> bool:
        """Whether the code was valid; it is not any more. Looked up by digest, so that the time
        taken reveals nothing of the codes there are."""
        return self._codes.pop(_code_digest(code), b"") is None

    def has_token(self, headers: Headers) -> bool:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(
            token.strip().encode(), self._token
        )

    def has_cookie(self, headers: Headers) -> bool:
        parsed = [cookie_parser(line) for line in headers.getlist("cookie")]
        cookie = next(
            (cookies[self.cookie_name] for cookies in parsed if self.cookie_name in cookies), ""
        )
        return hmac.compare_digest(cookie.encode(), self.cookie.encode())


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request goes no further."""

    status: int
    code: str
    sentence: str


class Guard:
    """Lets a request through to `app`, or refuses it; adds the security headers to every response;
    reveals no error's text. Pure ASGI, so that streams stay streams."""

    def __init__(self, app: ASGIApp, keys: Keys, port: int) -> None:
        self._app = app
        self._keys = keys
        self._hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = self._refusal_response(scope)
        scope.setdefault("state", {})[_HAS_KEY] = refusal is None
        try:
            await (refusal or self._app)(scope, receive, send_with_headers)
        except Exception as problem:
            _log.error(_location_of(scope["method"], problem))
            if started:
                raise ConnectionAbortedError("the answer broke off") from None
            response = problem_response(scope["path"], 500, "internal", INTERNAL_ERROR)
            await response(scope, receive, send_with_headers)

    def _refusal_response(self, scope: Scope) -> Response | None:
        """The response where the guard gives it, None where the request may pass."""
        headers = Headers(scope=scope)
        if not self._has_known_host(headers):
            return Response(status_code=421)
        refusal = self._cross_site_refusal(headers)
        if refusal is None:
            response = self._redeem_code(scope, headers)
            if response is not None:
                return response
            refusal = self._key_refusal(scope, headers) or _type_refusal(scope, headers)
        if refusal is None:
            return None
        return problem_response(scope["path"], refusal.status, refusal.code, refusal.sentence)

    def _has_known_host(self, headers: Headers) -> bool:
        hosts = headers.getlist("host")
        return len(hosts) == 1 and hosts[0].lower() in self._hosts

    def _cross_site_refusal(self, headers: Headers) -> Refusal | None:
        """A request that another site had a browser make. Another port of this machine counts as
        `same-site`, and is another program."""
        site = headers.getlist("sec-fetch-site")
        if site not in ([], ["same-origin"], ["none"]):
            return Refusal(403, "cross_site", CROSS_SITE)
        origin = headers.getlist("origin")
        if origin not in ([], [f"http://{headers['host'].lower()}"]):
            return Refusal(403, "origin", CROSS_SITE)
        return None

    def _redeem_code(self, scope: Scope, headers: Headers) -> Response | None:
        """Exchanges the launch code of a link for the cookie."""
        if scope["method"] != "GET" or not _is_page(scope["path"]):
            return None
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        code = dict(query).get("code")
        if code is None:
            return None
        has_cookie = self._keys.has_cookie(headers)
        if not has_cookie and not self._keys.redeem(code):
            return notice_page(401, "Open Recollect from a fresh link", NO_KEY)
        rest = urlencode([(name, value) for name, value in query if name != "code"])
        path = "/" + scope["path"].lstrip("/")  # "//host" would lead to another machine
        response = RedirectResponse(f"{path}?{rest}" if rest else path, status_code=303)
        if not has_cookie:
            response.set_cookie(
                self._keys.cookie_name,
                self._keys.cookie,
                max_age=SESSION_S,
                httponly=True,
                samesite="strict",
            )
        return response

    def _key_refusal(self, scope: Scope, headers: Headers) -> Refusal | None:
        if self._keys.has_token(headers):
            return None
        if not self._keys.has_cookie(headers):
            is_program = scope["path"].startswith(PROGRAM_PATHS) and not headers.get(
                "sec-fetch-site"
            )
            return Refusal(401, "key", NO_BEARER if is_program else NO_KEY)
        # A browser adds the cookie by itself; only the origin shows that our own page sent this.
        if scope["method"] not in SAFE_METHODS and "origin" not in headers:
            return Refusal(403, "origin", CROSS_SITE)
        return None


def _type_refusal(scope: Scope, headers: Headers) -> Refusal | None:
    """A form of another site can send text and form data, but neither JSON nor pictures."""
    if scope["method"] in SAFE_METHODS:
        return None
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        return None
    example = kind == "application/octet-stream" or kind.startswith(("image/", "audio/"))
    if example and scope["path"] == "/api/search":
        return None
    return Refusal(415, "content_type", WRONG_TYPE)


def has_shown_key(scope: Mapping[str, Any]) -> bool:
    """Whether the guard has let the request of this scope pass."""
    return bool(scope.get("state", {}).get(_HAS_KEY))


def _is_page(path: str) -> bool:
    return path in APPLICATION_PATHS or path.startswith("/item/")


def _code_digest(code: str) -> bytes:
    return hashlib.sha256(code.encode("utf-8", "surrogateescape")).digest()


def _location_of(method: str, problem: Exception) -> str:
    """Where an error was raised, without its text, which may name files or quote them."""
    frames: Mapping[str, None] = dict.fromkeys(
        f"{frame.name} ({frame.filename.rpartition('/')[2]}:{frame.lineno})"
        for frame in traceback.extract_tb(problem.__traceback__)[-6:]
    )
    return f"{type(problem).__name__} while answering {method}: {' > '.join(frames)}"
