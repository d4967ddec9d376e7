"""Search by words: a grown index against one from scratch, and what other forms it finds."""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.report import Report, Row
from retriever.queries.query import Query
from retriever.search import Searcher
from tests.library import Small, small

SEED = 21
QUERIES = 200
FILES = 600
COLD_RUNS, GOAL_COLD_S, GOAL_COLD = 7, 1.0, 10.0
WORDS = 4_000

# Of six languages, each a noun in the singular and in the plural.
NOUNS = """
    deposit deposits|bicycle bicycles|invoice invoices|city cities|harbour harbours|
    contract contracts|window windows|letter letters|neighbour neighbours|branch branches
    Rechnung Rechnungen|Schlüssel Schlüsseln|Zeitung Zeitungen|Straße Straßen|Vertrag Vertrags|
    Wohnung Wohnungen|Fenster Fenstern|Nachbarin Nachbarinnen|Maschine Maschinen|Küche Küchen
    maison maisons|fenêtre fenêtres|lettre lettres|clé clés|garçon garçons|
    forêt forêts|réunion réunions|voiture voitures|pièce pièces|étoile étoiles
    ventana ventanas|carta cartas|vecino vecinos|canción canciones|reunión reuniones|
    ciudad ciudades|contrato contratos|factura facturas|corazón corazones|camión camiones
    finestra finestre|lettera lettere|vicino vicini|macchina macchine|contratto contratti|
    fattura fatture|stazione stazioni|ragazzo ragazzi|bottiglia bottiglie|strada strade
    договор договоры|письмо письма|машина машины|квартира квартиры|документ документы|
    станция станции|река реки|школа школы|книга книги|газета газеты
""".split("\n")[1:-1]
PARTS = ("Miet", "Bau", "Haus", "Winter", "Garten", "Kinder", "Stadt", "Wasser")
NUMBERS = ("{}-{}-{}", "{} {} {}", "{}.{}.{}", "{}/{} {}")


def run(quick: bool) -> Report:
    chance = random.Random(SEED)
    with tempfile.TemporaryDirectory() as base:
        rows = [*_order(Path(base), chance, FILES // 6 if quick else FILES)]
        rows += _forms(Path(base), chance)
        rows += _cold(Path(base))
    return Report("search", rows, seeds=[SEED])


def _order(base: Path, chance: random.Random, count: int) -> Iterator[Row]:
    """The same files, come in ten times with changes and deletions between, and all at once."""
    folder = base / "order"
    with small(folder, base / "grown") as grown:
        for _ in range(10):
            for _ in range(count // 10):
                grown.write(f"{chance.randrange(count)}.txt", _text(chance))
            for path in chance.sample(sorted(folder.iterdir()), count // 50):
                path.unlink()
            grown.service.run_once()
        with small(folder, base / "fresh") as fresh:
            fresh.service.run_once()
            queries = [
                " ".join(_word(chance) for _ in range(chance.randint(1, 3))) for _ in range(QUERIES)
            ]
            equal = sum(_found(grown, query) == _found(fresh, query) for query in queries)
            p95_ms = [_p95_ms(library, queries) for library in (grown, fresh)]
    what = f"of {QUERIES} queries, lists of a grown index equal to those of one from scratch"
    yield Row("equal", what, equal, "", goal=QUERIES)
    what = "a search by words, 95th percentile, beside an index from scratch"
    yield Row("p95", what, p95_ms[0], "ms", reference=p95_ms[1], goal=1.2, at_most=True)


def _cold(base: Path) -> Iterator[Row]:
    """The command of a terminal, without a server: the best of several runs of each."""
    folder = base / "order"
    words = folder.joinpath("0.txt").read_text().split()[0] if (folder / "0.txt").exists() else "a"
    recoll = base / "recoll"
    recoll.mkdir()
    (recoll / "recoll.conf").write_text(f"topdirs = {folder}\nloglevel = 2\n")
    # Debian's own Python is the one that has what Recoll's filters import
    system = {**os.environ, "PATH": "/usr/bin:/bin"}
    subprocess.run(["recollindex", "-c", recoll], env=system, check=True, capture_output=True)
    ours = [sys.executable, "-m", "recollect", "--data", str(base / "fresh")]
    took_s = _best_s([*ours, "search", "--by", "words", words])
    reference_s = _best_s(["recollq", "-c", str(recoll), "-n", "10", words])
    what = "`recollect search --by words` from its start to its end, without a server"
    yield Row("cold", what, took_s, "s", goal=GOAL_COLD_S, at_most=True)
    yield Row("cold_words_s", f"{what}, beside recollq", took_s, "s", reference=reference_s,
              goal=GOAL_COLD, at_most=True)  # fmt: skip


def _best_s(command: list[str]) -> float:
    runs_s = []
    for _ in range(COLD_RUNS):
        began = time.perf_counter()
        subprocess.run(command, capture_output=True, check=False)
        runs_s.append(time.perf_counter() - began)
    return min(runs_s)


def _p95_ms(library: Small, queries: list[str]) -> float:
    """Of the best of three runs for each query."""
    best_s = []
    for query in queries:
        runs_s = []
        for _ in range(3):
            began = time.perf_counter()
            _found(library, query)
            runs_s.append(time.perf_counter() - began)
        best_s.append(min(runs_s))
    return statistics.quantiles(best_s, n=20)[-1] * 1e3


def _forms(base: Path, chance: random.Random) -> Iterator[Row]:
    """Files with one of many words each, asked for in another form of it."""
    wanted: list[tuple[str, str]] = []  # query, the word of the file
    nouns = [pair.split() for line in NOUNS for pair in line.strip("| ").split("|")]
    for one, many in nouns:
        wanted += [(many, one), (_typing_error(chance, one), one), (one[: len(one) * 2 // 3], one)]
    for part in PARTS:
        wanted.append(("Keller", f"{part}keller"))
    while len(wanted) < QUERIES:
        groups = [str(chance.randrange(100, 9_999)) for _ in range(3)]
        written = NUMBERS[len(wanted) % len(NUMBERS)].format(*groups)
        pair = ("".join(groups), written)
        wanted.append(pair if len(wanted) % 2 else pair[::-1])
    words = list(dict.fromkeys(word for _, word in wanted))
    with small(base / "forms", base / "data") as library:
        for number, word in enumerate(words):
            library.write(f"{number}.txt", f"{_text(chance)} {word} {_text(chance)}")
        library.service.run_once()
        ranks = [_rank(library, query, word) for query, word in wanted]
        typed = [library.catalog.passages.ranked(query).exact for query, _ in wanted]
        what = f"of {len(wanted)} queries in another form, those that any file holds as typed"
        yield Row("exact", what, sum(map(bool, typed)) / len(typed) * 100, "%")
        for most in (1, 5):
            share = sum(rank <= most for rank in ranks) / len(ranks)
            what = f"found at rank {most} or better of {len(ranks)} queries in another form"
            yield Row(f"forms_{most}", what, share * 100, "%")
        below = sum(_is_below_another_form(library, word) for word in words)
        yield Row("below", "words as typed below another form", below, "", goal=0, at_most=True)
        first = sum(_rank(library, word, word) == 1 for word in words) / len(words) * 100
        yield Row("precise", "words as typed at rank 1", first, "%")


def _rank(library: Small, query: str, word: str) -> float:
    """From 1; infinite where the file with that word is not among the first 20."""
    for rank, path in enumerate(library.found(query), start=1):
        if f" {word} " in path.read_text():
            return rank
    return float("inf")


def _is_below_another_form(library: Small, word: str) -> bool:
    """Whether a file that holds the word as typed comes after one that does not."""
    exact = library.catalog.passages.ranked(word).exact
    is_exact = [hit.item.content in exact for hit in library.hits(word)]
    return is_exact != sorted(is_exact, reverse=True)


def _typing_error(chance: random.Random, word: str) -> str:
    place = chance.randrange(1, len(word) - 1)
    swapped = word[:place] + word[place + 1] + word[place] + word[place + 2 :]
    return chance.choice([swapped, word[:place] + word[place + 1 :]])


def _found(library: Small, words: str) -> list[tuple[str, float]]:
    searcher = Searcher(library.catalog, library.store, library.model)
    return [(hit.item.content, hit.score) for hit in searcher.search(Query(words, by="words"))]


def _word(chance: random.Random) -> str:
    number = min(int(chance.paretovariate(0.7)), WORDS)
    return "".join("bdfgklmnprstvz"[number // 14**n % 14] + "aeiou"[n % 5] for n in range(4))


def _text(chance: random.Random) -> str:
    return " ".join(_word(chance) for _ in range(chance.randint(20, 90)))
