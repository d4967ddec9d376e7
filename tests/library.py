"""A small library for tests: real files, a real catalog, a real store, and the fake model."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest

from indexer.catalog.catalog import Catalog
from indexer.catalog.contents.garbage import Garbage
from indexer.extract.process.pool import ReaderPool
from indexer.extract.process.reader import ReaderProcess
from indexer.ingest.pipeline import Pipeline
from indexer.ingest.service import IndexService
from indexer.ingest.understanding_stage import UnderstandingStage
from indexer.types.places import PlaceJson
from indexer.types.scope import Scope
from indexer.vectors.store import Store
from retriever.hits import Hit
from retriever.queries.query import MAX_LIMIT, Query
from retriever.search import Searcher
from tests.fake_model import FakeModel

NOBODY = 65534
# Children for all tests of a process: one takes a second to start. They end with this process.
READER = ReaderProcess()
READERS = ReaderPool([ReaderProcess(), ReaderProcess()])
Row = tuple[str, int, str, PlaceJson | None, str]


def until(true: Callable[[], object], within_s: float = 60.0) -> float:
    """Seconds until it was true; fails when the time is over."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < within_s
        time.sleep(0.02)
    return time.monotonic() - began


def one_at_a_time(patch: pytest.MonkeyPatch) -> None:
    """Contents are taken for understanding singly, instead of many at once."""
    singly = functools.partialmethod(UnderstandingStage.run, 1)
    patch.setattr(UnderstandingStage, "run", singly)


def write(path: Path, text: str = "words") -> Path:
    """Writes a file, and the folders it lies in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@dataclass
class Small:
    """An open library over `folder`, with its data beside it."""

    folder: Path
    catalog: Catalog
    store: Store
    model: FakeModel
    pipeline: Pipeline
    service: IndexService

    def write(self, name: str, text: str) -> Path:
        return write(self.folder / name, text)

    def found(self, words: str) -> list[Path]:
        """The paths of the live documents that hold these words, best first."""
        query = Query(words, by="words", limit=MAX_LIMIT)
        hits = Searcher(self.catalog, self.store, self.model).search(query)
        return [item.path for hit in hits for item in (hit.item, *hit.copies)]

    def hits(self, words: str, **scope: Any) -> list[Hit]:
        """What a search by words gives, within a scope of these fields."""
        searcher = Searcher(self.catalog, self.store, self.model)
        return searcher.search(Query(words, by="words", scope=Scope(**scope)))

    def shown(self) -> set[Path]:
        """Every path that a search may show now."""
        with self.catalog.database.reading() as db:
            contents = [row["content"] for row in db.execute("SELECT content FROM contents")]
        items = self.catalog.items.of_contents(contents).values()
        return {path for item in items for path in item.paths}

    def rows(self) -> list[Row]:
        """What is in the store, without the random names of generations."""
        rows = self.store.generations.rows()
        return [(c, o, source, place, text) for c, _, o, source, place, text in rows]

    def vectors(self) -> list[tuple[str, str, int, bytes]]:
        """Every vector in the store as (table, content, ordinal, its bytes), in order."""
        vectors = []
        for name in self.store.tables.names():
            if name != "words":
                table = self.store.tables.columns(name, ["content", "ordinal", "vector"])
                vectors += [
                    (name, row["content"], row["ordinal"], np.float32(row["vector"]).tobytes())
                    for row in table.to_pylist()
                ]
        return sorted(vectors)

    def generations(self) -> set[str]:
        """The generations that the catalog points at."""
        return Garbage(self.catalog.database).referenced()


@contextmanager
def small(
    folder: Path,
    data: Path,
    model: FakeModel | None = None,
    domain: Collection[str] | None = None,
) -> Iterator[Small]:
    """Opens a library that watches `folder`, as the program wires it."""
    folder.mkdir(parents=True, exist_ok=True)
    catalog = Catalog(data / "catalog.sqlite")
    store = Store(data / "lance")
    model = model or FakeModel()
    pipeline = Pipeline(catalog, store, READERS, model, domain=domain)
    service = IndexService(catalog, pipeline, settle_s=0.2)
    catalog.roots.add(folder)
    try:
        yield Small(folder, catalog, store, model, pipeline, service)
    finally:
        service.stop()
        catalog.close()


@contextmanager
def as_nobody() -> Iterator[Path]:
    """Gives up root's rights for a while, so that "no permission" means something in a container
    too; yields a folder that belongs to the one we are now."""
    root = os.geteuid() == 0
    if root:
        os.setegid(NOBODY)
        os.seteuid(NOBODY)
    try:
        with TemporaryDirectory() as folder:
            yield Path(folder)
    finally:
        if root:
            os.seteuid(0)
            os.setegid(0)
