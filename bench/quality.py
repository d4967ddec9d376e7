"""Finding by words in English manuals and notes, beside SQLite's FTS5 and Recoll on the same."""

from __future__ import annotations

import math
import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote

from bench.documents import corpus
from bench.quality_library import SEED, Asked, QualityLibrary, quality_library
from bench.report import Report, Row
from retriever.queries.query import Query
from retriever.search import Searcher
from tests.library import small

SIZES, QUICK_SIZES = (300, 300, 150), (60, 60, 30)  # manuals, notes, queries of each sort
DEPTH = 10

# Gives for a query the names of the texts found, best first.
Engine = Callable[[str], Sequence[str]]


def run(quick: bool) -> Report:
    for program in ("recollindex", "recollq"):
        if shutil.which(program) is None:
            raise SystemExit(f"There is no {program} here; on Debian: apt install recollcmd")
    library = quality_library(corpus(), *(QUICK_SIZES if quick else SIZES))
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        library.write(base / "texts")
        return Report("quality", list(_rows(library, base)), seeds=[SEED])


def _rows(library: QualityLibrary, base: Path) -> Iterator[Row]:
    sorts = {
        "keywords": (f"{len(library.keywords)} queries of three typed keywords", library.keywords),
        "exact": (f"{len(library.phrases)} queries of seven words in a row", library.phrases),
        "paraphrase": (f"{len(library.questions)} questions in words of their own",
                       library.questions),
    }  # fmt: skip
    yield Row("texts", "texts in the library, manuals and notes", len(library.texts), "texts")
    with small(base / "texts", base / "data") as ours:
        ours.service.run_once()
        searcher = Searcher(ours.catalog, ours.store, ours.model)

        def find(words: str) -> list[str]:
            query = Query(words, by="words", limit=DEPTH)
            return [hit.item.path.name for hit in searcher.search(query)]

        engines: list[tuple[str, list[Engine]]] = [
            ("ours", [find]),
            ("fts5", _fts5(library)),
            ("recoll", _recoll(base)),
        ]
        lists = {
            (engine, sort): [[read(asked.words) for asked in queries] for read in readings]
            for engine, readings in engines
            for sort, (_, queries) in sorts.items()
        }
    for sort, (what, queries) in sorts.items():
        for key, share, measure in (
            ("r1", "found first", _recall(1)),
            ("r5", "found among the first five", _recall(5)),
            ("ndcg10", "nDCG of the first ten", _ndcg),
        ):
            of = {
                engine: max(measure(found, queries) for found in lists[engine, sort])
                for engine, _ in engines
            }
            goal = GOALS.get(f"{sort}_{key}")
            text = f"{what}: {share}, beside FTS5 with porter"
            yield Row(f"{sort}_{key}", text, of["ours"], "", of["fts5"], goal)
            yield Row(f"{sort}_{key}_recoll", f"{what}: {share}, beside Recoll", of["ours"], "",
                      of["recoll"])  # fmt: skip


# The least of each ratio to FTS5.
GOALS = {"keywords_r1": 1.0, "exact_r1": 1.0, "paraphrase_r5": 1.0}


def _recall(most: int) -> Callable[[Sequence[Sequence[str]], Sequence[Asked]], float]:
    def recall(lists: Sequence[Sequence[str]], queries: Sequence[Asked]) -> float:
        pairs = zip(lists, queries, strict=True)
        return sum(asked.target in names[:most] for names, asked in pairs) / len(queries)

    return recall


def _ndcg(lists: Sequence[Sequence[str]], queries: Sequence[Asked]) -> float:
    """With one right text a query, the ideal is 1."""
    gains = 0.0
    for names, asked in zip(lists, queries, strict=True):
        if asked.target in names[:DEPTH]:
            gains += 1 / math.log2(names.index(asked.target) + 2)
    return gains / len(queries)


def _fts5(library: QualityLibrary) -> list[Engine]:
    """Each text as one row, ranked by BM25. A query is read as words that all, or any, or in this
    order have to be there; what finds most counts."""
    db = sqlite3.connect(":memory:")
    db.execute("CREATE VIRTUAL TABLE texts USING fts5(name UNINDEXED, text, tokenize='porter')")
    db.executemany("INSERT INTO texts VALUES (?, ?)", library.texts.items())

    def reading(word: str, between: str, whole: str) -> Engine:
        def find(words: str) -> list[str]:
            expression = whole % between.join(word % term for term in re.findall(r"\w+", words))
            rows = db.execute(
                "SELECT name FROM texts WHERE texts MATCH ? ORDER BY rank LIMIT ?",
                (expression, DEPTH),
            )
            return [name for (name,) in rows]

        return find

    return [
        reading('"%s"', " AND ", "%s"),
        reading('"%s"', " OR ", "%s"),
        reading("%s", " ", '"%s"'),
    ]


def _recoll(base: Path) -> list[Engine]:
    """Asked in the same three readings."""
    data = base / "recoll"
    data.mkdir()
    (data / "recoll.conf").write_text(f"topdirs = {base / 'texts'}\nloglevel = 2\n")
    # Debian's own Python is the one that has what Recoll's filters import
    environment = {**os.environ, "PATH": "/usr/bin:/bin"}
    subprocess.run(["recollindex", "-c", data], env=environment, check=True, capture_output=True)

    def reading(option: str, whole: str) -> Engine:
        def find(words: str) -> list[str]:
            asking = ["recollq", "-c", str(data), "-n", str(DEPTH), "-b", option]
            plain = whole % " ".join(re.findall(r"\w+", words))
            found = subprocess.run([*asking, plain], capture_output=True, text=True, check=True)
            return [Path(unquote(line)).name for line in found.stdout.splitlines()]

        return find

    return [reading("-a", "%s"), reading("-o", "%s"), reading("-a", '"%s"')]
