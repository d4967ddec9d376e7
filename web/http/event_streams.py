"""Server-sent events: answers as they are written, and the state of the library as it changes."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

from starlette.requests import Request
from starlette.responses import StreamingResponse

from indexer.files.disk_room import disk_error
from model.errors import RecollectError
from web.http.admission import TooBusyError, call_on_loop, run_in_thread
from web.library.errors import LibraryError
from web.library.notifier import Notifier
from web.library.schemas.answers import AskEvent
from web.library.schemas.status import StatusJson
from web.library.serializers.answers import ANSWER_INTERRUPTED, problem_event

HEARTBEAT_S = 10.0
STATUS_INTERVAL_S = 15.0
STATUS_MIN_INTERVAL_S = 0.5
# How long the thread that waits for changes may take to see that no page follows any more.
CHANGE_WAIT_S = 1.0
MAX_ANSWERS = 8

HEARTBEAT = b": still here\n\n"

_log = logging.getLogger("recollect.web")


Event = TypeVar("Event")
# Given `cancelled`, begins an answer; its iterator blocks between events. Raises RecollectError.
Ask = Callable[[Callable[[], bool]], Iterator[Event]]


class StatusSource(Protocol):
    """What a feed needs of a library."""

    @property
    def notifier(self) -> Notifier: ...

    def status(self) -> StatusJson: ...


class EventStream(StreamingResponse):
    """Encoded events, sent as they come. Cancelled as soon as the client has gone."""

    media_type = "text/event-stream"

    def __init__(self, events: AsyncIterator[bytes]) -> None:
        super().__init__(events, headers={"cache-control": "no-store"})


def encode_event(event: str, data: object) -> bytes:
    return f"event: {event}\n".encode() + encode_data(data)


def encode_data(data: object) -> bytes:
    """An event without a name."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return f"data: {text}\n\n".encode("utf-8", "backslashreplace")


class AnswerStreams:
    """Runs blocking generators of answers, each on a thread of its own, `limit` of them at once."""

    def __init__(self, limit: int = MAX_ANSWERS) -> None:
        self._stops: set[threading.Event] = set()
        self._limit = limit

    async def begin(self, ask: Ask[Event]) -> AsyncGenerator[Event | None, None]:
        """The events of the answer that `ask` writes when it is given its `cancelled`; None where
        none came for HEARTBEAT_S. Closing the generator ends the answer. Raises TooBusyError, and
        the RecollectError that the answer cannot begin with or breaks off with."""
        if len(self._stops) >= self._limit:
            raise TooBusyError
        stop = threading.Event()
        answer = await run_in_thread(lambda: ask(stop.is_set))
        return self._events(answer, stop)

    def close(self) -> None:
        """Stops every answer."""
        for stop in self._stops:
            stop.set()

    async def _events(
        self, answer: Iterator[Event], stop: threading.Event
    ) -> AsyncGenerator[Event | None, None]:
        loop = asyncio.get_running_loop()
        events: asyncio.Queue[Event | _End] = asyncio.Queue()
        self._stops.add(stop)  # until the thread ends: it holds the model until then

        def end(problem: RecollectError | None) -> None:
            self._stops.discard(stop)
            events.put_nowait(_End(problem))

        def work() -> None:
            problem: RecollectError | None = None
            try:
                for event in _until(answer, stop):
                    call_on_loop(loop, partial(events.put_nowait, event))
            except RecollectError as raised:
                problem = raised
            except Exception as raised:
                problem = disk_error(raised)
                if problem is None:
                    _log.error("%s in an answer", type(raised).__name__)
                    problem = LibraryError("internal", ANSWER_INTERRUPTED, 500)
            call_on_loop(loop, partial(end, problem))

        threading.Thread(target=work, name="recollect-answer", daemon=True).start()
        try:
            while True:
                try:
                    async with asyncio.timeout(HEARTBEAT_S):
                        event = await events.get()
                except TimeoutError:
                    yield None
                    continue
                if not isinstance(event, _End):
                    yield event
                elif event.problem is not None:
                    raise event.problem
                else:
                    return
        finally:
            stop.set()


@dataclass(frozen=True, slots=True)
class _End:
    """An answer has ended, by a problem where there is one."""

    problem: RecollectError | None


def _until(answer: Iterator[Event], stop: threading.Event) -> Iterator[Event]:
    """The events until the end or the stop."""
    try:
        for event in answer:
            yield event
            if stop.is_set():
                return
    finally:
        if isinstance(answer, Generator):
            answer.close()  # on its own thread, and at once: it releases the model


async def answer_stream(events: AsyncGenerator[AskEvent | None, None]) -> AsyncIterator[bytes]:
    """The events of an answer as they are sent; a problem is the last one."""
    async with aclosing(events):
        try:
            async for event in events:
                yield HEARTBEAT if event is None else encode_event(event["event"], event["data"])
        except RecollectError as problem:
            event = problem_event(problem)
            yield encode_event(event["event"], event["data"])


async def present(
    events: AsyncGenerator[Event | None, None], request: Request
) -> AsyncGenerator[Event, None]:
    """The events of an answer that is sent whole; it ends when nobody waits for it any more."""
    async with aclosing(events):
        async for event in events:
            if await request.is_disconnected():
                return
            if event is not None:
                yield event


class StatusFeed:
    """The state of the library for every page that follows it. One thread waits for changes, and
    only while a page follows."""

    def __init__(self, library: StatusSource) -> None:
        self._library = library
        self._followers: set[asyncio.Event] = set()
        self._watching = False
        self._lock = threading.Lock()  # over the two above: watching ends on its own thread
        self._latest = b""
        self._closed = False

    async def stream(self) -> EventStream:
        """The state now and at every change. Raises what reading it raises, before the stream has
        begun: then the answer has a status and a sentence."""
        return EventStream(self._encoded_events(await run_in_thread(self._status_event)))

    def close(self) -> None:
        """Ends every stream; called on the loop."""
        self._closed = True
        self._wake_followers()

    async def _encoded_events(self, first: bytes) -> AsyncIterator[bytes]:
        changed = asyncio.Event()
        self._follow(changed)
        try:
            yield first
            status = await run_in_thread(self._status_event)
            if status != first:  # it changed before it was followed
                yield status
            while not self._closed:
                try:
                    async with asyncio.timeout(STATUS_INTERVAL_S):
                        await changed.wait()
                except TimeoutError:
                    yield await run_in_thread(self._status_event)
                    continue
                changed.clear()
                if not self._closed:
                    yield self._latest
        finally:
            self._followers.discard(changed)

    def _follow(self, changed: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        with self._lock:
            self._followers.add(changed)
            if self._watching:
                return
            self._watching = True
        threading.Thread(
            target=self._watch, args=(loop,), name="recollect-status", daemon=True
        ).start()

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        late = False
        while True:
            with self._lock:
                if self._closed or not self._followers:
                    self._watching = False
                    return
            try:
                changed = self._library.notifier.wait(CHANGE_WAIT_S)
                if changed or late:
                    call_on_loop(loop, partial(self._publish, self._status_event()))
                    time.sleep(STATUS_MIN_INTERVAL_S)
                late = changed  # what changed while the status was read is sent next time
            except Exception as problem:  # the page keeps the last state it was sent
                _log.error("%s while the status was told", type(problem).__name__)
                time.sleep(CHANGE_WAIT_S)

    def _publish(self, event: bytes) -> None:
        if event != self._latest:
            self._latest = event
            self._wake_followers()

    def _wake_followers(self) -> None:
        for changed in self._followers:
            changed.set()

    def _status_event(self) -> bytes:
        return encode_event("status", self._library.status())
