"""Passages and vectors as LanceDB keeps them: the columns of its tables, and the way back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from indexer.folding import tokens
from indexer.passages import Kind, Page, Passage, Source, Span
from model.interface import Float32


def words_schema() -> Any:
    """One row a passage; `folded` is what the full-text index reads."""
    import pyarrow as pa

    return pa.schema(
        [
            ("content", pa.string()),
            ("generation", pa.string()),
            ("ordinal", pa.int64()),
            ("kind", pa.string()),
            ("source", pa.string()),
            ("page", pa.int32()),
            ("start_s", pa.float64()),
            ("end_s", pa.float64()),
            ("text", pa.string()),
            ("folded", pa.string()),
        ]
    )


def vectors_schema(dim: int) -> Any:
    """One row a passage, in one space."""
    import pyarrow as pa

    return pa.schema(
        [
            ("content", pa.string()),
            ("generation", pa.string()),
            ("ordinal", pa.int64()),
            ("kind", pa.string()),
            ("vector", pa.list_(pa.float32(), dim)),
        ]
    )


def words_row(generation: str, content: str, kind: Kind, passage: Passage) -> dict[str, Any]:
    place = passage.place
    text = passage.text.encode("utf-8", "replace").decode("utf-8")  # no lone surrogates in arrow
    return {
        "content": content,
        "generation": generation,
        "ordinal": passage.ordinal,
        "kind": str(kind),
        "source": str(passage.source),
        "page": place.page if isinstance(place, Page) else None,
        "start_s": place.start_s if isinstance(place, Span) else None,
        "end_s": place.end_s if isinstance(place, Span) else None,
        "text": text,
        "folded": " ".join(tokens(text)),
    }


def passage_of(row: dict[str, Any]) -> Passage:
    """The passage a row of `words` was made from."""
    place: Page | Span | None = None
    if row["page"] is not None:
        place = Page(row["page"])
    elif row["start_s"] is not None:
        place = Span(row["start_s"], row["end_s"])
    return Passage(row["ordinal"], row["text"], place, Source(row["source"]))


def vectors_table(dim: int, pairs: Sequence[tuple[dict[str, Any], Float32]]) -> Any:
    """An arrow table of (what the row is about, its vector (dim,))."""
    import pyarrow as pa

    columns: dict[str, Any] = {
        field: [about[field] for about, _ in pairs]
        for field in ("content", "generation", "ordinal", "kind")
    }
    flat = pa.array(np.concatenate([vector for _, vector in pairs]))
    columns["vector"] = pa.FixedSizeListArray.from_arrays(flat, dim)
    return pa.table(columns, schema=vectors_schema(dim))
