"""A library of many files for a bench: real files and rows, no child process and no weights."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from bench.bloat import size_of
from indexer.catalog.catalog import Catalog
from indexer.ingest.pipeline import Pipeline
from indexer.scan.reconcile import reconcile
from indexer.types.pieces import Extracted, Facts, Member, PageText
from indexer.types.places import Place
from indexer.vectors.lance import connect
from indexer.vectors.store import Store
from model.interface import Content, Fingerprint, Image, Role, Sound, Vectors
from model.weights.installed import find_checkpoint
from tests.fake_model import FakeModel

VOCABULARY = 60_000
COMMON_WORDS = 50  # what every text is full of and nobody searches for
TEXT_WORDS = 40, 120
FOLDER_FILES = 500
CONSONANTS, VOWELS = "bdfgklmnprstvz", "aeiou"
WAITING_SHARE = 0.1  # of the contents that are not understood yet
AT_ONCE = 1_000
SAMPLED_S = 5.0  # how often the size of the index is looked at while it grows


class PlainReader:
    """Reads texts in this process: no child is waited for."""

    def extract(self, path: Path, whole: bool = True) -> list[Extracted]:
        return [Facts(path.stem), PageText(path.read_text(encoding="utf-8"), None)]

    def original(
        self, path: Path, place: Place, longest_px: int = 1600, member: Member | None = None
    ) -> Image | Sound:
        raise AssertionError("texts have no parts")


class PlainReaders:
    """Lends one reader to every thread."""

    children = 2
    pids: list[int] = []  # noqa: RUF012  it never has any

    @contextmanager
    def lend(self) -> Iterator[PlainReader]:
        yield PlainReader()

    def close(self) -> None:
        """There is no child to end."""


class RandomVectors(FakeModel):
    """Gives every text a vector under the fingerprint of the model that ships."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._fingerprint = find_checkpoint("pocket").fingerprint
        self._chance = np.random.default_rng(seed)

    @property
    def fingerprint(self) -> Fingerprint:
        return self._fingerprint

    def embed(self, contents: Sequence[Content], role: Role = "item") -> list[Vectors]:
        shape = (2, len(contents), self.fingerprint.dim)
        vectors = self._chance.normal(size=shape).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=2, keepdims=True)
        return [Vectors(gist, body) for gist, body in zip(*vectors, strict=True)]


class LoadLibrary:
    """Short texts in a folder and their index in `data`: written by the pipeline through catalog
    and store as always, but read in this process and understood by chance, in minutes."""

    def __init__(self, base: Path, seed: int) -> None:
        self.folder, self.data = base / "folder", base / "data"
        self.folder.mkdir()
        self._lance = connect(base / "peer")
        self._chance = np.random.default_rng(seed)
        self._model = RandomVectors(seed)
        self._texts: list[list[str]] = []
        self.most_bytes = 0  # of the index, while it grew last
        ranks = np.arange(VOCABULARY)
        shares = 1 / (ranks + 5)  # as words of a language are used
        self._cumulated_shares = np.cumsum(shares / shares.sum())
        letters = [14, 5] * 3
        self._words = []
        for number in range(VOCABULARY):
            left, word = number * 31 % 343_000, ""
            for count in letters:
                word += (CONSONANTS if count == 14 else VOWELS)[left % count]
                left //= count
            self._words.append(word)

    def grow(self, size: int) -> None:
        """Writes files until there are `size`, and indexes them. A tenth waits for the model."""
        catalog = Catalog(self.data / "catalog.sqlite")
        store = Store(self.data / "lance")
        pipeline = Pipeline(catalog, store, PlainReaders(), self._model)
        try:
            if not self._texts:
                catalog.roots.add(self.folder)
            self._write_files(size)
            reconcile(catalog, settle_s=0.0)
            self.most_bytes = 0
            while pipeline.reading.run(for_s=SAMPLED_S):
                self.most_bytes = max(self.most_bytes, size_of(self.data))
            waiting = round(WAITING_SHARE * size)
            while size - catalog.counts.coverage()["understood"] > waiting:
                pipeline.understanding.run(AT_ONCE)
                self.most_bytes = max(self.most_bytes, size_of(self.data))
            pipeline.housekeeping.tidy(thoroughly=True)
        finally:
            catalog.close()

    def least_bytes(self, copy: Path) -> int:
        """The size of the same index with every row written anew and nothing else, which is no more
        than that of one made from scratch; `copy` is where that is tried."""
        shutil.copytree(self.data, copy)
        catalog = Catalog(copy / "catalog.sqlite")
        try:
            Pipeline(
                catalog, Store(copy / "lance"), PlainReaders(), self._model
            ).housekeeping.erase()
        finally:
            catalog.close()
        return size_of(copy)

    def queries(self, count: int, chance: random.Random) -> list[str]:
        """One to three words of a text each, the commonest left out."""
        common = set(self._words[:COMMON_WORDS])
        queries = []
        for _ in range(count):
            words = [word for word in chance.choice(self._texts) if word not in common]
            queries.append(" ".join(chance.sample(words, chance.randint(1, 3))))
        return queries

    def full_text_table(self) -> Any:
        """The same texts in a table of LanceDB of their own, with its full-text index."""
        rows = [{"text": " ".join(words)} for words in self._texts]
        table = self._lance.create_table("texts", rows, mode="overwrite")
        table.create_fts_index("text")
        return table

    def _write_files(self, size: int) -> None:
        for number in range(len(self._texts), size):
            count = self._chance.integers(*TEXT_WORDS)
            ranks = np.searchsorted(self._cumulated_shares, self._chance.random(count))
            words = [self._words[min(rank, VOCABULARY - 1)] for rank in ranks]
            folder = self.folder / f"{number // FOLDER_FILES:04}"
            if number % FOLDER_FILES == 0:
                folder.mkdir(exist_ok=True)
            (folder / f"{number:06}.txt").write_text(" ".join(words))
            self._texts.append(words)
