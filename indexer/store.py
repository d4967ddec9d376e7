"""Words and vectors of the library in LanceDB: the only importer of lancedb.

Rows belong to a *generation*: everything one reading of one content left behind. A generation is
added, made durable by `sync`, made valid in the catalog, and removed when a newer one has taken its
place. The store knows nothing of what is valid: searches may return rows of generations that were
superseded or half written, and the caller asks the catalog.

Tables: `words` (every passage, with a full-text index over its folded tokens) and, for each
fingerprint of the model, `gist_<key>` and `body_<key>`. No text of a person ever becomes part of a
filter: filters are typed expressions over names we made.
"""

from __future__ import annotations

import functools
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import numpy as np

from indexer.durability import Durability
from indexer.folding import terms, tokens
from indexer.matrix import Matrices, Row, ranked, rounded
from indexer.passages import Kind, Passage, Place, PlaceJson, place_json
from indexer.rows import passage_of, vectors_schema, vectors_table, words_row, words_schema
from indexer.tables import StoreProblem, Tables
from model.interface import Float32

__all__ = ["Found", "Space", "Store", "StoreProblem", "VectorRow", "probe"]

Space = Literal["gist", "body"]

# Up to here the vectors of one table are searched in memory, beyond it by scanning the disk.
RESIDENT_BYTES = 256 << 20
# More ids than this in one filter are slower than reading on and filtering here.
FILTER_IDS = 5_000
# Rows the full-text index does not know yet are found by reading them all: 230 ms for 50,000.
UNINDEXED_ROWS = 5_000
# Equally good rows are read on to be cut by name; from here on it no longer matters which.
MOST_TIED_ROWS = 20_000
KEEP_VERSIONS = timedelta(hours=1)
KEEP_ALL = timedelta(days=36_500)

_OWN = re.compile(r"[0-9a-z]{1,64}")


@dataclass(frozen=True, slots=True)
class Found:
    """A passage that matches; a higher score is better (BM25, or cosine similarity)."""

    content: str
    generation: str
    ordinal: int
    score: float


@dataclass(frozen=True, slots=True, eq=False)
class VectorRow:
    """The vectors (D,) of the passage `ordinal`; None where the model gave none."""

    ordinal: int
    place: Place
    gist: Float32 | None
    body: Float32 | None


class Store:
    """The tables of one library in `folder`. Any thread may call; one process writes, others may
    read and see its commits at once."""

    def __init__(self, folder: Path) -> None:
        """Open the store, or create it where there is none. Raises StoreProblem."""
        try:
            import lancedb

            folder.mkdir(parents=True, exist_ok=True)
            database = lancedb.connect(folder, read_consistency_interval=timedelta(0))
        except ImportError as problem:
            raise StoreProblem(f"LanceDB does not load ({problem}); reinstall it.") from problem
        except OSError as problem:
            raise StoreProblem(
                f"The index folder {folder} cannot be used: {problem.strerror}."
            ) from problem
        self._tables = Tables(folder, database)
        self._durability = Durability(folder)
        self._lock = threading.RLock()
        self._matrices = Matrices(RESIDENT_BYTES)
        self._unindexed = 0
        if not self._tables.exist("words"):
            self._create_words()
        else:
            self._unindexed = self._indexed_behind()

    # Writing

    def add_words(
        self, generation: str, content: str, kind: Kind, passages: Sequence[Passage]
    ) -> None:
        """Add the passages of one generation."""
        self.add_words_many([(generation, content, kind, passages)])

    def add_words_many(self, batch: Iterable[tuple[str, str, Kind, Sequence[Passage]]]) -> None:
        """Add (generation, content, kind, passages) in one commit; a commit costs 3 ms, a row less
        than a tenth of one."""
        rows = [
            words_row(_own(generation), _own(content), kind, passage)
            for generation, content, kind, passages in batch
            for passage in passages
        ]
        if not rows:
            return
        import pyarrow as pa

        with self._lock:
            self._tables["words"].add(pa.Table.from_pylist(rows, schema=words_schema()))
            self._unindexed += len(rows)
            if self._unindexed > UNINDEXED_ROWS:
                self._tables["words"].optimize(cleanup_older_than=KEEP_ALL)
                self._unindexed = 0

    def add_vectors(
        self,
        key: str,
        dim: int,
        generation: str,
        content: str,
        kind: Kind,
        rows: Sequence[VectorRow],
    ) -> None:
        """Add the vectors of one generation, as the model with the fingerprint `key` gave them."""
        self.add_vectors_many(key, dim, [(generation, content, kind, rows)])

    def add_vectors_many(
        self, key: str, dim: int, batch: Iterable[tuple[str, str, Kind, Sequence[VectorRow]]]
    ) -> None:
        """Add (generation, content, kind, rows) in one commit for each of gist and body."""
        lists: dict[Space, list[tuple[dict[str, Any], Float32]]] = {"gist": [], "body": []}
        for generation, content, kind, rows in batch:
            for row in rows:
                about = {
                    "content": _own(content),
                    "generation": _own(generation),
                    "ordinal": row.ordinal,
                    "kind": str(kind),
                }
                if row.gist is not None:
                    lists["gist"].append((about, _checked(row.gist, dim)))
                if row.body is not None:
                    lists["body"].append((about, _checked(row.body, dim)))
        with self._lock:
            for space, pairs in lists.items():
                if pairs:
                    self._add_vectors(f"{space}_{_own(key)}", dim, pairs)

    def _add_vectors(
        self, name: str, dim: int, pairs: Sequence[tuple[dict[str, Any], Float32]]
    ) -> None:
        if not self._tables.exist(name):
            self._tables.make(name, vectors_schema(dim))
        self._tables[name].add(vectors_table(dim, pairs))

    def sync(self) -> None:
        """Return when everything written so far would survive a power cut."""
        with self._lock:
            self._durability.sync()

    def remove(self, generations: Collection[str]) -> None:
        """Remove all rows of these generations; those that are not there are no error."""
        names = sorted({_own(generation) for generation in generations})
        if not names:
            return
        with self._lock:
            for table in self._tables.names():
                for start in range(0, len(names), FILTER_IDS):
                    self._tables[table].delete(_among("generation", names[start:][:FILTER_IDS]))

    def optimize(self) -> None:
        """Compact, bring the full-text index up to date, and drop versions older than an hour. For
        the writer, when nothing else is to be done."""
        with self._lock:
            for name in self._tables.names():
                self._tables[name].optimize(cleanup_older_than=KEEP_ALL)
            self._unindexed = 0
            # What replaces the old files has to be on disk before they go.
            self._durability.sync()
            for name in self._tables.names():
                self._tables[name].optimize(cleanup_older_than=KEEP_VERSIONS)
            self._durability.sync()

    # Reading

    def generations(self) -> set[str]:
        """Every generation that has a row in any table."""
        found: set[str] = set()
        for name in self._tables.names():
            column = self._tables.columns(name, ["generation"])["generation"]
            found.update(column.unique().to_pylist())
        return found

    def counts(self) -> dict[str, int]:
        """How many passages each generation has."""
        column = self._tables.columns("words", ["generation"])["generation"]
        return {one["values"]: one["counts"] for one in column.value_counts().to_pylist()}

    def passages(self, generation: str) -> list[Passage]:
        """All passages of a generation, in order."""
        return self.passages_of([generation])[generation]

    def passages_of(self, generations: Sequence[str]) -> dict[str, list[Passage]]:
        """All passages of each generation, in order, in one read."""
        found: dict[str, list[Passage]] = {generation: [] for generation in generations}
        for row in self._passage_rows(generations, None):
            found[row["generation"]].append(passage_of(row))
        for passages in found.values():
            passages.sort(key=lambda passage: passage.ordinal)
        return found

    def passage(self, generation: str, ordinal: int) -> Passage | None:
        """One passage, or None where there is none."""
        return self.passages_at([(generation, ordinal)]).get((generation, ordinal))

    def passages_at(self, keys: Collection[tuple[str, int]]) -> dict[tuple[str, int], Passage]:
        """The passages at these (generation, ordinal), in one read; missing ones are left out."""
        wanted = set(keys)
        if not wanted:
            return {}
        rows = self._passage_rows(
            sorted({generation for generation, _ in wanted}),
            sorted({ordinal for _, ordinal in wanted}),
        )
        found = {(row["generation"], row["ordinal"]): passage_of(row) for row in rows}
        return {key: passage for key, passage in found.items() if key in wanted}

    def _passage_rows(
        self, generations: Sequence[str], ordinals: Sequence[int] | None
    ) -> list[dict[str, Any]]:
        where = _among("generation", [_own(generation) for generation in generations])
        if ordinals is not None:
            where = where.and_(_among("ordinal", ordinals))
        fields = ["generation", "ordinal", "source", "page", "start_s", "end_s", "text"]
        rows: list[dict[str, Any]] = self._tables.read(
            "words", lambda table: table.search().where(where).select(fields).to_list()
        )
        return rows

    def rows(self) -> Iterator[tuple[str, str, int, str, PlaceJson | None, str]]:
        """Every passage as (content, generation, ordinal, source, place, text), by content, ordinal
        and generation: what two indexes are compared by."""
        fields = ["content", "generation", "ordinal", "source", "page", "start_s", "end_s", "text"]
        table = self._tables.columns("words", fields).sort_by(
            [("content", "ascending"), ("ordinal", "ascending"), ("generation", "ascending")]
        )
        for batch in table.to_batches():
            for row in batch.to_pylist():
                passage = passage_of(row)
                place = place_json(passage.place)
                yield (
                    row["content"],
                    row["generation"],
                    passage.ordinal,
                    str(passage.source),
                    place,
                    passage.text,
                )

    # Searching

    def search_words(
        self,
        query: str,
        limit: int,
        kinds: Collection[Kind] | None = None,
        contents: Collection[str] | None = None,
        phrase: bool = False,
    ) -> list[Found]:
        """The passages that hold these words, literally: those with all of them first, then by
        BM25. With `phrase`, only those where they follow each other. Any query is a good one; one
        without a letter or digit finds nothing."""
        from lancedb.query import BooleanQuery, Occur

        asked = [found] if phrase and (found := tuple(tokens(query))) else terms(query)
        if not asked or limit <= 0 or _nothing(kinds, contents):
            return []
        clauses = [_clause(term) for term in asked]
        every = BooleanQuery([(Occur.MUST, clause) for clause in clauses])
        found_all = self._matching(every, limit, kinds, contents)
        if len(asked) == 1 or len(found_all) >= limit:
            return found_all
        some = BooleanQuery([(Occur.SHOULD, clause) for clause in clauses])
        known = {(one.content, one.generation, one.ordinal) for one in found_all}
        found_some = [
            one
            for one in self._matching(some, limit, kinds, contents)
            if (one.content, one.generation, one.ordinal) not in known
        ]
        return (found_all + found_some)[:limit]

    def _matching(
        self,
        query: Any,
        limit: int,
        kinds: Collection[Kind] | None,
        contents: Collection[str] | None,
    ) -> list[Found]:
        """The first `limit` by score. Reads on while the last rows read are equal in score to the
        last one kept, so that a tie is cut by name and not by chance."""
        here = frozenset(contents) if contents is not None and len(contents) > FILTER_IDS else None
        where = _filter(kinds, None if here is not None else contents)
        fields = ["content", "generation", "ordinal", "_score"]
        read = limit + 32

        def search(table: Any) -> list[dict[str, Any]]:
            builder = table.search(query).select(fields).limit(read)
            if where is not None:
                builder = builder.where(where)
            rows: list[dict[str, Any]] = builder.to_list()
            return rows

        while True:
            rows = self._tables.read("words", search)
            found: list[tuple[Row, float]] = [
                ((row["content"], row["generation"], row["ordinal"]), rounded(row["_score"]))
                for row in rows
                if here is None or row["content"] in here
            ]
            order = ranked(found, limit)
            exhausted = len(rows) < read or (here is None and read >= MOST_TIED_ROWS)
            if exhausted or (len(order) == limit and rounded(rows[-1]["_score"]) < order[-1][1]):
                return [Found(*row, score) for row, score in order]
            read *= 4

    def search_vectors(
        self,
        key: str,
        space: Space,
        vector: Float32,
        limit: int,
        kinds: Collection[Kind] | None = None,
        contents: Collection[str] | None = None,
    ) -> list[Found]:
        """The passages nearest to the unit `vector` (D,) by cosine, exactly. Vectors of another
        fingerprint than `key` are not looked at."""
        name = f"{space}_{_own(key)}"
        if limit <= 0 or _nothing(kinds, contents) or not self._tables.exist(name):
            return []
        matrix = self._tables.read(name, functools.partial(self._matrices.of, name))
        unit = (vector / max(float(np.linalg.norm(vector)), 1e-12)).astype(np.float32)
        if matrix is not None:
            found = matrix.nearest(unit, limit, kinds, contents)
        else:
            found = self._scan(name, unit, limit, kinds, contents)
        return [Found(*row, score) for row, score in found]

    def _scan(
        self,
        name: str,
        vector: Float32,
        limit: int,
        kinds: Collection[Kind] | None,
        contents: Collection[str] | None,
    ) -> list[tuple[Row, float]]:
        where = _filter(kinds, contents)
        fields = ["content", "generation", "ordinal", "_distance"]

        def search(table: Any) -> list[dict[str, Any]]:
            builder = table.search(vector).distance_type("cosine").select(fields).limit(limit)
            if where is not None:
                builder = builder.where(where, prefilter=True)
            rows: list[dict[str, Any]] = builder.to_list()
            return rows

        rows = self._tables.read(name, search)
        found: list[tuple[Row, float]] = [
            ((row["content"], row["generation"], row["ordinal"]), rounded(1 - row["_distance"]))
            for row in rows
        ]
        return ranked(found, limit)

    # The words table

    def _create_words(self) -> None:
        table = self._tables.make("words", words_schema())
        # Without it words are cut by LanceDB's usual rules, with stems and stop words; made on the
        # empty table, it lets rows be found by our rules from the moment they are added.
        table.create_index("folded", config=_full_text())
        self._durability.sync()

    def _indexed_behind(self) -> int:
        statistics = self._tables.read("words", lambda table: table.index_stats("folded_idx"))
        if statistics is None:  # killed between making the table and its index
            self._tables["words"].create_index("folded", config=_full_text())
            return 0
        return int(statistics.num_unindexed_rows)


def probe() -> str | None:
    """None when LanceDB works on this machine, else a sentence saying why not. Asked in a child
    process, because a processor it was not built for ends the process that imports it."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", "import lancedb"],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "LanceDB took more than two minutes to load."
    if done.returncode == 0:
        return None
    if done.returncode == -signal.SIGILL:
        return "This processor lacks AVX2, which LanceDB needs; Recollect cannot index here."
    last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    return f"LanceDB does not load ({last}); reinstall it."


def _own(name: str) -> str:
    """`name`, when we made it: safe as a table's name and in a filter."""
    if not _OWN.fullmatch(name):
        raise ValueError(f"not a name of ours: {name!r}")
    return name


def _checked(vector: Float32, dim: int) -> Float32:
    if vector.shape != (dim,) or not np.isfinite(vector).all():
        raise ValueError(f"not a finite vector of {dim} numbers: {vector.shape}")
    return vector.astype(np.float32, copy=False)


def _full_text() -> Any:
    """The words come folded (`folding`); the index only has to part them at the spaces."""
    from lancedb.index import FTS

    return FTS(
        with_position=True,
        base_tokenizer="whitespace",
        max_token_length=None,
        stem=False,
        remove_stop_words=False,
    )


def _clause(term: tuple[str, ...]) -> Any:
    from lancedb.query import MatchQuery, PhraseQuery

    if len(term) == 1:
        return MatchQuery(term[0], "folded")
    return PhraseQuery(" ".join(term), "folded")


def _among(column: str, values: Sequence[str] | Sequence[int]) -> Any:
    from lancedb.expr import col

    return col(column).isin(list(values))


def _nothing(kinds: Collection[Kind] | None, contents: Collection[str] | None) -> bool:
    return (kinds is not None and not kinds) or (contents is not None and not contents)


def _filter(kinds: Collection[Kind] | None, contents: Collection[str] | None) -> Any | None:
    parts = []
    if kinds is not None:
        parts.append(_among("kind", sorted(str(kind) for kind in kinds)))
    if contents is not None:
        parts.append(_among("content", sorted(_own(content) for content in contents)))
    return None if not parts else parts[0] if len(parts) == 1 else parts[0].and_(parts[1])
