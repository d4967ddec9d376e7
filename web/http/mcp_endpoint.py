"""/mcp: the tools of the Model Context Protocol over streamable HTTP. Each request stands alone, so
that a client may go on after the server was started again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

from starlette.types import Receive, Scope, Send

from web.http.admission import WorkerPool, run_in_thread
from web.http.event_streams import AnswerStreams
from web.library.protocol import LibraryProtocol
from web.library.schemas.answers import AskEvent

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

Result = TypeVar("Result")


class ServedAccess:
    """`LibraryAccess` in the server's process: within the same limits as the browser's requests."""

    def __init__(
        self, library: LibraryProtocol, workers: WorkerPool, answers: AnswerStreams, server: str
    ) -> None:
        self.server: str | None = server
        self._library = library
        self._workers = workers
        self._answers = answers

    async def run(self, call: Callable[[LibraryProtocol], Result]) -> Result:
        return await self._workers.run(lambda: call(self._library))

    async def answer(
        self, ask: Callable[[LibraryProtocol], Iterator[AskEvent]]
    ) -> AsyncGenerator[AskEvent | None, None]:
        return await self._answers.begin(lambda cancelled: ask(self._library))


class McpEndpoint:
    """The ASGI application at /mcp. The SDK is imported at the first request, since it takes a
    second and most people need none of it."""

    def __init__(self, access: ServedAccess) -> None:
        self._access = access
        self._starting = asyncio.Lock()
        self._manager: StreamableHTTPSessionManager | None = None
        self._running: asyncio.Task[None] | None = None
        self._end = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        manager = await self._started()
        await manager.handle_request(scope, receive, send)

    def close(self) -> None:
        """Ends every request; called on the loop."""
        self._end.set()

    async def _started(self) -> StreamableHTTPSessionManager:
        async with self._starting:
            if self._manager is None:
                manager = await run_in_thread(self._made)
                started = asyncio.Event()
                self._running = asyncio.create_task(self._run(manager, started))
                await started.wait()
                self._manager = manager
        return self._manager

    def _made(self) -> StreamableHTTPSessionManager:
        from mcp.server.transport_security import TransportSecuritySettings

        from web.mcp.server import library_server

        server = library_server(self._access)
        # `Guard` has looked at the host and the origin before.
        guarded = TransportSecuritySettings(enable_dns_rebinding_protection=False)
        server.streamable_http_app(stateless_http=True, transport_security=guarded)
        return server.session_manager

    async def _run(self, manager: StreamableHTTPSessionManager, started: asyncio.Event) -> None:
        async with manager.run():
            started.set()
            await self._end.wait()
