"""The base of every error that a person may meet, at the command line or over HTTP."""

from __future__ import annotations


class RecollectError(Exception):
    """A problem in plain words. `sentence` is for people and names the cure; `code` is stable, in
    snake_case, for programs; `status` is what HTTP answers with. A class sets the two that are the
    same for all of its errors."""

    code: str = "internal"
    status: int = 500

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
