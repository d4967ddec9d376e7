"""The keys and values of one text: appended in place, cropped without a copy, forked by one.

A sliding layer attends to its window only, so it keeps that and `SPARE` tokens more: by so many can
a text be rolled back exactly. Global layers keep everything.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

# A question and its answer fit into it, so the next question can go on from before them.
SPARE = 512
# Room is made for so many tokens at a time.
GROWTH = 256


def tokens_held(stored: int, window: int | None) -> int:
    """How many of `stored` tokens a layer keeps when it makes more room."""
    return stored if window is None else min(stored, window - 1 + SPARE)


def room_for(count: int, held: int) -> int:
    """For how many tokens a layer makes room when `count` come to the `held` ones."""
    return held + count + max(GROWTH, held // 4)


class _LayerCache:
    """One layer's keys and values, (heads, room, head_dim) each; `stored` of the room is filled."""

    __slots__ = ("keys", "stored", "values", "window")

    def __init__(self, window: int | None) -> None:
        self.window = window
        self.stored = 0
        self.keys: torch.Tensor | None = None
        self.values: torch.Tensor | None = None

    def append(self, keys: torch.Tensor, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        count = keys.shape[0]
        held_keys, held_values = self._room(count, keys, values)
        end = self.stored + count
        held_keys[:, self.stored : end] = keys.transpose(0, 1)
        held_values[:, self.stored : end] = values.transpose(0, 1)
        self.stored = end
        start = 0 if self.window is None else max(0, end - self.window + 1 - count)
        return held_keys[:, start:end], held_values[:, start:end]

    def _room(
        self, count: int, keys: torch.Tensor, values: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        old_keys, old_values = self.keys, self.values
        if old_keys is None or old_values is None:
            kept = 0
        elif self.stored + count <= old_keys.shape[1]:
            return old_keys, old_values
        else:
            kept = tokens_held(self.stored, self.window)
        room = room_for(count, kept)
        new_keys = keys.new_empty(keys.shape[1], room, keys.shape[2])
        new_values = values.new_empty(values.shape[1], room, values.shape[2])
        if old_keys is not None and old_values is not None:
            new_keys[:, :kept] = old_keys[:, self.stored - kept : self.stored]
            new_values[:, :kept] = old_values[:, self.stored - kept : self.stored]
        self.keys, self.values, self.stored = new_keys, new_values, kept
        return new_keys, new_values

    def view(self, most: int | None) -> tuple[torch.Tensor, torch.Tensor]:
        assert self.keys is not None  # noqa: S101 - asked for only after a first reading
        assert self.values is not None  # noqa: S101
        start = 0 if most is None else max(0, self.stored - most)
        return self.keys[:, start : self.stored], self.values[:, start : self.stored]

    def copy(self, dropped: int) -> _LayerCache:
        copy = _LayerCache(self.window)
        end = self.stored - dropped
        start = 0 if self.window is None else max(0, end - self.window + 1)
        if self.keys is not None and self.values is not None:
            copy.keys = self.keys[:, start:end].clone()
            copy.values = self.values[:, start:end].clone()
        copy.stored = end - start
        return copy


class KVCache:
    """One text's keys and values. `windows` holds how many tokens each layer attends to, None for
    all; `length` is how many tokens were read."""

    def __init__(self, windows: Sequence[int | None]) -> None:
        self.length = 0
        self._layers = [_LayerCache(window) for window in windows]

    def append(
        self, layer: int, keys: torch.Tensor, values: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Add (count, heads, head_dim) each; gives all that these `count` tokens may attend to,
        (heads, attended, head_dim) each, the newest last. The caller raises `length`, once for all
        layers."""
        return self._layers[layer].append(keys, values)

    def view(self, layer: int, most: int | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """The last `most` keys and values of a layer, (heads, count, head_dim) each."""
        return self._layers[layer].view(most)

    def reaches(self, length: int) -> bool:
        """Whether the text can be rolled back to its first `length` tokens."""
        dropped = self.length - length
        return dropped >= 0 and all(
            layer.window is None or layer.stored - dropped >= min(length, layer.window - 1)
            for layer in self._layers
        )

    def crop(self, count: int) -> None:
        """Drop the last `count` tokens. Raises ValueError where sliding layers no longer hold what
        they would attend to then."""
        if count and not self.reaches(self.length - count):
            raise ValueError(f"{count} of {self.length} tokens are too many to roll back")
        for layer in self._layers:
            layer.stored -= count
        self.length -= count

    def fork(self, length: int) -> KVCache:
        """A copy of the first `length` tokens, to read on from apart. Raises ValueError as `crop`
        does."""
        if not self.reaches(length):
            raise ValueError(f"the first {length} of {self.length} tokens are no longer held")
        copy = KVCache([])
        copy._layers = [layer.copy(self.length - length) for layer in self._layers]
        copy.length = length
        return copy
