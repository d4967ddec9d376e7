"""Requests to one engine: sent from one event loop, so that each can be cancelled at any moment.

No proxy of the environment is used and no redirect is followed: what a person asks goes to the
address they named and nowhere else.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import json
import queue
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import httpx
from httpx_sse import EventSource, SSEError

from model.interface import ModelError
from model.served import errors

CONNECT_S = 5.0
# Between two bytes: a large model on a processor reads a long prompt for minutes.
SILENCE_S = 300.0
# Before the second and the third attempt, where an engine is busy, loading or just restarting.
PAUSES_S = (0.2, 0.8)
WORTH_A_RETRY = (429, 502, 503, 504)
MOST_BYTES = 64 * 1024**2
POLL_S = 0.05

Json = dict[str, Any]
Result = TypeVar("Result")


class Connection:
    """Any thread may call; a call blocks until it is answered. Raises EngineError."""

    def __init__(self, url: str, key: str = "", silence_s: float = SILENCE_S) -> None:
        self.url = url.rstrip("/")
        self._silence_s = silence_s
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = httpx.AsyncClient(
            headers=headers,
            timeout=httpx.Timeout(silence_s, connect=CONNECT_S, pool=None),
            trust_env=False,
        )
        self._loop = asyncio.new_event_loop()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._closed = False

    def get(self, path: str) -> Json:
        """What the engine has at `path`, which begins with a slash."""
        return self._wait(self._request("GET", path, None), lambda: False)

    def post(self, path: str, body: Json, cancelled: Callable[[], bool] = lambda: False) -> Json:
        """The answer to `body`; raises ModelError when cancelled before it came."""
        return self._wait(self._request("POST", path, body), cancelled)

    def stream(self, path: str, body: Json, cancelled: Callable[[], bool]) -> Iterator[Json]:
        """The events of a streamed answer, as they come; ends early when cancelled. The request is
        taken back when the iterator is closed. Raises EngineError where the stream breaks off."""
        events: queue.SimpleQueue[Json | None] = queue.SimpleQueue()
        task = self._submit(self._stream(path, body, events.put))
        task.add_done_callback(lambda _: events.put(None))
        try:
            while True:
                try:
                    event = events.get(timeout=POLL_S)
                except queue.Empty:
                    if cancelled():
                        return
                    continue
                if event is None:
                    break
                yield event
            _result(task)
        finally:
            task.cancel()

    def close(self) -> None:
        """Takes back what is under way and closes every socket."""
        with self._starting:
            if self._closed:
                return
            self._closed = True
            thread = self._thread
        if thread is not None:
            asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(CONNECT_S)
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join(CONNECT_S)
        self._loop.close()

    def _submit(self, work: Coroutine[Any, Any, Result]) -> concurrent.futures.Future[Result]:
        with self._starting:
            if self._closed:
                work.close()
                raise closing()
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._loop.run_forever, name="engine", daemon=True
                )
                self._thread.start()
            return asyncio.run_coroutine_threadsafe(work, self._loop)

    def _wait(self, work: Coroutine[Any, Any, Json], cancelled: Callable[[], bool]) -> Json:
        task = self._submit(work)
        try:
            while True:
                try:
                    return _result(task, POLL_S)
                except TimeoutError:
                    if task.done():
                        raise
                    if cancelled():
                        raise ModelError("The question was taken back; ask again.") from None
        finally:
            task.cancel()

    # --- on the event loop

    async def _end(self) -> None:
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._client.aclose()

    async def _request(self, method: str, path: str, body: Json | None) -> Json:
        async with self._answered(method, path, body) as response:
            try:
                answer = json.loads(await _read(response))
            except (ValueError, UnicodeDecodeError):
                raise errors.unintelligible(self.url) from None
        if not isinstance(answer, dict):
            raise errors.unintelligible(self.url)
        return answer

    async def _stream(self, path: str, body: Json, put: Callable[[Json], None]) -> None:
        """Complete where a finish reason or the end mark came; engines send one of them."""
        finished = False
        async with self._answered("POST", path, body) as response:
            async for text in _data_lines(response):
                if text == "[DONE]":
                    finished = True
                    break
                try:
                    event = json.loads(text)
                except ValueError:
                    raise errors.broken_off(self.url) from None
                if not isinstance(event, dict):
                    raise errors.unintelligible(self.url)
                if event.get("error"):
                    code, message = _error_of(event)
                    raise errors.refused(self.url, code or 500, message)
                finished = finished or any(
                    choice.get("finish_reason") for choice in event.get("choices") or ()
                )
                put(event)
        if not finished:
            raise errors.broken_off(self.url)

    @asynccontextmanager
    async def _answered(
        self, method: str, path: str, body: Json | None
    ) -> AsyncIterator[httpx.Response]:
        """The response once its status is good. What is busy or just restarting is tried again;
        once a body has begun nothing is."""
        for pause_s in (*PAUSES_S, None):
            request = self._client.build_request(method, self.url + path, json=body)
            try:
                response = await self._client.send(request, stream=True)
            except (httpx.ConnectTimeout, httpx.InvalidURL, httpx.UnsupportedProtocol):
                raise errors.unreachable(self.url) from None
            except httpx.TimeoutException:
                raise errors.silent(self.url, self._silence_s) from None
            except httpx.TransportError:
                if pause_s is None:
                    raise errors.unreachable(self.url) from None
                await asyncio.sleep(pause_s)
                continue
            try:
                if response.status_code == 200:
                    try:
                        yield response
                    except httpx.TimeoutException:
                        raise errors.silent(self.url, self._silence_s) from None
                    except SSEError:
                        raise errors.unintelligible(self.url) from None
                    except httpx.TransportError:
                        raise errors.broken_off(self.url) from None
                    return
                refusal = await self._refusal(response)
            finally:
                await response.aclose()
            if pause_s is None or response.status_code not in WORTH_A_RETRY:
                raise refusal
            await asyncio.sleep(pause_s)

    async def _refusal(self, response: httpx.Response) -> errors.EngineError:
        try:
            content = json.loads(await _read(response))
        except (ValueError, httpx.TransportError):
            content = None
        _, message = _error_of(content) if isinstance(content, dict) else (None, "")
        return errors.refused(self.url, response.status_code, message)


async def _data_lines(response: httpx.Response) -> AsyncIterator[str]:
    """The data of each server-sent event, comments and keep-alives left out."""
    async for event in EventSource(response).aiter_sse():
        if event.data.strip():
            yield event.data.strip()


async def _read(response: httpx.Response) -> bytes:
    """The body, refused where it is larger than any answer can be."""
    content = bytearray()
    async for part in response.aiter_bytes():
        content += part
        if len(content) > MOST_BYTES:
            raise ValueError("the body is too large")
    return bytes(content)


def _error_of(content: Json) -> tuple[int | None, str]:
    """The code and the message of an error, in the shapes that engines give it."""
    error = content.get("error", content.get("detail", content.get("message", "")))
    if isinstance(error, dict):
        code = error.get("code")
        return code if isinstance(code, int) else None, str(error.get("message", ""))
    return None, error if isinstance(error, str) else json.dumps(error)


def _result(task: concurrent.futures.Future[Result], timeout_s: float | None = None) -> Result:
    try:
        return task.result(timeout_s)
    except concurrent.futures.CancelledError:
        raise closing() from None


def closing() -> ModelError:
    return ModelError("Recollect is closing; ask again after it has started.")
