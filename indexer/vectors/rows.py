"""Rows: passages and vectors as columns of LanceDB's tables, and passages from their rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import numpy as np

from indexer.types.contents import VectorRow
from indexer.types.passages import Passage, Source
from indexer.types.places import Kind, Page, Span
from model.interface import Float32

# A column of `words` in libraries of earlier versions, with an index that is not used any more.
OLD_COLUMN, OLD_INDEX = "folded", "folded_idx"

VALUES = ("ordinal", "source", "page", "start_s", "end_s", "text")
PassageValues = tuple[int, str, int | None, float | None, float | None, str]


class Row(Protocol):
    """A row that is asked for its columns by their names."""

    def __getitem__(self, column: str, /) -> Any: ...


def words_schema() -> Any:
    """One row a passage."""
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


def words_table(batch: Iterable[tuple[str, str, Kind, Sequence[Passage]]]) -> Any:
    """An arrow table of the passages of each (generation, content, kind, passages)."""
    import pyarrow as pa

    schema = words_schema()
    columns: dict[str, list[Any]] = {name: [] for name in schema.names}
    for generation, content, kind, passages in batch:
        count = len(passages)
        columns["generation"] += [generation] * count
        columns["content"] += [content] * count
        columns["kind"] += [str(kind)] * count
        rows = [passage_values(passage) for passage in passages]
        for number, name in enumerate(VALUES):
            columns[name] += [row[number] for row in rows]
    return pa.table(columns, schema=schema)


def passage_values(passage: Passage) -> PassageValues:
    """What is kept of a passage, here and in the catalog: the columns `VALUES` of its row. `page`
    is the sound track of a span in a recording of several."""
    page: int | None = None
    start_s: float | None = None
    end_s: float | None = None
    match passage.place:
        case Page(number):
            page = number
        case Span(start, end, track):
            start_s, end_s, page = start, end, track
    return passage.ordinal, str(passage.source), page, start_s, end_s, _storable(passage.text)


def passage_of(row: Row) -> Passage:
    """The passage that `passage_values` were taken from."""
    place: Page | Span | None = None
    if row["start_s"] is not None:
        place = Span(row["start_s"], row["end_s"], row["page"])
    elif row["page"] is not None:
        place = Page(row["page"])
    return Passage(row["ordinal"], row["text"], place, Source(row["source"]))


def vectors_table(dim: int, pairs: Sequence[tuple[dict[str, Any], Float32]]) -> Any:
    """An arrow table of (the other columns of a row, its vector (dim,))."""
    import pyarrow as pa

    columns: dict[str, Any] = {
        name: [others[name] for others, _ in pairs]
        for name in ("content", "generation", "ordinal", "kind")
    }
    flat = pa.array(np.concatenate([vector for _, vector in pairs]))
    columns["vector"] = pa.FixedSizeListArray.from_arrays(flat, dim)
    return pa.table(columns, schema=vectors_schema(dim))


# A sum of rows is the sum of their digests, so that their order does not matter.


def passages_sum(kind: Kind, passages: Iterable[Passage]) -> str:
    """The sum of the passages of one generation, 16 hex digits."""
    return total(passage_digest(kind, passage) for passage in passages)


def passage_digest(kind: str, passage: Passage) -> int:
    numbers: tuple[float, ...]
    match passage.place:
        case Page(page):
            numbers = (page,)
        case Span(start_s, end_s, None):
            numbers = (start_s, end_s)
        case Span(start_s, end_s, int(track)):
            numbers = (start_s, end_s, track)
        case None:
            numbers = ()
    text = f"{kind} {passage.ordinal} {passage.source} {numbers} {_storable(passage.text)}"
    return _digest(text.encode())


def vectors_sum(rows: Iterable[VectorRow]) -> str:
    """The sum of the vectors of one generation in both spaces, 16 hex digits."""
    return total(
        vector_digest(space, row.ordinal, vector)
        for row in rows
        for space, vector in (("gist", row.gist), ("body", row.body))
        if vector is not None
    )


def vector_digest(space: str, ordinal: int, vector: Float32) -> int:
    return _digest(f"{space} {ordinal} ".encode() + np.ascontiguousarray(vector, "<f4").tobytes())


def total(digests: Iterable[int]) -> str:
    return f"{sum(digests) % (1 << 64):016x}"


def _digest(data: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest())


def _storable(text: str) -> str:
    """Without lone surrogates, which neither arrow nor SQLite has a way to write."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
