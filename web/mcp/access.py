"""How the tools reach the library: in the server's process, or from one that a program started."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator
from typing import Protocol, TypeVar

from web.library.protocol import LibraryProtocol
from web.library.schemas.answers import AskEvent

Result = TypeVar("Result")


class LibraryAccess(Protocol):
    """The library for calls from an event loop. Raises RecollectError."""

    @property
    def server(self) -> str | None:
        """The address of the server whose pages open a place; None where none runs."""
        ...

    async def run(self, call: Callable[[LibraryProtocol], Result]) -> Result:
        """What a call of the library gives, made on another thread."""
        ...

    async def answer(
        self, ask: Callable[[LibraryProtocol], Iterator[AskEvent]]
    ) -> AsyncGenerator[AskEvent | None, None]:
        """The events of one answer as they come, None where none came for a while; closing the
        generator ends the answer."""
        ...
