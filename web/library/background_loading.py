"""The model, loaded in the background: searches by words go on meanwhile."""

from __future__ import annotations

import threading
from contextlib import suppress

from model.interface import ModelError, ModelRuntime, Text
from model.runtime.runtime import BusyError


class BackgroundLoading:
    """Loads the model of a runtime for whoever must not wait for it. Until `begin` was called, as
    a server does at its start, searches wait for the model."""

    def __init__(self, runtime: ModelRuntime) -> None:
        self._runtime = runtime
        self._has_begun = False
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Loads the model in the background. From now on no search by words waits for that."""
        self._has_begun = True
        self._load()

    def under_way(self) -> bool:
        """Whether a search would wait for the model, and may not: it is loaded in the background
        from here on. False too where the model says at once why it cannot be used."""
        lifecycle = self._runtime.lifecycle
        if not self._has_begun or lifecycle.loaded or lifecycle.refuses:
            return False
        self._load()
        return True

    def _load(self) -> None:
        if self._thread is not None and self._thread.is_alive():
            return

        def load() -> None:
            with suppress(ModelError, BusyError):  # whoever needs the model is told
                self._runtime.people.embed([Text("ready")], role="query")

        self._thread = threading.Thread(target=load, name="warming", daemon=True)
        self._thread.start()
