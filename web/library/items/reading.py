"""Who read the words of a picture, or heard those of a recording: as the viewer tells it."""

from __future__ import annotations

from indexer.catalog.records import Item
from indexer.types.places import Kind
from model.interface import ModelRuntime


class ReadingModel:
    """The model of one library, and what it has understood."""

    def __init__(self, runtime: ModelRuntime) -> None:
        self._runtime = runtime

    def name_for(self, item: Item) -> str | None:
        """Such as "read by PP-OCRv6"; None for what another model than the one in use understood,
        and while an engine would have to be asked which model it has."""
        card = self._runtime.card
        if item.understood_generation is None or item.model_key is None:
            return None
        if card.engine is not None and not self._runtime.lifecycle.loaded:
            return None
        if item.model_key != self._runtime.people.fingerprint.key:
            return None
        if item.kind is Kind.RECORDING:
            return card.hears_sounds or f"heard by {card.name}"
        return card.reads_pictures or f"seen by {card.name}"
