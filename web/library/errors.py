"""What a person asked for and cannot have, and how to ask instead."""

from __future__ import annotations

from model.errors import RecollectError


class LibraryError(RecollectError):
    """A request that the library does not carry out, for a reason that `code` names."""

    def __init__(self, code: str, sentence: str, status: int = 422) -> None:
        super().__init__(sentence)
        self.code, self.status = code, status


class NotFoundError(LibraryError):
    """There is no such item, or it has no such part."""

    def __init__(self) -> None:
        super().__init__("not_found", "This is not in the library, or not any more.", 404)
