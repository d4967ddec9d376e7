"""Attention of new tokens over a cache: which keys each may attend to, and the weighted sum."""

from __future__ import annotations

import torch
from torch.nn import functional

# Up to so many tokens at once, masks are kept and attention is two plain products.
FEW = 16


class AttentionMasks:
    """The masks of one text model. What a mask hides depends only on how far a key lies behind the
    query, so one stored mask serves every length of text."""

    def __init__(self) -> None:
        self._stored: dict[tuple[int, int | None], torch.Tensor] = {}

    def of(
        self,
        count: int,
        start: int,
        window: int | None,
        pictures: torch.Tensor | None,
        aside: tuple[int, int] | None,
        like: torch.Tensor,
    ) -> torch.Tensor:
        """(count, attended) with the dtype and device of `like`: 0 where one of the `count` tokens
        behind `start` attends, -inf where it does not. `pictures` and `aside` as in
        `Layers.forward`."""
        width = start + count
        if window is not None:
            width = min(width, window - 1 + count)
        stored = self._stored.get((count, window)) if aside is None else None
        if stored is not None and stored.shape[1] >= width:
            mask = stored[:, -width:]
        else:
            wide = width + 1024 if count <= FEW and aside is None else width
            places = torch.arange(wide, device=like.device)
            queries = places[-count:]
            behind = queries[:, None] - places
            hidden = behind < 0
            if aside is not None:
                fork, turn = (wide - count + position for position in aside)
                hidden |= (queries[:, None] >= turn) & (places >= fork) & (places < turn)
                places = torch.where(places >= turn, places - (turn - fork), places)
                behind = places[-count:][:, None] - places
            if window is not None:
                hidden |= behind >= window
            mask = like.new_zeros(count, wide).masked_fill_(hidden, -torch.inf)
            if count <= FEW and aside is None:
                self._stored[count, window] = mask
            mask = mask[:, -width:]
        if pictures is not None:
            together = (pictures[:, None] == pictures) & (pictures >= 0)
            mask = mask.clone()
            mask[:, -count:].masked_fill_(together, 0.0)
        return mask


def attention(
    queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, mask: torch.Tensor | None
) -> torch.Tensor:
    """Queries (T, heads, D) over keys and values (kv_heads, S, D) under `mask` (T, S); gives (T,
    heads * D). Scores are not scaled: the norms of queries and keys have learned it."""
    count, heads, dim = queries.shape
    kv_heads, seen, _ = keys.shape
    queries = queries.transpose(0, 1)
    if count <= FEW and queries.dtype == torch.float32:
        grouped = queries.reshape(kv_heads, -1, dim)
        scores = torch.bmm(grouped, keys.transpose(1, 2))
        if mask is not None:
            scores = (scores.view(heads, count, seen) + mask).view(kv_heads, -1, seen)
        mixed = torch.bmm(scores.softmax(dim=-1), values)
        return mixed.view(heads, count, dim).transpose(0, 1).reshape(count, -1)
    # Elsewhere the fast kernels group heads only without a mask and up to this width.
    grouping = queries.device.type == "cpu" or (mask is None and dim <= 256)
    if not grouping:
        keys = keys.repeat_interleave(heads // kv_heads, dim=0)
        values = values.repeat_interleave(heads // kv_heads, dim=0)
    mixed = functional.scaled_dot_product_attention(
        queries[None], keys[None], values[None], attn_mask=mask, scale=1.0, enable_gqa=grouping
    )
    return mixed[0].transpose(0, 1).reshape(count, -1)
