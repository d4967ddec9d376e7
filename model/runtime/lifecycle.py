"""The model in memory: loaded when it is first needed, released when it is not.

Where it cannot be loaded, the lifecycle keeps the reason and does not try at every question. Its
methods run on the model's thread alone; its properties may be read anywhere. Importing this loads
no torch.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from model.interface import Model, ModelCard, ModelError
from model.runtime.out_of_memory import is_out_of_memory, release_memory

if TYPE_CHECKING:
    from model.interface import Fingerprint

# A model that could not be loaded is not tried again before: whoever asks meanwhile is told at
# once, and the background does not keep the thread busy with it.
TRY_AGAIN_S = 10.0

log = logging.getLogger(__name__)


class LoadedModel(Model, Protocol):
    """A model in memory; `calls` counts the contents and questions it was given."""

    @property
    def calls(self) -> int: ...

    def release_caches(self) -> None:
        """Release what is kept only to be quicker."""
        ...


class ModelSource(Protocol):
    """Where a model comes from, as far as it is known before it is loaded."""

    @property
    def fingerprint(self) -> Fingerprint: ...

    @property
    def unloaded(self) -> ModelCard: ...


# Loads the model. Its argument is called between two steps of background work, where something
# else may be done.
LoadModel = Callable[[Callable[[], None]], LoadedModel]


class Lifecycle:
    """`problem` is why the model could not be loaded when it was last tried, None where it could.
    `calls` counts over all loads."""

    def __init__(
        self, source: ModelSource, yield_turn: Callable[[], None], load: LoadModel | None = None
    ) -> None:
        self.problem: str | None = None
        self._source = source
        self._yield_turn = yield_turn
        self._load = load or self._load_gemma
        self._model: LoadedModel | None = None
        self._calls_before = 0
        self._try_again_at = 0.0

    @property
    def loaded(self) -> bool:
        return self._model is not None

    @property
    def refuses(self) -> bool:
        """Whether it could not be loaded just now, and is not tried again yet."""
        return self.problem is not None and time.monotonic() < self._try_again_at

    @property
    def calls(self) -> int:
        model = self._model
        return self._calls_before + (model.calls if model is not None else 0)

    @property
    def card(self) -> ModelCard:
        model = self._model
        if model is not None:
            return model.card
        card = self._source.unloaded
        return replace(card, reason=self.problem) if self.problem else card

    def model(self) -> LoadedModel:
        """The model, loaded now if it has to be. Raises ModelError where it cannot be, and for
        TRY_AGAIN_S after that without trying."""
        if self._model is not None:
            return self._model
        if self.problem is not None and self.refuses:
            raise ModelError(self.problem)
        try:
            self._model = self._load(self._yield_turn)
        except Exception as error:
            self.problem = self._sentence(error)
            log.debug("the model could not be loaded", exc_info=error)
        else:
            self.problem = None
            return self._model
        release_memory()
        self._try_again_at = time.monotonic() + TRY_AGAIN_S
        raise ModelError(self.problem)

    def unload(self) -> None:
        """Free its memory; the next call loads it again."""
        self._calls_before = self.calls
        self._model = None
        release_memory()

    def _sentence(self, error: Exception) -> str:
        if isinstance(error, ModelError):
            return str(error)
        name = self._source.unloaded.name
        if is_out_of_memory(error):
            return (
                f"There is not enough free memory to load {name}; close other programs, or use "
                "the small model with --model pocket."
            )
        detail = " ".join(str(error).split())[:200]
        return (
            f"The model {name} could not be loaded ({type(error).__name__}: {detail}); download it "
            "again, or use the small model with --model pocket."
        )

    def _load_gemma(self, yield_turn: Callable[[], None]) -> LoadedModel:
        from model.gemma import Gemma
        from model.weights.checkpoint import Checkpoint

        if not isinstance(self._source, Checkpoint):
            raise TypeError("only a checkpoint is loaded without being told how")
        return Gemma(self._source, yield_turn=yield_turn)
