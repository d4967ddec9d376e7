"""A library for a program that runs for days: through the server whenever one holds it, else opened
in this process and kept open."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import ExitStack
from typing import TypeVar

from indexer.files.lock import LibraryLock
from web.cli.program import Program
from web.http.admission import WorkerPool
from web.http.event_streams import AnswerStreams
from web.library.protocol import LibraryProtocol
from web.library.schemas.answers import AskEvent

Result = TypeVar("Result")


class LastingLibrary:
    """`LibraryAccess` outside of the server. A server that is started or stopped meanwhile is
    noticed at the next call."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._lock = LibraryLock(program.settings.data)
        self._opening = threading.Lock()
        self._opened: tuple[str | None, LibraryProtocol] | None = None  # through which server
        self._stack = ExitStack()
        self._workers = WorkerPool(at_once=4, in_line=24)
        self._answers = AnswerStreams()

    @property
    def server(self) -> str | None:
        holder = self._lock.holder()
        return holder.url if holder is not None else None

    async def run(self, call: Callable[[LibraryProtocol], Result]) -> Result:
        return await self._workers.run(lambda: call(self._library()))

    async def answer(
        self, ask: Callable[[LibraryProtocol], Iterator[AskEvent]]
    ) -> AsyncGenerator[AskEvent | None, None]:
        return await self._answers.begin(lambda cancelled: ask(self._library()))

    def close(self) -> None:
        self._answers.close()
        self._stack.close()

    def _library(self) -> LibraryProtocol:
        """The library as it can be reached now. Raises RecollectError."""
        server = self.server
        with self._opening:
            if self._opened is None or self._opened[0] != server:
                self._opened = None
                self._stack.close()
                library = self._stack.enter_context(self._program.open_library())
                self._opened = (server, library)
            return self._opened[1]
