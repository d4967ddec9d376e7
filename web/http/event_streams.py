"""What is told while it happens: answers and the state of the library, as server-sent events."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from functools import partial
from typing import Protocol

from starlette.responses import StreamingResponse

from model.errors import RecollectError
from web.http.admission import TooBusyError, call_on_loop, run_in_thread
from web.library.notifier import Notifier
from web.library.schemas import AskEvent, StatusJson

HEARTBEAT_S = 10.0
STATUS_EVERY_S = 15.0
STATUS_APART_S = 0.5
# How long the watch on the library may take to see that nobody follows any more.
WATCH_S = 1.0
MOST_ANSWERS = 8

HEARTBEAT = b": still here\n\n"
ANSWER_INTERRUPTED = "The answer broke off inside Recollect; ask again."

_log = logging.getLogger("recollect.web")


# Given `cancelled`, writes an answer; blocks between its events.
Ask = Callable[[Callable[[], bool]], Iterator[AskEvent]]


class StatusSource(Protocol):
    """What a feed needs of a library."""

    @property
    def notifier(self) -> Notifier: ...

    def status(self) -> StatusJson: ...


class EventStream(StreamingResponse):
    """Frames as they come. Cancelled as soon as the client has gone."""

    media_type = "text/event-stream"

    def __init__(self, frames: AsyncIterator[bytes]) -> None:
        super().__init__(frames, headers={"cache-control": "no-store"})


def encode_event(event: str, data: object) -> bytes:
    said = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return f"event: {event}\ndata: {said}\n\n".encode("utf-8", "backslashreplace")


class AnswerStreams:
    """Runs the library's blocking generators of answers, each on a thread of its own."""

    def __init__(self, most: int = MOST_ANSWERS) -> None:
        self._stops: set[threading.Event] = set()
        self._most = most

    def stream(self, ask: Ask) -> EventStream:
        """The answer that `ask` writes when it is given its `cancelled`. Raises TooBusyError."""
        if len(self._stops) >= self._most:
            raise TooBusyError
        return EventStream(self._frames(ask))

    def close(self) -> None:
        """Stops every answer."""
        for stop in self._stops:
            stop.set()

    async def _frames(self, ask: Ask) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        events: asyncio.Queue[AskEvent | None] = asyncio.Queue()
        stop = threading.Event()
        self._stops.add(stop)  # until the thread ends, for as long it holds the model

        def end() -> None:
            self._stops.discard(stop)
            events.put_nowait(None)

        def work() -> None:
            for event in _events(ask, stop):
                call_on_loop(loop, partial(events.put_nowait, event))
            call_on_loop(loop, end)

        threading.Thread(target=work, name="recollect-answer", daemon=True).start()
        try:
            while True:
                try:
                    async with asyncio.timeout(HEARTBEAT_S):
                        event = await events.get()
                except TimeoutError:
                    yield HEARTBEAT
                    continue
                if event is None:
                    return
                yield encode_event(event["event"], event["data"])
        finally:
            stop.set()


def _events(ask: Ask, stop: threading.Event) -> Iterator[AskEvent]:
    """The events until the end or the stop; a problem is the last event."""
    try:
        answer = ask(stop.is_set)
        try:
            for event in answer:
                yield event
                if stop.is_set():
                    return
        finally:
            if isinstance(answer, Generator):
                answer.close()  # on its own thread, and now: it lets go of the model
    except RecollectError as problem:
        yield {"event": "error", "data": {"code": problem.code, "sentence": problem.sentence}}
    except Exception as problem:
        _log.error("%s in an answer", type(problem).__name__)
        yield {"event": "error", "data": {"code": "internal", "sentence": ANSWER_INTERRUPTED}}


class StatusFeed:
    """One watch on the library for every page that follows it, and only while one does."""

    def __init__(self, library: StatusSource) -> None:
        self._library = library
        self._followers: set[asyncio.Event] = set()
        self._watched = False
        self._lock = threading.Lock()  # over the two above: the watch ends on its own thread
        self._latest = b""
        self._closed = False

    def stream(self) -> EventStream:
        return EventStream(self._frames())

    def close(self) -> None:
        """Ends every stream; called on the loop."""
        self._closed = True
        self._wake()

    async def _frames(self) -> AsyncIterator[bytes]:
        news = asyncio.Event()
        self._join(news)
        try:
            yield await run_in_thread(self._told)
            while not self._closed:
                try:
                    async with asyncio.timeout(STATUS_EVERY_S):
                        await news.wait()
                except TimeoutError:
                    yield await run_in_thread(self._told)
                    continue
                news.clear()
                if not self._closed:
                    yield self._latest
        finally:
            self._followers.discard(news)

    def _join(self, news: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        with self._lock:
            self._followers.add(news)
            if self._watched:
                return
            self._watched = True
        threading.Thread(
            target=self._watch, args=(loop,), name="recollect-status", daemon=True
        ).start()

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        late = False
        while True:
            with self._lock:
                if self._closed or not self._followers:
                    self._watched = False
                    return
            try:
                changed = self._library.notifier.wait(WATCH_S)
                if changed or late:
                    call_on_loop(loop, partial(self._publish, self._told()))
                    time.sleep(STATUS_APART_S)
                late = changed  # nobody was listening while that was told
            except Exception as problem:  # a busy disk passes; the page keeps its last state
                _log.error("%s while the status was told", type(problem).__name__)
                time.sleep(WATCH_S)

    def _publish(self, told: bytes) -> None:
        if told != self._latest:
            self._latest = told
            self._wake()

    def _wake(self) -> None:
        for news in self._followers:
            news.set()

    def _told(self) -> bytes:
        return encode_event("status", self._library.status())
