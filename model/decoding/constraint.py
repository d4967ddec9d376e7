"""A grammar that limits which tokens may come next."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

# (ids, True) lists all tokens that may come, (ids, False) those that may not; None allows all.
Allowed = tuple[NDArray[np.int64], bool] | None


class Constraint(Protocol):
    """`allowed` is asked before each token, and `push` is told which one was written. Drafting asks
    a `fork`, so that rejected drafts leave no trace."""

    def allowed(self) -> Allowed: ...

    def push(self, token: int) -> None: ...

    def fork(self) -> Constraint: ...
