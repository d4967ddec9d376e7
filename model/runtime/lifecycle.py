"""The model's stay in memory: loaded when it is first needed, given back when it is not.

Where it cannot be loaded, says why, and does not try at every question. Used on the model's thread
alone, but for what only tells. Light: importing this loads no torch.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from model.interface import Model, ModelCard, ModelError
from model.runtime import out_of_memory

if TYPE_CHECKING:
    from model.weights.checkpoint import Checkpoint

# A model that could not be loaded is not tried again before: whoever asks meanwhile is told at
# once, and the background does not keep the thread busy with it.
TRY_AGAIN_S = 10.0

log = logging.getLogger(__name__)


class LoadedModel(Model, Protocol):
    """A loaded model; `calls` counts the contents and questions it was given. `forget` lets go of
    what it keeps only to be quicker."""

    @property
    def calls(self) -> int: ...

    def forget(self) -> None: ...


# Loads the model. It is given a function that the model calls between the steps of background
# work, where something else may be done.
LoadModel = Callable[[Callable[[], None]], LoadedModel]


class Lifecycle:
    """`problem` is why the model could not be loaded when it was last tried, None where it could.
    `calls` counts over all its stays."""

    def __init__(
        self, checkpoint: Checkpoint, breathe: Callable[[], None], load: LoadModel | None = None
    ) -> None:
        self.problem: str | None = None
        self._checkpoint = checkpoint
        self._breathe = breathe
        self._load = load or self._gemma
        self._model: LoadedModel | None = None
        self._calls_before = 0
        self._try_again_at = 0.0

    @property
    def loaded(self) -> bool:
        return self._model is not None

    @property
    def calls(self) -> int:
        model = self._model
        return self._calls_before + (model.calls if model is not None else 0)

    @property
    def card(self) -> ModelCard:
        model = self._model
        if model is not None:
            return model.card
        card = self._checkpoint.unloaded
        return replace(card, reason=self.problem) if self.problem else card

    def model(self) -> LoadedModel:
        """Loaded now if it has to be. Raises ModelError where it cannot be, and for a while
        after that without trying again."""
        if self._model is not None:
            return self._model
        if self.problem is not None and time.monotonic() < self._try_again_at:
            raise ModelError(self.problem)
        try:
            self._model = self._load(self._breathe)
        except Exception as why:
            self.problem = self._sentence(why)
            log.debug("the model could not be loaded", exc_info=why)
        else:
            self.problem = None
            return self._model
        out_of_memory.release_memory()
        self._try_again_at = time.monotonic() + TRY_AGAIN_S
        raise ModelError(self.problem)

    def give_back(self) -> None:
        """Free its memory; the next call loads it again."""
        self._calls_before = self.calls
        self._model = None
        out_of_memory.release_memory()

    def _sentence(self, why: Exception) -> str:
        if isinstance(why, ModelError):
            return str(why)
        name = self._checkpoint.unloaded.name
        if out_of_memory.is_out_of_memory(why):
            return (
                f"There is not enough free memory to load {name}; close other programs, or use "
                "the small model with --model pocket."
            )
        said = " ".join(str(why).split())[:200]
        return (
            f"The model {name} could not be loaded ({type(why).__name__}: {said}); download it "
            "again, or use the small model with --model pocket."
        )

    def _gemma(self, breathe: Callable[[], None]) -> LoadedModel:
        from model.gemma import Gemma

        return Gemma(self._checkpoint, breathe=breathe)
