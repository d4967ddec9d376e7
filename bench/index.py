"""Stage 1 on ten thousand documents: documents a second and memory, beside Recoll on the same."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.documents import QUICK, SEED, corpus, rare_words, sample
from bench.report import Report, Row

TAKEN = "html htm txt pdf docx odt xlsx pptx".split()


def run(quick: bool) -> Report:
    for program, package in {"apt-get": "apt", "dpkg-deb": "dpkg", "recollindex": "recollcmd",
                             "pdftotext": "poppler-utils"}.items():  # fmt: skip
        if shutil.which(program) is None:
            raise SystemExit(f"There is no {program} here; on Debian: apt install {package}")
    with tempfile.TemporaryDirectory() as base:
        folder = corpus()
        if quick:
            folder = sample(folder, Path(base) / "sample")
        files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
        kinds = Counter(file.suffix for file in files)
        size_bytes = sum(len(file.read_bytes()) for file in files)  # now they are all in memory
        theirs = _recoll(folder, Path(base) / "recoll")
        ours = _ours(folder, Path(base) / "data")
        asked = rare_words(files)
        hits = theirs.found(asked), ours.found(asked)
    made = ", ".join(f"{count:,} {ending}" for ending, count in kinds.most_common())
    rows = [
        Row("files", f"files: {made}", len(files), "files",
            goal=QUICK if quick else 10_000),
        Row("size", "their size together", size_bytes / 1e6, "MB"),
        Row("documents", "documents that have been read, beside Recoll's", ours.documents,
            "documents", reference=theirs.documents, goal=0.99),
        Row("speed", "documents a second, read and found by their words, beside Recoll's",
            ours.documents / ours.took_s, "1/s", reference=theirs.documents / theirs.took_s,
            goal=1.0),
        Row("processor", "processor milliseconds a document, of all processes, beside Recoll's",
            1000 * ours.cpu_s / ours.documents, "ms",
            reference=1000 * theirs.cpu_s / theirs.documents, goal=1.0, at_most=True),
        Row("memory", "most memory of all processes together, beside Recoll's",
            ours.peak_bytes / 1e6, "MB", reference=theirs.peak_bytes / 1e6),
        Row("disk", "size of the index, beside Recoll's", ours.disk_bytes / 1e6, "MB",
            reference=theirs.disk_bytes / 1e6),
        Row("found", f"of {len(asked)} words that are in one file alone, found, beside Recoll's",
            hits[1], "words", reference=hits[0],
            goal=1.0),
        Row("load", "processes of others that were running meanwhile, on average",
            max(0.0, os.getloadavg()[1] - 1), "", reference=float(psutil.cpu_count() or 1)),
    ]  # fmt: skip
    return Report("index", rows, seeds=[SEED])


# -- the two


@dataclass(frozen=True)
class Measured:
    """One run of one of the two over all files."""

    took_s: float
    cpu_s: float
    peak_bytes: int
    disk_bytes: int
    documents: int
    asking: list[str]

    def found(self, words: list[str]) -> int:
        """How many of these words a search gives something for."""
        return sum(_hits([*self.asking, word]) > 0 for word in words)


def _recoll(folder: Path, data: Path) -> Measured:
    data.mkdir()
    (data / "recoll.conf").write_text(f"topdirs = {folder}\nloglevel = 2\n")
    # Debian's own Python is the one that has what Recoll's filters import
    took = _timed(["recollindex", "-c", str(data)], {**os.environ, "PATH": "/usr/bin:/bin"})
    asking = ["recollq", "-c", str(data), "-n", "1"]
    # one by one: how many match several terms Xapian only estimates
    documents = sum(_hits([*asking, f"ext:{ending}"]) for ending in TAKEN)
    return Measured(*took, _size(data / "xapiandb"), documents, asking)


def _ours(folder: Path, data: Path) -> Measured:
    asking = [sys.executable, "-m", "bench.index", str(data)]
    took = _timed([*asking, "--read", str(folder)], dict(os.environ))
    return Ours(*took, _size(data), _hits([*asking, "--count"]), asking)


@dataclass(frozen=True)
class Ours(Measured):
    """Asked for all words in one process: starting it takes longer than any search."""

    def found(self, words: list[str]) -> int:
        return _hits([*self.asking, "--find", *words])


def _hits(command: list[str]) -> int:
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    match = re.search(r"(\d+) results", output)
    assert match is not None, output
    return int(match.group(1))


def _timed(command: list[str], environment: dict[str, str]) -> tuple[float, float, int]:
    """Seconds a command takes by the clock and of the processors, and the most memory it and its
    children have had together."""
    began, used_s = time.perf_counter(), _used_s()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
        peak = 0
        while process.poll() is None:
            peak = max(peak, _resident(process.pid))
            time.sleep(0.1)
        took_s = time.perf_counter() - began
        output.seek(0)
        assert process.returncode == 0, output.read()[-2000:]
    return took_s, _used_s() - used_s, peak


def _used_s() -> float:
    """Processor seconds of all children that have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _resident(pid: int) -> int:
    total = 0
    try:
        top = psutil.Process(pid)
        for member in (top, *top.children(recursive=True)):
            try:
                total += member.memory_info().rss
            except psutil.NoSuchProcess:
                continue
    except psutil.NoSuchProcess:
        return 0
    return total


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def main(words: list[str]) -> None:
    """Stage 1 alone, in a process of its own: `DATA --read FOLDER`, `DATA --count` of documents,
    `DATA --find WORD ...` counts the words that are found."""
    from indexer.catalog.catalog import Catalog
    from indexer.extract.process.pool import ReaderPool
    from indexer.ingest.pipeline import Pipeline
    from indexer.ingest.service import READ_ONCE_FOR_S
    from indexer.scan.reconcile import reconcile
    from indexer.vectors.store import Store
    from tests.fake_model import FakeModel

    data, what, *rest = words
    catalog = Catalog(Path(data) / "catalog.sqlite")
    if what == "--count":
        print(catalog.counts.coverage()["read"], "results")
        return
    store = Store(Path(data) / "lance")
    if what == "--find":
        print(sum(bool(catalog.passages.ranked(word).exact) for word in rest), "results")
        return
    pipeline = Pipeline(catalog, store, ReaderPool(), FakeModel())
    catalog.roots.add(Path(rest[0]))
    reconcile(catalog)
    while pipeline.reading.run(for_s=READ_ONCE_FOR_S):
        pass
    pipeline.housekeeping.tidy(thoroughly=True)
    pipeline.close()
    print(json.dumps(catalog.counts.states()))


if __name__ == "__main__":
    main(sys.argv[1:])
