"""A drafter that is right most of the time, so that every length of acceptance and rollback occurs,
which a drafter of random weights never does."""

from __future__ import annotations

import numpy as np

from model.decoding.constraint import Constraint
from model.decoding.context import Context
from model.decoding.decoder import Decoder
from model.decoding.draft_length import DraftLength
from model.decoding.sampling import DraftToken, Sampler


class ScriptedDrafter(Decoder):
    """Drafts the true continuation with a wrong token now and then. `truth` follows the first
    `start` tokens."""

    truth: tuple[int, ...] = ()
    start = 0

    @classmethod
    def beside(cls, own: Decoder, drafts: int) -> ScriptedDrafter:
        """One that reads with the model of `own`."""
        made = cls(own.model, own.drafter, own.stop_ids, own.suppressed)
        made.draft_length = DraftLength(drafts)
        return made

    def draft(
        self,
        context: Context,
        token: int,
        count: int,
        constraint: Constraint | None,
        sampler: Sampler,
    ) -> list[DraftToken]:
        at = context.length - self.start + 1
        rng = np.random.default_rng(at)
        right = list(self.truth[at : at + count])
        return [
            DraftToken(guess if rng.random() < 0.7 else int(rng.integers(20, 300)))
            for guess in right
        ]
