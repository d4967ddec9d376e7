"""Connections: how long one may take to say what it wants, and which one ends when there are many.

Who has no key must not keep out who has: another program of this machine may open as many
connections as it likes.
"""

from __future__ import annotations

import asyncio
import json

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from web.http.admission import LINGER_S, RETRY_AFTER_S, TooBusyError
from web.http.security import has_shown_key

# How long the head of a request may take to arrive.
HEADERS_S = 10.0
MAX_CONNECTIONS = 256


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 on one of at most MAX_CONNECTIONS connections. One more ends the one that has been
    idle longest: one that has shown no key, where there is one. Where all are at work, it is
    refused itself."""

    _head_timer: asyncio.TimerHandle | None = None
    _begun_s = 0.0
    _is_refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._begun_s = self.loop.time()
        self._watch_head()
        if len(self.connections) > MAX_CONNECTIONS:
            self._make_room()

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            return
        super().data_received(data)
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop_timer()

    def _make_room(self) -> None:
        others = [other for other in self.connections if isinstance(other, BoundedProtocol)]
        idle = [other for other in others if other is not self and other._is_idle]
        if idle:
            oldest = min(idle, key=lambda other: (other._has_key, other._begun_s))
            self.connections.discard(oldest)  # its end is seen later, and more may come until then
            oldest.transport.abort()
        else:
            self._refuse()

    def _refuse(self) -> None:
        """Says so, and drops what still arrives: a connection that is closed before all was read is
        reset by the system, and the answer may be lost with it."""
        self._is_refused = True
        self.transport.write(_too_busy())
        self.transport.write_eof()
        self.loop.call_later(LINGER_S, self.transport.abort)

    @property
    def _is_idle(self) -> bool:
        """Whether no request is being answered."""
        return self.cycle is None or self.cycle.response_complete

    @property
    def _has_key(self) -> bool:
        """Whether the last request came with a key."""
        return self.scope is not None and has_shown_key(self.scope)

    def _watch_head(self) -> None:
        """Keeps one timer running for as long as a head is incomplete."""
        waiting = self.conn.their_state is h11.IDLE and self.timeout_keep_alive_task is None
        if not waiting or self.transport.is_closing():
            self._stop_timer()
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(HEADERS_S, self.transport.abort)

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


def _too_busy() -> bytes:
    """A whole response, for a connection of which no request is read."""
    problem = TooBusyError()
    body = json.dumps({"error": {"code": problem.code, "sentence": problem.sentence}}).encode()
    head = (
        f"HTTP/1.1 {problem.status} Too Many Requests\r\nretry-after: {RETRY_AFTER_S}\r\n"
        "content-type: application/json\r\ncache-control: no-store\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode("ascii") + body
