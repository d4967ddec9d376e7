"""What a person can mend."""

from __future__ import annotations


class LibraryError(Exception):
    """`code` is stable and for programs; `sentence` is for people and names the cure; `status` is
    what HTTP answers with."""

    def __init__(self, code: str, sentence: str, status: int = 422) -> None:
        super().__init__(sentence)
        self.code, self.sentence, self.status = code, sentence, status
