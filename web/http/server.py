"""The listening socket and the server: on the loopback address only, and stopped within seconds."""

from __future__ import annotations

import errno
import logging
import os
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI

from web.http.admission import MAX_HEAD_BYTES
from web.http.connections import BoundedProtocol
from web.library.errors import LibraryError

LOOPBACK = "127.0.0.1"
# A stop waits this long for responses that are being sent; streams end by themselves.
GRACE_S = 2

Report = Callable[[str], None]


def bind_loopback(port: int) -> socket.socket:
    """Takes the port on this machine's own address, 0 for any free one, before anything else is
    done. Raises LibraryError where it cannot."""
    # asyncio turns the delay of small packets off (40 ms a response) where the protocol is named
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere this would share the port with another program
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, port))
        listener.listen(128)  # from here on a second server is refused
    except OSError as problem:
        listener.close()
        raise LibraryError("port", _port_sentence(port, problem)) from problem
    listener.setblocking(False)
    return listener


def port_of(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])


def _port_sentence(port: int, problem: OSError) -> str:
    if problem.errno == errno.EADDRINUSE:
        return f"Port {port} is already in use. Choose another with --port."
    if problem.errno == errno.EACCES:
        return f"Port {port} needs an administrator. Choose one above 1023 with --port."
    return f"Port {port} cannot be opened ({problem.strerror}). Choose another with --port."


def run_server(
    app: FastAPI,
    listener: socket.socket,
    *,
    started: Callable[[], None] = lambda: None,
    stopping: Callable[[], None] = lambda: None,
    report: Report = lambda line: None,
) -> None:
    """Serves until SIGTERM or SIGINT, then ends every stream and returns, within GRACE_S. Takes
    over the socket. Prints nothing: `started` is called once requests are answered, `stopping` at
    the signal, and `report` with a line for each error. No line holds the address of a request:
    that holds what was searched."""
    with reported_errors(report):
        make_server(app, started, stopping).run([listener])


def make_server(
    app: FastAPI,
    started: Callable[[], None] = lambda: None,
    stopping: Callable[[], None] = lambda: None,
) -> LibraryServer:
    """The server that `serve` runs; its `should_exit`, set from any thread, ends it."""
    config = uvicorn.Config(
        app,
        http=BoundedProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=GRACE_S,
    )
    return LibraryServer(config, started, stopping)


class LibraryServer(uvicorn.Server):
    """Calls `started` when it has and `stopping` at a signal, ends its streams before it waits for
    them, and returns after a signal instead of raising it again: there is a library to close."""

    def __init__(
        self, config: uvicorn.Config, started: Callable[[], None], stopping: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._started = started
        self._stopping = stopping

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._stopping()
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.config.app.state.end_streams()  # type: ignore[union-attr]  # it is our FastAPI
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        with super().capture_signals():
            yield
            self._captured_signals.clear()  # else each is raised again


class _ReportHandler(logging.Handler):
    def __init__(self, report: Report) -> None:
        super().__init__(logging.ERROR)
        self._report = report

    def emit(self, record: logging.LogRecord) -> None:
        self._report(record.getMessage().strip())  # without the traceback, which may quote files


@contextmanager
def reported_errors(report: Report) -> Generator[None, None, None]:
    """What the server's parts log as errors is given to `report` instead of the terminal."""
    handler = _ReportHandler(report)
    logs: list[Any] = [
        logging.getLogger(name) for name in ("uvicorn", "recollect.web", "asyncio", "mcp")
    ]
    before = [log.propagate for log in logs]
    for log in logs:
        log.addHandler(handler)
        log.propagate = False
    try:
        yield
    finally:
        for log, propagate in zip(logs, before, strict=True):
            log.removeHandler(handler)
            log.propagate = propagate
