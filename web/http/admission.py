"""How much the server takes on: the size of a request, the time it may take to arrive, and how many
are worked on at once. Anything beyond is refused at once, with a sentence."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.http.pages import problem_response
from web.library.arguments.paths import MAX_EXAMPLE_BYTES
from web.library.errors import LibraryError

T = TypeVar("T")

MAX_HEAD_BYTES = 32 * 1024
MAX_JSON_BYTES = 256 * 1024
# A conversation with pictures and sounds in it, which take a third more in JSON.
MAX_CHAT_BYTES = 28_000_000
CHAT_PATHS = ("/v1/chat/completions", "/v1/responses")
BODY_S = 30.0
LINGER_S = 1.0
RETRY_AFTER_S = 2

BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})


class TooBusyError(LibraryError):
    """More is asked at once than can be answered; the status is 429."""

    def __init__(self) -> None:
        super().__init__("busy", "Recollect is busy with other questions; ask again shortly.", 429)


class AdmissionLimits:
    """Bounds the head of a request, and reads its body whole before `app` sees it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _head_bytes(scope) > MAX_HEAD_BYTES:
            sentence = f"The address and its headers are at most {MAX_HEAD_BYTES:,} bytes."
            await _send_refusal(scope, receive, send, 431, "too_large", sentence)
            return
        if scope["type"] != "http" or scope["method"] in BODILESS:
            await self._app(scope, receive, send)
            return
        limit_bytes = _body_limit_bytes(scope)
        length = Headers(scope=scope).get("content-length", "0")
        body = None if not length.isdecimal() or int(length) > limit_bytes else b""
        if body is not None:
            try:
                async with asyncio.timeout(BODY_S):
                    body = await _read_body(receive, limit_bytes)
            except TimeoutError:
                await _send_refusal(
                    scope, receive, send, 408, "slow", "The request did not arrive."
                )
                return
        if body is None:
            sentence = f"At most {limit_bytes:,} bytes can be sent here."
            await _send_refusal(scope, receive, send, 413, "too_large", sentence)
            return
        messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return messages.pop() if messages else await receive()

        await self._app(scope, replay, send)


def _head_bytes(scope: Scope) -> int:
    address = len(scope["raw_path"]) + len(scope["query_string"])
    return address + sum(len(name) + len(value) for name, value in scope["headers"])


def _body_limit_bytes(scope: Scope) -> int:
    if scope["path"] in CHAT_PATHS:
        return MAX_CHAT_BYTES
    return MAX_EXAMPLE_BYTES if scope["path"] == "/api/search" else MAX_JSON_BYTES


async def _read_body(receive: Receive, limit_bytes: int) -> bytes | None:
    """The body, or None as soon as it is longer than `limit_bytes`. Of a client that has gone, what
    it had sent: the answer reaches nobody."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > limit_bytes:
            return None
        if not message.get("more_body", False):
            return bytes(body)


async def _send_refusal(
    scope: Scope, receive: Receive, send: Send, status: int, code: str, sentence: str
) -> None:
    response = problem_response(scope["path"], status, code, sentence)
    response.headers["connection"] = "close"

    async def linger(message: Message) -> None:
        """Receives the rest of a body for a moment, and drops it: a connection that is closed while
        bytes still arrive is reset by the system, and the answer may be lost with it."""
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            await send({**message, "more_body": True})
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LINGER_S):
                    while (await receive()).get("more_body", False):
                        pass
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        await send(message)

    await response(scope, receive, linger)


class WorkerPool:
    """Blocking calls on threads of their own: `at_once` at a time, and `in_line` more wait."""

    def __init__(self, at_once: int, in_line: int) -> None:
        self._slots = asyncio.Semaphore(at_once)
        self._limit = at_once + in_line
        self._admitted = 0

    async def run(self, call: Callable[[], T]) -> T:
        """What `call` returns or raises. Raises TooBusyError when the line is full."""
        if self._admitted >= self._limit:
            raise TooBusyError
        self._admitted += 1
        try:
            async with self._slots:
                return await run_in_thread(call)
        finally:
            self._admitted -= 1


async def run_in_thread(call: Callable[[], T]) -> T:
    """Runs a blocking call on a daemon thread: when the server stops, a model that still computes
    is not waited for."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, problem: BaseException | None) -> None:
        if done.done():
            return
        if problem is not None:
            done.set_exception(problem)
        else:
            done.set_result(result)  # type: ignore[arg-type]  # a call without a problem has a result

    def work() -> None:
        result: T | None = None
        problem: BaseException | None = None
        try:
            result = call()
        except BaseException as raised:
            problem = raised
        call_on_loop(loop, lambda: settle(result, problem))

    threading.Thread(target=work, name="recollect-web", daemon=True).start()
    return await done


def call_on_loop(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> bool:
    """Has the loop make a call, from another thread; False when the loop is closed."""
    try:
        loop.call_soon_threadsafe(call)
    except RuntimeError:
        return False
    return True
