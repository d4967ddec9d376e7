"""Which source each token of a prompt belongs to, and which one an answer comes from.

Words alone do not say it: a token deep in a source has to know the number at its head before an
answer can cite it. Told outright, as frames are told their sound, the layers learn it early.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.answer_format import OPENING

Ints = NDArray[np.int64]
NUMBERS = 10  # the sources of a prompt are 1 to 9 at most; 0 is none of them
_OPENING, _CLOSING = "<source ", "</source>\n"  # each a token of the tokenizer
_CITED = re.compile(re.escape(OPENING).replace(re.escape("{n}"), r"(\d)"))


class Numbers:
    """Reads source numbers from token ids."""

    def __init__(self, tokenizer: Any) -> None:
        number = tokenizer.convert_tokens_to_ids
        self.opening, self.closing = int(number(_OPENING)), int(number(_CLOSING))
        self.digit = {int(number(str(digit))): digit for digit in range(NUMBERS)}

    def belonging(self, ids: Ints, nothing: int) -> Ints:
        """(n,): the number of the source that each token stands in, else `nothing`."""
        numbers = np.full(len(ids), nothing)
        opened = np.flatnonzero(ids[:-1] == self.opening)
        closed = np.flatnonzero(ids == self.closing)
        for start, end in zip(opened, closed, strict=False):
            numbers[start + 1 : end + 1] = self.digit.get(int(ids[start + 1]), nothing)
        return numbers


def cited(answer: str) -> int:
    """The number of the source that an answer cites, 0 where it cites none."""
    match = _CITED.search(answer)
    return int(match[1]) if match else 0
