"""What the model has read of one text, and what decides its next token."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from model.decoding.kv_cache import KVCache
from model.prompt.media_spans import MediaSpan


@dataclass(slots=True, eq=False)
class Context:
    """Everything read so far: `ids`, and the `media` among them. `logits` (V,) float32 decide the
    next token; `state` (1, H) is what the drafter reads; both are None after `truncate`."""

    cache: KVCache
    ids: list[int]
    media: list[MediaSpan]
    logits: torch.Tensor | None = None
    state: torch.Tensor | None = None

    @property
    def length(self) -> int:
        return len(self.ids)

    def truncate(self, length: int) -> None:
        """Forget the ids and media behind the first `length` tokens, and what was computed from
        the last one. The cache is cropped apart."""
        del self.ids[length:]
        self.media = [span for span in self.media if span.stop <= length]
        self.logits = self.state = None
