"""Search by vectors of the real model's length, as a library grows: time, recall, memory and disk.

The vectors are made, and lie as those of a language model do: one direction that all share, a few
hundred directions whose share falls with their rank, passages around their document and documents
around their subject. A query is a passage with half as much noise again. Every way of searching has
a process of its own, after the page cache has seen its files once.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.report import Report, Row
from indexer.types.contents import VectorRow
from indexer.types.places import Kind, Page
from indexer.vectors.store import Store
from model.interface import Float32

SEED = 15
DIM, DIRECTIONS = 3_840, 256
PASSAGES_A_DOCUMENT, DOCUMENTS_A_SUBJECT = 20, 25
SIZES = (1_000, 10_000, 100_000)
QUERIES = 60
LIMIT, RECALL_AT = 300, 10  # of each kind so many are asked for, and so many are compared
MOST_S = 60.0  # for one way of searching
KEY = "0123456789ab"
KINDS = (*[Kind.DOCUMENT] * 8, Kind.PHOTO, Kind.RECORDING)
GOAL_P95_MS, GOAL_RATIO, GOAL_RECALL, GOAL_BYTES = 50.0, 1.5, 0.98, 2_048
# LanceDB called directly, with the index and the settings its documentation advises.
DIRECT_REFINE = 5


def run(quick: bool) -> Report:
    rows: list[Row] = []
    for size in SIZES[:-1] if quick else SIZES:
        with tempfile.TemporaryDirectory(dir=Path.cwd()) as base:
            rows += _measured(Path(base), size)
    return Report("scale", rows, seeds=[SEED])


def _measured(base: Path, size: int) -> Iterator[Row]:
    chance = np.random.default_rng(SEED)
    matrix, queries = _vectors(chance, size)
    np.save(base / "matrix.npy", matrix)
    np.save(base / "queries.npy", queries)
    indexing_s = _fill(base / "store", matrix)
    _fill_direct(base / "direct", matrix)
    del matrix
    exact = _ask(base, "numpy")
    direct = _ask(base, "lancedb")
    ours = _ask(base, "ours")
    photos = _ask(base, "photos")
    few = _ask(base, "few")
    of = f"of {size:,} passages"
    last = size == SIZES[-1]
    lists = exact["lists"]
    for share in ("p50", "p95"):
        key = f"{share}_ms_{size // 1_000}k"
        yield Row(key, f"one search by vector {of}, {share}, beside LanceDB called directly",
                  ours[share], "ms", direct[share], GOAL_RATIO if last else None, True)  # fmt: skip
        yield Row(f"{key}_exact", f"the same beside an exact scan by NumPy, {share}",
                  ours[share], "ms", exact[share])  # fmt: skip
    yield Row(f"photos_{size // 1_000}k", f"only photos, a tenth {of}, p95",
              photos["p95"], "ms", ours["p95"])  # fmt: skip
    yield Row(f"few_{size // 1_000}k", f"only 50 contents {of}, p95",
              few["p95"], "ms", ours["p95"])  # fmt: skip
    yield Row(f"recall_{size // 1_000}k", f"recall@{RECALL_AT} of an exact scan, {of}",
              _recall(ours["lists"], lists), "", goal=GOAL_RECALL)  # fmt: skip
    yield Row(f"recall_direct_{size // 1_000}k", "the same of LanceDB called directly",
              _recall(direct["lists"], lists), "")  # fmt: skip
    yield Row(f"recall_photos_{size // 1_000}k", "the same of ours among photos only",
              _recall(photos["lists"], exact["photos"]), "", goal=GOAL_RECALL)  # fmt: skip
    yield Row(f"resident_mb_{size // 1_000}k", f"resident memory of ours {of}, beside NumPy's",
              ours["resident_mb"], "MB", exact["resident_mb"])  # fmt: skip
    yield Row(f"bytes_{size // 1_000}k", "bytes on disk a passage, of one of two tables",
              _bytes(base / "store") / size, "B", _bytes(base / "direct") / size)  # fmt: skip
    yield Row(f"indexing_{size // 1_000}k", "seconds of housekeeping after all were added",
              indexing_s, "s")  # fmt: skip
    if last:
        yield Row("p95_ms", f"one search by vector {of}, p95", ours["p95"], "ms",
                  goal=GOAL_P95_MS, at_most=True)  # fmt: skip


def _vectors(chance: np.random.Generator, size: int) -> tuple[Float32, Float32]:
    """(size, DIM) passages and (QUERIES, DIM) queries, of length one."""
    shares = (np.arange(1, DIRECTIONS + 1) ** -0.5).astype(np.float32)
    directions = chance.standard_normal((DIRECTIONS, DIM), np.float32) / np.sqrt(DIM)
    directions *= shares[:, None]
    mean = 4 * chance.standard_normal(DIM, np.float32) / np.sqrt(DIM)
    documents = -(-size // PASSAGES_A_DOCUMENT)
    subjects = chance.standard_normal(
        (-(-documents // DOCUMENTS_A_SUBJECT), DIRECTIONS), np.float32
    )
    centres = subjects.repeat(DOCUMENTS_A_SUBJECT, 0)[:documents]
    centres = centres + 0.7 * chance.standard_normal(centres.shape, np.float32)
    latent = centres.repeat(PASSAGES_A_DOCUMENT, 0)[:size]
    latent = latent + 0.7 * chance.standard_normal(latent.shape, np.float32)
    asked = latent[chance.choice(size, QUERIES, replace=False)]
    asked = asked + 0.35 * chance.standard_normal(asked.shape, np.float32)
    return _placed(chance, latent, directions, mean), _placed(chance, asked, directions, mean)


def _placed(
    chance: np.random.Generator, latent: Float32, directions: Float32, mean: Float32
) -> Float32:
    vectors = np.empty((len(latent), DIM), np.float32)
    for start in range(0, len(latent), 4_096):
        part = latent[start : start + 4_096] @ directions + mean
        part += 0.3 / np.sqrt(DIM) * chance.standard_normal(part.shape, np.float32)
        vectors[start : start + 4_096] = part / np.linalg.norm(part, axis=1, keepdims=True)
    return vectors


def _content(row: int) -> int:
    return row // PASSAGES_A_DOCUMENT


def _kind(row: int) -> Kind:
    return KINDS[_content(row) % len(KINDS)]


def _fill(folder: Path, matrix: Float32) -> float:
    """As indexing does: a commit for some contents, then housekeeping. How long that took, in s."""
    store = Store(folder)
    for start in range(0, len(matrix), 2_000):
        batch: dict[int, list[VectorRow]] = {}
        for row in range(start, min(start + 2_000, len(matrix))):
            vector = VectorRow(row, Page(1), None, matrix[row])
            batch.setdefault(_content(row), []).append(vector)
        store.add_vectors(
            KEY,
            DIM,
            [(f"{n:x}", f"{n:x}", KINDS[n % len(KINDS)], rows) for n, rows in batch.items()],
        )
    store.sync()
    began = time.perf_counter()
    store.optimize()
    store.indexes.maintain(wait=True)
    return time.perf_counter() - began


def _fill_direct(folder: Path, matrix: Float32) -> None:
    import lancedb
    import pyarrow as pa
    from lancedb.index import IvfSq

    flat = pa.FixedSizeListArray.from_arrays(pa.array(matrix.reshape(-1)), DIM)
    table = lancedb.connect(folder).create_table(
        "vectors", pa.table({"id": pa.array(range(len(matrix)), pa.int64()), "vector": flat})
    )
    if len(matrix) > SIZES[0]:
        table.create_index("vector", config=IvfSq(distance_type="cosine"))


def _ask(base: Path, way: str) -> dict[str, Any]:
    child = subprocess.run(
        [sys.executable, "-m", "bench.scale", str(base), way],
        capture_output=True,
        text=True,
        check=True,
    )
    result: dict[str, Any] = json.loads(child.stdout)
    return result


def _way(base: Path, way: str) -> Callable[[Float32], Sequence[int]]:
    """What finds the rows nearest to a query, nearest first."""
    if way == "numpy":
        matrix = np.load(base / "matrix.npy")
        return lambda query: _nearest(matrix @ query, LIMIT)
    if way == "lancedb":
        import lancedb

        table: Any = lancedb.connect(base / "direct").open_table("vectors")

        def direct(query: Float32) -> list[int]:
            search = table.search(query).distance_type("cosine").select(["id"])
            rows = search.nprobes(20).refine_factor(DIRECT_REFINE).limit(LIMIT).to_arrow()
            ids: list[int] = rows["id"].to_pylist()
            return ids

        return direct
    store = Store(base / "store")
    kinds = {Kind.PHOTO} if way == "photos" else None
    contents = {f"{n:x}" for n in range(50)} if way == "few" else None
    return lambda query: [
        match.ordinal for match in store.search.vectors(KEY, "body", query, LIMIT, kinds, contents)
    ]


def _nearest(scores: Float32, limit: int) -> list[int]:
    limit = min(limit, len(scores))
    best = np.argpartition(-scores, limit - 1)[:limit]
    return [int(row) for row in best[np.argsort(-scores[best])]]


def _recall(lists: Sequence[Sequence[int]], exact: Sequence[Sequence[int]]) -> float:
    pairs = list(zip(lists, exact, strict=False))
    kept = [len(set(a[:RECALL_AT]) & set(b[:RECALL_AT])) / RECALL_AT for a, b in pairs]
    return statistics.mean(kept)


def _bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def main(base: Path, way: str) -> None:
    """One way of searching: prints its times, lists and memory as JSON."""
    import psutil

    queries: Float32 = np.load(base / "queries.npy")
    find = _way(base, way)
    for query in queries[:3]:
        find(query)
    took_ms: list[float] = []
    lists = []
    ended = time.monotonic() + MOST_S
    for query in queries:
        began = time.perf_counter()
        found = find(query)
        took_ms.append((time.perf_counter() - began) * 1e3)
        lists.append(list(found[:RECALL_AT]))
        if time.monotonic() > ended and len(lists) >= 20:
            break
    result: dict[str, Any] = {
        "p50": statistics.median(took_ms),
        "p95": statistics.quantiles(took_ms, n=20)[-1],
        "lists": lists,
        "resident_mb": psutil.Process().memory_info().rss / 1e6,
    }
    if way == "numpy":
        matrix = np.load(base / "matrix.npy", mmap_mode="r")
        photos = np.array([r for r in range(len(matrix)) if _kind(r) is Kind.PHOTO])
        among = np.ascontiguousarray(matrix[photos])
        result["photos"] = [
            [int(photos[r]) for r in _nearest(among @ query, RECALL_AT)] for query in queries
        ]
    print(json.dumps(result))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
